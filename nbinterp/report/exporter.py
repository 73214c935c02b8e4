"""``jupyter nbconvert --to nbinterp notebook.ipynb``: the offline page as an nbconvert exporter."""

from __future__ import annotations

from typing import Any

from nbconvert.exporters import Exporter

from .html import to_html

__all__ = ["NbinterpExporter"]


class NbinterpExporter(Exporter):
    """Writes what `nbinterp.report.to_html` writes."""

    export_from_notebook = "Offline HTML (nbinterp)"
    output_mimetype = "text/html"

    def _file_extension_default(self) -> str:
        return ".html"

    def from_notebook_node(self, nb: Any, resources: Any = None, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Convert a notebook."""
        found: dict[str, Any] = self._init_resources(resources)  # type: ignore[no-untyped-call]
        found["output_extension"] = ".html"
        return to_html(nb), found
