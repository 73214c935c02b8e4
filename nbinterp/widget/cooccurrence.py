"""CooccurrenceView: which annotations come together, and at which distances.

In: a table of annotations.  Out: a widget; the pair that a person chooses comes back as a trait.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import traitlets

from ..chart.annotation import cooccurrence_png
from ..errors import problem
from ..live import pack_blocks
from .base import View, static
from .cooccurrence_data import lean_annotations, near_blocks, pair_blocks
from .table import cells_of

__all__ = ["CooccurrenceView"]

_NAMES: Final = 400  # names of which every pair is in the page
_SHOWN: Final = 100  # names in the map at most
_ROWS: Final = 300  # of each table in the page
_PAIRS: Final = ("row", "column", "log2_ratio", "q-value", "observed", "expected")
_SPACINGS: Final = ("row", "column", "distance", "q-value", "observed", "expected", "orientation")


class CooccurrenceView(View):
    """Which annotations come together: a map of pairs, the spacing of the one that is chosen, and all partners of a motif.

    A cell is coloured by how much more or less often than by chance two annotations share a sequence, and small where that
    is not significant (q > 0.05).  Of the pair that is chosen, distances are counted for each way in which the two can lie,
    against the 5-95 % band of shuffled positions.  All of it is computed once, here; the browser asks for nothing.

    Parameters
    ----------
    annotations : DataFrame
        example_idx, start, end and name, of seqlets, scans or called hits; where every row has a strand (+ or -),
        orientations are told apart, else which of the two stands left.
    names : sequence of str, optional
        All names, those that never occur too.
    n_examples : int, optional
        Sequences that were annotated, those without annotations too; by default up to the largest index.
    max_distance : int
        Distances 0 to ``max_distance - 1`` are counted.
    n_names : int
        Names in the map, 1 to 100, the most frequent ones first; a filter reaches the others.
    length : int, optional
        Bases of the sequences, within which positions are shuffled; by default up to the last annotation.
    pair : (str, str), optional
        The motif and its partner shown first; by default the most significant pair of the map.
    link : str
        Name of a link: the motif that is chosen here is chosen in all its views.

    Attributes
    ----------
    pair : list of str
        The motif and its partner that are chosen; empty when there are no names.
    value : {"enrichment", "sequences", "significance"}
        What the map shows.
    order : {"cluster", "count", "name"}
        How the names of the map stand.
    filter : str
        Words, one of which the names in the map contain.
    partners : {"enrichment", "count"}
        What the map of partners shows.
    pairs : DataFrame
        All pairs, as `pair_enrichment` gives them.
    spacings : DataFrame
        All spacings that were seen, as `spacing_enrichment` gives them; without strands its row is the left one.

    Raises
    ------
    NbinterpError
        For a table without the columns, annotations beyond `n_examples` or `length`, unknown names, or numbers below 1.

    Notes
    -----
    Every pair of the 400 most frequent names is in the page, and the spacings of the pairs that are near each other most
    often, a million numbers; of others the page says so, and `pairs` and `spacings` have them.

    Examples
    --------
    >>> start = np.tile(np.arange(20), 2)
    >>> table = pd.DataFrame({"example_idx": start, "start": start, "end": start + 5, "name": ["a"] * 20 + ["b"] * 20})
    >>> view = CooccurrenceView(table, n_examples=60, pair=("a", "b"))
    >>> view.pair, int(view.pairs["observed"].max())
    (['a', 'b'], 20)
    """

    _esm = static("cooccurrence.js")
    _css = static("logo.css") + static("cooccurrence.css")

    data = traitlets.Bytes().tag(sync=True)
    meta = traitlets.Unicode().tag(sync=True)
    pair = traitlets.List(traitlets.Unicode()).tag(sync=True, echo_update=False)
    value = traitlets.Enum(["enrichment", "sequences", "significance"], "enrichment").tag(sync=True, echo_update=False)
    order = traitlets.Enum(["cluster", "count", "name"], "cluster").tag(sync=True, echo_update=False)
    filter = traitlets.Unicode().tag(sync=True, echo_update=False)
    partners = traitlets.Enum(["enrichment", "count"], "enrichment").tag(sync=True, echo_update=False)
    link = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        annotations: pd.DataFrame,
        *,
        names: Sequence[str] | None = None,
        n_examples: int | None = None,
        max_distance: int = 100,
        n_names: int = 40,
        length: int | None = None,
        pair: Sequence[str] | None = None,
        link: str = "",
    ) -> None:
        where = "CooccurrenceView"
        if max_distance < 1:
            raise problem(where, "max_distance", got=max_distance, need="at least 1", do="raise it")
        if not 1 <= n_names <= _SHOWN:
            do = "filter the names in the view for more"
            raise problem(where, "n_names", got=n_names, need=f"1 to {_SHOWN}, which can be read", do=do)
        lean = lean_annotations(where, annotations, names)
        n_examples = _within(where, "n_examples", n_examples, lean.table["example_idx"].max() + 1)
        length = _within(where, "length", length, lean.table["end"].max())
        self._names = frozenset(lean.names)
        from ..annotation import pair_enrichment  # with torch, which a saved view does without
        from ..annotation.enrichment import spacing_grid, spacing_table

        self.pairs = pair_enrichment(lean.table.drop(columns="strand", errors="ignore"), n_examples, names=lean.names)
        grid = spacing_grid(
            lean.table, length, max_distance, names=lean.names, stranded=lean.stranded, symmetric=lean.stranded,
            where=where,
        )  # fmt: skip
        self.spacings = spacing_table(grid)
        first = np.argsort(-lean.examples, kind="stable")[:_NAMES]
        shown = [lean.names[i] for i in first]
        rank = np.full(len(lean.names), -1)
        rank[first] = np.arange(len(first))
        near, whole = near_blocks(grid, self.spacings, rank)
        blocks = pack_blocks({**pair_blocks(self.pairs, shown), **near})
        meta = {
            "names": shown,
            "n_names": n_names,
            "n_all": len(lean.names),
            "n_examples": n_examples,
            "n_annotations": len(lean.table),
            "length": length,
            "max_distance": max_distance,
            "stranded": lean.stranded,
            "whole": whole,
            "pairs": cells_of(self.pairs.head(_ROWS)[list(_PAIRS)]),
            "spacings": _spacing_rows(self.spacings.head(_ROWS)),
            "blocks": blocks.blocks,
        }
        super().__init__(
            data=blocks.data,
            meta=json.dumps(meta, separators=(",", ":"), allow_nan=False),
            pair=list(pair) if pair is not None else self._first(shown[:n_names]),
            link=link,
        )
        self._most, self._n_names, self._max_distance = shown, n_names, max_distance
        self._still: tuple[Any, bytes] | None = None

    def _first(self, shown: Sequence[str]) -> list[str]:
        """The most significant pair of two names that are shown, or of one with itself."""
        inside = self.pairs[self.pairs["row"].isin(shown) & self.pairs["column"].isin(shown)]
        apart = inside[inside["row"] != inside["column"]]
        best = apart if len(apart) else inside
        return [str(best[side].iloc[0]) for side in ("row", "column")] if len(best) else []

    # --- still picture ------------------------------------------------------------------------------------------------

    def _shown(self) -> list[str]:
        """Names in the map."""
        words = self.filter.lower().replace(",", " ").split()
        passing = [one for one in self._most if not words or any(word in one.lower() for word in words)]
        names = passing[: self._n_names]
        return sorted(names) if self.order == "name" else names

    def to_png(self) -> bytes:
        """Draw what is shown now; kept until that changes."""
        pictured = tuple(self.pair), self.value, self.order, self.filter
        if self._still is None or self._still[0] != pictured:
            picture = cooccurrence_png(
                self.pairs, self.spacings, self._shown(), self.pair,
                value=self.value, cluster=self.order == "cluster", max_distance=self._max_distance,
            )  # fmt: skip
            self._still = pictured, picture
        return self._still[1]

    @traitlets.validate("pair")
    def _check_pair(self, proposal: Any) -> list[str]:
        chosen = list(proposal["value"])
        if len(chosen) not in (0, 2) or any(one not in self._names for one in chosen):
            need = "[] or two names of annotations"
            raise problem("CooccurrenceView", "pair", got=chosen, need=need, do="name them as the table does")
        return chosen


def _within(where: str, argument: str, given: int | None, least: Any) -> int:
    """A number that is given, or that the annotations ask for."""
    least = 0 if pd.isna(least) else int(least)
    if given is not None and given < least:
        need = f"at least {least}, as the annotations reach"
        raise problem(where, argument, got=given, need=need, do="pass that of the annotated sequences")
    return least if given is None else int(given)


def _spacing_rows(spacings: pd.DataFrame) -> list[list[Any]]:
    """Rows of the table of spacings, with a way of lying in every one."""
    way = {} if "orientation" in spacings else {"orientation": ""}
    return cells_of(spacings.assign(**way)[list(_SPACINGS)])
