"""MotifBrowser: many motifs, each aligned to what it may be; to look through, name, tag, merge and take along.

In: motifs, and what is known of them: matches of `tomtom`, contributions, instances, a table.  Out: a widget; what a person
chooses and changes comes back as plain Python.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import traitlets

from ..chart.motifs import information_heights, motifs_png
from ..errors import problem, suggest
from ..live import pack_blocks
from .base import View, static
from .browser_data import (
    instances_of,
    matches_of,
    motif_set,
    pack_instances,
    pack_matches,
    pack_matrices,
    with_contributions,
)
from .browser_edits import Motif, iupac, replay
from .table import cells_of

if TYPE_CHECKING:
    from ..motif import MotifSet

__all__ = ["MotifBrowser"]

_WHERE = "MotifBrowser"
_STILL = 12  # motifs in a still picture
_OWN = ("logo", "name", "width", "information", "consensus", "instances", "match", "q-value", "p-value", "tags")


class MotifBrowser(View):
    """A set of motifs to look through and to put in order.

    A row is a motif as its logo, over the logos of its best matches, column over column.  Rows are sorted and filtered
    by what is known of them, tagged, renamed and merged in the page, with a kernel or without; Python reads what came of it.

    Parameters
    ----------
    motifs : MotifSet, PatternSet or mapping of name to matrix (4, w)
        Probabilities, none below 0.
    matches : DataFrame, optional
        From ``tomtom(motifs, targets, as_table=True)``: query and target by name, offset, strand, and a q-value (or p-value).
    targets : MotifSet or mapping, optional
        The motifs that `matches` names, to be drawn; by default `motifs`, where they hold all of them.  Without them
        matches are names.
    contributions : MotifSet or mapping of name to matrix (4, w), optional
        Contribution weights of the same names and widths; by default those that `motifs` have.
    instances : DataFrame, optional
        Annotations (example_idx, start, end, name), counted by name; the first 500 of each motif can be stepped through.
    table : DataFrame, optional
        One row a motif, in order: more columns.
    n_matches : int
        Matches kept of each motif, best first.
    name : str
        Of saved files, without their suffixes.
    height : int
        Of the table, in pixels.
    link : str
        Name of a link, as `nbinterp.link` gives it: choosing a motif shows its instances in linked views, those of its first
        name or else, in a view that knows none, of its best match's.

    Attributes
    ----------
    edits : dict
        What was done and undone; see `reset`.
    chosen : list of int
        Numbers of the motifs chosen; `selected` are their names.
    reverse : bool
        Whether all logos show the other strand.

    Raises
    ------
    NbinterpError
        For no motifs, negative probabilities, matches of unknown motifs or missing targets, contributions of other
        names or widths, instances without names, a table of another length.

    Notes
    -----
    A merge is made in the page, so that it needs no kernel: members are aligned to the one that counts most, as
    `motif_similarity` does (the best Pearson correlation of centred columns, either strand), and averaged, weighted by
    their instances (or `MotifSet.n_sites`, where all are known; else alike).  Where a member has no column it counts as
    background.

    Examples
    --------
    >>> motifs = {"GATA": np.eye(4)[:, [2, 0, 3, 0]], "ACGT": np.eye(4)}
    >>> browser = MotifBrowser(motifs)
    >>> browser.table[["name", "information", "consensus"]].values.tolist()
    [['GATA', 8.0, 'GATA'], ['ACGT', 8.0, 'ACGT']]
    >>> browser.selected = ["ACGT"]
    >>> browser.selected, browser.tags, browser.names, browser.merged
    (['ACGT'], {}, {}, {})
    """

    _esm = static("browser.js")
    _css = static("logo.css") + static("browser.css")

    meta = traitlets.Unicode().tag(sync=True)
    data = traitlets.Bytes().tag(sync=True)
    edits: Any = traitlets.Dict({"done": [], "undone": []}).tag(sync=True, echo_update=False)
    chosen = traitlets.List(traitlets.Int()).tag(sync=True, echo_update=False)
    reverse = traitlets.Bool(False).tag(sync=True, echo_update=False)
    link = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        motifs: Any,
        *,
        matches: pd.DataFrame | None = None,
        targets: Any = None,
        contributions: Any = None,
        instances: pd.DataFrame | None = None,
        table: pd.DataFrame | None = None,
        n_matches: int = 3,
        name: str = "motifs",
        height: int = 480,
        link: str = "",
    ) -> None:
        self._motifs = with_contributions(_WHERE, motif_set(_WHERE, "motifs", motifs), contributions)
        self._names = list(self._motifs)
        self._matches = matches_of(_WHERE, self._motifs, matches, targets, n_matches)
        found = None if instances is None else instances_of(_WHERE, self._names, instances)
        self._counts = None if found is None else np.bincount(found[:, 0], minlength=len(self._names))
        self._table = _table(len(self._motifs), table)
        self._given = _given(self._motifs, self._counts)
        arrays = pack_matrices(self._given)
        if self._matches is not None:
            arrays.update(pack_matches(self._matches))
        if found is not None:
            arrays.update(pack_instances(found, len(self._names)))
        packed = pack_blocks(arrays)
        meta = {
            "blocks": packed.blocks,
            "names": self._names,
            "weights": [one.weight for one in self._given],
            "sites": list(self._motifs.n_sites),
            "counts": None if self._counts is None else self._counts.tolist(),
            "background": list(self._motifs.background),
            "matches": None if self._matches is None else self._matches.described(),
            "columns": [
                {"name": str(c), "kind": "number" if pd.api.types.is_numeric_dtype(self._table[c]) else "text"}
                for c in self._table.columns
            ],
            "cells": cells_of(self._table),
            "name": name,
            "height": height,
        }
        words = json.dumps(meta, separators=(",", ":"), allow_nan=False)
        super().__init__(meta=words, data=packed.data, link=link)
        self._still: tuple[Any, bytes] | None = None

    # --- what a person chose and did ----------------------------------------------------------------------------------

    @property
    def _now(self) -> list[Motif]:
        return replay(self._given, self.edits["done"], self._motifs.background)

    @property
    def selected(self) -> list[str]:
        """Names of the motifs that are chosen, as they are now; the last one is the one that is shown large."""
        names = {one.number: one.name for one in self._now}
        return [names[number] for number in self.chosen if number in names]

    @selected.setter
    def selected(self, names: Sequence[str]) -> None:
        numbers = {one.name: one.number for one in self._now}
        for name in names:
            if name not in numbers:
                got, do = f"{name!r}{suggest(str(name), numbers)}", "look at .table"
                raise problem(_WHERE, "selected", got=got, need="names of motifs, as they are now", do=do)
        self.chosen = [numbers[name] for name in names]

    @property
    def tags(self) -> dict[str, list[str]]:
        """Tags of each motif that has some."""
        return {one.name: list(one.tags) for one in self._now if one.tags}

    @property
    def names(self) -> dict[str, str]:
        """The present name of each motif that was renamed or merged, by its first name: ``hits["name"].replace(view.names)``."""
        return {self._names[i]: one.name for one in self._now for i in one.members if self._names[i] != one.name}

    @property
    def merged(self) -> dict[str, list[str]]:
        """First names of the motifs in each that was merged."""
        return {one.name: [self._names[i] for i in one.members] for one in self._now if len(one.members) > 1}

    @property
    def motifs(self) -> MotifSet:
        """The motifs as they are now; those that were not merged exactly as they were given."""
        from ..motif import MotifSet

        now, given = self._now, self._motifs
        single = [one.members[0] if len(one.members) == 1 else None for one in now]
        dtype = given[0].dtype
        merged = [given[0].new_tensor(one.pwm.tolist(), dtype=dtype) for one in now]
        weights = None
        if given.has_contributions:
            made = [given[0].new_tensor(np.asarray(one.cwm).tolist(), dtype=dtype) for one in now]
            weights = [made[k] if i is None else given.cwm(i) for k, i in enumerate(single)]
        return MotifSet(
            [merged[k] if i is None else given[i] for k, i in enumerate(single)],
            [one.name for one in now],
            alternate=["" if i is None else given.alternate[i] for i in single],
            n_sites=[sum(given.n_sites[i] for i in one.members) for one in now],
            background=given.background,
            contributions=weights,
            source=given.source,
        )

    @property
    def table(self) -> pd.DataFrame:
        """What is known of the motifs as they are now, one row each; merged ones have no entry in the columns that were given."""
        now, motifs = self._now, self.motifs
        single = [one.members[0] if len(one.members) == 1 else -1 for one in now]
        columns: dict[str, Any] = {
            "name": [one.name for one in now],
            "width": list(motifs.widths),
            "information": [round(float(motifs.information(i).sum()), 6) for i in range(len(now))],
            "consensus": [iupac(one.pwm) for one in now],
        }
        if self._counts is not None:
            columns["instances"] = [int(self._counts[list(one.members)].sum()) for one in now]
        if self._matches is not None:
            best = [self._matches.best(i) for i in single]
            columns["match"] = [name for name, _ in best]
            if self._matches.score:
                columns[self._matches.score] = [value for _, value in best]
        columns["tags"] = [",".join(one.tags) for one in now]
        own = pd.DataFrame(columns)
        return own.join(self._table.reset_index(drop=True).reindex(single).reset_index(drop=True))

    def to_png(self) -> bytes:
        """Draw the motifs that are chosen, or else the first ones, as they are now; kept until that changes."""
        pictured = list(self.chosen), list(self.edits["done"]), self.reverse
        if self._still is None or self._still[0] != pictured:
            now = self._now
            shown = [one for one in now if one.number in set(self.chosen)] or now
            matrices = [
                (one.name, information_heights(one.pwm) if one.cwm is None else one.cwm) for one in shown[:_STILL]
            ]
            rows = [(name, matrix[::-1, ::-1] if self.reverse else matrix) for name, matrix in matrices]
            title = f"{len(rows)} of {len(now):,} motifs" if len(rows) < len(now) else ""
            self._still = pictured, motifs_png(rows, title)
        return self._still[1]

    def to_meme(self, path: str | os.PathLike[str] | None = None) -> str:
        """The motifs as they are now in the MEME format: the text, which is also written to `path` when there is one."""
        from ..motif import write_meme

        if path is not None:
            write_meme(path, self.motifs)
            return Path(path).read_text()
        with tempfile.TemporaryDirectory() as folder:
            return self.to_meme(Path(folder) / "motifs.meme")

    def reset(self) -> None:
        """Forget all edits, and what was chosen."""
        self.edits = {"done": [], "undone": []}
        self.chosen = []


def _given(motifs: MotifSet, counts: np.ndarray | None) -> list[Motif]:
    """Motifs as edits find them; they weigh what they count, else their sites where all are known, else the same."""
    weights = np.array(motifs.n_sites) if counts is None else counts
    if counts is None and not (weights > 0).all():
        weights = np.ones(len(motifs), int)
    given = []
    for i, name in enumerate(motifs):
        cwm = motifs.cwm(i).double().numpy() if motifs.has_contributions else None
        given.append(Motif(i, name, motifs.pwm(i).double().numpy(), cwm, float(weights[i]), (), (i,)))
    return given


def _table(n: int, table: pd.DataFrame | None) -> pd.DataFrame:
    """The further columns of n motifs, whose names are their own."""
    if table is None:
        return pd.DataFrame(index=range(n))
    if not isinstance(table, pd.DataFrame) or len(table) != n:
        got = f"{len(table)} rows" if isinstance(table, pd.DataFrame) else f"a {type(table).__name__}"
        raise problem(
            _WHERE, "table", got=got, need=f"a DataFrame of {n} rows, one a motif", do="keep the order of motifs"
        )
    taken = next((str(c) for c in table.columns if str(c) in _OWN), None)
    if taken is not None:
        raise problem(
            _WHERE, "table", got=f"a column {taken!r}", need=f"other names than {', '.join(_OWN)}", do="rename it"
        )
    return table
