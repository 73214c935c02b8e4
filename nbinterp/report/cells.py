"""A part of a page: which of some things are which others, as coloured cells.

In: names and a matrix of parts.  Out: what a notebook shows as HTML, in the colours of the page, with nothing to load.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Cells"]

_WIDTH: Final = 860
_LETTER: Final = 6.4  # pixels of a name's letter
_MOST: Final = 26  # pixels of a cell
_BLUE: Final = "light-dark(#2563b8, #6ea8fe)"


@dataclass(frozen=True, eq=False)
class Cells:
    """Parts from 0 to 1: row by column.

    Attributes
    ----------
    rows, columns : sequences of str
    values : array (rows, columns)
        The depth of a cell's colour.  Pointing at a cell says its number.
    of, by : str
        What rows and columns are.

    Examples
    --------
    >>> Cells(["a"], ["a", "b"], [[1.0, 0.25]], "seqlets", "hits")._repr_html_().count("<rect")
    2
    """

    rows: Sequence[str]
    columns: Sequence[str]
    values: Any
    of: str
    by: str

    def _repr_html_(self) -> str:
        left = _LETTER * max((len(name) for name in self.rows), default=0) + 10
        top = 0.75 * _LETTER * max((len(name) for name in self.columns), default=0) + 30
        size = min(_MOST, (_WIDTH - left) / max(len(self.columns), 1))
        font = min(11.0, max(size, 3.0))
        parts = []
        for j, name in enumerate(self.columns):
            x = left + (j + 0.5) * size
            parts.append(f'<text transform="translate({x:.1f} {top - 6:.1f}) rotate(-45)">{html.escape(name)}</text>')
        for i, name in enumerate(self.rows):
            y = top + (i + 0.5) * size
            place = f'x="{left - 6:.1f}" y="{y:.1f}" text-anchor="end" dominant-baseline="central"'
            parts.append(f"<text {place}>{html.escape(name)}</text>")
            for j, other in enumerate(self.columns):
                value = float(self.values[i][j])
                words = html.escape(f"{name} ({self.of}), {other} ({self.by}): {value:.1%}")
                parts.append(
                    f'<rect x="{left + j * size:.1f}" y="{top + i * size:.1f}" width="{size - 1:.1f}" height="{size - 1:.1f}" '
                    f'style="fill:{_BLUE};fill-opacity:{max(min(value, 1), 0.03):.2f}"><title>{words}</title></rect>'
                )
        slant = max(((j + 1) * size + 0.75 * _LETTER * len(name) for j, name in enumerate(self.columns)), default=0)
        width, height = left + slant + 4, top + size * len(self.rows) + 4
        return (
            f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img" '
            f'aria-label="{html.escape(f"{self.of} by {self.by}")}" '
            f'style="max-width:100%;height:auto;font:{font:.0f}px system-ui, sans-serif;fill:currentColor">'
            f"{''.join(parts)}</svg>"
        )
