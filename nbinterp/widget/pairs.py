"""What the views of two motifs share: pairs of motifs, the point of one that is chosen, its sequence, and its attributions.

In: the table of `spacing_effects` or `interaction_map`, backgrounds, motifs, a model.  Out: traits that are checked, and answers
to the browser; `SpacingView` and `InteractionView` are made of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import traitlets

from ..chart.spacing import SpacingLine
from ..core.check import check_choice
from ..errors import problem
from ..live import Newest, pack_blocks
from ..live.motifs import letters_of, motif_matrices
from ..live.spacing import (
    ARRANGEMENTS,
    ORDERS,
    Site,
    SpacingAnswer,
    SpacingAsk,
    SpacingEngine,
    decode_spacing,
    encode_spacing,
    read_pairs,
    sites,
    written,
)
from .axis import AxisView, codes_of, same_rows

__all__ = ["PairsView", "table_of", "words_of"]

_KEPT: Final = 8  # backgrounds that are kept for showing
_VALUES: Final = ("cooperativity", "effect")
_READINGS: Final = ("mean", "both")


class PairsView(AxisView):
    """What `SpacingView` and `InteractionView` share: pairs of motifs, and the point of one that is chosen."""

    value = traitlets.Enum(list(_VALUES), "cooperativity").tag(sync=True, echo_update=False)
    readings = traitlets.Enum(list(_READINGS), "mean").tag(sync=True, echo_update=False)
    arrangement = traitlets.Enum(list(ARRANGEMENTS), ARRANGEMENTS[0]).tag(sync=True, echo_update=False)
    order = traitlets.Enum(list(ORDERS), "ab").tag(sync=True, echo_update=False)
    distance = traitlets.Int(0).tag(sync=True, echo_update=False)
    hidden = traitlets.List(traitlets.Enum(list(ARRANGEMENTS))).tag(sync=True, echo_update=False)
    helix = traitlets.Bool(False).tag(sync=True, echo_update=False)
    pair = traitlets.Int(0).tag(sync=True, echo_update=False)

    _first: Sequence[str] | None = None

    def __init__(
        self,
        table: pd.DataFrame,
        X: Any,
        motifs: Any,
        *,
        output: int,
        value: str,
        readings: str,
        arrangement: str | None,
        distance: int | None,
        model: Any,
        n_shuffles: int,
        names: Sequence[str] | None,
        colors: str,
        device: str | None,
        link: str,
    ) -> None:
        where = type(self).__name__
        check_choice(where, "value", value, _VALUES)
        check_choice(where, "readings", readings, _READINGS)
        check_choice(where, "colors", colors, ("classic", "safe", "grey"))
        if arrangement is not None:
            check_choice(where, "arrangement", arrangement, ARRANGEMENTS)
        self._table, self._output = table, output
        self._grid = read_pairs(where, table, output)
        self._matrices = None if motifs is None else motif_matrices(where, motifs)
        self._letters, self._widths = self._motifs(where)
        self._codes = None if X is None else self._backgrounds(where, codes_of(where, X[: min(len(X), _KEPT)]))
        n, length = self._size = (1, self._extent()) if self._codes is None else self._codes.shape
        labels = list(names)[:n] if names is not None else [f"background {i}" for i in range(n)]
        same_rows(where, "names", len(labels), n)
        if model is not None and (self._codes is None or self._letters is None):
            raise problem(where, "model", got="no backgrounds to run it on", need="X and motifs", do="pass them too")
        pair = self._first_pair(where, value)
        best = self._best(pair, value)
        blocks = pack_blocks(self._arrays())
        meta = {
            "n": n,
            "length": length,
            "blocks": blocks.blocks,
            "names": labels,
            "loci": [None] * n,
            "predictions": None,
            "annotations": [],
            "height": 0,
            "target": "",
            "motifs": [
                {"name": name, "width": width, "letters": None if self._letters is None else self._letters[i]}
                for i, (name, width) in enumerate(zip(self._grid.names, self._widths, strict=True))
            ],
            "pairs": self._grid.pairs,
            "distances": self._grid.distances,
            "backgrounds": self._codes is not None and self._letters is not None,
            "live": model is not None,
            "colors": colors,
        }
        super().__init__(
            data=blocks.data,
            meta=json.dumps(meta, separators=(",", ":"), allow_nan=False),
            value=value,
            readings=readings,
            pair=pair,
            arrangement=best[0] if arrangement is None else arrangement,
            distance=best[1] if distance is None else distance,
            link=link,
        )
        self._still: tuple[Any, bytes] | None = None
        self._scores: tuple[str, np.ndarray | None] = "", None
        self._engine: SpacingEngine | None = None
        self._answers: Newest[SpacingAsk, SpacingAnswer] | None = None
        if model is not None:
            self._engine = SpacingEngine(model, self._asked, output=output, n_shuffles=n_shuffles, device=device)
            self._answers = Newest(self._engine.answer, self._told)

    # --- data ---------------------------------------------------------------------------------------------------------

    def _motifs(self, where: str) -> tuple[list[str] | None, list[int]]:
        """Letters and widths of the table's motifs; without motifs, widths alone."""
        if self._matrices is None:
            most = max(self._grid.widths)
            return None, [width or most for width in self._grid.widths]
        for name in self._grid.names:
            check_choice(where, "motifs", name, self._matrices)
        letters = [letters_of(self._matrices[name]) for name in self._grid.names]
        for name, text, width in zip(self._grid.names, letters, self._grid.widths, strict=True):
            if width and len(text) != width:
                raise problem(
                    where, "motifs", got=f"{name}, {len(text)} bp", need=f"{width} bp, as it was measured",
                    do="pass the motifs that were measured",
                )  # fmt: skip
        return letters, [len(text) for text in letters]

    def _extent(self) -> int:
        """How far the pairs reach to the right."""
        far = self._grid.distances[-1]
        return max(start + self._widths[a] + far + self._widths[b] for a, b, start in self._grid.pairs)

    def _backgrounds(self, where: str, codes: np.ndarray) -> np.ndarray:
        need = self._extent()
        if codes.shape[1] < need:
            raise problem(
                where, "X", got=f"{codes.shape[1]} bp", need=f"at least {need} bp, where the pairs reach",
                do="pass the backgrounds that were measured",
            )  # fmt: skip
        return codes

    def _arrays(self) -> dict[str, np.ndarray]:
        arrays = {**self._grid.numbers, "n": self._grid.n}
        if self._codes is not None:
            arrays["codes"] = self._codes
        if self._matrices is not None:
            arrays.update((f"motif{i}", self._matrices[name]) for i, name in enumerate(self._grid.names))
        return arrays

    def _mean(self, name: str, pair: int) -> np.ndarray:
        """Numbers (arrangements, distances) of a pair: the mean of what readings there are."""
        values = self._grid.numbers[name][pair]
        there = np.isfinite(values)
        sums = np.where(there, values, 0).sum(axis=1)
        with np.errstate(invalid="ignore"):
            found: np.ndarray = np.where(there.any(axis=1), sums / there.sum(axis=1), np.nan)
        return found

    def _best(self, pair: int, value: str) -> tuple[str, int]:
        """Where a pair is strongest, up or down."""
        sizes = np.nan_to_num(np.abs(self._mean(value, pair)), nan=-1)
        k, i = np.unravel_index(int(sizes.argmax()), sizes.shape)
        return ARRANGEMENTS[int(k)], self._grid.distances[int(i)]

    def _first_pair(self, where: str, value: str) -> int:
        """The pair that is shown first: the one that was asked for, or the strongest."""
        pairs = [(self._grid.names[a], self._grid.names[b]) for a, b, _ in self._grid.pairs]
        if self._first is None:
            sizes = [np.nan_to_num(np.abs(self._mean(value, i)), nan=-1).max() for i in range(len(pairs))]
            return int(np.argmax(sizes))
        wanted = tuple(map(str, self._first))
        for i, (a, b) in enumerate(pairs):
            if wanted in ((a, b), (b, a)):
                return i
        raise problem(
            where, "pair", got=" and ".join(wanted), need="two motifs of the table", do="name them as it does"
        )

    # --- what is chosen -----------------------------------------------------------------------------------------------

    @traitlets.validate("distance")
    def _check_distance(self, proposal: Any) -> int:
        known = self._grid.distances
        if proposal["value"] not in known:
            need = f"one of {known[0]} to {known[-1]} that was measured"
            raise problem(type(self).__name__, "distance", got=proposal["value"], need=need, do="choose one")
        return int(proposal["value"])

    @traitlets.validate("pair")
    def _check_pair(self, proposal: Any) -> int:
        last = len(self._grid.pairs) - 1
        if not 0 <= proposal["value"] <= last:
            raise problem(type(self).__name__, "pair", got=proposal["value"], need=f"0 to {last}", do="choose one")
        return int(proposal["value"])

    @traitlets.observe("pair", "arrangement", "order", "distance")
    def _select(self, _change: Any) -> None:
        """What the pair covers; linked views show it."""
        places = self._sites()
        ends = [one.start + self._widths[one.motif] for one in places]
        start, end = max(min(one.start for one in places), 0), min(max(ends), self._size[1])
        self.selection = [start, end] if start < end else []

    def _sites(self) -> list[Site]:
        return sites(self._grid, self._widths, self.pair, self.arrangement, self.order, self.distance)

    @property
    def motifs(self) -> tuple[str, str]:
        """Names of the pair that is shown."""
        a, b, _ = self._grid.pairs[self.pair]
        return self._grid.names[a], self._grid.names[b]

    @property
    def selected(self) -> pd.Series | None:
        """The row of the table that is chosen; None where nothing was measured."""
        a, b = self.motifs
        rows = self._table[
            (self._table["motif_a"].astype(str) == a)
            & (self._table["motif_b"].astype(str) == b)
            & (self._table["arrangement"] == self.arrangement)
            & (self._table["order"] == self.order)
            & (self._table["distance"] == self.distance)
            & (self._table["output"] == self._output)
        ]
        return rows.iloc[0] if len(rows) else None

    @property
    def sequence(self) -> str:
        """The background that is shown, with both motifs written in."""
        return "".join("ACGTN"[code] for code in self._construct())

    def _construct(self) -> np.ndarray:
        if self._codes is None or self._letters is None:
            where = type(self).__name__
            raise problem(where, "sequence", got="no backgrounds", need="X and motifs", do="pass them to the view")
        return written(self._codes[self.example], self._letters, self._sites())

    # --- answers ------------------------------------------------------------------------------------------------------

    def _asked(self, ask: SpacingAsk) -> np.ndarray:
        """Codes of what a browser asks about."""
        where = type(self).__name__
        bounds = {"pair": len(self._grid.pairs), "background": self._size[0]}
        for name, count in bounds.items():
            if not 0 <= getattr(ask, name) < count:
                raise problem(where, name, got=getattr(ask, name), need=f"0 to {count - 1}", do="reload the page")
        if ask.distance not in self._grid.distances:
            raise problem(where, "distance", got=ask.distance, need="one that was measured", do="reload the page")
        places = sites(self._grid, self._widths, ask.pair, ask.arrangement, ask.order, ask.distance)
        assert self._codes is not None
        assert self._letters is not None
        return written(self._codes[ask.background], self._letters, places)

    def _receive(self, message: dict[str, Any]) -> None:
        if self._answers is not None and message.get("kind") == "spacing":
            self._answers.submit(decode_spacing(message))

    def _told(self, answer: SpacingAnswer) -> None:
        """Hand an answer to the browser; as traits, so that a saved notebook keeps the last."""
        if answer.attributions is not None:
            self._scores = answer.key, answer.attributions
        words, data = encode_spacing(answer)
        with self.hold_sync():
            self.answer_data = data
            self.answer = json.dumps(words, allow_nan=False)

    def _attributions(self) -> np.ndarray | None:
        """Scores (L,) of the sequence that is shown, computed if a model is there and kept with the notebook; or None."""
        key = f"{self.pair} {self.arrangement} {self.order} {self.distance} {self.example}"  # as the browser says it
        if self._engine is not None and self._scores[0] != key:
            ask = SpacingAsk(0, key, self.pair, self.arrangement, self.order, self.distance, self.example)
            for answer in self._engine.answer(ask):
                self._told(answer)
        return self._scores[1] if self._scores[0] == key else None

    # --- still picture ------------------------------------------------------------------------------------------------

    def _pictured(self) -> tuple[Any, ...]:
        """What a picture depends on."""
        return (
            self.pair,
            self.value,
            self.readings,
            self.arrangement,
            self.order,
            self.distance,
            tuple(self.hidden),
            self.example,
        )

    def to_png(self) -> bytes:
        """Draw what is shown now; kept until that changes."""
        if self._still is None or self._still[0] != self._pictured():
            self._still = self._pictured(), self._draw()
        return self._still[1]

    def _draw(self) -> bytes:
        raise NotImplementedError

    def _lines(self) -> list[SpacingLine]:
        """Lines of the pair that are shown."""
        a, b = self.motifs
        banded, lines = self.value == "cooperativity", []
        for k, arrangement in enumerate(ARRANGEMENTS):
            if arrangement in self.hidden:
                continue
            for i, order in enumerate(ORDERS if self.readings == "both" else ("mean",)):

                def get(name: str, k: int = k, i: int = i) -> np.ndarray:
                    one = (
                        self._grid.numbers[name][self.pair, k, i]
                        if self.readings == "both"
                        else self._mean(name, self.pair)[k]
                    )
                    return np.asarray(one)

                values = get(self.value)
                none = np.full(len(values), np.nan)
                low, high = (get("low"), get("high")) if banded else (none, none)
                if np.isfinite(values).any():
                    lines.append(
                        SpacingLine(arrangement, words_of(arrangement, a, b), values, low, high, order == "ba")
                    )
        return lines

    def _title(self) -> str:
        """As the view says it."""
        a, b = self.motifs
        k, i = ARRANGEMENTS.index(self.arrangement), self._grid.distances.index(self.distance)
        value, low, high = (float(self._mean(name, self.pair)[k, i]) for name in (self.value, "low", "high"))
        if not np.isfinite(value):
            return f"{a} and {b}"
        n = self._grid.n[self.pair, k, :, i]
        spread = f" [{low:.3g} to {high:.3g}]" if self.value == "cooperativity" and np.isfinite(low) else ""
        words = words_of(self.arrangement, a, b)
        return f"{words}, {self.distance} bp: {self.value} {value:+.3g}{spread}, {n[n > 0].min()} backgrounds"


def words_of(arrangement: str, a: str, b: str) -> str:
    """How two motifs lie, as they are read.

    Examples
    --------
    >>> words_of("facing", "GATA", "TEAD")
    'GATA▸ ◂TEAD'
    """
    if a == b and arrangement == "b_then_a":
        return f"◂{a} ◂{b}"  # two of a kind, on the other strand
    words = {"a_then_b": f"{a}▸ {b}▸", "b_then_a": f"{b}▸ {a}▸", "facing": f"{a}▸ ◂{b}", "apart": f"◂{a} {b}▸"}
    return words[arrangement]


def table_of(where: str, found: Any) -> pd.DataFrame:
    """The table of a result, or a table."""
    table = getattr(found, "table", found)
    if not isinstance(table, pd.DataFrame):
        got, need = f"a {type(found).__name__}", "SpacingEffects or its table"
        raise problem(where, "found", got=got, need=need, do="pass the result of spacing_effects or interaction_map")
    return table
