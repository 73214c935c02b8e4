"""The pages under docs/: their examples run and print what the pages say, their commands are commands."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from nbinterp import design, perturb
from nbinterp.cli.files import MARGINALIZE
from nbinterp.cli.main import _parser
from nbinterp.report import describe, list_templates

DOCS = Path(__file__).resolve().parents[2] / "docs"
PERTURB, REPORTS = DOCS / "perturb.md", DOCS / "reports.md"
ANNOTATIONS = DOCS / "annotations.md"
_FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"[-+]?\d+\.\d*(?:e[-+]?\d+)?")


class Example(NamedTuple):
    """A block of Python, and what the page says it shows (None where it says nothing)."""

    source: str
    shows: str | None


def sections(page: Path) -> dict[str, list[Example]]:
    """The examples under each heading; those before the first are under ""."""
    found = {}
    for part in re.split(r"^## ", "\n" + page.read_text(), flags=re.MULTILINE):
        title = part.partition("\n")[0]
        blocks = [(kind, text) for kind, text in _FENCED.findall(part) if kind in ("python", "text")]
        found[title] = [
            Example(text, after if next_kind == "text" else None)
            for (kind, text), (next_kind, after) in pairwise([*blocks, ("", "")])
            if kind == "python"
        ]
    return found


def shown(source: str, names: dict[str, Any]) -> str:
    """Run a block as a notebook's cell; give what it prints, and its last value."""
    tree, printed = ast.parse(source), io.StringIO()
    last = tree.body[-1]
    with contextlib.redirect_stdout(printed):
        if isinstance(last, ast.Expr):
            exec(compile(ast.Module(tree.body[:-1], []), "page", "exec"), names)
            value = eval(compile(ast.Expression(last.value), "page", "eval"), names)
            print("" if value is None else repr(value))
        else:
            exec(compile(tree, "page", "exec"), names)
    return printed.getvalue()


def same(got: str, said: str) -> bool:
    """Whether two outputs agree: words exactly, decimal numbers but for their last digit."""
    if _NUMBER.sub("#", got).split() != _NUMBER.sub("#", said).split():
        return False
    pairs = zip(_NUMBER.findall(got), _NUMBER.findall(said), strict=True)
    return all(abs(float(a) - float(b)) <= 2e-3 * max(1.0, abs(float(b))) for a, b in pairs)


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Files go to a folder of the test, and what a page sets for tables is put back."""
    monkeypatch.chdir(tmp_path)
    with pd.option_context("display.float_format", None, "display.width", 100, "display.max_columns", 20):
        yield


QUICK = {"Which base moves which output, or another base?", "And under every condition?", "How sure"}
TITLES = [title for title, examples in sections(PERTURB).items() if title and examples]


@pytest.mark.parametrize(
    "title", [one if one in QUICK else pytest.param(one, marks=pytest.mark.slow) for one in TITLES]
)
@pytest.mark.usefixtures("plain")
def test_the_examples_show_what_the_page_says(title: str) -> None:
    names: dict[str, Any] = {}
    known = sections(PERTURB)
    for example in known[""] + known[title]:
        got = shown(example.source, names)
        assert example.shows is None or same(got, example.shows), f"{example.source}\n{got}"


@pytest.mark.usefixtures("plain")
def test_the_journey_shows_what_the_page_says() -> None:
    """From top to bottom: each section goes on where the one before it ended."""
    names: dict[str, Any] = {}
    for example in (one for examples in sections(ANNOTATIONS).values() for one in examples):
        got = shown(example.source, names)
        assert example.shows is None or same(got, example.shows), f"{example.source}\n{got}"


def test_every_function_has_an_example() -> None:
    run = "\n".join(example.source for examples in sections(PERTURB).values() for example in examples)
    asked = [name for name in (*perturb.__all__, *design.__all__, "pisa", "dependency_map") if name.islower()]
    assert [name for name in asked if not re.search(rf"\bnb\.{name}[(,]", run)] == []


def test_outputs_are_compared() -> None:
    assert same("a  1.001\nb -0.000", "a 1.000\nb 0.000")
    assert not same("a 1.001", "b 1.001")
    assert not same("a 1.011", "a 1.001")
    assert not same("n 32 1.0", "n 31 1.0")
    assert not same("a 1.0", "")


def commands(page: Path) -> list[str]:
    """The commands of this package that a page shows."""
    lines = "\n".join(text for kind, text in _FENCED.findall(page.read_text()) if kind == "sh").splitlines()
    return [line.partition("  #")[0].strip() for line in lines if line.startswith("nbinterp ")]


@pytest.mark.parametrize("command", commands(REPORTS))
def test_the_commands_are_commands(command: str) -> None:
    options = vars(_parser().parse_args(shlex.split(command)[1:]))
    name = options.get("report")
    assert name is None or name in list_templates()


def test_the_parameter_files_are_read() -> None:
    ours, theirs = (json.loads(text) for kind, text in _FENCED.findall(REPORTS.read_text()) if kind == "json")
    assert set(ours) <= {word for word, *_ in describe("marginalization")}
    assert set(theirs) <= set(MARGINALIZE)
