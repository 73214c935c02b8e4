"""A still picture of a LogoView, for where no JavaScript runs.

In: one sequence, its rows of scores and its spans.  Out: PNG bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from .logo import plot_logo
from .spans import pack_rows

__all__ = ["logo_png"]

_LETTERS = 300  # positions up to which letters can be read
_LANES = 6


def logo_png(
    codes: np.ndarray,
    rows: Sequence[tuple[str, np.ndarray | None]],
    title: str = "",
    colors: str = "classic",
    offset: int = 0,
    spans: Sequence[tuple[int, int, str]] = (),
) -> bytes:
    r"""Draw rows of scores of one sequence as PNG bytes.

    Parameters
    ----------
    codes : uint8 array, shape (L,)
        The sequence.
    rows : sequence of (label, scores)
        Scores of the observed base, shape (L,), or of all four, shape (4, L); None for none.
    title, colors, offset
        Words above it, palette, and the coordinate of the first base.
    spans : sequence of (start, end, name)
        Bars below, with positions counted from the first base.

    Examples
    --------
    >>> logo_png(np.zeros(5, np.uint8), [("a", np.ones(5))])[:4]
    b'\x89PNG'
    """
    from matplotlib.figure import Figure

    length = len(codes)
    inside = sorted((max(a, 0), min(b, length), name) for a, b, name in spans if b > 0 and a < length)
    lanes = _lanes(inside, length)
    heights = [1.0] * len(rows) + ([0.22 * (min(max(lanes) + 1, _LANES) + 0.6)] if lanes else [])
    figure = Figure(figsize=(10, 0.5 + 0.95 * sum(heights)), dpi=110, layout="constrained")
    axes = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for ax, (label, scores) in zip(axes, rows, strict=False):
        _draw_row(ax, codes, scores, colors)
        ax.axhline(0, lw=0.5, color="0.7")
        ax.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8)
        ax.tick_params(labelsize=7, length=2)
        for side in ("top", "right", "left", "bottom"):
            ax.spines[side].set_visible(False)
    axes[0].set_title(title, fontsize=9, loc="left")
    if lanes:
        _draw_lanes(axes[-1], inside, lanes, length)
    if offset:
        axes[-1].xaxis.set_major_formatter(lambda x, _: f"{int(x) + offset:,}")
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def _draw_row(ax: Any, codes: np.ndarray, scores: np.ndarray | None, colors: str) -> None:
    length, ylim = len(codes), None
    if scores is None:  # the sequence alone, in grey and not as tall as scores
        scores, colors, ylim = np.ones(length), "grey", (-1.2, 2.2)
        ax.set_yticks([])
    known = codes < 4
    observed = np.zeros((4, length))
    at = codes[known], np.flatnonzero(known)
    observed[at] = np.nan_to_num(scores[at] if scores.ndim == 2 else scores[known])
    if length <= _LETTERS:
        plot_logo(scores if scores.ndim == 2 else observed, ax=ax, colors=colors, ylim=ylim)
        return
    step = max(1, length // 1200)
    values = observed.sum(axis=0)
    blocks = values[: length // step * step].reshape(-1, step)
    low, high = blocks.min(axis=1).clip(max=0), blocks.max(axis=1).clip(min=0)
    ax.fill_between(np.arange(len(blocks)) * step, low, high, lw=0, color="#2563b8", step="mid")
    ax.set_xlim(0, length)


def _lanes(spans: Sequence[tuple[int, int, str]], length: int) -> list[int]:
    """Lanes with room for the names, which stand to the right of the bars."""
    letter = length / 145
    return pack_rows([a for a, _, _ in spans], [b + (len(name) + 1.5) * letter for _, b, name in spans])


def _draw_lanes(ax: Any, spans: Sequence[tuple[int, int, str]], lanes: Sequence[int], length: int) -> None:
    shown = min(max(lanes) + 1, _LANES)
    for (start, end, name), lane in zip(spans, lanes, strict=True):
        if lane >= _LANES:
            continue
        ax.barh(-lane, end - start, left=start, height=0.55, color="0.55")
        ax.text(end + length / 400, -lane, name, va="center", fontsize=7, color="0.35", clip_on=True)
    hidden = sum(lane >= _LANES for lane in lanes)
    if hidden:
        ax.set_ylabel(f"+{hidden} more", rotation=0, ha="right", va="center", fontsize=7, color="0.5")
    ax.set_ylim(-shown + 0.4, 0.6)
    ax.set_yticks([])
    ax.tick_params(labelsize=7, length=2)
    for side in ("top", "right", "left", "bottom"):
        ax.spines[side].set_visible(False)
