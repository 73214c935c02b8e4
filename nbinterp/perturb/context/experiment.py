"""Sequences with holes, filled from backgrounds, and what a model says of them.

In: a model, sequences, and templates: codes ``(R, L)`` of which `HOLE` stands for a base that a background gives.  Out:
predictions ``(n, R)``, one row a background.  All context tests are templates; they differ in where the holes are.
Background j of a sequence is its dinucleotide shuffle with seed ``random_state + j``, the same for every template, so that
differences within a background are what is averaged, and a run that stops early has the first rows of the full one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypedDict

import numpy as np
import pandas as pd
import torch

from ...core.check import check_one_hot
from ...errors import ModelError, OptionError, problem, suggest
from ...model import predict
from ...model.predict import check_inputs
from ...sequence import CodedSequence, PackedSequence, dinucleotide_shuffle
from ..call import make_call
from ..reuse import repredictor
from ..summary import Effect, summarize, until_precise
from .filled import HOLE, Filled, Filler, Near, edits_of
from .spans import Spans

__all__ = ["Experiment", "Settings", "codes_of"]

_UNKNOWN: Final = 4
_WORTH: Final = (
    6400  # bases to be predicted in copies of a background, below which its activations are not worth keeping
)


class Settings(TypedDict, total=False):
    """What every context test takes besides its own arguments, all by keyword.

    Attributes
    ----------
    args : sequence of tensors
        Further inputs of the model, a row for each sequence.
    target : int
        Column of the model's output ``(N, T)``; 0 by default.  For a head, a contrast or a profile wrap the model with
        `nbinterp.target`.
    n : int
        Backgrounds (shuffles) of each sequence, 20 by default; at most, where `precision` is given.
    random_state : int or None
        Background j is drawn with seed ``random_state + j``; 0 by default.
    backgrounds : one-hot (N, n, 4, L) or compact container
        In place of shuffles of each sequence.
    level : float
        Of the confidence interval; 0.95 by default.
    precision : float
        Stop as soon as half the width of every interval is at most this, in units of the prediction.
    step : int
        Backgrounds between two looks at the intervals; see `until_precise`.
    fast : bool
        Recompute only what is reached by edits that are short (see `nbinterp.change_range_plan`); equal to rounding, and
        True by default.
    func, batch_size, dtype, device, verbose
        As in `predict`.
    """

    args: Sequence[torch.Tensor] | None
    target: int
    n: int
    random_state: int | None
    backgrounds: Any
    level: float
    precision: float | None
    step: int | None
    fast: bool
    func: Callable[[Any], Any] | None
    batch_size: int
    dtype: torch.dtype | str | None
    device: torch.device | str | None
    verbose: bool


_PREDICT: Final = ("func", "batch_size", "dtype", "device", "verbose")


def codes_of(where: str, argument: str, X: Any) -> np.ndarray:
    """Give uint8 codes (..., L), 4 for an unknown base, of one-hot (..., 4, L) or a compact container."""
    if isinstance(X, (PackedSequence, CodedSequence)):
        packed: np.ndarray = X.to_codes().cpu().numpy()
        return packed
    one_hot = torch.as_tensor(X).detach().cpu() if isinstance(X, (torch.Tensor, np.ndarray)) else X
    flat = one_hot.flatten(0, -3) if isinstance(one_hot, torch.Tensor) and one_hot.ndim > 3 else one_hot
    check_one_hot(where, argument, flat)
    codes = torch.where(one_hot.sum(dim=-2) == 0, _UNKNOWN, one_hot.argmax(dim=-2))
    made: np.ndarray = codes.to(torch.uint8).numpy()
    return made


class Experiment:
    """One call of a context test: its sequences, their backgrounds, and its settings.

    Attributes
    ----------
    codes : uint8 array (N, L)
        The sequences.
    n : int
        Backgrounds at most.
    seed : int
        Of the first background.
    """

    def __init__(self, where: str, model: Any, X: Any, settings: Settings, contexts: Any = None) -> None:
        for name in settings:
            if name not in Settings.__annotations__:
                known = list(Settings.__annotations__)
                raise problem(
                    where, name, got=f"an option that is not known{suggest(name, known)}",
                    need=f"one of {', '.join(known)}", do="correct or remove it", kind=OptionError,
                )  # fmt: skip
        self.where, self.model = where, model
        self.codes = codes_of(where, "X", X)
        if self.codes.ndim != 2:
            raise problem(where, "X", got=f"shape {tuple(X.shape)}", need="shape (N, 4, L)", do="add the batch axis")
        self._args = check_inputs(where, X, settings.get("args"))
        self.target, self.level = settings.get("target", 0), settings.get("level", 0.95)
        self._fast = settings.get("fast", True)
        self._stop = {"precision": settings.get("precision"), "step": settings.get("step"), "level": self.level}
        self._options: dict[str, Any] = {name: settings[name] for name in _PREDICT if name in settings}
        seed = settings.get("random_state", 0)
        self.seed = int(np.random.randint(0, 9999999)) if seed is None else seed
        given = settings.get("backgrounds") if contexts is None else contexts
        self.n = settings.get("n", 20)
        if given is not None:
            self._drawn = self._held(given) if contexts is None else given
            self.n = self._drawn.shape[1]
        elif self.n < 1:
            raise problem(where, "n", got=self.n, need="at least 1", do="raise it")
        else:
            self._drawn = np.empty((len(self.codes), 0, self.length), np.uint8)
        self._whole: torch.Tensor | None = None

    @property
    def length(self) -> int:
        """L."""
        return int(self.codes.shape[1])

    @property
    def whole(self) -> torch.Tensor:
        """Predictions (N,) of the sequences as they are."""
        if self._whole is None:
            self._whole = self.predict(self.codes, np.arange(len(self.codes)))
        return self._whole

    def _held(self, given: Any) -> np.ndarray:
        codes = codes_of(self.where, "backgrounds", given)
        n, length = self.codes.shape
        if codes.ndim != 3 or codes.shape[0] != n or codes.shape[2] != length or not codes.shape[1]:
            raise problem(
                self.where, "backgrounds", got=f"shape {tuple(given.shape)}", need=f"({n}, n, 4, {length})",
                do="give n backgrounds a sequence",
            )  # fmt: skip
        return codes

    def backgrounds(self, end: int) -> np.ndarray:
        """Give at least the first `end` backgrounds, codes (N, end or more, L)."""
        have = self._drawn.shape[1]
        if have < end:
            seeds = np.tile(self.seed + np.arange(have, end), len(self.codes))
            rows = CodedSequence(np.repeat(self.codes, end - have, axis=0)).to_one_hot()
            drawn = codes_of(
                self.where, "X", dinucleotide_shuffle(rows, n=1, random_state=seeds, allow_N=True)[:, 0]
            ).reshape(len(self.codes), end - have, self.length)
            self._drawn = np.concatenate([self._drawn, drawn], axis=1)
        return self._drawn

    def predict(self, rows: Any, of: np.ndarray) -> torch.Tensor:
        """Give predictions (R,), float64, of codes (R, L) made from sequences `of`."""
        args = [_Repeated(a, of) for a in self._args]
        sequences = CodedSequence(rows) if isinstance(rows, np.ndarray) else rows
        y = predict(self.model, sequences, args or None, **self._options)  # type: ignore[arg-type]
        return _column(self.where, y, self.target)

    def measure(
        self,
        templates: np.ndarray,
        of: np.ndarray,
        start: int,
        end: int,
        near: Near | None = None,
        filler: Filler | None = None,
    ) -> torch.Tensor:
        """Predict templates (R, L) of sequences `of`, filled from backgrounds ``[start, end)``: (end - start, R).

        Where templates differ little from what is `near` (the sequences themselves by default), only what the differences
        reach is recomputed.
        """
        filled = Filled(templates, filler or self._shared(of, end), start, end)
        y = self._repredict(filled, of, near or Near(self.codes, of), start, end) if self._fast else None
        y = self.predict(filled, np.tile(of, end - start)) if y is None else y
        return y.reshape(end - start, len(templates))

    def _repredict(self, filled: Filled, of: np.ndarray, near: Near, start: int, end: int) -> torch.Tensor | None:
        """Predict what is filled from what is near; None where all has to be run."""
        holes = bool((near.templates == HOLE).any())
        count, each = len(near.templates), np.zeros(len(near.templates), np.int64)
        each[near.which] = of
        if holes and filled.shape[0] * self.length < _WORTH * count * (end - start):
            return None
        found = edits_of(filled, near, count if holes else 0)
        if found is None:
            return None
        codes = near.templates
        if holes:
            codes = Filled(codes, self._shared(each, end), start, end).codes(np.arange(count * (end - start)))
        rows = torch.from_numpy(np.resize(each, len(codes)))
        args = [a[rows.to(a.device)] for a in self._args]
        call = make_call(self.where, predict, self.model, self._options, None, args or None)
        again = repredictor(call, CodedSequence(codes).to_one_hot(), filled.shape[0])
        y = None if again is None else again(found[0])
        return None if y is None else _column(self.where, y, self.target)[np.argsort(found[1])]

    def _shared(self, of: np.ndarray, end: int) -> Filler:
        drawn = self.backgrounds(end)
        return lambda rows, j, holes: drawn[of[rows], j][holes]

    def run(self, measure: Callable[[int, int], torch.Tensor]) -> torch.Tensor:
        """Measure effects until they are precise enough: (n or fewer, R)."""
        return until_precise(measure, n=self.n, **self._stop)  # type: ignore[arg-type]

    def summarize(self, values: torch.Tensor) -> Effect:
        """Average over the backgrounds, at the level asked for."""
        return summarize(values, level=self.level)

    def table(self, spans: Spans, values: torch.Tensor, **columns: Any) -> pd.DataFrame:
        """Make the table of effects `values` (n, R): one row a span, with further columns before the effect."""
        effect, whole = self.summarize(values), self.whole[spans.example_idx].numpy()
        numbers = {name: getattr(effect, name).numpy() for name in ("sd", "se", "low", "high")}
        mean = effect.mean.numpy()
        return pd.DataFrame(
            {
                **spans._asdict(),
                "prediction": whole,
                **columns,
                "effect": mean,
                **numbers,
                "n": effect.n,
                "normalised": pd.Series(mean) / pd.Series(whole),
            }
        )


class _Repeated:
    """Rows of a further input, in the order of what was made of its sequences."""

    def __init__(self, values: torch.Tensor, of: np.ndarray) -> None:
        self._values, self._of = values, of
        self.shape = (len(of), *values.shape[1:])

    def __getitem__(self, index: slice) -> torch.Tensor:
        return self._values[torch.from_numpy(self._of[index]).to(self._values.device)]


def _column(where: str, y: Any, target: int) -> torch.Tensor:
    if not isinstance(y, torch.Tensor) or y.ndim not in (1, 2):
        got = f"an output of shape {tuple(y.shape)}" if isinstance(y, torch.Tensor) else f"a {type(y).__name__}"
        raise problem(
            where, "model", got=got, need="outputs (N, T)", do="choose one with nbinterp.target, or with func=",
            kind=ModelError,
        )  # fmt: skip
    columns = y[:, None] if y.ndim == 1 else y
    if not -columns.shape[1] <= target < columns.shape[1]:
        raise problem(
            where, "target", got=target, need=f"0 to {columns.shape[1] - 1}, columns of the output", do="choose one"
        )
    return columns[:, target].double()
