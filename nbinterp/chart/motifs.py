"""A still picture of a set of motifs, for where no JavaScript runs.

In: names and matrices of letter heights.  Out: PNG bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from .logo import plot_logo

__all__ = ["information_heights", "motifs_png"]

_COLUMN = 0.2  # inches of a position
_GUTTER = 2.0  # inches of the names


def information_heights(pwm: np.ndarray) -> np.ndarray:
    """Probabilities ``(4, w)``, each times the information of its column, in bits.

    Examples
    --------
    >>> information_heights(np.array([[1.0, 0.25]] + [[0.0, 0.25]] * 3)).max(axis=0).tolist()
    [2.0, 0.0]
    """
    p = pwm / np.maximum(pwm.sum(axis=0), 1e-12)
    heights: np.ndarray = p * (2 + np.where(p > 0, p * np.log2(np.maximum(p, 1e-12)), 0).sum(axis=0))
    return heights


def motifs_png(motifs: Sequence[tuple[str, np.ndarray]], title: str = "") -> bytes:
    r"""Draw motifs one under the other, all columns of one width.

    Parameters
    ----------
    motifs : sequence of (name, heights (4, w))
        Heights of the letters, in units of their own: bits or contributions.
    title : str
        Words above.

    Examples
    --------
    >>> motifs_png([("ACGT", np.eye(4)), ("nothing", np.zeros((4, 2)))])[:4]
    b'\x89PNG'
    """
    from matplotlib.figure import Figure

    widest = max((heights.shape[1] for _, heights in motifs), default=1)
    size = (_GUTTER + _COLUMN * max(widest, 12), 0.4 + 0.62 * max(len(motifs), 1))
    figure = Figure(figsize=size, dpi=110, layout="constrained")
    axes = figure.subplots(max(len(motifs), 1), 1, squeeze=False)[:, 0]
    for ax in axes:
        ax.set_axis_off()
    for ax, (name, heights) in zip(axes, motifs, strict=False):
        plot_logo(heights, ax=ax)
        ax.set_axis_off()
        ax.axhline(0, lw=0.5, color="0.7")
        ax.set_xlim(-0.5, max(widest, 12) - 0.5)
        ax.text(-0.01, 0.5, name, transform=ax.transAxes, ha="right", va="center", fontsize=8)
    axes[0].set_title(title, fontsize=9, loc="left")
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()
