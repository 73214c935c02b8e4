"""A part of a page: numbers of every two of some things as coloured cells.

In: names and a symmetric matrix.  Out: what a notebook shows as HTML, in the colours of the page, with nothing to load.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Grid"]

_WIDTH: Final = 720
_LETTER: Final = 6.2  # pixels of a name's letter
_MOST: Final = 24  # pixels of a cell
_RISE, _FALL = "light-dark(#2563b8, #6ea8fe)", "light-dark(#b4530a, #f2a65e)"


@dataclass(frozen=True, eq=False)
class Grid:
    """Values of pairs from -1 to 1, below the diagonal, on which the names stand.

    Attributes
    ----------
    names : sequence of str
    values : array (n, n)
        The depth of a cell's colour; blue above zero, orange below.  Pointing at a cell says its number.

    Examples
    --------
    >>> Grid(["a", "b"], [[1.0, 0.5], [0.5, 1.0]])._repr_html_().count("<rect")
    1
    """

    names: Sequence[str]
    values: Any

    def _repr_html_(self) -> str:
        n = len(self.names)
        label = _LETTER * max((len(name) for name in self.names), default=0) + 8
        size = min(_MOST, (_WIDTH - label) / max(n, 1))
        font = min(11.0, max(size, 3.0))
        parts = []
        for i, name in enumerate(self.names):
            for j in range(i):
                value = float(self.values[i][j])
                words = html.escape(f"{name} and {self.names[j]}: {value:.2f}")
                parts.append(
                    f'<rect x="{j * size:.1f}" y="{i * size:.1f}" width="{size - 1:.1f}" height="{size - 1:.1f}" '
                    f'style="fill:{_RISE if value >= 0 else _FALL};fill-opacity:{min(abs(value), 1):.2f}">'
                    f"<title>{words}</title></rect>"
                )
            parts.append(
                f'<text x="{i * size + 4:.1f}" y="{(i + 0.5) * size:.1f}" dominant-baseline="central">'
                f"{html.escape(name)}</text>"
            )
        width, height = n * size + label, n * size
        return (
            f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img" aria-label="pairs" '
            f'style="max-width:100%;height:auto;font:{font:.0f}px system-ui, sans-serif;fill:currentColor">'
            f"{''.join(parts)}</svg>"
        )
