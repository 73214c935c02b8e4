"""The pages on mechanisms and surrogates: they run from top to bottom and print what they say; their commands are commands."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from nbinterp.cli.main import _parser
from tests.docs.test_docs import DOCS, commands, plain, same, sections, shown  # noqa: F401

PAGES = [DOCS / "mechanisms.md", DOCS / "surrogates.md"]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
@pytest.mark.usefixtures("plain")
def test_the_journey_shows_what_the_page_says(page: Path) -> None:
    names: dict[str, Any] = {}
    for example in (one for examples in sections(page).values() for one in examples):
        got = shown(example.source, names)
        assert example.shows is None or same(got, example.shows), f"{example.source}\n{got}"


@pytest.mark.parametrize("command", [command for page in PAGES for command in commands(page)])
def test_the_commands_are_commands(command: str) -> None:
    assert _parser().parse_args(shlex.split(command)[1:]).do
