"""Reports made for tests: a template's own cells, run right here, quicker than a kernel; or whole, by the clock."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

import nbinterp as nb
from nbinterp.report.run import template_path


def run_cells(name: str, out: Path, **given: Any) -> dict[str, Any]:
    """What is in the notebook after its last cell; its files are in the folder."""
    known: dict[str, Any] = {"__name__": "report"}
    out.mkdir(parents=True, exist_ok=True)
    for cell in json.loads(template_path(name).read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), known)
            if "parameters" in cell["metadata"]["tags"]:
                known.update({word: str(value) if isinstance(value, Path) else value for word, value in given.items()})
                known["out"] = str(out)
    return known


def timed_report(name: str, asked: Mapping[str, Any], folder: Path, most: float) -> Path:
    """Run a report and give its folder; say how long it took, which is `most` seconds of a processor."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    page = nb.run_report(name, asked, folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{name}: {time.perf_counter() - began:.1f} s, {seconds:.1f} s of processor, {page.stat().st_size:,} bytes")
    assert seconds < most  # of a processor, whatever else the machine does
    return page.parent


def table(folder: Path, name: str) -> pd.DataFrame:
    """A table that a report wrote."""
    return pd.read_csv(folder / "tables" / f"{name}.tsv", sep="\t", keep_default_na=False)
