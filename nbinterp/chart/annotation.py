"""Still pictures of which annotations come together, and how far apart.

In: tables of `pair_enrichment` and `spacing_enrichment`.  Out: matplotlib axes and PNG bytes, in the look of
`CooccurrenceView`.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from ..errors import problem
from .theme import EFFECT

__all__ = ["cooccurrence_png", "plot_pairs", "plot_partners"]

_RISE, _FALL = EFFECT["light"]
_GROUND: Final = "#f5f5f5"
_VALUES: Final = {
    "enrichment": "log2 observed / expected",
    "sequences": "sequences with both",
    "significance": "-log10 q, with the sign of the effect",
}
_TALL: Final = 0.17  # inches of a row
_NAMES: Final = 40


def plot_pairs(
    table: pd.DataFrame,
    names: Sequence[str] | None = None,
    *,
    value: str = "enrichment",
    cluster: bool = True,
    chosen: Sequence[str] = (),
    ax: Any = None,
) -> Any:
    """Draw every two of some annotations as a triangle of cells.

    Parameters
    ----------
    table : DataFrame
        From `pair_enrichment`.
    names : sequence of str, optional
        Which ones, at most 40 by default: those of the most significant pairs.
    value : {"enrichment", "sequences", "significance"}
        What colours a cell.
    cluster : bool
        Let stand together what goes together, by average linkage of the enrichment; else as in `names`.
    chosen : (str, str), optional
        A pair to outline.
    ax : Axes, optional
        By default those of a new figure.

    Returns
    -------
    Axes
        Cells with q > 0.05 are small.

    Raises
    ------
    NbinterpError
        For another value, or names that the table does not have.

    Examples
    --------
    >>> table = pd.DataFrame({"row": ["a"], "column": ["b"], "observed": [9], "expected": [3.0], "log2_ratio": [1.4],
    ...                       "q-value": [0.01]})
    >>> plot_pairs(table).get_title()
    ''
    """
    from matplotlib.colors import LinearSegmentedColormap, Normalize
    from matplotlib.patches import Rectangle

    if value not in _VALUES:
        raise problem("plot_pairs", "value", got=repr(value), need=" or ".join(_VALUES), do="choose one of them")
    known = _most(table) if names is None else list(names)
    shown, sure = _square("plot_pairs", table, known, value)
    at = _clustered(_square("plot_pairs", table, known, "enrichment")[0]) if cluster else np.arange(len(known))
    shown, sure, known = shown[np.ix_(at, at)], sure[np.ix_(at, at)], [known[i] for i in at]
    m, ax = len(known), _axes(ax, len(known))
    most = float(np.nanmax(np.abs(shown))) if np.isfinite(shown).any() else 0.0
    low, ramp = (0.0, [_GROUND, _RISE]) if value == "sequences" else (-(most or 1.0), [_FALL, _GROUND, _RISE])
    colours, scale = LinearSegmentedColormap.from_list("effect", ramp), Normalize(low, most or 1.0)
    for i, j in np.argwhere(np.tril(np.isfinite(shown))).tolist():
        size = 0.92 if sure[i, j] else 0.4
        colour, alpha = colours(scale(shown[i, j])), 1 if sure[i, j] else 0.6
        ax.add_patch(Rectangle((j - size / 2, i - size / 2), size, size, color=colour, lw=0, alpha=alpha))
    if len(chosen) == 2 and all(one in known for one in chosen):
        i, j = sorted((known.index(chosen[0]), known.index(chosen[1])))
        ax.add_patch(Rectangle((i - 0.5, j - 0.5), 1, 1, fill=False, lw=1.2, color="0.1"))
    for i, name in enumerate(known):
        ax.text(i + 0.7, i, name, va="center", fontsize=7 if m > 12 else 8)
    ax.set(xlim=(-0.5, m + 0.5), ylim=(max(m, 1) - 0.5, -0.5), xticks=[], yticks=[], aspect="equal", anchor="NW")
    _frameless(ax)
    if m:
        _draw_scale(ax, colours, scale, f"{_VALUES[value]} (small: q > 0.05)")
    return ax


def plot_partners(
    table: pd.DataFrame,
    name: str,
    partners: Sequence[str] | None = None,
    *,
    max_distance: int = 100,
    ax: Any = None,
) -> Any:
    """Draw how far from one annotation its partners stand: one row a partner, colour by log2 observed / expected.

    Parameters
    ----------
    table : DataFrame
        From `spacing_enrichment`, with ``stranded=True``: partners lie upstream, left, or downstream, right; or with
        ``symmetric=False``: the row of the table is the one that stands left.
    name : str
        The annotation in the middle.
    partners : sequence of str, optional
        The rows, at most 40 by default: those with the most significant spacings.
    max_distance : int
        Of the axis.
    ax : Axes, optional
        By default those of a new figure.

    Returns
    -------
    Axes
        What is not significant (q > 0.05) is pale.

    Examples
    --------
    >>> table = pd.DataFrame({"row": ["a"], "column": ["b"], "distance": [6], "observed": [9], "expected": [0.5],
    ...                       "q-value": [1e-6]})
    >>> [tick.get_text() for tick in plot_partners(table, "a").get_yticklabels()]
    ['b']
    """
    from matplotlib.colors import LinearSegmentedColormap

    seen = _seen_from(table, name)
    rows = list(dict.fromkeys(seen["partner"]))[:_NAMES] if partners is None else list(partners)
    ax = _axes(ax, len(rows))
    seen = seen[seen["partner"].isin(rows) & (seen["distance"] < max_distance)]
    counts, sure = np.zeros((2, len(rows), 2 * max_distance)), np.zeros((len(rows), 2 * max_distance), bool)
    at = np.where(seen["side"] < 0, max_distance - 1 - seen["distance"], max_distance + seen["distance"])
    where = seen["partner"].map({one: i for i, one in enumerate(rows)}).to_numpy(int), at.astype(int)
    np.add.at(counts[0], where, seen["observed"].to_numpy(float))
    np.add.at(counts[1], where, seen["expected"].to_numpy(float))
    np.logical_or.at(sure, where, (seen["q-value"] <= 0.05).to_numpy())
    grid = np.log2((counts[0] + 0.5) / (counts[1] + 0.5)) * np.where(sure, 1, 0.3)
    most = max(float(np.abs(grid).max(initial=0)), 2.0)  # where nothing stands out nothing is to look so
    colours = LinearSegmentedColormap.from_list("effect", [_FALL, _GROUND, _RISE])
    edges = (-max_distance - 0.5, max_distance - 0.5, len(rows) - 0.5, -0.5)
    if rows:
        ax.imshow(grid, cmap=colours, vmin=-most, vmax=most, aspect="auto", interpolation="nearest", extent=edges)
    ax.axvline(-0.5, lw=1.2, color="0.3")
    ax.set_yticks(range(len(rows)), rows, fontsize=7)
    ax.tick_params(labelsize=7, length=2)
    sides = "upstream (left) or downstream (right)" if "orientation" in table else "to the left or to the right"
    ax.set_xlabel(f"bases from {name}, {sides}", fontsize=8)
    _frameless(ax)
    return ax


def cooccurrence_png(
    pairs: pd.DataFrame,
    spacings: pd.DataFrame,
    names: Sequence[str],
    pair: Sequence[str],
    *,
    value: str = "enrichment",
    cluster: bool = True,
    max_distance: int = 100,
) -> bytes:
    r"""Draw the map of pairs beside the partners of one of them, as PNG bytes.

    Examples
    --------
    >>> pairs = pd.DataFrame({"row": ["a"], "column": ["b"], "observed": [9], "expected": [3.0], "log2_ratio": [1.4],
    ...                       "q-value": [0.01]})
    >>> spacings = pd.DataFrame({"row": ["a"], "column": ["b"], "distance": [6], "observed": [9], "expected": [0.5],
    ...                          "q-value": [1e-6]})
    >>> cooccurrence_png(pairs, spacings, ["a", "b"], ["a", "b"])[:4]
    b'\x89PNG'
    """
    from matplotlib.figure import Figure

    tall = max(4.0, _TALL * len(names) + 1.6)
    figure = Figure(figsize=(12, tall), dpi=110, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.2])
    plot_pairs(pairs, names, value=value, cluster=cluster, chosen=pair, ax=left)
    if len(pair):
        partners = [text.get_text() for text in left.texts]
        plot_partners(spacings, pair[0], partners, max_distance=max_distance, ax=right)
        found = pairs[pairs["row"].isin(pair) & pairs["column"].isin(pair)]
        found = found[(found["row"] == found["column"]) == (pair[0] == pair[1])]
        left.set_title(_words(pair, found), fontsize=9, loc="left")
    else:
        left.text(0.02, 0.98, "no annotations", transform=left.transAxes, va="top", fontsize=9, color="0.45")
        right.set_axis_off()
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def _words(pair: Sequence[str], found: pd.DataFrame) -> str:
    who = f"{pair[0]} twice" if pair[0] == pair[1] else f"{pair[0]} and {pair[1]}"
    if not len(found):
        return who
    row = found.iloc[0]
    return f"{who}: {row['observed']} sequences, {row['expected']:.3g} expected, q {row['q-value']:.3g}"


def _most(table: pd.DataFrame) -> list[str]:
    """Names of the first pairs; tables come with the most significant first."""
    both = table[["row", "column"]].astype(str).to_numpy().ravel()
    return list(dict.fromkeys(both))[:_NAMES]


def _square(where: str, table: pd.DataFrame, names: Sequence[str], value: str) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of every two names, NaN where there are none, and which are significant."""
    index = pd.Index(list(names))
    absent = index.difference(pd.Index(table["row"]).union(pd.Index(table["column"])))
    if len(absent):
        raise problem(where, "names", got=f"no {absent[0]!r}", need="names of the table", do="leave it out")
    i, j = index.get_indexer(pd.Index(table["row"])), index.get_indexer(pd.Index(table["column"]))
    known = (i >= 0) & (j >= 0)
    part = table[known]
    numbers = part["log2_ratio"].to_numpy(float)
    if value == "sequences":
        numbers = part["observed"].to_numpy(float)
    elif value == "significance":
        q = np.maximum(part["q-value"].to_numpy(float), 1e-300)
        numbers = -np.log10(q) * np.where(numbers < 0, -1, 1)
    shown, sure = np.full((len(index), len(index)), np.nan), np.zeros((len(index), len(index)), bool)
    for a, b in ((i[known], j[known]), (j[known], i[known])):
        shown[a, b], sure[a, b] = numbers, (part["q-value"] <= 0.05).to_numpy()
    return shown, sure


