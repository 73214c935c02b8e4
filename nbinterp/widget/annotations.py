"""Annotations for views along a sequence: checked once, sent as columns, and read back by what a person chose.

In: one table of spans, or several by label, from seqlets, scans, called hits or by hand.  Out: `Spans`, sorted by sequence
and start, in numbers that the browser reads as they are; a million of them are a few megabytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import traitlets

from ..core.tables import ANNOTATIONS, check_spans, check_table
from ..errors import problem
from .axis import AxisView

__all__ = ["AnnotatedView", "Spans", "check_thresholds", "pack_spans", "read_spans"]

_SCORES: Final = (
    "score",
    "attribution",
    "hit_coefficient",
    "p-value",
    "q-value",
)  # columns that can be told by how large
_SMALLEST: Final = 1e-300  # p-values of 0 are drawn as this one
_FOREIGN: Final = ("sequence_idx", "sequence_name", "peak_id")  # what other tables call example_idx
_STILL: Final = 300  # spans in a still picture; more cannot be told apart


@dataclass(frozen=True)
class Spans:
    """One table of spans by its columns, sorted by sequence and start; those of sequence i are ``at[i]`` to ``at[i + 1]``.

    `table` is what was given, `order` its rows as they are here.  `names` are those that `code` counts, in the order in
    which they first appear; `strand` is 0 for none, 1 and 2 for + and -; `scores` have p-values as -log10.
    """

    label: str
    table: pd.DataFrame
    order: np.ndarray
    at: np.ndarray
    start: np.ndarray
    end: np.ndarray
    code: np.ndarray
    strand: np.ndarray
    names: tuple[str, ...]
    scores: dict[str, np.ndarray]

    def kept(self, least: Mapping[str, float]) -> np.ndarray:
        """Which spans have all these values, or more; one whose value is missing has not."""
        keep = np.ones(len(self.start), bool)
        for column, value in least.items():
            keep &= self.scores[column] >= np.float32(value)  # as the browser compares them
        return keep

    def touching(self, example: int, start: float, end: float) -> np.ndarray:
        """Those of a sequence that touch positions [start, end), by their place here."""
        first, last = self.at[example], self.at[example + 1]
        inside = (self.end[first:last] > start) & (self.start[first:last] < end)
        return np.asarray(first + np.flatnonzero(inside))


def read_spans(where: str, given: Any, n: int, length: int, *, several: bool = True) -> tuple[Spans, ...]:
    """Check a table, or, where there can be several, tables by label, against n sequences of one length.

    Raises
    ------
    NbinterpError
        When columns are missing, sequences or spans are not there, or scores are no numbers.
    """
    if given is None:
        return ()
    if not (several and isinstance(given, Mapping)):
        return (_read(where, "annotations", "annotations", given, n, length),)
    return tuple(_read(where, f"annotations[{key!r}]", str(key), table, n, length) for key, table in given.items())


def _read(where: str, argument: str, label: str, table: Any, n: int, length: int) -> Spans:
    if isinstance(table, pd.DataFrame) and "example_idx" not in table and any(one in table for one in _FOREIGN):
        from ..annotation import as_annotations

        table = as_annotations(table)
    check_table(where, argument, table, ANNOTATIONS)
    example, start, end = check_spans(where, argument, table, n, length)
    words = table["name"].fillna("").astype(str) if "name" in table else pd.Series([""] * len(table), dtype=str)
    code, names = pd.factorize(words.to_numpy(object))
    signs = table["strand"].to_numpy(object) if "strand" in table else np.full(len(table), "")
    order = np.lexsort((-end, start, example))
    return Spans(
        label, table, order, np.searchsorted(example[order], np.arange(n + 1)).astype(np.int32),
        start[order].astype(np.int32), end[order].astype(np.int32), code[order].astype(np.int32),
        np.where(signs == "+", 1, np.where(signs == "-", 2, 0))[order].astype(np.uint8), tuple(map(str, names)),
        {name: values[order] for name, values in _values(where, argument, table).items()},
    )  # fmt: skip


def _values(where: str, argument: str, table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Scores by name; p-values are told by their size."""
    found = {}
    for column in _SCORES:
        if column not in table:
            continue
        try:
            numbers = pd.to_numeric(table[column]).to_numpy(float)
        except (TypeError, ValueError) as error:
            raise problem(
                where, argument, got=f"column {column} with values that are no numbers", need="scores", do="convert it"
            ) from error
        small = column.endswith("-value")
        if small:
            numbers = -np.log10(np.where(numbers >= 0, np.maximum(numbers, _SMALLEST), np.nan))
        numbers = np.where(np.isfinite(numbers), numbers, np.nan)
        found[f"-log10 {column}" if small else column] = numbers.astype(np.float32)
    return found


