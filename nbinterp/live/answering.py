"""How a model answers a view: one request at a time, in parts, and an error is an answer too.

In: sequences, and what a request is made of, which is the engine's own.  Out: answers.  What is kept of the sequences that were
asked about last makes the next edit cheap.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import numpy as np
import torch

from ..errors import problem
from .protocol import Answer, Ask
from .repredict import Repredictor

__all__ = ["Answering", "Part", "words_of"]

_KEPT = 8  # sequences whose activations are kept

Part = tuple[str, bool, dict[str, Any]]
"""Stage, whether it is the last, and values of an answer."""


class Answering:
    """Sequences ``(N, L)`` as codes, and the lock of the model that answers for them."""

    def __init__(self, codes: np.ndarray, device: Any = None) -> None:
        self.codes, self._device = codes, device
        self._lock = threading.RLock()  # a model answers one at a time, from whatever thread it is asked
        self._ready: dict[Hashable, Repredictor] = {}

    def answer(self, ask: Ask, stale: Callable[[], bool] = lambda: False) -> Iterator[Answer]:
        """Answer in parts; an error is an answer too.  What becomes `stale` is not carried on."""
        began = time.perf_counter()

        def made(stage: str, last: bool, **values: Any) -> Answer:
            return Answer(ask.number, ask.example, stage, last, seconds=time.perf_counter() - began, **values)

        try:
            with self._lock:
                for stage, last, values in self._parts(ask, stale):
                    yield made(stage, last, **values)
                    if stale():
                        return
        except Exception as error:  # noqa: BLE001 - the view shows it in its own words, and goes on
            yield made("error", True, words=words_of(error))

    def _parts(self, ask: Ask, stale: Callable[[], bool]) -> Iterator[Part]:
        raise NotImplementedError

    def _original(self, ask: Ask) -> np.ndarray:
        """The codes that were asked about, as they were given."""
        if not 0 <= ask.example < len(self.codes):
            raise problem(
                type(self).__name__, "example", got=ask.example, need=f"0 to {len(self.codes) - 1}", do="choose one"
            )
        codes: np.ndarray = self.codes[ask.example]
        return codes

    def _prepared(self, key: Hashable, model: Any, codes: np.ndarray) -> Repredictor:
        """What is kept of a sequence, for the few that were asked about last."""
        ready = self._ready.pop(key, None) or Repredictor(model, codes, device=self._device)
        self._ready[key] = ready
        for old in list(self._ready)[:-_KEPT]:
            del self._ready[old]
        return ready


def words_of(error: Exception) -> str:
    """What a person reads of an error."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return "out of memory: free some (close other models), or use a shorter sequence"
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
