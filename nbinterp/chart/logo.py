"""Sequence logos as still pictures.

In: scores ``(4, L)`` (or ``(L,)`` with a sequence).  Out: a matplotlib axes, or PNG bytes.  All letters of a base are one
path, so that thousands of positions draw in a moment.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from ..core.check import check_choice
from ..errors import problem
from .theme import BASES

__all__ = ["logo_png", "plot_logo"]

_STEP = re.compile(r"([MLCZ])([^MLCZ]*)")
_LETTERS = "ACGT"


def _outline(letter: str) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and codes of a letter in the unit box, for matplotlib's Path."""
    from matplotlib.path import Path

    text = json.loads((files(__package__) / "glyphs.json").read_text())[letter]
    vertices: list[tuple[float, float]] = []
    codes: list[Any] = []
    for command, numbers in _STEP.findall(text):
        values = [float(v) for v in re.findall(r"-?[\d.]+", numbers)]
        points = list(zip(values[0::2], values[1::2], strict=True))
        if command == "Z":
            points = [(0.0, 0.0)]
        kind = {"M": Path.MOVETO, "L": Path.LINETO, "C": Path.CURVE4, "Z": Path.CLOSEPOLY}[command]
        vertices += points
        codes += [kind] * len(points)
    return np.array(vertices), np.array(codes, np.uint8)


def plot_logo(
    X_attr: Any,
    ax: Any = None,
    color: str | Sequence[str] | None = None,
    annotations: pd.DataFrame | None = None,
    start: int | None = None,
    end: int | None = None,
    ylim: tuple[float, float] | None = None,
    score_key: str = "score",
    *,
    colors: str = "classic",
    dark: bool = False,
) -> Any:
    """Draw a logo of scores.

    Parameters
    ----------
    X_attr : tensor or array, shape (4, L)
        Scores; at each position positive letters are stacked upwards and negative ones hang down, the smallest nearest
        to the axis.  Scores of the observed base alone have three zeros a position.
    ax : matplotlib axes, optional
        The current ones by default.
    color : str or four of them, optional
        One colour for all letters, or one for each of A C G T.
    annotations : DataFrame, optional
        Name in the first column, and ``start``, ``end``; spans that touch the view are drawn below it.
    start, end : int, optional
        Span to draw.
    ylim : (low, high), optional
        Range of the scores.
    score_key : str
        Column of `annotations` that is written beside the name, when it is there.
    colors : {"classic", "safe", "grey"}
        Palette, when `color` is not given.
    dark : bool
        For a dark ground.

    Returns
    -------
    matplotlib axes

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> axes = plot_logo(np.eye(4) * [1, 2, -1, 0.5])
    >>> len(axes.collections) > 0
    True
    """
    import matplotlib.pyplot as plt
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path

    check_choice("plot_logo", "colors", colors, BASES)
    scores = X_attr.detach().cpu().numpy() if hasattr(X_attr, "detach") else np.asarray(X_attr, float)
    if scores.ndim == 3 and len(scores) == 1:
        scores = scores[0]
    if scores.ndim != 2 or scores.shape[0] != 4:
        raise problem("plot_logo", "X_attr", got=f"shape {scores.shape}", need="(4, L)", do="pass one sequence")
    ax = plt.gca() if ax is None else ax
    first, last = start or 0, scores.shape[1] if end is None else end
    shown = np.nan_to_num(scores[:, first:last].astype(float))
    palette = BASES[colors]["dark" if dark else "light"] if color is None else color
    four = [palette] * 4 if isinstance(palette, str) else list(palette)
    bottoms = _bottoms(shown)
    for c, letter in enumerate(_LETTERS):
        at = np.flatnonzero(shown[c])
        if not len(at):
            continue
        vertices, codes = _outline(letter)
        scaled = np.empty((len(at), *vertices.shape))
        scaled[:, :, 0] = (at + first)[:, None] + 0.03 + vertices[None, :, 0] * 0.94 - 0.5
        scaled[:, :, 1] = bottoms[c, at][:, None] + vertices[None, :, 1] * shown[c, at][:, None]
        path = Path(scaled.reshape(-1, 2), np.tile(codes, len(at)))
        ax.add_collection(PathCollection([path], facecolors=four[c], edgecolors="none"))
    high = float(shown.clip(min=0).sum(axis=0).max(initial=0))
    low = float(shown.clip(max=0).sum(axis=0).min(initial=0))
    low, high = ylim or (low, high if high > low else low + 1)
    ax.set_xlim(first - 0.5, last - 0.5)
    ax.set_ylim(low, high)
    if annotations is not None:
        _annotate(ax, annotations, first, last, low, high, score_key)
    return ax