def _clustered(ratios: np.ndarray) -> np.ndarray:
    """An order in which what goes together stands together."""
    if len(ratios) < 3:
        return np.arange(len(ratios))
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    known = np.nan_to_num(ratios)
    apart = known.max() - known
    np.fill_diagonal(apart, 0)
    order: np.ndarray = leaves_list(linkage(squareform(apart), "average", optimal_ordering=True))
    return order


def _seen_from(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Rows with `name`, with its partner, and on which side that lies: -1 upstream or left, 1 downstream or right."""
    row, column = table["row"] == name, table["column"] == name
    parts = []
    for mine, other in ((row, "column"), (column & ~row, "row")):
        part = table[mine]
        side = np.where(other == "column", 1, -1) * np.ones(len(part), int)
        if "orientation" in part:
            upstream = part["orientation"].str.startswith("upstream").to_numpy()
            same = part["orientation"].str.endswith("same").to_numpy()
            turned = (other == "row") & same  # two on one strand: what one has upstream has the other downstream
            side = np.where(upstream != turned, -1, 1)
        parts.append(part.assign(partner=part[other].astype(str), side=side))
    return pd.concat(parts).sort_index()


def _axes(ax: Any, rows: int) -> Any:
    if ax is not None:
        return ax
    from matplotlib.figure import Figure

    return Figure(figsize=(6, max(2.5, _TALL * rows + 1.2)), dpi=110, layout="constrained").subplots()


def _draw_scale(ax: Any, colours: Any, scale: Any, label: str) -> None:
    from matplotlib.cm import ScalarMappable

    corner = (0, 1)
    bar = ax.figure.colorbar(
        ScalarMappable(scale, colours), ax=ax, shrink=0.5, location="bottom", pad=0.02, anchor=corner, panchor=corner
    )
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=7, length=2)
    bar.set_label(label, fontsize=8)


def _frameless(ax: Any) -> None:
    for side in ax.spines.values():
        side.set_visible(False)
