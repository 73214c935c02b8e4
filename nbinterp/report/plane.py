"""A part of a page: points in a plane, and a line through them with its band.

In: numbers.  Out: what a notebook shows as HTML, in the colours of the page, with nothing to load.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from .svg import BLUE, ORANGE, short, svg, text

__all__ = ["Line", "Plane"]

_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 14, 10, 44  # pixels around the plane
_MOST: Final = 3000  # points drawn


class Line(NamedTuple):
    """A line by ascending x, and what lies around it."""

    x: Any
    y: Any
    low: Any = None
    high: Any = None


@dataclass(frozen=True, eq=False)
class Plane:
    """Points, of many some at even steps; a line over them with its band; and one point that is marked.

    Attributes
    ----------
    x, y : arrays (N,)
        Points that are not finite are left out.
    x_label, y_label : str
    line : Line, optional
    mark : (float, float, str), optional
        A point with its name.
    ticks : sequence of (float, str)
        Along x, with their words; round numbers by default.
    robust : bool
        Let axes hold 99.8 % of the points, and set the others on the edge.

    Examples
    --------
    >>> Plane([0, 1, 2], [0, 1, 4], "x", "y", Line([0, 2], [0, 3]))._repr_html_().count("h0")
    3
    """

    x: Any
    y: Any
    x_label: str
    y_label: str
    line: Line | None = None
    mark: tuple[float, float, str] | None = None
    ticks: Sequence[tuple[float, str]] = ()
    robust: bool = True
    width: int = 460
    height: int = 340

    def _repr_html_(self) -> str:
        x, y = (np.asarray(one, np.float64) for one in (self.x, self.y))
        known = np.isfinite(x) & np.isfinite(y)
        x, y = x[known], y[known]
        few = np.unique(np.linspace(0, max(len(x) - 1, 0), min(len(x), _MOST)).astype(int))
        ends = [self._range(one, place) for place, one in enumerate((x, y))]
        across = _Scale(*ends[0], _LEFT, self.width - _RIGHT)
        up = _Scale(*ends[1], self.height - _BOTTOM, _TOP)
        under, over = self._drawn(across, up)
        dots = "".join(f"M{a:.1f} {b:.1f}h0" for a, b in zip(across(x[few]), up(y[few]), strict=True))
        look = f'fill="none" style="stroke:{BLUE}" stroke-width="3.2" stroke-linecap="round" stroke-opacity="0.5"'
        points = f'<path d="{dots}" {look}/>'
        body = [*self._axes(across, up), under, points, over]
        if self.mark is not None:
            body.append(self._marked(self.mark, across, up))
        return svg(self.width, self.height, f"{self.y_label} against {self.x_label}", body)

    def _range(self, values: np.ndarray, place: int) -> tuple[float, float]:
        """From least to most of the points, and of the line and the mark, and a little more."""
        held = list(np.quantile(values, (0.001, 0.999) if self.robust else (0, 1))) if len(values) else []
        if self.line is not None:
            along = np.asarray(self.line[place], np.float64)
            held += [along.min(), along.max()] if len(along) else []
        if self.mark is not None:
            held.append(self.mark[place])
        low, high = (min(held), max(held)) if held else (0.0, 1.0)
        more = 0.03 * (high - low) or 0.5
        return float(low - more), float(high + more)

    def _axes(self, across: _Scale, up: _Scale) -> list[str]:
        bottom, right = self.height - _BOTTOM, self.width - _RIGHT
        parts = []
        for tick in _ticks(up.low, up.high):
            at = float(up(tick))
            parts.append(f'<path d="M{_LEFT} {at:.1f}H{right}" stroke="currentColor" stroke-opacity="0.1"/>')
            parts.append(text(_LEFT - 6, at + 4, short(tick), "end"))
        for tick, words in self.ticks or [(one, short(one)) for one in _ticks(across.low, across.high)]:
            at = float(across(tick))
            parts.append(f'<path d="M{at:.1f} {_TOP}V{bottom}" stroke="currentColor" stroke-opacity="0.1"/>')
            parts.append(text(at, bottom + 15, words, "middle"))
        parts.append(text((_LEFT + right) / 2, bottom + 34, self.x_label, "middle", 'opacity="0.65"'))
        turned = f'opacity="0.65" transform="translate(11 {(bottom + _TOP) / 2:.0f}) rotate(-90)"'
        return [*parts, text(0, 0, self.y_label, "middle", turned)]

    def _drawn(self, across: _Scale, up: _Scale) -> tuple[str, str]:
        """The band, which lies under the points, and the line over them."""
        if self.line is None:
            return "", ""
        at, band = [f"{a:.1f}" for a in across(self.line.x)], ""
        if self.line.low is not None:
            high, low = (
                [f"{a} {b:.1f}" for a, b in zip(at, up(one), strict=True)] for one in (self.line.high, self.line.low)
            )
            path = "M" + "L".join([*high, *low[::-1]]) + "Z"
            band = f'<path d="{path}" style="fill:{ORANGE}" fill-opacity="0.16"/>'
        path = "M" + "L".join(f"{a} {b:.1f}" for a, b in zip(at, up(self.line.y), strict=True))
        return band, f'<path d="{path}" fill="none" style="stroke:{ORANGE}" stroke-width="1.8"/>'

    def _marked(self, mark: tuple[float, float, str], across: _Scale, up: _Scale) -> str:
        x, y = float(across(mark[0])), float(up(mark[1]))
        left = x > (self.width + _LEFT) / 2
        words = text(x + (-9 if left else 9), y + 4, mark[2], "end" if left else "start", 'font-weight="600"')
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="none" stroke="currentColor" stroke-width="2"/>{words}'


class _Scale(NamedTuple):
    """From numbers to pixels; what is beyond the ends is set on them."""

    low: float
    high: float
    first: float
    last: float

    def __call__(self, values: Any) -> np.ndarray:
        part = np.clip((np.asarray(values, np.float64) - self.low) / (self.high - self.low), 0, 1)
        return np.asarray(self.first + (self.last - self.first) * part)


def _ticks(low: float, high: float) -> Sequence[float]:
    """Round numbers, about five."""
    step = 10.0 ** math.floor(math.log10((high - low) / 4))
    step *= next(one for one in (1, 2, 5, 10) if (high - low) / (one * step) <= 6)
    return [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