def pack_spans(
    sets: Sequence[Spans], n_scores: int | None = None
) -> tuple[dict[str, np.ndarray], list[dict[str, Any]]]:
    """Blocks for the browser, and what it is told of them; starts as steps and ends as widths, which compress well.

    With `n_scores`, only so many scores of each are sent.
    """
    arrays: dict[str, np.ndarray] = {}
    told = []
    for k, spans in enumerate(sets):
        scores = dict(list(spans.scores.items())[:n_scores])
        columns = {
            "at": spans.at, "start": np.diff(spans.start, prepend=np.int32(0)), "width": spans.end - spans.start,
            "name": spans.code, "strand": spans.strand, **{f"value{j}": v for j, v in enumerate(scores.values())},
        }  # fmt: skip
        arrays |= {f"spans{k}.{name}": column for name, column in columns.items()}
        told.append({"label": spans.label, "names": spans.names, "scores": list(scores)})
    return arrays, told


def check_thresholds(where: str, sets: Sequence[Spans], given: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Hold ``{label: {score: least}}`` to the tables and scores that are there."""
    known = {spans.label: list(spans.scores) for spans in sets}
    for label, columns in given.items():
        if label not in known:
            need = f"one of {', '.join(known)}" if known else "annotations"
            raise problem(where, "thresholds", got=f"label {label!r}", need=need, do="name a track of annotations")
        for score, least in columns.items():
            if score not in known[label] or not math.isfinite(least):
                raise problem(
                    where, f"thresholds[{label!r}]", got=f"{score!r}: {least}", do="name a score",
                    need=f"a number for one of {', '.join(known[label])}" if known[label] else "a table with scores",
                )  # fmt: skip
    return {str(label): {score: float(least) for score, least in columns.items()} for label, columns in given.items()}


class AnnotatedView(AxisView):
    """A view along sequences with spans under them; `_spans` is set before anything else."""

    motif = traitlets.Unicode("").tag(sync=True, echo_update=False)
    item = traitlets.Int(-1).tag(sync=True, echo_update=False)

    _spans: tuple[Spans, ...] = ()

    def _least(self, _label: str) -> Mapping[str, float]:
        """The smallest values that are shown of a table."""
        return {}

    @property
    def chosen(self) -> pd.DataFrame:
        """The annotations that a person clicked on or brushed, as they were given; of several tables with their ``track``.

        A brush takes those that it touches, of the sequence that is shown.  Empty where nothing is selected.
        """
        found = [spans.table.iloc[spans.order[self._picked(k)]] for k, spans in enumerate(self._spans)]
        if not found:
            return pd.DataFrame({name: pd.Series(dtype=int) for name in ANNOTATIONS})
        if len(found) == 1:
            return pd.DataFrame(found[0])
        parts = [part.assign(track=spans.label) for part, spans in zip(found, self._spans, strict=True)]
        filled = [part for part in parts if len(part)]
        return pd.DataFrame(pd.concat(filled or parts[:1], ignore_index=True))

    def _picked(self, k: int) -> np.ndarray:
        """Spans of the k-th table that are selected: the one clicked on, else those in the brush."""
        if len(self.selection) != 2:
            return np.zeros(0, int)
        for one, spans in enumerate(self._spans):
            at = self.item - self._base(one)
            if self.item >= 0 and 0 <= at < len(spans.start) and [spans.start[at], spans.end[at]] == self.selection:
                return np.array([at] if one == k else [], int)
        spans = self._spans[k]
        inside = spans.touching(self.example, *self.selection)
        return self._shown(spans, inside)

    def _shown(self, spans: Spans, rows: np.ndarray) -> np.ndarray:
        """Those of the rows that no threshold hides."""
        return np.asarray(rows[spans.kept(self._least(spans.label))[rows]])

    def _base(self, k: int) -> int:
        """The number of the first span of the k-th table; they are counted through."""
        return sum(len(spans.start) for spans in self._spans[:k])

    def _in_view(self, start: int, end: int) -> list[tuple[int, int, str]]:
        """Spans of a still picture, from its first position; too many of them as one, with their number."""
        found = []
        for spans in self._spans:
            inside = self._shown(spans, spans.touching(self.example, start, end))
            if len(inside) > _STILL:
                first, last = int(spans.start[inside].min()), int(spans.end[inside].max())
                found.append((first - start, last - start, f"{len(inside):,} {spans.label}"))
                continue
            places = zip(spans.start[inside].tolist(), spans.end[inside].tolist(), spans.code[inside], strict=True)
            found += [(a - start, b - start, spans.names[code]) for a, b, code in places]
        return found
