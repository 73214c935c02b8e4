"""Run a template.

In: a template's name, parameters, a folder.  Out: the folder filled, ``report.html`` last and by rename, so that a report
that is there is whole.
"""

from __future__ import annotations

import dataclasses
import json
import os
import warnings
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..core.files import writing
from ..errors import NbinterpError, problem
from .html import to_html
from .parameters import check_parameters
from .steps import interpreter

__all__ = ["run_report", "template_path"]


def template_path(name: str) -> Path:
    """Where a template's notebook is: in the package, or beside it in a checkout."""
    packaged = Path(str(files(__package__))) / "templates" / f"{name}.ipynb"
    checkout = Path(__file__).resolve().parents[2] / "notebooks" / "templates" / f"{name}.ipynb"
    return packaged if packaged.is_file() else checkout


def run_report(
    name: str, parameters: Mapping[str, Any], out: str | os.PathLike[str], *, progress: bool = False
) -> Path:
    """Run a report and give the path of its HTML file.

    Parameters
    ----------
    name : str
        Of the template; see `list_templates`.
    parameters : mapping
        Checked before anything starts.
    out : path
        The folder.  Steps that an earlier run finished there, with the same inputs, are read back.
    progress : bool
        Show papermill's bar.

    Returns
    -------
    pathlib.Path
        ``OUT/report.html``; beside it report.ipynb, manifest.json, tables/ and figures/.

    Raises
    ------
    NbinterpError
        For wrong parameters, or with the cause when a cell fails; finished steps are kept.
    """
    checked = check_parameters(name, parameters)
    folder = Path(out)
    (folder / ".nbinterp").mkdir(parents=True, exist_ok=True)
    # paths as the kernel, which runs elsewhere, will find them
    paths = {key: str(Path(path).resolve()) for key in checked.paths if (path := getattr(checked, key))}
    values = {**dataclasses.asdict(checked), **paths, "out": str(folder.resolve())}
    executed = _execute(name, values, folder, progress)
    text = to_html(executed)
    with writing(folder / "report.ipynb") as temporary:
        temporary.write_text(json.dumps(executed, indent=1), encoding="utf-8")
    with writing(folder / "report.html") as temporary:
        temporary.write_text(text, encoding="utf-8")
    return folder / "report.html"


def _execute(name: str, values: dict[str, Any], folder: Path, progress: bool) -> dict[str, Any]:
    """Run the notebook in a kernel of this interpreter; give it executed, with its widgets' state."""
    import papermill

    working = folder / ".nbinterp" / "running.ipynb"
    data = folder.resolve() / ".nbinterp" / "jupyter"
    spec = data / "kernels" / "nbinterp"
    spec.mkdir(parents=True, exist_ok=True)
    described = {"argv": interpreter(), "display_name": "nbinterp", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(described))
    before = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = str(data) + (os.pathsep + before if before else "")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # papermill's own deprecations are not the user's
            papermill.execute_notebook(
                str(template_path(name)),
                str(working),
                parameters=values,
                kernel_name="nbinterp",
                progress_bar=progress,
                cwd=str(folder),
            )
    except papermill.PapermillExecutionError as error:
        raise _failure(name, folder, error) from error
    finally:
        if before is None:
            del os.environ["JUPYTER_PATH"]
        else:
            os.environ["JUPYTER_PATH"] = before
    executed: dict[str, Any] = json.loads(working.read_text(encoding="utf-8"))
    working.unlink()
    return executed


def _failure(name: str, folder: Path, error: Any) -> NbinterpError:
    """The cell's own words when they are for the user, else where to look."""
    if error.ename in ("NbinterpError", "FormatError", "ModelError", "OptionError"):
        return NbinterpError(error.evalue)
    return problem(
        f"report {name}",
        f"cell {error.cell_index}",
        got=f"{error.ename}: {error.evalue}",
        need="a cell that runs",
        do=f"look into {folder / '.nbinterp' / 'running.ipynb'}; finished steps are kept and the next run goes on from them",
    )
