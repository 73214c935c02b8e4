"""A still picture of a VariantView, for where no JavaScript runs.

In: scores of both alleles in columns, and the positions of these columns.  Out: PNG bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from .logo import plot_logo

__all__ = ["variant_png"]

_BAND = "#2563b8"


def variant_png(
    rows: Sequence[tuple[str, np.ndarray]],
    positions: np.ndarray,
    changed: Sequence[tuple[int, int]] = (),
    title: str = "",
    colors: str = "classic",
) -> bytes:
    r"""Draw alleles under each other as PNG bytes.

    Parameters
    ----------
    rows : sequence of (label, scores)
        Scores (4, W) by column; NaN where there is no base.  The first two share a scale.
    positions : int array (W,)
        The genome's, of each column; -1 for what is inserted.
    changed : sequence of (start, end)
        Columns in which the alleles differ.
    title, colors
        Words above it, and palette.

    Examples
    --------
    >>> variant_png([("reference", np.eye(4)), ("alternative", np.eye(4))], np.arange(4))[:4]
    b'\x89PNG'
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 0.5 + 0.95 * len(rows)), dpi=110, layout="constrained")
    axes = figure.subplots(len(rows), 1, sharex=True, squeeze=False)[:, 0]
    limits = [_range(scores) for _, scores in rows]
    shared = min(low for low, _ in limits[:2]), max(high for _, high in limits[:2])
    for i, (ax, (label, scores)) in enumerate(zip(axes, rows, strict=True)):
        for start, end in changed:
            ax.axvspan(start, end, color=_BAND, alpha=0.1, lw=0)
        plot_logo(np.nan_to_num(scores), ax=ax, colors=colors, ylim=shared if i < 2 else limits[i])
        gaps = np.flatnonzero(np.isnan(scores).all(axis=0))
        ax.axhline(0, lw=0.5, color="0.7")
        ax.hlines(np.zeros(len(gaps)), gaps, gaps + 1, lw=1.5, color="0.4")
        ax.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8)
        ax.tick_params(labelsize=7, length=2)
        ax.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axes[0].set_title(title, fontsize=9, loc="left")
    at = _ticks(positions)
    axes[-1].set_xticks(at + 0.5, [f"{position:,}" for position in positions[at]])
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def _range(scores: np.ndarray) -> tuple[float, float]:
    known = np.nan_to_num(scores)
    low, high = float(known.clip(max=0).sum(axis=0).min()), float(known.clip(min=0).sum(axis=0).max())
    return (low, high) if high > low else (low, low + 1)


def _ticks(positions: np.ndarray) -> np.ndarray:
    """Columns of round positions."""
    from matplotlib.ticker import MaxNLocator

    known = positions[positions >= 0]
    if not len(known):
        return known
    return np.flatnonzero(np.isin(positions, MaxNLocator(9, integer=True).tick_values(known.min(), known.max())))
