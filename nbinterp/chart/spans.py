"""Named spans as bars below an axis, packed into rows.

In: a table of names and spans.  Out: bars and words on matplotlib axes.  Widths of words are reckoned, not measured: asking
matplotlib means drawing the figure once a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["draw_spans", "pack_rows"]

_SIZE = 7.5  # points
_WIDE = 0.62  # of a letter, in its size


def pack_rows(starts: Sequence[float], ends: Sequence[float]) -> list[int]:
    """Give each span, in order of start, the first row where nothing is in its way.

    Examples
    --------
    >>> pack_rows([0, 2, 5], [4, 6, 9])
    [0, 1, 0]
    """
    taken: list[float] = []
    rows = []
    for start, end in zip(starts, ends, strict=True):
        row = next((i for i, until in enumerate(taken) if until <= start), len(taken))
        taken[row : row + 1] = [end]
        rows.append(row)
    return rows


def draw_spans(
    ax: Any,
    table: pd.DataFrame,
    first: int,
    last: int,
    score_key: str | None,
    n_rows: int,
    show_extra: bool,
    cmap: Any,
    ink: str,
) -> None:
    """Draw the spans that touch positions [first, last), the first of which stands at 0."""
    shown = table[(table["end"] > first) & (table["start"] < last)].sort_values("start", kind="stable")
    if not len(shown):
        return
    names = shown.iloc[:, 0].astype(str).tolist()
    if score_key is not None and score_key in shown:
        names = [f"{name} ({score:.3g})" for name, score in zip(names, shown[score_key], strict=True)]
    starts = (shown["start"].to_numpy() - first).clip(min=0).astype(float)
    ends = (shown["end"].to_numpy() - first).clip(max=last - first).astype(float)
    points = ax.get_window_extent().width / ax.get_figure().dpi * 72
    word = _SIZE * _WIDE * (last - first) / max(points, 1)  # of a letter, in positions
    middles = (starts + ends) / 2
    halves = np.maximum([len(name) * word / 2 for name in names], (ends - starts) / 2)
    rows = pack_rows(middles - halves, middles + halves + word)
    palette = _palette(cmap, max(rows) + 1, ink)
    below = ax.get_xaxis_transform()  # x in positions, y in the axes' height
    step = 2.6 * _SIZE / (ax.get_window_extent().height / ax.get_figure().dpi * 72)
    for name, start, end, middle, row in zip(names, starts, ends, middles, rows, strict=True):
        extra = row >= n_rows
        if extra and not show_extra:
            continue
        y = -0.06 - row * step
        if not extra:
            ax.plot(
                [start, end - 0.05], [y, y], lw=3, color=palette[row], solid_capstyle="butt", clip_on=False, transform=below
            )  # fmt: skip
        ax.text(
            middle, y - 0.25 * step, name, ha="center", va="top", clip_on=False, transform=below,
            fontsize=_SIZE / 2 if extra else _SIZE, color="0.6" if extra else palette[row],
        )  # fmt: skip
    ax.tick_params(axis="x", labelbottom=False, bottom=False)


def _palette(cmap: Any, n: int, ink: str) -> list[Any]:
    """A colour for each row; plain ink when there is one row only."""
    if n == 1:
        return [ink]
    import matplotlib.pyplot as plt
    from matplotlib.colors import ListedColormap

    chosen = ListedColormap(cmap) if isinstance(cmap, list) else plt.get_cmap(cmap)
    return [chosen(i % chosen.N) for i in range(n)]
