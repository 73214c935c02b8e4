"""What the two halves of a view say to each other.

In: messages as dictionaries.  Out: typed requests; and answers as dictionaries with binary blocks.  The browser half is
``js/src/protocol.ts``; fixtures in ``tests/fixtures/protocol`` are read and written by the tests of both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..errors import problem
from .edits import Change, History
from .wire import Packed, pack_blocks, quantize

__all__ = ["Answer", "Ask", "decode_ask", "encode_answer"]

_ARRAYS = ("scores", "errors", "profile")


@dataclass(frozen=True)
class Ask:
    """The question what the model says of a sequence with these changes.

    `number` grows with each request of a view: an answer to an older one is stale.  `target` and `method` are labels of
    the engine's.  With `curves`, deletion and insertion come with the last scores.
    """

    number: int
    example: int
    changes: tuple[Change, ...]
    target: str
    method: str
    curves: bool = False


@dataclass(frozen=True)
class Answer:
    """Part of an answer: the prediction first, scores when they are there, or the words of an error.

    `stage` is "prediction", "scores", "profile" or "error"; `last` says that nothing more will come for this number.  `scores`
    ``(4, L)`` are hypothetical; `errors` ``(L,)`` is the standard error of the observed base over `n_references`.
    `deletion` and `insertion` are predictions at equal steps, see `faithfulness`.  A view of profiles hears of ``profile``
    ``(S, P)``, whose sum is the prediction.
    """

    number: int
    example: int
    stage: str
    last: bool
    prediction: float | None = None
    original: float | None = None
    spread: float | None = None
    n_references: int | None = None
    seconds: float = 0.0
    words: str = ""
    deletion: tuple[float, ...] = ()
    insertion: tuple[float, ...] = ()
    scores: np.ndarray | None = None
    errors: np.ndarray | None = None
    profile: np.ndarray | None = None


def decode_ask(message: Mapping[str, Any]) -> Ask:
    """Read a request, or say what is wrong with it.

    Examples
    --------
    >>> decode_ask({"kind": "ask", "number": 3, "example": 0, "changes": [[4, 5, "A"]], "target": "", "method": ""}).changes
    (Change(start=4, end=5, bases='A'),)
    """
    wanted = {"number": int, "example": int, "changes": list, "target": str, "method": str}
    for key, kind in wanted.items():
        if not isinstance(message.get(key), kind):
            raise problem(
                "decode_ask", key, got=repr(message.get(key)), need=f"a value of {kind.__name__}", do="send it"
            )
    changes = History.from_json({"done": message["changes"]}).done
    curves = message.get("curves", False) is True
    return Ask(message["number"], message["example"], changes, message["target"], message["method"], curves)


def encode_answer(answer: Answer) -> tuple[dict[str, Any], bytes]:
    """Write an answer: a dictionary that JSON can hold, and the blocks it describes.

    Examples
    --------
    >>> words, data = encode_answer(Answer(3, 0, "prediction", False, prediction=1.5))
    >>> words["prediction"], words["blocks"], data
    (1.5, [], b'')
    """
    arrays: dict[str, np.ndarray] = {}
    for name in _ARRAYS:
        values = getattr(answer, name)
        if values is not None:
            arrays[name], arrays[f"{name}_scale"] = quantize(np.asarray(values)[None])
    packed = pack_blocks(arrays) if arrays else Packed(b"", [])
    words = {k: v for k, v in asdict(answer).items() if k not in _ARRAYS}
    words |= {"deletion": list(answer.deletion), "insertion": list(answer.insertion)}
    return {"kind": "answer", **words, "blocks": packed.blocks}, packed.data
