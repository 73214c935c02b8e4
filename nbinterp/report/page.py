"""Parts of a page that every report has: findings at the top, facts at the end.

In: sentences, or names and values.  Out: what a notebook shows as HTML.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Facts", "Findings"]


@dataclass(frozen=True)
class Findings:
    """Three to five sentences made of the numbers.

    Examples
    --------
    >>> Findings(["GATA raises it."])._repr_html_()
    '<ul class="findings"><li>GATA raises it.</li></ul>'
    """

    sentences: Sequence[str]

    def _repr_html_(self) -> str:
        return f'<ul class="findings">{"".join(f"<li>{html.escape(one, quote=False)}</li>" for one in self.sentences)}</ul>'


@dataclass(frozen=True)
class Facts:
    """Names and values; what is empty is left out.

    Examples
    --------
    >>> Facts({"seed": 0, "loci": ""})._repr_html_()
    '<table class="nbi-facts"><tr><th>seed</th><td>0</td></tr></table>'
    """

    values: Mapping[str, Any]

    def _repr_html_(self) -> str:
        rows = (
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(str(value))}</td></tr>"
            for name, value in self.values.items()
            if value not in ("", None)
        )
        return f'<table class="nbi-facts">{"".join(rows)}</table>'
