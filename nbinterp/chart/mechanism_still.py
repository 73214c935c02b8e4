"""A still picture of a MechanismView, for where no JavaScript runs.

In: places of maps with their values, and the logos of what is chosen.  Out: PNG bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from .logo import plot_logo

__all__ = ["mechanism_png"]

_MOST: Final = 20_000  # points
_LETTERS: Final = 300  # positions up to which letters can be read


def mechanism_png(
    xy: np.ndarray,
    values: np.ndarray,
    name: str,
    rows: Sequence[tuple[str, np.ndarray]],
    *,
    selected: np.ndarray | None = None,
    categorical: bool = False,
    title: str = "",
    colors: str = "classic",
    offset: int = 0,
) -> bytes:
    r"""Draw maps as points, and logos under them, as PNG bytes.

    Parameters
    ----------
    xy, values : arrays (N, 2), (N,)
        Places, and what colours a point, which is called `name`; of more than 20,000 points some are left out, evenly.
    rows : sequence of (label, matrix)
        Matrices (4, W) drawn with all four letters.
    selected : bool array (N,), optional
        Other points are faint.
    categorical : bool
        Whether values are clusters.
    title, colors, offset
        Words above it, palette, and the coordinate of the first position.

    Examples
    --------
    >>> mechanism_png(np.zeros((2, 2)), np.arange(2.0), "y", [("mean", np.eye(4))])[:4]
    b'\x89PNG'
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.8 + 0.95 * len(rows)), dpi=110, layout="constrained")
    axes = figure.subplots(1 + len(rows), 1, squeeze=False, height_ratios=[3.6] + [0.9] * len(rows))[:, 0]
    shown = np.arange(0, len(xy), -(-len(xy) // _MOST))
    faint = shown[~selected[shown]] if selected is not None else shown[:0]
    bright = shown[selected[shown]] if selected is not None else shown
    axes[0].scatter(*xy[faint].T, s=3, color="0.85", linewidths=0)
    if categorical:
        axes[0].scatter(*xy[bright].T, s=5, c=values[bright] % 20, cmap="tab20", vmin=0, vmax=19, linewidths=0)
    else:
        points = axes[0].scatter(*xy[bright].T, s=5, c=values[bright], cmap="viridis", linewidths=0)
        figure.colorbar(points, ax=axes[0], label=name, shrink=0.7)
    axes[0].set(xticks=[], yticks=[], title=title)
    axes[0].title.set(fontsize=9)
    for ax, (label, matrix) in zip(axes[1:], rows, strict=True):
        _draw(ax, matrix, colors, offset)
        ax.axhline(0, lw=0.5, color="0.7")
        ax.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8)
    for ax in axes:
        ax.spines[["top", "right", "left", "bottom"]].set_visible(False)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def _draw(ax: Any, matrix: np.ndarray, colors: str, offset: int) -> None:
    width = matrix.shape[1]
    if width <= _LETTERS:
        plot_logo(matrix, ax=ax, colors=colors)
    else:
        best = np.take_along_axis(matrix, np.abs(matrix).argmax(axis=0)[None], axis=0)[0]
        ax.fill_between(np.arange(width), 0, best, step="mid", lw=0, color="0.4")
    ticks = np.unique(np.linspace(0, width - 1, 7).astype(int))
    ax.set_xticks(ticks, [str(offset + int(t)) for t in ticks], fontsize=7)
