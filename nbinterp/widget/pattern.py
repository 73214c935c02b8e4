"""PatternView: one pattern of TF-MoDISco over the seqlets that it is made of.

In: a `PatternSet`.  Out: a widget; the pattern, the subpattern and the seqlet that a person chooses come back as traits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import traitlets

from ..chart import logo_png
from ..chart.motifs import information_heights
from ..core.check import check_choice
from ..errors import problem, suggest
from ..live import pack_blocks, quantize
from .base import View, static

if TYPE_CHECKING:
    from ..motif import Pattern, PatternSet

__all__ = ["PatternView"]

_WHERE: Final = "PatternView"
_ORDERS: Final = ("contribution", "position", "sequence", "subpattern")


class PatternView(View):
    """A pattern over its seqlets, a row each: who is alike, who is not, and where they lie.

    Above are the mean contributions and letters, then the seqlet that is pointed at; below all seqlets, the colour for the
    base and its depth for the contribution.  Beside stand how far seqlets lie from the middle of the window (the line is what
    chance gives) and how much they contribute.  Choosing a seqlet shows it in linked views; choosing a motif there shows
    its pattern here.

    Parameters
    ----------
    patterns : PatternSet
        From `read_modisco`, or of one's own.
    pattern : int or str
        The one shown first, by number or name.
    fraction : float
        Of cores, which are shaded; see `pattern_core`.
    order : {"contribution", "position", "sequence", "subpattern"}
        Of the seqlets.
    n_seqlets : int
        Seqlets that are stored of each pattern, evenly from strong to weak; spreads are of all.
    length : int, optional
        Of the whole sequences: positions are then theirs, and those of TF-MoDISco's window otherwise.
    rows : mapping of int to int, or array, optional
        Which example of linked views each sequence is, -1 for none, which is said of its seqlets; by default they have the
        same numbers.
    colors : {"classic", "safe", "grey"}
        Palette.
    link : str
        Views of one page with the same link follow each other.

    Attributes
    ----------
    pattern, part : int
        The pattern that is shown, and its subpattern (-1 for all seqlets).
    order : str
    seqlet : int
        Chosen by the reader, among those stored, -1 for none; `selected` is its row in the pattern's table.

    Raises
    ------
    NbinterpError
        For no patterns, an unknown one, or numbers out of range.

    Examples
    --------
    >>> from nbinterp.motif import Pattern, PatternSet
    >>> seqlets = pd.DataFrame({"example_idx": [3], "start": [5], "end": [9], "strand": ["+"]})
    >>> one = Pattern("pos_patterns.pattern_0", np.eye(4), np.eye(4), np.eye(4), seqlets, {})
    >>> view = PatternView(PatternSet((one,), window_size=20))
    >>> view.name, view.selected is None
    ('pos_patterns.pattern_0', True)
    """

    _esm = static("pattern.js")
    _css = static("logo.css")

    meta = traitlets.Unicode().tag(sync=True)
    data = traitlets.Bytes().tag(sync=True)
    pattern = traitlets.Int(0).tag(sync=True, echo_update=False)
    part = traitlets.Int(-1).tag(sync=True, echo_update=False)
    order = traitlets.Enum(list(_ORDERS), "contribution").tag(sync=True, echo_update=False)
    seqlet = traitlets.Int(-1).tag(sync=True, echo_update=False)
    link = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        patterns: PatternSet,
        *,
        pattern: int | str = 0,
        fraction: float = 0.3,
        order: str = "contribution",
        n_seqlets: int = 500,
        length: int | None = None,
        rows: Mapping[int, int] | np.ndarray | None = None,
        colors: str = "classic",
        link: str = "",
    ) -> None:
        check_choice(_WHERE, "order", order, _ORDERS)
        check_choice(_WHERE, "colors", colors, ("classic", "safe", "grey"))
        if not len(patterns):
            raise problem(_WHERE, "patterns", got="none", need="at least one", do="look at how they were found")
        if n_seqlets < 1:
            raise problem(_WHERE, "n_seqlets", got=n_seqlets, need="at least 1", do="raise it")
        self._patterns, self._colors = patterns, colors
        names = list(patterns.names)
        if isinstance(pattern, str) and pattern not in names:
            got = f"{pattern!r}{suggest(pattern, names)}"
            raise problem(_WHERE, "pattern", got=got, need="a name of the patterns", do="look at .names")
        first = names.index(pattern) if isinstance(pattern, str) else pattern
        shift = _shift(patterns, length)
        self._stored = [_stored(one, n_seqlets) for one in patterns]
        arrays: dict[str, np.ndarray] = {}
        for i, one in enumerate(patterns):
            arrays.update(_arrays(i, one, self._stored[i], patterns.window_size, shift, rows))
        packed = pack_blocks(arrays)
        meta = {
            "blocks": packed.blocks,
            "colors": colors,
            "window": patterns.window_size,
            "patterns": [_facts(one, fraction) for one in patterns],
        }
        super().__init__(
            meta=json.dumps(meta, separators=(",", ":"), allow_nan=False),
            data=packed.data,
            pattern=first,
            order=order,
            link=link,
        )

    @traitlets.validate("pattern")
    def _check_pattern(self, proposal: Any) -> int:
        last = len(self._patterns) - 1
        if not 0 <= proposal["value"] <= last:
            raise problem(_WHERE, "pattern", got=proposal["value"], need=f"0 to {last}", do="count from 0")
        return int(proposal["value"])

    @property
    def name(self) -> str:
        """Of the pattern that is shown."""
        return self._patterns[self.pattern].name

    @property
    def selected(self) -> pd.Series[Any] | None:
        """The chosen seqlet, as the pattern's table has it."""
        stored = self._stored[self.pattern]
        if not 0 <= self.seqlet < len(stored):
            return None
        return self._patterns[self.pattern].seqlets.iloc[int(stored[self.seqlet])]

    def to_png(self) -> bytes:
        """The logos of the pattern that is shown."""
        one = self._patterns[self.pattern]
        bits = information_heights(one.sequence)
        codes = np.abs(one.contrib_scores).argmax(axis=0).astype(np.uint8)
        return logo_png(codes, [("contribution", one.contrib_scores), ("bits", bits)], one.name, self._colors)


