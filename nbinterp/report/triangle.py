"""A part of a page: a number of every two positions, as cells over the sequence.

In: pairs of positions and a number of each.  Out: what a notebook shows as HTML, in the colours of the page, with nothing to
load.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .svg import BLUE, ORANGE, svg, text

__all__ = ["Triangle"]

_WIDTH: Final = 860
_MOST: Final = 4000  # cells drawn
_WIDEST: Final = 22  # pixels of a position
_LEAST: Final = 0.02  # of the largest: paler cells cannot be seen


@dataclass(frozen=True, eq=False)
class Triangle:
    """Pairs of positions: a cell stands above the middle of the two, as high as they are apart.

    Attributes
    ----------
    letters : str
        The sequence under it.
    start : int
        Position of its first letter.
    positions : int array (P, 2)
        Left one first.
    values : array (P,)
        The depth of a cell's colour, blue above zero and orange below; the largest is full.
    unit : str
        What the numbers are.
    spans : sequence of (start, end, name)
        Bars under the letters.

    Examples
    --------
    >>> Triangle("ACGT", 10, [[10, 12], [11, 13]], [0.5, -1.0], "effect")._repr_html_().count("<rect")
    2
    """

    letters: str
    start: int
    positions: Any
    values: Any
    unit: str
    spans: Sequence[tuple[int, int, str]] = ()

    def _repr_html_(self) -> str:
        at, values = np.asarray(self.positions, np.int64).reshape(-1, 2), np.asarray(self.values, np.float64)
        width = len(self.letters)
        size = min(_WIDEST, (_WIDTH - 20) / max(width, 1))
        most = float(np.abs(values).max(initial=0)) or 1.0
        order = np.argsort(np.abs(values), kind="stable")[-_MOST:]
        shown = order[np.abs(values[order]) >= _LEAST * most]
        farthest = int((at[shown, 1] - at[shown, 0]).max(initial=1))
        base = 8 + (farthest + 1) * size / 2
        cells = []
        for (i, j), value in zip(at[shown] - self.start, values[shown], strict=True):
            words = f"{self._named(i)} and {self._named(j)}: {value:.3g} {self.unit}"
            cells.append(
                f'<rect x="{i}" y="{j}" width=".94" height=".94" style="fill:{BLUE if value >= 0 else ORANGE}" '
                f'fill-opacity="{abs(value) / most:.2f}"><title>{html.escape(words)}</title></rect>'
            )
        half = size / 2
        # position i along the sequence and j along it: their middle across, their distance upwards
        turn = f"matrix({half:.3f} {half:.3f} {half:.3f} {-half:.3f} {10:.0f} {base:.1f})"
        body = [f'<g transform="{turn}">{"".join(cells)}</g>', *self._under(size, base)]
        return svg(20 + size * width, base + 30 + (16 if self.spans else 0), f"{self.unit} of pairs of positions", body)

    def _named(self, place: int) -> str:
        return f"{self.letters[place]}{self.start + place}"

    def _under(self, size: float, base: float) -> list[str]:
        """Letters where there is room for them, numbers, and bars."""
        parts, width = [], len(self.letters)
        parts.append(f'<path d="M10 {base:.1f}h{size * width:.1f}" stroke="currentColor" stroke-opacity="0.25"/>')
        low = base + 4
        if size >= 7:
            low += 8
            parts += [text(10 + (i + 0.5) * size, low, one, "middle") for i, one in enumerate(self.letters)]
        every = next(step for step in (10, 20, 50, 100, 200, 500, 1000) if step * size >= 40 or step == 1000)
        for position in range(-(-self.start // every) * every, self.start + width, every):
            x = 10 + (position - self.start + 0.5) * size
            parts.append(text(x, low + 14, f"{position:,}", "middle", 'opacity="0.65"'))
        for start, end, name in self.spans:
            x, wide = 10 + (start - self.start) * size, (end - start) * size
            parts.append(
                f'<path d="M{x:.1f} {low + 20:.1f}h{wide:.1f}" stroke="currentColor" stroke-width="3"/>'
                f"{text(x + wide / 2, low + 33, name, 'middle')}"
            )
        return parts
