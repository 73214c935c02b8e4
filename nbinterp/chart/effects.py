"""Effects with their intervals, as Altair charts.

In: the tables of `motif_effects`, `position_effects`, `spacing_effects`, `interaction_map` and `variant_effects`, by their
columns alone.  Out: `altair.Chart`, still or with tooltips, in the colours of the widgets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ..errors import problem
from .theme import ARRANGEMENTS, EFFECT

__all__ = ["plot_interactions", "plot_motif_effects", "plot_position_effects", "plot_spacing", "plot_variants"]

_RISE, _FALL = EFFECT["light"]
_STRANDS = {"+": _RISE, "-": _FALL}


def plot_motif_effects(table: pd.DataFrame, *, output: int = 0, n: int = 30, width: int = 360) -> Any:
    """Draw the motifs with the largest effects, a dot and its interval a strand.

    Parameters
    ----------
    table : DataFrame
        Of `motif_effects`.
    output : int
        Column of the model's output.
    n : int
        How many motifs, by the size of their larger effect.
    width : int
        In pixels.

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    NbinterpError
        When columns are missing, or no row has this output.

    Examples
    --------
    >>> row = {"name": "GATA", "strand": "+", "output": 0, "effect": 0.5, "low": 0.4, "high": 0.6, "n": 64}
    >>> plot_motif_effects(pd.DataFrame([row])).to_dict()["layer"][1]["mark"]["type"]
    'point'
    """
    rows = _rows("plot_motif_effects", table, output, ("name", "strand", "effect", "low", "high", "n"))
    order = rows.groupby("name")["effect"].agg(lambda one: one.abs().max()).nlargest(n).index
    rows = rows[rows["name"].isin(order)]
    means = rows.groupby("name")["effect"].mean().sort_values(ascending=False)
    import altair as alt

    base = alt.Chart(width=width, height=alt.Step(18)).encode(
        y=alt.Y("name:N", sort=list(means.index), title=None),
        yOffset="strand:N",
        color=_colour(alt, "strand", _STRANDS),
    )
    whisker = base.mark_rule(strokeWidth=1.5).encode(x=alt.X("low:Q", title="effect"), x2="high:Q")
    dot = base.mark_point(filled=True, opacity=1).encode(
        x="effect:Q", tooltip=["name", "strand", _digits(alt, "effect"), _digits(alt, "low"), _digits(alt, "high"), "n"]
    )
    return alt.layer(whisker, dot, _zero(alt, "x"), data=rows)


def plot_position_effects(table: pd.DataFrame, *, output: int = 0, width: int = 560, height: int = 160) -> Any:
    """Draw the effect of motifs against the place they are put, a line and its band a strand.

    Parameters
    ----------
    table : DataFrame
        Of `position_effects`.
    output, width, height
        As in `plot_motif_effects`.

    Examples
    --------
    >>> rows = [{"name": "GATA", "strand": "+", "start": s, "output": 0, "effect": 1.0, "low": 0.9, "high": 1.1} for s in (0, 1)]
    >>> plot_position_effects(pd.DataFrame(rows)).to_dict()["facet"]["row"]["field"]
    'name'
    """
    rows = _rows("plot_position_effects", table, output, ("name", "strand", "start", "effect", "low", "high"))
    import altair as alt

    x = alt.X("start:Q", title="start of the motif (bp)")
    chart = _banded(alt, rows, x, "effect", _colour(alt, "strand", _STRANDS))
    return _sized(chart, width, height).facet(row=alt.Row("name:N", title=None))


def plot_spacing(
    table: pd.DataFrame, *, value: str = "cooperativity", output: int = 0, width: int = 560, height: int = 220
) -> Any:
    """Draw what two motifs do together against the distance between them, a line an arrangement.

    Parameters
    ----------
    table : DataFrame
        Of `spacing_effects`.
    value : {"cooperativity", "effect"}
        The cooperativity has a band.
    output, width, height
        As in `plot_motif_effects`.

    Examples
    --------
    >>> row = {"arrangement": "facing", "order": "ab", "distance": 3, "output": 0, "cooperativity": 1.0, "effect": 2.0,
    ...        "low": 0.9, "high": 1.1}
    >>> plot_spacing(pd.DataFrame([row])).to_dict()["layer"][0]["mark"]["type"]
    'area'
    """
    where, needed = "plot_spacing", ("arrangement", "order", "distance", "effect", "cooperativity", "low", "high")
    if value not in ("cooperativity", "effect"):
        raise problem(where, "value", got=repr(value), need="cooperativity or effect", do="choose one")
    rows = _rows(where, table, output, needed)
    import altair as alt

    x = alt.X("distance:Q", title="bases between the motifs")
    detail = {"strokeDash": alt.StrokeDash("order:N")}
    colour = _colour(alt, "arrangement", ARRANGEMENTS)
    return _sized(_banded(alt, rows, x, value, colour, band=value == "cooperativity", **detail), width, height)


def plot_interactions(table: pd.DataFrame, *, output: int = 0, width: int = 480) -> Any:
    """Draw pairs of motifs against distance as a heat map of their cooperativity, a panel an arrangement.

    Parameters
    ----------
    table : DataFrame
        Of `interaction_map`.
    output, width
        As in `plot_motif_effects`.

    Examples
    --------
    >>> row = {"motif_a": "GATA", "motif_b": "TEAD", "arrangement": "facing", "distance": 3, "output": 0, "cooperativity": 1.0}
    >>> plot_interactions(pd.DataFrame([row])).to_dict()["spec"]["mark"]["type"]
    'rect'
    """
    where, needed = "plot_interactions", ("motif_a", "motif_b", "arrangement", "distance", "cooperativity")
    rows = _rows(where, table, output, needed)
    rows = rows.assign(pair=rows["motif_a"] + " \u2013 " + rows["motif_b"])
    most = float(rows["cooperativity"].abs().max()) or 1.0
    import altair as alt

    colour = alt.Color(
        "mean(cooperativity):Q",
        scale=alt.Scale(domain=[-most, 0, most], range=[_FALL, "#f5f5f5", _RISE]),
        title="cooperativity",
    )
    chart = (
        alt.Chart(rows, width=width, height=alt.Step(16))
        .mark_rect()
        .encode(
            x=alt.X("distance:O", title="bases between the motifs"),
            y=alt.Y("pair:N", title=None),
            color=colour,
            tooltip=["pair", "arrangement", "distance", alt.Tooltip("mean(cooperativity):Q", format="+.3g")],
        )
    )
    return chart.facet(row=alt.Row("arrangement:N", title=None))


def plot_variants(
    table: pd.DataFrame, *, score: str, threshold: float | None = None, width: int = 480, height: int = 180
) -> Any:
    """Draw how the scores of variants are spread, with a threshold on both sides of zero.

    Parameters
    ----------
    table : DataFrame
        Of `variant_effects`.
    score : str
        A column of numbers.
    threshold : float, optional
        Where a variant counts as having an effect.
    width, height : int
        In pixels.

    Examples
    --------
    >>> plot_variants(pd.DataFrame({"difference": [0.1, -0.4]}), score="difference").to_dict()["layer"][0]["mark"]["type"]
    'bar'
    """
    if score not in table or not pd.api.types.is_numeric_dtype(table[score]):
        numbers = ", ".join(str(c) for c in table.columns if pd.api.types.is_numeric_dtype(table[c]))
        raise problem(
            "plot_variants", "score", got=repr(score), need=f"one of {numbers}", do="name a column of numbers"
        )
    import altair as alt

    bars = (
        alt.Chart(table[[score]], width=width, height=height)
        .mark_bar(color=_RISE)
        .encode(x=alt.X(score, bin=alt.Bin(maxbins=60), title=score), y=alt.Y("count()", title="variants"))
    )
    if threshold is None:
        return alt.layer(bars)
    lines = alt.Chart(pd.DataFrame({score: [-threshold, threshold]})).mark_rule(color=_FALL, strokeDash=[4, 3])
    return alt.layer(bars, lines.encode(x=alt.X(score)))


def _rows(where: str, table: pd.DataFrame, output: int, needed: Sequence[str]) -> pd.DataFrame:
    """The rows of one output, and the columns that are drawn."""
    missing = [name for name in (*needed, "output") if name not in table]
    if missing:
        raise problem(
            where, "table", got=f"no column {', '.join(missing)}", need=f"{', '.join(needed)} and output",
            do="pass the table of the function's result",
        )  # fmt: skip
    rows = table.loc[table["output"] == output, list(needed)]
    if not len(rows):
        raise problem(where, "output", got=output, need=f"0 to {table['output'].max()}", do="choose one")
    return rows


def _banded(alt: Any, rows: pd.DataFrame, x: Any, value: str, colour: Any, *, band: bool = True, **line: Any) -> Any:
    """A line with its interval behind it, and the zero line."""
    base = alt.Chart().encode(x=x, color=colour)
    area = base.mark_area(opacity=0.2).encode(y=alt.Y("low:Q", title=value), y2="high:Q", **line)
    curve = base.mark_line(strokeWidth=1.5).encode(y=alt.Y(f"{value}:Q", title=value), **line)
    return alt.layer(*([area] if band else []), curve, _zero(alt, "y"), data=rows)


def _sized(chart: Any, width: int, height: int) -> Any:
    return chart.properties(width=width, height=height)


def _zero(alt: Any, axis: str) -> Any:
    return alt.Chart().transform_aggregate(n="count()").mark_rule(opacity=0.3).encode(**{axis: alt.datum(0)})


def _digits(alt: Any, name: str) -> Any:
    return alt.Tooltip(f"{name}:Q", format="+.3g")


def _colour(alt: Any, field: str, colours: Mapping[str, str]) -> Any:
    return alt.Color(f"{field}:N", scale=alt.Scale(domain=list(colours), range=list(colours.values())))
