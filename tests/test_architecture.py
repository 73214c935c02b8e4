"""The imports hold to the plan of the house: floors, doors, and sizes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "nbinterp"

FLOOR = {
    folder: floor
    for floor, folders in enumerate(
        [
            ("errors", "core"),
            ("sequence", "seqlet", "chart"),
            ("model", "motif"),
            ("attribution", "perturb", "hit", "annotation"),
            ("design", "mechanism", "demo"),
            ("live",),
            ("widget",),
            ("report",),
            ("cli",),
            ("__main__",),
        ]
    )
    for folder in folders
}

# A foreign library has one door: only these folders may import it.
DOORS = {
    "pyfaidx": {"sequence"},
    "pyBigWig": {"sequence"},
    "altair": {"chart"},
    "logomaker": {"chart"},
    "matplotlib": {"chart"},
    "anywidget": {"widget"},
    "traitlets": {"widget"},
    "ipywidgets": {"widget"},
    "papermill": {"report"},
    "nbformat": {"report"},
    "nbconvert": {"report"},
    "nbclient": {"report"},
    "h5py": {"model", "motif", "hit"},
}
TORCHLESS = {"chart", "widget", "report", "cli"}

FILES = sorted(path for path in PACKAGE.rglob("*.py") if "templates" not in path.parts)


def folder_of(path: Path) -> str:
    """The folder (or top-level module) that a file belongs to; the face itself is ''."""
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imports(path: Path) -> Iterator[tuple[str, str, int]]:
    """Yield ("own" folder or "foreign" root, its name, line) of every import, lazy ones included."""
    package = ("nbinterp", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "nbinterp" else [module]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "nbinterp":
                yield "own", parts[1] if len(parts) > 1 else "", node.lineno
            else:
                yield "foreign", parts[0], node.lineno


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_hold_to_the_floors(path: Path) -> None:
    here = folder_of(path)
    if not here:
        return
    assert here in FLOOR, f"{here} has no floor in the plan"
    for kind, name, line in imports(path):
        where = f"{path.name}:{line}"
        if kind == "own" and name in FLOOR and name != here:
            shared = FLOOR[name] == 0
            assert shared or FLOOR[name] < FLOOR[here], f"{where} imports {name}, which is not below {here}"
        if kind == "foreign":
            assert here in DOORS.get(name, {here}), f"{where} imports {name}; its door is {DOORS.get(name)}"
            assert not (name == "torch" and here in TORCHLESS), f"{where}: no torch in {here}/"


def test_the_check_sees_an_upward_import() -> None:
    """The test above can fail: a relative import is resolved to its folder."""
    found = {(kind, name) for kind, name, _ in imports(PACKAGE / "core" / "check.py")}
    assert ("own", "errors") in found
    assert ("foreign", "torch") in found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert path.stem != "utils"
    assert text.count("\n") <= 600, "a file past 600 lines is asking to be two"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body
            documented = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
            first = body[1].lineno if documented and len(body) > 1 else body[0].lineno
            length = (node.end_lineno or 0) - first + 1
            assert length <= 80, f"{node.name} has {length} lines of code"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_print_no_bare_except_and_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "a module says its idea"
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno}: a bare except"
        printing = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        allowed = folder_of(path) == "cli" or path.name == "train.py"
        assert allowed or not printing, f"line {node.lineno}: a print"