def _shift(patterns: PatternSet, length: int | None) -> int:
    """Where the window begins in the whole sequences."""
    table = patterns.seqlets(length)
    return int(table["start"].iloc[0] - patterns.seqlets()["start"].iloc[0]) if len(table) else 0


def _stored(pattern: Pattern, most: int) -> np.ndarray:
    """Which seqlets are stored: all, or so many evenly from strong to weak."""
    from ..motif import seqlet_contributions  # with torch, which may wait until there are patterns

    n = pattern.n_seqlets
    if n <= most:
        return np.arange(n)
    order = np.argsort(-np.nan_to_num(seqlet_contributions(pattern)), kind="stable")
    found: np.ndarray = np.sort(order[np.linspace(0, n - 1, most).round().astype(int)])
    return found


def _facts(pattern: Pattern, fraction: float) -> dict[str, Any]:
    from ..motif import pattern_core

    return {
        "name": pattern.name,
        "positive": pattern.positive,
        "width": pattern.sequence.shape[1],
        "core": pattern_core(pattern, fraction),
        "n": pattern.n_seqlets,
        "letters": {"sequence", "contrib_scores"} <= set(pattern.seqlet_arrays),
        "parts": [{"name": part.name.rpartition(".")[2], "n": part.n_seqlets} for part in pattern.subpatterns],
    }


def _arrays(
    i: int,
    pattern: Pattern,
    kept: np.ndarray,
    window: int | None,
    shift: int,
    rows: Mapping[int, int] | np.ndarray | None,
) -> dict[str, np.ndarray]:
    """What the browser needs of a pattern, by name and number."""
    from ..motif import seqlet_contributions

    table, totals = pattern.seqlets, seqlet_contributions(pattern).astype(np.float32)
    arrays = {f"pfm{i}": pattern.sequence.astype(np.float32), f"cwm{i}": pattern.contrib_scores.astype(np.float32)}
    for k, part in enumerate(pattern.subpatterns):
        if part.sequence.shape == pattern.sequence.shape:  # else it is not on the pattern's columns
            arrays[f"pfm{i}.{k}"] = part.sequence.astype(np.float32)
            arrays[f"cwm{i}.{k}"] = part.contrib_scores.astype(np.float32)
    some = table.iloc[kept]
    example = some["example_idx"].to_numpy(np.int64)
    arrays[f"places{i}"] = np.stack(
        [
            example,
            some["start"].to_numpy(np.int64) + shift,
            some["end"].to_numpy(np.int64) + shift,
            (some["strand"] == "-").to_numpy(np.int64),
            _rows_of(example, rows),
            _parts_of(pattern)[kept],
        ],
        axis=1,
    ).astype(np.int32)
    arrays[f"which{i}"], arrays[f"total{i}"], arrays[f"totals{i}"] = kept.astype(np.int32), totals[kept], totals
    middle = 0 if window is None else window / 2
    arrays[f"centres{i}"] = ((table["start"] + table["end"]).to_numpy(np.float32) / 2 - middle).astype(np.float32)
    held = pattern.seqlet_arrays
    if {"sequence", "contrib_scores"} <= set(held):
        letters, scores = held["sequence"][kept], held["contrib_scores"][kept].sum(axis=1)
        known = letters.any(axis=1)
        arrays[f"codes{i}"] = np.where(known, letters.argmax(axis=1), 4).astype(np.uint8)
        codes, scale = quantize(scores[None])
        arrays[f"scores{i}"], arrays[f"scale{i}"] = codes[0], scale
    return arrays


def _rows_of(example: np.ndarray, rows: Mapping[int, int] | np.ndarray | None) -> np.ndarray:
    if rows is None:
        return example
    if isinstance(rows, Mapping):
        return np.array([rows.get(int(one), -1) for one in example], np.int64)
    inside = example < len(rows)
    return np.where(inside, rows[np.where(inside, example, 0)], -1)


def _parts_of(pattern: Pattern) -> np.ndarray:
    """The subpattern of each seqlet, -1 where it is in none."""
    keys = ["example_idx", "start", "strand"]
    place = {
        key: k
        for k, part in enumerate(pattern.subpatterns)
        for key in part.seqlets[keys].itertuples(index=False, name=None)
    }
    return np.array([place.get(key, -1) for key in pattern.seqlets[keys].itertuples(index=False, name=None)], np.int64)
