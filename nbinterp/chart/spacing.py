"""Still pictures of what two motifs do together, and of every two of many.

In: lines against distance, a sequence with two motifs in it; a map of pairs.  Out: PNG bytes, in the look of `SpacingView`
and `InteractionView`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from .logo import plot_logo
from .theme import ARRANGEMENTS as COLOURS
from .theme import EFFECT

__all__ = ["PairPicture", "SpacingLine", "draw_spacing", "interaction_png", "spacing_png"]

_RISE, _FALL = EFFECT["light"]
_QUIET: Final = "0.55"


class SpacingLine(NamedTuple):
    """One arrangement: its label, and values ``(D,)`` with their ends; NaN where nothing is known."""

    arrangement: str
    label: str
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    dashed: bool = False


class PairPicture(NamedTuple):
    """Two motifs in a background.

    Attributes
    ----------
    scores : array (4, w)
        Heights of the letters in the window.
    start : int
        Position of the window's first column.
    blocks : sequence of (start, end, label)
    own : bool array (w,)
        Where a motif stands; the rest is grey.
    """

    scores: np.ndarray
    start: int
    blocks: Sequence[tuple[int, int, str]]
    own: np.ndarray


def draw_spacing(ax: Any, distances: Sequence[int], lines: Sequence[SpacingLine], chosen: int | None = None) -> None:
    """Draw lines with their bands on axes."""
    for line in lines:
        colour = COLOURS[line.arrangement]
        ax.fill_between(distances, line.low, line.high, lw=0, color=colour, alpha=0.16)
        style = {"ls": "--", "lw": 1} if line.dashed else {"lw": 1.7}
        marker = "o" if len(distances) < 40 else ""
        ax.plot(
            distances,
            line.values,
            color=colour,
            label=None if line.dashed else line.label,
            marker=marker,
            ms=2.5,
            **style,
        )
    ax.axhline(0, lw=0.6, color="0.7")
    if chosen is not None:
        ax.axvline(chosen, lw=0.7, color=_QUIET)
    if any(not line.dashed for line in lines):
        ax.legend(fontsize=8, frameon=False, loc="upper right")
    ax.set_xlabel("bases between the motifs", fontsize=8)
    _plain(ax)


def spacing_png(
    distances: Sequence[int],
    lines: Sequence[SpacingLine],
    *,
    value: str = "cooperativity",
    title: str = "",
    chosen: int | None = None,
    pair: PairPicture | None = None,
) -> bytes:
    r"""Draw lines against distance, and the pair in a background, as PNG bytes.

    Examples
    --------
    >>> line = SpacingLine("facing", "A▸ ◂B", np.ones(3), np.zeros(3), np.full(3, 2.0))
    >>> spacing_png([1, 2, 3], [line])[:4]
    b'\x89PNG'
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5 if pair else 3.4), dpi=110, layout="constrained")
    axes = figure.subplots(2 if pair else 1, 1, height_ratios=[2.4, 1] if pair else None, squeeze=False)[:, 0]
    draw_spacing(axes[0], distances, lines, chosen)
    axes[0].set_title(title, fontsize=9, loc="left")
    axes[0].set_ylabel(value, fontsize=8)
    if pair is not None:
        _draw_pair(axes[1], pair)
    return _saved(figure)


def interaction_png(
    names: Sequence[str],
    strongest: Mapping[tuple[int, int], float],
    distances: Sequence[int],
    lines: Sequence[SpacingLine],
    *,
    value: str = "cooperativity",
    title: str = "",
    chosen: int | None = None,
) -> bytes:
    r"""Draw a map of pairs beside the lines of one pair, as PNG bytes.

    Examples
    --------
    >>> line = SpacingLine("facing", "A▸ ◂B", np.ones(2), np.zeros(2), np.full(2, 2.0))
    >>> interaction_png(["A", "B"], {(0, 1): 0.5}, [1, 2], [line])[:4]
    b'\x89PNG'
    """
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    m = len(names)
    grid = np.full((m, m), np.nan)
    for (a, b), found in strongest.items():
        grid[max(a, b), min(a, b)] = found
    most = float(np.nanmax(np.abs(grid))) if np.isfinite(grid).any() else 1.0
    figure = Figure(figsize=(12, max(4.0, 0.22 * m + 1.2)), dpi=110, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.5])
    colours = LinearSegmentedColormap.from_list("effect", [_FALL, "#f5f5f5", _RISE])
    image = left.imshow(grid, cmap=colours, vmin=-(most or 1), vmax=most or 1)
    left.set_xticks(range(m), names, rotation=90, fontsize=7)
    left.set_yticks(range(m), names, fontsize=7)
    figure.colorbar(image, ax=left, shrink=0.6, label=f"strongest {value}").outline.set_visible(False)
    _plain(left)
    draw_spacing(right, distances, lines, chosen)
    right.set_title(title, fontsize=9, loc="left")
    right.set_ylabel(value, fontsize=8)
    return _saved(figure)


def _draw_pair(ax: Any, pair: PairPicture) -> None:
    width = pair.scores.shape[1]
    limits = (min(0.0, float(pair.scores.min())), float(pair.scores.max()) or 1.0)
    plot_logo(pair.scores * ~pair.own, ax=ax, colors="grey", ylim=limits)
    for letters in (*ax.patches, *ax.collections):
        letters.set_alpha(0.3)  # what is no motif is quiet
    plot_logo(pair.scores * pair.own, ax=ax, ylim=limits)
    low, high = limits
    for start, end, label in pair.blocks:
        ax.axvspan(start - pair.start, end - pair.start, color=_RISE, alpha=0.1, lw=0, zorder=0)
        ax.text((start + end) / 2 - pair.start, high, label, ha="center", va="bottom", fontsize=8)
    ax.set_xlim(0, width)
    ticks = np.arange(-(-pair.start // 20) * 20, pair.start + width, 20)
    ax.set_xticks(ticks - pair.start + 0.5, ticks)
    ax.set_ylim(low, high)
    _plain(ax)
    ax.set_yticks([])


def _plain(ax: Any) -> None:
    ax.tick_params(labelsize=7, length=2)
    for side in ax.spines.values():
        side.set_visible(False)


def _saved(figure: Any) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()
