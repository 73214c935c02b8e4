"""What views along a sequence share: which sequence, where, what is selected, and the loci that go with it.

In: sequences' number and length, loci, answers of a model.  Out: traits that are checked, and plain lists for the
browser.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import traitlets

from ..core.arrays import numpy_of
from ..core.tables import LOCI, check_table
from ..errors import problem
from ..live import Answer, encode_answer
from .base import View

__all__ = ["AxisView", "check_loci", "codes_of", "finite", "same_rows"]


class AxisView(View):
    """A view along sequences of one length; `_size` is (number, length), set before anything else."""

    data = traitlets.Bytes().tag(sync=True)
    meta = traitlets.Unicode().tag(sync=True)
    example = traitlets.Int(0).tag(sync=True, echo_update=False)
    view = traitlets.List(traitlets.Float()).tag(sync=True, echo_update=False)
    selection = traitlets.List(traitlets.Int()).tag(sync=True, echo_update=False)
    link = traitlets.Unicode().tag(sync=True)
    answer = traitlets.Unicode("{}").tag(sync=True)
    answer_data = traitlets.Bytes().tag(sync=True)

    _size: tuple[int, int]

    @traitlets.validate("example")
    def _check_example(self, proposal: Any) -> int:
        last = self._size[0] - 1
        if not 0 <= proposal["value"] <= last:
            raise problem(type(self).__name__, "example", got=proposal["value"], need=f"0 to {last}", do="count from 0")
        return int(proposal["value"])

    @traitlets.validate("selection")
    def _check_selection(self, proposal: Any) -> list[int]:
        chosen, length = list(proposal["value"]), self._size[1]
        if chosen and not (len(chosen) == 2 and 0 <= chosen[0] < chosen[1] <= length):
            need = f"[] or [start, end], 0 <= start < end <= {length}"
            raise problem(type(self).__name__, "selection", got=chosen, need=need, do="pass one span")
        return chosen

    @traitlets.validate("view")
    def _check_view(self, proposal: Any) -> list[float]:
        values, length = list(proposal["value"]), self._size[1]
        if len(values) != 2 or not all(math.isfinite(v) for v in values) or not values[0] < values[1]:
            do = f"pass positions from 0 to {length}"
            raise problem(type(self).__name__, "view", got=values, need="start < end", do=do)
        start = min(max(values[0], 0.0), length - 1.0)
        return [start, min(max(values[1], start + 1), float(length))]

    def _hand_on(self, answer: Answer) -> None:
        """Hand an answer to the browser; as traits, so that a saved notebook keeps the last."""
        words, data = encode_answer(answer)
        with self.hold_sync():
            self.answer_data = data
            self.answer = json.dumps(words, allow_nan=False)


def _is_soft(one_hot: np.ndarray) -> bool:
    """Whether anything but one base, or none, stands at a position."""
    return not np.isin(one_hot, (0, 1)).all() or bool((one_hot.sum(axis=1) > 1).any())


def codes_of(where: str, X: Any) -> np.ndarray:
    """Codes (N, L) of one-hot or a compact container."""
    if hasattr(X, "to_codes"):
        codes = numpy_of(X.to_codes())
        return np.atleast_2d(codes).astype(np.uint8)
    one_hot = numpy_of(X)
    one_hot = one_hot[None] if one_hot.ndim == 2 else one_hot
    if one_hot.ndim != 3 or one_hot.shape[1] != 4 or one_hot.size == 0 or _is_soft(one_hot):
        raise problem(
            where,
            "X",
            got=f"shape {one_hot.shape}, or soft entries",
            need="one-hot (4, L) or (N, 4, L)",
            do="encode the sequences",
        )
    return np.where(one_hot.sum(axis=1) == 0, 4, one_hot.argmax(axis=1)).astype(np.uint8)


def finite(value: Any) -> float | None:
    """JSON has no NaN."""
    return float(value) if np.isfinite(value) else None


def same_rows(where: str, argument: str, got: int, need: int) -> None:
    """Hold an argument to one entry a sequence."""
    if got != need:
        raise problem(where, argument, got=f"{got} rows", need=f"{need}, one a sequence", do="match them")


def check_loci(where: str, loci: pd.DataFrame, n: int, length: int) -> None:
    """Hold loci to the schema, and to the sequences' number and length."""
    check_table(where, "loci", loci, LOCI)
    same_rows(where, "loci", len(loci), n)
    sizes = (loci["end"] - loci["start"]).to_numpy()
    if (sizes != length).any():
        wrong = int(np.argmax(sizes != length))
        raise problem(
            where, "loci", got=f"{sizes[wrong]} bp in row {wrong}", need=f"{length} bp, the length of the sequences",
            do="pass the spans that were read, as read_sequences gives them",
        )  # fmt: skip
