"""The page on hits: it runs from top to bottom and prints what it says, and its commands are commands."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from nbinterp.cli.main import _parser
from tests.docs.test_docs import DOCS, commands, plain, same, sections, shown  # noqa: F401

PAGE = DOCS / "hits.md"


@pytest.mark.usefixtures("plain")
def test_the_journey_shows_what_the_page_says() -> None:
    names: dict[str, Any] = {}
    for example in (one for examples in sections(PAGE).values() for one in examples):
        got = shown(example.source, names)
        assert example.shows is None or same(got, example.shows), f"{example.source}\n{got}"


@pytest.mark.parametrize("command", commands(PAGE))
def test_the_commands_are_commands(command: str) -> None:
    assert _parser().parse_args(shlex.split(command)[1:]).do
