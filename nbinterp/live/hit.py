"""What answers a view of hits: regions called anew as a slider moves, exactly.

In: regions, motifs and requests (`HitAsk`).  Out: answers (`HitAnswer`): the hits of one region, or of all of them in parts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from ..errors import problem
from ..hit.session import HitSession
from .answering import words_of
from .wire import Packed, pack_blocks

__all__ = ["Called", "HitAnswer", "HitAsk", "HitEngine", "decode_hits", "encode_called", "encode_hits", "weights_of"]

_COLUMNS: Final = ("weight", "unshrunk", "coefficient", "similarity", "cosine", "explained", "leave_one_out")
_FACTS: Final = ("relative_gap", "global_scale", "num_steps")
_PART: Final = 50  # regions of one answer
_TOP: Final = 0.999  # the largest penalty of a motif


@dataclass(frozen=True)
class HitAsk:
    """The question which hits a region has; or all, where `example` is None.

    `number` grows with each request of a view; `off` are the motifs that do not compete, by number; `key` comes back with
    the answer.
    """

    number: int
    key: str
    example: int | None
    penalty: float
    off: tuple[int, ...] = ()


class Called(NamedTuple):
    """Hits of some regions, and what is known of those: the tables of `HitSession.regions`."""

    table: pd.DataFrame
    facts: pd.DataFrame


@dataclass(frozen=True)
class HitAnswer:
    """Part of an answer: hits, or the words of an error.  `last` says that nothing more will come for this number."""

    number: int
    key: str
    last: bool
    called: Called | None = None
    seconds: float = 0.0
    words: str = ""


def decode_hits(message: Mapping[str, Any]) -> HitAsk:
    """Read a request, or say what is wrong with it.

    Examples
    --------
    >>> decode_hits({"kind": "hits", "number": 3, "key": "0.7|", "example": 0, "lambda": 0.7, "off": []}).penalty
    0.7
    """
    wanted: dict[str, Any] = {"number": int, "key": str, "lambda": (int, float), "off": list}
    for name, kind in wanted.items():
        if not isinstance(message.get(name), kind):
            raise problem("decode_hits", name, got=repr(message.get(name)), need="a value of its kind", do="send it")
    example = message.get("example")
    off = tuple(map(int, message["off"]))
    return HitAsk(
        message["number"], message["key"], None if example is None else int(example), float(message["lambda"]), off
    )


def encode_called(called: Called, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Hits as columns for the browser: motifs by number, strand by strand; `names` are those of the motifs."""
    table, facts = called
    number = {name: i for i, name in enumerate(names)}
    rival = table["rival"].map(number).fillna(-1)
    columns = table.assign(weight=weights_of(called))
    return {
        "regions": facts["example_idx"].to_numpy(np.int32),
        "known": facts[list(_FACTS)].to_numpy(np.float32),
        "region": table["example_idx"].to_numpy(np.int32),
        "start": table["start"].to_numpy(np.int32),
        "motif": (2 * table["name"].map(number) + (table["strand"] == "-")).to_numpy(np.int32),
        "rival": rival.to_numpy(np.int32),
        "tied": table["tied"].to_numpy(np.uint8),
        "values": columns[list(_COLUMNS)].to_numpy(np.float32).T.copy(),
    }


def weights_of(called: Called) -> np.ndarray:
    """What each hit's motif, of norm 1, is multiplied by to be its part of the contributions."""
    table, facts = called
    scale = facts.set_index("example_idx")["global_scale"].reindex(table["example_idx"]).to_numpy(float)
    # coefficient x scale of the region x scale of the window, which is 1 / sqrt(1 + its energy)
    found: np.ndarray = table["coefficient_global"].to_numpy() / np.sqrt(table["importance_sq"] + scale**2).to_numpy()
    return found


def encode_hits(answer: HitAnswer, names: Sequence[str]) -> tuple[dict[str, Any], bytes]:
    """Write an answer: a dictionary that JSON can hold, and the blocks it describes."""
    packed = Packed(b"", []) if answer.called is None else pack_blocks(encode_called(answer.called, names))
    words = {"kind": "hits", "number": answer.number, "key": answer.key, "last": answer.last}
    return {**words, "seconds": answer.seconds, "words": answer.words, "blocks": packed.blocks}, packed.data


class HitEngine:
    """Hits of regions under any penalty.

    Parameters
    ----------
    session : HitSession
        Its motifs' own penalties hold where the penalty that is asked for is `usual`; others are in proportion.
    usual : float

    Examples
    --------
    >>> import torch
    >>> from nbinterp import one_hot_encode
    >>> from nbinterp.hit import hit_motifs
    >>> contributions = torch.zeros(1, 22)
    >>> contributions[0, 4:8] = 1.0
    >>> X = one_hot_encode("CCCCGATACCCCCCCTATCCCC")[None]
    >>> engine = HitEngine(HitSession(X, contributions, hit_motifs({"GATA": one_hot_encode("GATA")})), 0.7)
    >>> [(len(answer.called.table), answer.last) for answer in engine.answer(HitAsk(1, "", 0, 0.5))]
    [(1, True)]
    """

    def __init__(self, session: HitSession, usual: float) -> None:
        self._session, self._usual = session, usual
        self._lock = threading.RLock()  # one at a time, from whatever thread it is asked

    def call(self, example: int | None, penalty: float, off: Sequence[int] = ()) -> Called:
        """Hits of one region, or of all; whatever their similarity."""
        with self._lock:
            lambdas = self._lambdas(penalty, off)
            if example is None:
                return Called(*self._session.regions(0, len(self._session), lambdas))
            return Called(*self._session.region(example, lambdas))

    def answer(self, ask: HitAsk, stale: Callable[[], bool] = lambda: False) -> Iterator[HitAnswer]:
        """Answer, of all regions in parts; an error is an answer too.  What becomes `stale` is not carried on."""
        began = time.perf_counter()

        def made(last: bool, called: Called | None = None, words: str = "") -> HitAnswer:
            return HitAnswer(ask.number, ask.key, last, called, time.perf_counter() - began, words)

        try:
            if ask.example is not None:
                yield made(True, self.call(ask.example, ask.penalty, ask.off))
                return
            n, lambdas = len(self._session), self._lambdas(ask.penalty, ask.off)
            for start in range(0, n, _PART):
                if stale():
                    return
                end = min(start + _PART, n)
                with self._lock:
                    called = Called(*self._session.regions(start, end, lambdas))
                yield made(end == n, called)
        except Exception as error:  # noqa: BLE001 - the view shows it in its own words, and goes on
            yield made(True, words=words_of(error))

    def _lambdas(self, penalty: float, off: Sequence[int]) -> np.ndarray:
        if not 0 < penalty < 1:
            raise problem("HitView", "lambda_", got=penalty, need="between 0 and 1", do="pass 0.7, the usual one")
        lambdas = np.minimum(self._session.motifs.lambdas * (penalty / self._usual), _TOP)
        for motif in off:
            lambdas[2 * motif : 2 * motif + 2] = np.inf
        return lambdas
