"""An executed notebook as one HTML file that stays alive with no kernel and no network.

In: a notebook with its widgets' state, as nbclient keeps it.  Out: HTML text.  Each widget's JavaScript is stored once by
its content; states and buffers are stored as JSON; a small host gives them to the modules.  A content security policy
forbids every request, which is also the proof that none is needed.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import html
import json
import os
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..core.files import writing
from ..errors import FormatError, problem

__all__ = ["to_html", "write_html"]

_VIEW = "application/vnd.jupyter.widget-view+json"
_STATE = "application/vnd.jupyter.widget-state+json"
_POLICY = "default-src 'none'; script-src 'unsafe-inline' blob:; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def _static(name: str) -> str:
    return (files(__package__) / "static" / name).read_text()


def to_html(notebook: Any, title: str | None = None) -> str:
    """Write a notebook as one offline HTML page.

    Cells tagged ``findings`` come first, after the title; cells tagged ``hidden`` (and those papermill injects) are
    folded away.  Code is folded.

    Parameters
    ----------
    notebook : NotebookNode, dict or path
        Executed; it is not changed.
    title : str, optional
        Of the page; the first heading by default.

    Returns
    -------
    str

    Raises
    ------
    FormatError
        When the path holds no notebook.

    Examples
    --------
    >>> cell = {"cell_type": "markdown", "source": "# Hello", "metadata": {}}
    >>> "<h1>Hello</h1>" in to_html({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    True
    """
    nb = _read(notebook)
    states = nb.get("metadata", {}).get("widgets", {}).get(_STATE, {}).get("state", {})
    models: dict[str, Any] = {}
    assets: dict[str, str] = {}
    parts: list[str] = []
    first: list[str] = []
    for cell in nb["cells"]:
        tags = cell.get("metadata", {}).get("tags", [])
        body = _cell(cell, tags, states, models, assets)
        if body:
            (first if "findings" in tags else parts).append(f'<section class="cell">{body}</section>')
    heading = 1 if parts and "<h1" in parts[0] else 0
    parts[heading:heading] = first
    name = title or _title(nb) or "nbinterp report"
    data = json.dumps({"models": models, "assets": assets}, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(name)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><link rel="icon" href="data:,">'
        f"<style>{_static('page.css')}</style></head>\n<body><main>\n"
        + "\n".join(parts)
        + f'\n</main>\n<script type="application/json" id="nbi-data">{data}</script>\n<script>{_static("host.js")}</script>\n'
        "</body></html>\n"
    )


def write_html(notebook: Any, path: str | os.PathLike[str], title: str | None = None) -> Path:
    """Write `to_html` to a file, whole or not at all; give its path."""
    text = to_html(notebook, title)
    with writing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return Path(path)


def _read(notebook: Any) -> dict[str, Any]:
    if isinstance(notebook, (str, os.PathLike)):
        try:
            loaded = json.loads(Path(notebook).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise problem(
                "to_html",
                os.fspath(notebook),
                got=f"no notebook ({error})",
                need="an .ipynb",
                do="check it",
                kind=FormatError,
            ) from error
    else:
        loaded = copy.deepcopy(dict(notebook))
    if "cells" not in loaded:
        raise problem(
            "to_html", "notebook", got="no cells", need="a version 4 notebook", do="check it", kind=FormatError
        )
    return dict(loaded)


def _text(source: Any) -> str:
    return source if isinstance(source, str) else "".join(source)


def _title(nb: dict[str, Any]) -> str | None:
    for cell in nb["cells"]:
        match = (
            re.search(r"^#\s+(.+)$", _text(cell["source"]), re.MULTILINE) if cell["cell_type"] == "markdown" else None
        )
        if match:
            return match[1]
    return None


def _cell(cell: Any, tags: list[str], states: Any, models: dict[str, Any], assets: dict[str, str]) -> str:
    source = _text(cell["source"])
    if cell["cell_type"] == "markdown":
        return _markdown(source)
    if cell["cell_type"] != "code" or not source.strip():
        return ""
    outputs = "".join(_output(out, states, models, assets) for out in cell.get("outputs", []))
    folded = f"<details><summary>code</summary><pre>{html.escape(source)}</pre></details>"
    folds = {"hidden": "set-up", "injected-parameters": "parameters", "parameters": "parameters and their defaults"}
    label = next((words for tag, words in folds.items() if tag in tags), None)
    if label is not None:
        return f"<details><summary>{label}</summary><pre>{html.escape(source)}</pre></details>"
    return (f'<div class="output">{outputs}</div>' if outputs else "") + folded


def _markdown(source: str) -> str:
    from nbconvert.filters import markdown2html

    # anchors beside headings are for pages with a table of contents
    rendered = re.sub(r'<a class="anchor-link"[^>]*>.*?</a>', "", str(markdown2html(source)))
    return re.sub(r"<(h[1-6]) id=[^>]*>", r"<\1>", rendered)


def _output(out: Any, states: Any, models: dict[str, Any], assets: dict[str, str]) -> str:
    kind = out["output_type"]
    if kind == "stream":
        return f'<pre class="{out["name"]}">{html.escape(_ANSI.sub("", _text(out["text"])))}</pre>'
    if kind == "error":
        trace = "\n".join(out.get("traceback", [])) or f"{out['ename']}: {out['evalue']}"
        return f'<pre class="error">{html.escape(_ANSI.sub("", trace))}</pre>'
    data = out.get("data", {})
    if _VIEW in data and _keep(data[_VIEW]["model_id"], states, models, assets):
        still = data.get("image/png")
        picture = (
            f'<noscript><img alt="" src="data:image/png;base64,{_text(still).strip()}"></noscript>' if still else ""
        )
        return f'<div class="nbi-mount" data-model="{html.escape(data[_VIEW]["model_id"])}">{picture}</div>'
    if "text/html" in data:
        return _text(data["text/html"])
    if "image/svg+xml" in data:
        encoded = base64.b64encode(_text(data["image/svg+xml"]).encode()).decode()
        return f'<img alt="" src="data:image/svg+xml;base64,{encoded}">'
    if "image/png" in data:
        return f'<img alt="" src="data:image/png;base64,{_text(data["image/png"]).strip()}">'
    if "text/markdown" in data:
        return _markdown(_text(data["text/markdown"]))
    return f"<pre>{html.escape(_text(data['text/plain']))}</pre>" if "text/plain" in data else ""


def _keep(model_id: str, states: Any, models: dict[str, Any], assets: dict[str, str]) -> bool:
    """Store a widget's state, and its sources once; only anywidgets can live without Jupyter."""
    model = states.get(model_id)
    if model is None or model.get("model_module") != "anywidget":
        return False
    state = dict(model["state"])
    sources = {}
    for key in ("_esm", "_css"):
        text = state.pop(key, "")
        sources[key] = hashlib.sha256(text.encode()).hexdigest()[:16]
        assets[sources[key]] = text
    models[model_id] = {
        "esm": sources["_esm"],
        "css": sources["_css"],
        "state": {key: value for key, value in state.items() if not key.startswith("_")},
        "buffers": [[one["path"], one["data"]] for one in model.get("buffers", [])],
    }
    return True
