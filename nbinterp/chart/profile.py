"""A still picture of profiles along a sequence.

In: rows of values, one or two strands each.  Out: PNG bytes, in the look of `TrackView`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from ..core.check import check_choice
from .still import _draw_lanes, _lanes

__all__ = ["ProfileRow", "profile_png"]

_ACCENT: Final = "#2563b8"
_COLUMNS: Final = 1200  # positions up to which each is drawn


class ProfileRow(NamedTuple):
    """One row of the picture.

    Attributes
    ----------
    label : str
    values : array, shape (S, L)
        One strand, or two; the second is drawn downwards.  NaN is hatched.
    ghost : array, shape (S, L), optional
        Drawn as a line, such as the profile before an edit.
    band : pair of arrays, shape (S, L), optional
        Where the values lie between.
    """

    label: str
    values: np.ndarray
    ghost: np.ndarray | None = None
    band: tuple[np.ndarray, np.ndarray] | None = None


def profile_png(
    rows: Sequence[ProfileRow],
    length: int | None = None,
    first: int = 0,
    *,
    title: str = "",
    offset: int = 0,
    spans: Sequence[tuple[int, int, str]] = (),
    scale: str = "row",
) -> bytes:
    r"""Draw rows of profiles as PNG bytes.

    Parameters
    ----------
    rows : sequence of ProfileRow
        From the top down.
    length : int, optional
        Positions that the picture is wide; all values by default.
    first : int
        Where in the picture the profiles begin.
    title : str
        Words above it.
    offset : int
        Coordinate of the picture's left edge.
    spans : sequence of (start, end, name)
        Bars below, with positions counted from the left edge.
    scale : {"row", "shared"}
        Whether rows have their own range, or one together.

    Returns
    -------
    bytes

    Raises
    ------
    NbinterpError
        When `scale` is neither.

    Examples
    --------
    >>> profile_png([ProfileRow("coverage", np.ones((2, 50)))])[:4]
    b'\x89PNG'
    """
    from matplotlib.figure import Figure

    check_choice("profile_png", "scale", scale, ("row", "shared"))
    width = first + max((row.values.shape[1] for row in rows), default=1) if length is None else length
    inside = sorted((max(a, 0), min(b, width), name) for a, b, name in spans if b > 0 and a < width)
    lanes = _lanes(inside, width)
    heights = [1.0] * len(rows) + ([0.22 * (min(max(lanes) + 1, 6) + 0.6)] if lanes else [])
    figure = Figure(figsize=(10, 0.5 + 0.95 * sum(heights)), dpi=110, layout="constrained")
    axes = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    ranges = [_extent(row) for row in rows]
    if scale == "shared":
        ranges = [(min(low for low, _ in ranges), max(high for _, high in ranges))] * len(ranges)
    for ax, row, (low, high) in zip(axes, rows, ranges, strict=False):
        _draw_row(ax, row, first)
        ax.set_ylim(low, high if high > low else low + 1)
        ax.set_xlim(0, width)
        ax.set_ylabel(row.label, rotation=0, ha="right", va="center", fontsize=8)
        ax.tick_params(labelsize=7, length=2)
        if low == high:  # all zero, or no value at all
            ax.set_yticks([0])
        if len(row.values) > 1:  # a strand that hangs down is no negative number
            ax.yaxis.set_major_formatter(lambda y, _: f"{abs(y):g}")
        for side in ("top", "right", "left", "bottom"):
            ax.spines[side].set_visible(False)
    axes[0].set_title(title, fontsize=9, loc="left")
    if lanes:
        _draw_lanes(axes[-1], inside, lanes, width)
    axes[-1].xaxis.set_major_formatter(lambda x, _: f"{int(x) + offset:,}")
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def _extent(row: ProfileRow) -> tuple[float, float]:
    """Range of all that is drawn, zero included; the second strand counts as negative."""
    drawn = [row.values, *(() if row.ghost is None else (row.ghost,)), *(row.band or ())]
    signs = np.array([[1.0], [-1.0]])[: len(row.values)]
    known = np.concatenate([(one * signs).ravel() for one in drawn])
    known = known[np.isfinite(known)]
    return float(known.min(initial=0)), float(known.max(initial=0))


def _columns(values: np.ndarray) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """Positions a column, and lowest, highest and mean value of each; NaN where none is known."""
    step = -(-len(values) // _COLUMNS) or 1
    padded = np.full(-(-len(values) // step) * step, np.nan)
    padded[: len(values)] = np.where(np.isfinite(values), values, np.nan)
    blocks = padded.reshape(-1, step)
    known = np.isfinite(blocks)
    count = known.sum(axis=1)
    none = count == 0
    low = np.where(none, np.nan, np.where(known, blocks, np.inf).min(axis=1))
    high = np.where(none, np.nan, np.where(known, blocks, -np.inf).max(axis=1))
    mean = np.where(none, np.nan, np.where(known, blocks, 0).sum(axis=1) / np.maximum(count, 1))
    return step, low, high, mean


def _draw_row(ax: Any, row: ProfileRow, first: int) -> None:
    length = row.values.shape[1]
    quiet = row.ghost is not None or row.band is not None
    for s, sign in enumerate((1, -1)[: len(row.values)]):
        step, low, high, mean = _columns(sign * row.values[s].astype(float))
        edges = first + np.minimum(np.arange(len(mean) + 1) * step, length)
        if step > 1 and row.band is None:
            _fill(ax, edges, low.clip(max=0), high.clip(min=0), 0.2 if quiet else 0.3)
        _fill(ax, edges, np.zeros(len(mean)), mean, 0.25 if quiet else 0.75)
        if row.band is not None:
            bounds = [_columns(sign * bound[s].astype(float))[3] for bound in row.band]
            _fill(ax, edges, bounds[0], bounds[1], 0.35)
        if row.ghost is not None:
            before = _columns(sign * row.ghost[s].astype(float))[3]
            ax.stairs(before, edges, baseline=None, color="0.4", lw=0.8)
        if quiet:
            ax.stairs(mean, edges, baseline=None, color=_ACCENT, lw=1)
        for a, b in _runs(np.isnan(mean)):
            part = (0, 1) if len(row.values) == 1 else (0.5, 1) if sign > 0 else (0, 0.5)
            ax.axvspan(edges[a], edges[b], *part, fc="none", ec="0.8", hatch="////", lw=0)
    ax.plot([first, first + length], [0, 0], lw=0.5, color="0.7")


def _fill(ax: Any, edges: np.ndarray, low: np.ndarray, high: np.ndarray, alpha: float) -> None:
    """Stairs filled between two lines; a gap where either is NaN."""
    ax.fill_between(
        edges, np.append(low, low[-1:]), np.append(high, high[-1:]), step="post", lw=0, color=_ACCENT, alpha=alpha
    )


def _runs(flags: np.ndarray) -> Iterator[tuple[int, int]]:
    """(start, end) of each run of True."""
    change = np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8))
    yield from zip(np.flatnonzero(change == 1).tolist(), np.flatnonzero(change == -1).tolist(), strict=True)
