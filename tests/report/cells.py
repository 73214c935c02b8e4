"""A template's own cells, run right here: quicker than a kernel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nbinterp.report.run import template_path


def run_cells(name: str, out: Path, **given: Any) -> dict[str, Any]:
    """What is in the notebook after its last cell; its files are in the folder."""
    known: dict[str, Any] = {"__name__": "report"}
    for cell in json.loads(template_path(name).read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), known)
            if "parameters" in cell["metadata"]["tags"]:
                known.update({word: str(value) if isinstance(value, Path) else value for word, value in given.items()})
                known["out"] = str(out)
    return known
