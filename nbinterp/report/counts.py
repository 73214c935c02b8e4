"""Parts of a page: how often, as bars, and two counts of some things against each other.

In: names and counts.  Out: what a notebook shows as HTML, in the colours of the page, with nothing to load.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .svg import BLUE, short, svg, text

__all__ = ["Bars", "Scatter", "histogram"]

_LEFT: Final = 44  # pixels for the numbers of an axis


@dataclass(frozen=True, eq=False)
class Bars:
    """Counts in bins.

    Attributes
    ----------
    edges : sequence of float
        One more than counts; or as many, for whole numbers that each have a bar.
    counts : sequence of int
    label : str
        What is counted along the axis.
    unit : str
        What is counted upwards.

    Examples
    --------
    >>> Bars([0, 1, 2], [3, 0, 5], "hits", "regions")._repr_html_().count("<rect")
    2
    """

    edges: Sequence[float]
    counts: Sequence[int]
    label: str
    unit: str
    width: int = 420
    height: int = 150

    def _repr_html_(self) -> str:
        n, most = len(self.counts), max([*self.counts, 1])
        whole = len(self.edges) == n
        step, tall = (self.width - _LEFT - 16) / max(n, 1), self.height - 44
        body = [
            text(_LEFT - 6, 16, f"{most:,}", "end"),
            _line(f"M{_LEFT} {tall + 8.5}H{self.width - 16}", 0.25),
        ]
        for i, count in enumerate(self.counts):
            if not count:
                continue
            size = max(tall * count / most, 1)
            of = short(self.edges[i]) if whole else f"{short(self.edges[i])} to {short(self.edges[i + 1])}"
            body.append(
                f'<rect x="{_LEFT + i * step:.1f}" y="{tall + 8 - size:.1f}" width="{max(step - 1, 0.5):.1f}" height="{size:.1f}" '
                f'style="fill:{BLUE}"><title>{html.escape(f"{self.label} {of}: {count:,} {self.unit}")}</title></rect>'
            )
        every = max(1, math.ceil(n / 8))
        at = range(0, n, every) if whole else range(0, n + 1, every)
        for i in at:
            x = _LEFT + (i + 0.5) * step if whole else _LEFT + i * step
            body.append(text(x, tall + 22, short(self.edges[i]), "middle"))
        body.append(
            text(
                (_LEFT + self.width - 16) / 2,
                tall + 38,
                f"{self.label} ({self.unit} upwards)",
                "middle",
                'opacity="0.65"',
            )
        )
        return svg(self.width, self.height, f"{self.unit} by {self.label}", body)


@dataclass(frozen=True, eq=False)
class Scatter:
    """Two counts of each of some things, on logarithmic axes; on the line they are equal.  Nought stands at the edge.

    Attributes
    ----------
    names : sequence of str
    x, y : sequences of int
    x_label, y_label : str

    Examples
    --------
    >>> Scatter(["a", "b"], [3, 0], [5, 2], "seqlets", "hits")._repr_html_().count("<circle")
    2
    """

    names: Sequence[str]
    x: Sequence[float]
    y: Sequence[float]
    x_label: str
    y_label: str
    size: int = 380

    def _repr_html_(self) -> str:
        known = [value for value in (*self.x, *self.y) if value > 0] or [1]
        least, most = math.log10(min(known) / 1.5), math.log10(max(known) * 1.5)
        low, tall = _LEFT + 14, self.size - 46
        high = low + tall - 12

        def along(value: float) -> float:
            return low + (high - low) * (math.log10(value) - least) / (most - least) if value > 0 else low - 12.0

        def up(value: float) -> float:
            return tall - (along(value) - low)

        top, bottom = up(10**most), tall + 12
        body = [_line(f"M{low} {tall}L{high} {top:.1f}", 0.35, dashed=True)]
        for tick in _ticks(least, most):
            x, y = along(tick), up(tick)
            body.append(_line(f"M{low - 12} {y:.1f}H{high}M{x:.1f} {top:.1f}V{bottom}", 0.1))
            body += [text(low - 18, y + 4, f"{tick:,}", "end"), text(x, bottom + 14, f"{tick:,}", "middle")]
        quiet = 'opacity="0.65"'
        turned = f'{quiet} transform="translate(11 {(tall + top) / 2:.0f}) rotate(-90)"'
        body += [
            text((low + high) / 2, bottom + 30, self.x_label, "middle", quiet),
            text(0, 0, self.y_label, "middle", turned),
        ]
        floor = -math.inf  # labels go down, none upon another
        for name, x, y in sorted(zip(self.names, self.x, self.y, strict=True), key=lambda one: (-one[2], -one[1])):
            words = html.escape(f"{name}: {x:,} {self.x_label}, {y:,} {self.y_label}")
            cx, cy = along(x), up(y)
            body.append(
                f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="4" style="fill:{BLUE}"><title>{words}</title></circle>'
            )
            if len(self.names) <= 30:
                floor = max(cy + 4, floor + 12)
                if floor < bottom:
                    body.append(_line(f"M{cx:.1f} {cy:.1f}L{high + 4} {floor - 4:.1f}", 0.2))
                    body.append(text(high + 8, floor, name if len(name) < 26 else f"…{name[-24:]}"))
        return svg(self.size + 150, self.size, f"{self.y_label} against {self.x_label}", body)


def _line(path: str, opacity: float, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="4 4"' if dashed else ""
    return f'<path d="{path}" fill="none" stroke="currentColor" stroke-opacity="{opacity}"{dash}/>'


def _ticks(least: float, most: float) -> list[int]:
    """Round numbers between two powers of ten; of many only the powers."""
    steps = (1, 2, 5) if most - least < 2.5 else (1,)
    powers = range(max(math.floor(least), 0), math.ceil(most) + 1)
    return [step * 10**k for k in powers for step in steps if least <= math.log10(step * 10**k) <= most]


def histogram(values: Any, bins: Any = 30) -> tuple[list[float], list[int]]:
    """Edges and counts; of whole numbers below 60 one bar each, from 0."""
    values = np.asarray(values)
    if not len(values):
        return [0.0], [0]
    if np.issubdtype(values.dtype, np.integer) and values.min() >= 0 and values.max() < 60:
        counts = np.bincount(values)
        return list(map(float, range(len(counts)))), counts.tolist()
    counts, edges = np.histogram(values, bins)
    return edges.tolist(), counts.tolist()