def _bottoms(scores: np.ndarray) -> np.ndarray:
    """Where each letter begins: after the smaller ones of its sign."""
    order = np.argsort(np.abs(scores), axis=0, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=0)
    up = np.cumsum(ranked.clip(min=0), axis=0) - ranked.clip(min=0)
    down = np.cumsum(ranked.clip(max=0), axis=0) - ranked.clip(max=0)
    bottoms = np.empty_like(scores)
    np.put_along_axis(bottoms, order, np.where(ranked > 0, up, down), axis=0)
    return bottoms


def _annotate(ax: Any, table: pd.DataFrame, first: int, last: int, low: float, high: float, score_key: str) -> None:
    """Bars under the letters, packed into lanes."""
    step = (high - low) * 0.11
    ends: list[float] = []
    shown = table[(table["end"] > first) & (table["start"] < last)].sort_values("start")
    for name, (_, row) in zip(shown.iloc[:, 0].astype(str), shown.iterrows(), strict=True):
        label = f"{name} ({row[score_key]:.3g})" if score_key in shown.columns else name
        lane = next((i for i, end in enumerate(ends) if end <= row["start"]), len(ends))
        ends[lane : lane + 1] = [row["end"] + 1]
        y = low - step * (lane + 0.6)
        ax.plot(
            [row["start"] - 0.4, row["end"] - 0.6], [y, y], lw=3, color="0.45", solid_capstyle="butt", clip_on=False
        )
        middle = (max(row["start"], first) + min(row["end"], last)) / 2 - 0.5
        ax.text(middle, y - step * 0.15, label, ha="center", va="top", fontsize=7, clip_on=False)


def logo_png(
    codes: np.ndarray,
    rows: Sequence[tuple[str, np.ndarray | None]],
    title: str = "",
    colors: str = "classic",
    offset: int = 0,
) -> bytes:
    r"""Draw rows of scores of one sequence as PNG bytes, for where no JavaScript runs.

    Parameters
    ----------
    codes : uint8 array, shape (L,)
        The sequence.
    rows : sequence of (label, scores)
        Scores of the observed base, shape (L,); None for none.
    title, colors, offset
        Words above it, palette, and the coordinate of the first base.

    Examples
    --------
    >>> logo_png(np.zeros(5, np.uint8), [("a", np.ones(5))])[:4]
    b'\x89PNG'
    """
    from matplotlib.figure import Figure

    length = len(codes)
    figure = Figure(figsize=(10, 0.5 + 0.95 * max(len(rows), 1)), dpi=110, layout="constrained")
    axes = np.atleast_1d(figure.subplots(max(len(rows), 1), 1, sharex=True))
    for ax, (label, scores) in zip(axes, rows, strict=False):
        values = np.zeros(length) if scores is None else np.nan_to_num(scores)
        if length <= 300 and scores is not None:
            full = np.zeros((4, length))
            known = codes < 4
            full[codes[known], np.flatnonzero(known)] = values[known]
            plot_logo(full, ax=ax, colors=colors)
        else:
            step = max(1, length // 1200)
            blocks = values[: length // step * step].reshape(-1, step)
            x = np.arange(len(blocks)) * step
            ax.fill_between(
                x, blocks.min(axis=1).clip(max=0), blocks.max(axis=1).clip(min=0), lw=0, color="#2563b8", step="mid"
            )
            ax.set_xlim(0, length)
        ax.axhline(0, lw=0.5, color="0.7")
        ax.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8)
        ax.tick_params(labelsize=7, length=2)
        for side in ("top", "right", "left", "bottom"):
            ax.spines[side].set_visible(False)
    axes[0].set_title(title, fontsize=9, loc="left")
    if offset:
        axes[-1].xaxis.set_major_formatter(lambda x, _: f"{int(x) + offset:,}")
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()
