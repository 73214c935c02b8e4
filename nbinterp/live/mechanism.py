"""What answers a view of mechanisms: exact sums of any selection, bases of every sequence, and what the model says of new ones.

In: a `MechanismSpace`, perhaps its model, and requests (`MechanismAsk`).  Out: answers (`MechanismAnswer`) as arrays.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..errors import problem
from ..mechanism.summary_sums import FineSums
from .answering import words_of
from .mechanism_fresh import Fresh, Newcomers
from .mechanism_letters import holds_pattern
from .mechanism_sums import SelectionSums, letter_counts, unpack_selection
from .wire import Packed, pack_blocks

__all__ = ["ASKED", "MechanismAnswer", "MechanismAsk", "MechanismEngine", "decode_mechanism", "encode_mechanism"]

ASKED: Final = ("sums", "colour", "variant", "resample")
_MOST: Final = 10_000  # new sequences at a time


@dataclass(frozen=True)
class MechanismAsk:
    """A question about a space.

    `what` is "sums" (of the selection), "colour" (of all sequences: ``base:120`` or ``motif:TGASTCA``), "variant" (a sequence
    with changes) or "resample" (mutants of what the selection agrees on).  `number` grows with each request of a view; `key`
    comes back with the answer.  `rows` is a selection as bits, see `pack_selection`.
    """

    what: str
    number: int
    key: str
    rows: bytes = b""
    colour: str = ""
    source: int = -1
    changes: tuple[tuple[int, int], ...] = ()
    count: int = 0
    rate: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class MechanismAnswer:
    """An answer: arrays by name, or the words of an error."""

    what: str
    number: int
    key: str
    arrays: Mapping[str, np.ndarray]
    seconds: float = 0.0
    words: str = ""
    fresh: Fresh | None = None


def decode_mechanism(message: Mapping[str, Any], rows: bytes = b"") -> MechanismAsk:
    """Read a request, or say what is wrong with it.

    Examples
    --------
    >>> decode_mechanism({"kind": "mechanism", "what": "colour", "number": 3, "key": "", "colour": "base:7"}).colour
    'base:7'
    """
    what = message.get("what")
    if what not in ASKED:
        raise problem("decode_mechanism", "what", got=repr(what), need=f"one of {', '.join(ASKED)}", do="send one")
    wanted: dict[str, Any] = {"number": int, "key": str}
    more: dict[str, dict[str, Any]] = {
        "colour": {"colour": str},
        "variant": {"source": int, "changes": list},
        "resample": {"count": int, "rate": (int, float), "seed": int},
    }
    wanted |= more.get(what, {})
    for name, kind in wanted.items():
        if not isinstance(message.get(name), kind):
            got = repr(message.get(name))
            raise problem("decode_mechanism", name, got=got, need="a value of its kind", do="send it")
    told: dict[str, Any] = {name: message[name] for name in wanted}
    if "changes" in told:
        told["changes"] = tuple((int(position), int(base)) for position, base in told["changes"])
    return MechanismAsk(what, rows=rows, **told)


def encode_mechanism(answer: MechanismAnswer) -> tuple[dict[str, Any], bytes]:
    """Write an answer: a dictionary that JSON can hold, and the blocks it describes."""
    packed = pack_blocks(answer.arrays) if answer.arrays else Packed(b"", [])
    words = {"kind": "mechanism", "what": answer.what, "number": answer.number, "key": answer.key}
    return {**words, "seconds": answer.seconds, "words": answer.words, "blocks": packed.blocks}, packed.data


class MechanismEngine:
    r"""Answers about one space.

    Parameters
    ----------
    space : MechanismSpace
    newcomers : Newcomers, optional
        What runs the model; without it, new sequences are refused.

    Examples
    --------
    >>> from nbinterp.mechanism.space import MechanismSpace
    >>> maps = np.arange(48, dtype=np.float32).reshape(4, 4, 3)
    >>> space = MechanismSpace.from_parts(["ACG", "ACC", "TCG", "TCC"], maps, [0, 0, 1, 1], n_clusters=2, n_refits=0)
    >>> engine = MechanismEngine(space)
    >>> [answer] = engine.answer(MechanismAsk("sums", 1, "", rows=b"\x03"))
    >>> int(answer.arrays["counts"][0]), answer.arrays["maps"][0, 0].tolist()
    (2, [12.0, 14.0, 16.0])
    """

    def __init__(self, space: Any, newcomers: Newcomers | None = None) -> None:
        self._space, self._new = space, newcomers
        self._codes = np.ascontiguousarray(space.library.codes[:, space.start : space.end])
        self._sums: SelectionSums | None = None
        self._lock, self._model = threading.RLock(), threading.Lock()  # a lasso does not wait for the model

    @property
    def codes(self) -> np.ndarray:
        """The sequences under the window, uint8 ``(N, W)``."""
        return self._codes

    def sums(self, rows: np.ndarray) -> FineSums:
        """Sums of the rows of a selection, bool ``(N,)``."""
        with self._lock:
            if self._sums is None:
                space = self._space
                self._sums = SelectionSums(space.maps, self._codes, space.y, space.fine_labels, space.fine)
            return self._sums.of(rows)

    def answer(self, ask: MechanismAsk, _stale: Callable[[], bool] = lambda: False) -> Iterator[MechanismAnswer]:
        """Answer; an error is an answer too."""
        began = time.perf_counter()
        try:
            arrays, fresh = self._answer(ask)
            yield MechanismAnswer(
                ask.what, ask.number, ask.key, arrays, time.perf_counter() - began, fresh=fresh
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - the view shows it in its own words, and goes on
            yield MechanismAnswer(ask.what, ask.number, ask.key, {}, time.perf_counter() - began, words_of(error))

    def _answer(self, ask: MechanismAsk) -> tuple[dict[str, np.ndarray], Fresh | None]:
        if ask.what == "sums":
            return arrays_of(self.sums(unpack_selection(ask.rows, len(self._codes)))), None
        if ask.what == "colour":
            return {"colour": self._coloured(ask.colour)}, None
        if self._new is None:
            raise problem(
                "MechanismView", "model", got="none", need="a model for new sequences", do="pass model= to the view"
            )
        with self._model:
            fresh = self._made(self._new, ask)
        found = {
            "leaf": fresh.leaf.astype(np.int32),
            "distance": fresh.distance.astype(np.float32),
            "xy": fresh.xy.astype(np.float32),
            "activities": fresh.y.astype(np.float32),
            **arrays_of(self._sums_of(fresh)),
        }
        if ask.what == "variant":
            same = np.flatnonzero((self._space.library.codes == fresh.codes[0]).all(axis=1))
            found["row"] = np.array([same[0] if len(same) else -1], np.int32)
        return found, fresh

    def _sums_of(self, fresh: Fresh) -> FineSums:
        """Sums of new sequences."""
        fine, n = self._space.fine, len(fresh.codes)
        codes = np.ascontiguousarray(fresh.codes[:, fine.start : fine.end])
        maps, y = fresh.maps.astype(np.float64), fresh.y.astype(np.float64)
        counts = np.histogram(np.clip(y, fine.y_edges[0], fine.y_edges[-1]), fine.y_edges)[0]
        return FineSums(
            np.zeros(1, np.int64), np.array([n]), maps.sum(axis=0)[None], (maps**2).sum(axis=0)[None],
            letter_counts(codes)[None], fine.start, y.sum(keepdims=True), (y**2).sum(keepdims=True), counts[None],
            fine.y_edges,
        )  # fmt: skip

    def _coloured(self, colour: str) -> np.ndarray:
        kind, _, what = colour.partition(":")
        if kind == "motif":
            return holds_pattern(self._codes, what)
        return np.ascontiguousarray(self._codes[:, int(what) - self._space.start])

    def _made(self, new: Newcomers, ask: MechanismAsk) -> Fresh:
        if ask.what == "variant":
            return new.variant(ask.source, dict(ask.changes))
        if not 1 <= ask.count <= _MOST:
            raise problem("MechanismView", "resample", got=ask.count, need=f"1 to {_MOST}", do="ask for fewer")
        rows = unpack_selection(ask.rows, len(self._codes))
        if not rows.any():
            need = "a selection to resample around"
            raise problem("MechanismView", "resample", got="nothing selected", need=need, do="select points")
        return new.around(rows, ask.count, ask.rate, ask.seed)


def arrays_of(sums: FineSums) -> dict[str, np.ndarray]:
    """Sums of one selection as the page has those of leaves."""
    assert sums.y is not None
    assert sums.y_squares is not None
    assert sums.y_counts is not None
    return {
        "counts": sums.n.astype(np.int32),
        "maps": sums.maps.astype(np.float32),
        "squares": sums.squares.astype(np.float32),
        "letters": sums.letters.astype(np.int32),
        "y": sums.y.astype(np.float32),
        "y_squares": sums.y_squares.astype(np.float32),
        "y_counts": sums.y_counts.astype(np.int32),
    }
