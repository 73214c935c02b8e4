"""A sequence logo on matplotlib axes.

In: scores ``(4, L)``.  Out: the axes.  All letters of a base are one path, so that thousands of positions draw in a moment.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from ..core.arrays import numpy_of
from ..core.check import check_choice
from ..errors import NbinterpWarning, problem
from .spans import draw_spans
from .theme import BASES

__all__ = ["plot_logo"]

_STEP = re.compile(r"([MLCZ])([^MLCZ]*)")
_WIDTH = 0.95  # of a letter, in positions


def plot_logo(
    X_attr: Any,
    ax: Any = None,
    color: str | Mapping[str, Any] | Sequence[Any] | np.ndarray | None = None,
    color_cmap: str = "viridis",
    color_vmin: float | None = None,
    color_vmax: float | None = None,
    annotations: pd.DataFrame | None = None,
    start: int | None = None,
    end: int | None = None,
    ylim: float | tuple[float, float] | None = None,
    spacing: float = 4,
    n_tracks: int = 4,
    alphabet: Sequence[str] = ("A", "C", "G", "T"),
    min_height_pct: float | None = 0.02,
    score_key: str = "score",
    show_extra: bool = True,
    show_score: bool = True,
    annot_cmap: Any = "Set1",
    *,
    colors: str = "classic",
    dark: bool = False,
) -> Any:
    """Draw a logo of scores.

    Parameters
    ----------
    X_attr : tensor or array, shape (4, L) or (1, 4, L)
        Scores; at each position positive letters are stacked upwards and negative ones hang down, the smallest nearest
        to the axis.  Scores of the observed base alone have three zeros a position.
    ax : matplotlib axes, optional
        The current ones by default.
    color : str, mapping, or sequence of length L, optional
        One colour for all letters, a colour for each letter, or one for each position (numbers go through
        `color_cmap`).
    color_cmap, color_vmin, color_vmax
        Of numbers in `color`.
    annotations : DataFrame, optional
        Name in the first column, and ``start``, ``end``; spans that touch the view are drawn below it.
    start, end : int, optional
        Span to draw.  The first letter drawn stands at 0.
    ylim : float or (low, high), optional
        Range of the scores; a single number y means (-y, y).
    spacing : float
        Accepted for compatibility; it has no effect in tangermeme either.
    n_tracks : int
        Rows of spans with a bar each; the names of further ones are small and grey, without bars.
    alphabet : sequence of str
        Letters of the rows.
    min_height_pct : float, optional
        Leave out letters below this part of the largest score.
    score_key : str
        Column of `annotations` that is written beside the name, where it is there and `show_score`.
    show_extra, show_score : bool
        Show names beyond `n_tracks`; show scores.
    annot_cmap : str, list of colours or colormap
        Colours of the rows of spans, when there is more than one.
    colors : {"classic", "safe", "grey"}
        Palette, when `color` is not given.
    dark : bool
        For a dark ground.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    NbinterpError
        When the scores are not a row for each letter.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> axes = plot_logo(np.eye(4) * [1, 2, -1, 0.5])
    >>> len(axes.collections) > 0
    True
    """
    del spacing
    import matplotlib.pyplot as plt

    check_choice("plot_logo", "colors", colors, BASES)
    scores = numpy_of(X_attr, float)
    if scores.ndim == 3 and len(scores) == 1:
        scores = scores[0]
    if scores.ndim != 2 or scores.shape[0] != len(alphabet):
        raise problem(
            "plot_logo", "X_attr", got=f"shape {scores.shape}", need=f"({len(alphabet)}, L)", do="pass one sequence"
        )
    ax = plt.gca() if ax is None else ax
    first, last = start or 0, scores.shape[1] if end is None else end
    shown = np.nan_to_num(scores[:, first:last].astype(float))
    by_letter = dict(zip("ACGT", BASES[colors]["dark" if dark else "light"], strict=True))
    by_position = None
    if isinstance(color, str):
        by_letter = dict.fromkeys(alphabet, color)
    elif isinstance(color, Mapping):
        by_letter = dict(color)
    elif color is not None:
        by_position = _position_colors(color, scores.shape[1], color_cmap, color_vmin, color_vmax)
    _draw_letters(
        ax, shown, alphabet, by_letter, None if by_position is None else by_position[first:last], min_height_pct or 0
    )
    high = float(shown.clip(min=0).sum(axis=0).max(initial=0))
    low = float(shown.clip(max=0).sum(axis=0).min(initial=0))
    if ylim is not None:
        low, high = (-ylim, ylim) if isinstance(ylim, (int, float)) else ylim
    elif annotations is not None and len(annotations):
        high = max(high, -low)
        low = -high
    ax.set_xlim(-0.1, shown.shape[1])
    ax.set_ylim(low, high if high > low else low + 1)
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    if annotations is not None:
        key = score_key if show_score else None
        draw_spans(ax, annotations, first, last, key, n_tracks, show_extra, annot_cmap, "#dddddd" if dark else "black")
    return ax


def _position_colors(color: Any, length: int, cmap: str, low: float | None, high: float | None) -> np.ndarray | None:
    """RGBA of each position; None, with a warning, where the length does not fit."""
    import matplotlib.colors
    import matplotlib.pyplot as plt

    if len(color) != length:
        warnings.warn(
            f"plot_logo(color): got {len(color)} colours; need one for each of {length} positions; the letters keep their own",
            NbinterpWarning,
            stacklevel=3,
        )
        return None
    values = np.asarray(color)
    if values.ndim == 1 and values.dtype.kind in "fiu":
        return np.asarray(plt.get_cmap(cmap)(matplotlib.colors.Normalize(low, high)(values)))
    return np.asarray(matplotlib.colors.to_rgba_array(color))


def _draw_letters(
    ax: Any,
    scores: np.ndarray,
    alphabet: Sequence[str],
    by_letter: Mapping[str, Any],
    by_position: np.ndarray | None,
    least: float,
) -> None:
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path

    seen = np.abs(scores) >= max(least * np.abs(scores).max(initial=0), np.finfo(float).tiny)
    drawn = np.where(seen, scores, 0)
    bottoms = _bottoms(drawn)
    for c, letter in enumerate(alphabet):
        at = np.flatnonzero(seen[c])
        if not len(at):
            continue
        vertices, codes = _outline(letter)
        scaled = np.empty((len(at), *vertices.shape))
        scaled[:, :, 0] = at[:, None] + vertices[None, :, 0] * _WIDTH
        scaled[:, :, 1] = bottoms[c, at][:, None] + vertices[None, :, 1] * drawn[c, at][:, None]
        if by_position is None:
            paths = [Path(scaled.reshape(-1, 2), np.tile(codes, len(at)))]
            faces: Any = by_letter.get(letter, "0.5")
        else:
            paths, faces = [Path(one, codes) for one in scaled], by_position[at]
        ax.add_collection(PathCollection(paths, facecolors=faces, edgecolors="none"))


def _outline(letter: str) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and codes of a letter in the unit box, for matplotlib's Path."""
    from matplotlib.path import Path

    outlines = json.loads((files(__package__) / "glyphs.json").read_text())
    if letter not in outlines:
        return _typeset(letter)
    vertices: list[tuple[float, float]] = []
    codes: list[Any] = []
    for command, numbers in _STEP.findall(outlines[letter]):
        values = [float(v) for v in re.findall(r"-?[\d.]+", numbers)]
        points = list(zip(values[0::2], values[1::2], strict=True))
        if command == "Z":
            points = [(0.0, 0.0)]
        kind = {"M": Path.MOVETO, "L": Path.LINETO, "C": Path.CURVE4, "Z": Path.CLOSEPOLY}[command]
        vertices += points
        codes += [kind] * len(points)
    return np.array(vertices), np.array(codes, np.uint8)


def _typeset(letter: str) -> tuple[np.ndarray, np.ndarray]:
    """A letter that is not a base, in matplotlib's own bold type, stretched to the unit box."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.path import Path
    from matplotlib.textpath import TextPath

    path = TextPath((0, 0), letter, size=1, prop=FontProperties(family="monospace", weight="bold"))
    points, codes = np.asarray(path.vertices), np.asarray(path.codes)
    real = points[codes != Path.CLOSEPOLY]
    low, size = real.min(axis=0), np.ptp(real, axis=0)
    return (points - low) / np.where(size == 0, 1, size), codes


def _bottoms(scores: np.ndarray) -> np.ndarray:
    """Where each letter begins: after the smaller ones of its sign."""
    order = np.argsort(np.abs(scores), axis=0, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=0)
    up = np.cumsum(ranked.clip(min=0), axis=0) - ranked.clip(min=0)
    down = np.cumsum(ranked.clip(max=0), axis=0) - ranked.clip(max=0)
    bottoms = np.empty_like(scores)
    np.put_along_axis(bottoms, order, np.where(ranked > 0, up, down), axis=0)
    return bottoms
