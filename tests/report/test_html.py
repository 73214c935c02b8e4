"""The offline page from notebooks of every kind of output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import nbinterp as nb
from nbinterp.errors import FormatError


def notebook(*outputs: dict, tags: tuple[str, ...] = ()) -> dict:
    cell = {
        "cell_type": "code",
        "id": "one",
        "execution_count": None,
        "source": "x < 1",
        "metadata": {"tags": list(tags)},
        "outputs": list(outputs),
    }
    return {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def test_outputs_are_kept_and_escaped() -> None:
    page = nb.to_html(
        notebook(
            {"output_type": "stream", "name": "stdout", "text": "a < b"},
            {"output_type": "display_data", "data": {"text/html": "<b>bold</b>"}, "metadata": {}},
            {"output_type": "display_data", "data": {"image/png": "AAAA"}, "metadata": {}},
            {"output_type": "execute_result", "data": {"text/plain": "<plain>"}, "metadata": {}},
            {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[31mred\x1b[0m"]},
        )
    )
    for part in (
        "a &lt; b",
        "<b>bold</b>",
        "data:image/png;base64,AAAA",
        "&lt;plain&gt;",
        '<pre class="error">red</pre>',
        "x &lt; 1",
    ):
        assert part in page


def test_findings_come_first_and_set_up_is_folded() -> None:
    nbk = notebook({"output_type": "stream", "name": "stdout", "text": "FOUND"}, tags=("findings",))
    nbk["cells"].insert(0, {"cell_type": "markdown", "source": "# Title\n", "metadata": {}})
    nbk["cells"].insert(1, {"cell_type": "markdown", "source": "LATER", "metadata": {}})
    nbk["cells"].append({"cell_type": "code", "source": "secret = 1", "metadata": {"tags": ["hidden"]}, "outputs": []})
    page = nb.to_html(nbk)
    assert page.index("Title</h1>") < page.index("FOUND") < page.index("LATER")
    assert "<summary>set-up</summary>" in page
    assert "<title>Title</title>" in page


def test_a_script_in_a_state_cannot_leave_its_place() -> None:
    page = nb.to_html(
        {
            **notebook(
                {
                    "output_type": "display_data",
                    "metadata": {},
                    "data": {"application/vnd.jupyter.widget-view+json": {"model_id": "m"}},
                }
            ),
            "metadata": {
                "widgets": {
                    "application/vnd.jupyter.widget-state+json": {
                        "state": {
                            "m": {"model_module": "anywidget", "state": {"_esm": "</script><b>", "a": "</script>"}}
                        }
                    }
                }
            },
        }
    )
    data = page.split('id="nbi-data">')[1].split("</script>")[0]
    assert json.loads(data)["models"]["m"]["state"]["a"] == "</script>"


def test_files_and_the_exporter(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps(notebook()))
    page = nb.write_html(path, tmp_path / "n.html")
    assert page.read_text().startswith("<!doctype html>")
    from nbconvert.exporters import get_exporter

    body, resources = get_exporter("nbinterp")().from_filename(str(path))
    assert body.startswith("<!doctype html>")
    assert resources["output_extension"] == ".html"
    for wrong in ("absent.ipynb", __file__):
        with pytest.raises(FormatError, match="no notebook"):
            nb.to_html(Path(wrong))
