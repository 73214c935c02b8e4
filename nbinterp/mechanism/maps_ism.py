"""Saturation mutagenesis of a library, in which no sequence is predicted twice.

In: a library; a model, or the predictions of a library that holds every sequence of its window.  Out: what each single
substitution of each row changes, ``(N, 4, W)``, 0 at the base that is there.

Rows of a library have mutants in common, and rows are mutants of rows.  Each sequence gets a number; the first row that
leads to it predicts it, with the model's change-range plan where there is one, and the others look it up.  A library that
is complete needs nothing but the look-up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch

from ..core.batches import on_device, resolve_device, resolve_dtype
from ..errors import Interrupted, ModelError, problem
from ..model.incremental import plan_of, sweep
from ..model.predict import predict
from ..sequence import CodedSequence
from .compile import scalar_predictions
from .library import Library
from .library_combinatorial import holds_all, window_numbers
from .library_predict import WindowModel

__all__ = ["SharedMutants", "complete_ism"]

_NUMBERS: Final = 1 << 23  # sequences numbered together; some 30 bytes each
_ROWS: Final = 1 << 11  # looked up at a time; what they need stays in a core's cache
_EXACT: Final = 27  # positions whose codes 0..4 fit an int64 as a number in base 5
_SEQUENCES: Final = 1 << 12  # built together
_FEWEST: Final = 32  # edits of a row that pay for keeping its activations


def complete_ism(
    library: Library,
    predictions: Any,
    *,
    target: int | None = None,
    log2fc: bool = False,
) -> np.ndarray:
    """Give the saturation mutagenesis of a library that holds every sequence of its window, from its predictions alone.

    Parameters
    ----------
    library : Library
        All ``4 ** width`` sequences, in any order.
    predictions : tensor or array, (N,) or (N, T)
        Measured or predicted.
    target : int, optional
        Which of several outputs.
    log2fc : bool
        Give ``log2(y_mutant + c) - log2(y + c)`` rather than a difference, with ``c = |lowest| + 1``, the lowest of
        the row's mutants and itself, as SEAM does.

    Returns
    -------
    np.ndarray, float32, shape (N, 4, width)
        Over the window.

    Raises
    ------
    NbinterpError
        When a sequence of the window is missing, or the predictions do not fit.

    Examples
    --------
    >>> from nbinterp.mechanism.library_combinatorial import combinatorial_library
    >>> library = combinatorial_library("A")
    >>> complete_ism(library, np.array([0.0, 1.0, 2.0, 5.0]))[1].ravel().tolist()
    [-1.0, 0.0, 1.0, 4.0]
    """
    where = "complete_ism"
    if not holds_all(library):
        start, end = library.window
        got, need = f"{len(library)} sequences", f"each of the {4 ** (end - start)} of its window, once"
        raise problem(where, "library", got=got, need=need, do="make it with combinatorial_library(..., max_order=-1)")
    width = library.window[1] - library.window[0]
    values = scalar_predictions(where, "predictions", predictions, len(library), target)
    numbers = window_numbers(library)
    y = np.empty(len(library))
    y[numbers] = values
    powers = 4 ** np.arange(width - 1, -1, -1)
    maps = np.empty((len(library), 4, width), np.float32)
    for start in range(0, len(maps), _ROWS):
        here = numbers[start : start + _ROWS]
        cleared = here[:, None] - here[:, None] // powers % 4 * powers  # with an A at each position in turn
        mutants = y.take(cleared[:, None] + np.arange(4)[:, None] * powers)
        maps[start : start + _ROWS] = _scored(mutants, y[here], log2fc)
    return maps


def _scored(mutants: np.ndarray, y: np.ndarray, log2fc: bool) -> np.ndarray:
    """Compare mutants ``(n, 4, W)`` with the sequences themselves ``(n,)``."""
    y = y[:, None, None]
    offset = np.abs(np.minimum(mutants.min((1, 2), keepdims=True), y)) + 1 if log2fc else 0.0
    scores: np.ndarray = np.log2(mutants + offset) - np.log2(y + offset) if log2fc else mutants - y
    return scores


class _Numbered:
    """Rows ``[start, end)`` of a library, and a place for the prediction of each sequence that they lead to.

    Column 0 is the row itself, column ``1 + base * W + position`` a mutant.
    """

    def __init__(self, library: Library, start: int, end: int, span: tuple[int, int], weights: np.ndarray) -> None:
        self.start, self.end = start, end
        self.codes = library[start:end].codes
        here = weights[np.arange(len(weights)), self.codes]
        rows = here.sum(1)
        mutants = rows[:, None, None] + weights[slice(*span), :4].T - here[:, None, slice(*span)]
        every = np.concatenate([rows[:, None], mutants.reshape(len(rows), -1)], axis=1)
        _, first, inverse = np.unique(every.ravel(), return_index=True, return_inverse=True)
        leads = np.zeros(every.size, bool)
        leads[first] = True
        self.place, self.leads = inverse.reshape(every.shape), leads.reshape(every.shape)
        self.y = np.full(len(first), np.nan)


def _weights(length: int, variable: np.ndarray) -> np.ndarray:
    """Give int64 ``(L, 5)``: the sum over positions of the weight of each code numbers a sequence.

    The numbers are exact where at most 27 positions vary.  Beyond, they are 64 random bits, which take two of 8 million
    sequences for one with a probability of 2e-6.
    """
    weights = np.zeros((length, 5), np.int64)
    if len(variable) <= _EXACT:
        weights[variable] = 5 ** np.arange(len(variable), dtype=np.int64)[:, None] * np.arange(5)
    else:
        limits = np.iinfo(np.int64)
        random = np.random.RandomState(0)
        weights[variable] = random.randint(limits.min, limits.max, (len(variable), 5), np.int64)
    return weights


class SharedMutants:
    """Answers for the rows of one library, in order; each distinct sequence is predicted once.

    Sharing is looked for among some millions of mutants at a time, so that memory stays bounded.
    """

    def __init__(
        self,
        where: str,
        model: Callable[..., Any],
        library: Library,
        span: tuple[int, int],
        target: int,
        *,
        log2fc: bool = False,
        fast: bool = True,
        batch_size: int = 64,
        dtype: torch.dtype | str | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        self._where, self._model, self._library, self._span, self._target = where, model, library, span, target
        self._log2fc, self._fast, self._batch_size = log2fc, fast, batch_size
        self._device, self._dtype = resolve_device(device, model), resolve_dtype(dtype, model)
        varies = np.zeros(library.shape[2], bool)
        varies[slice(*library.window)] = varies[slice(*span)] = True
        if library.kind == "global":
            varies[:] = True
        variable = np.flatnonzero(varies)
        self._weights = _weights(library.shape[2], variable)
        self._window: WindowModel | None = None
        if fast:
            hull = (int(variable[0]), int(variable[-1]) + 1)
            self._window = WindowModel.of(
                where, model, library, hull, batch_size=batch_size, dtype=dtype, device=device
            )
        self._part: _Numbered | None = None
        self.n_predicted = 0

    def maps(self, start: int, end: int) -> np.ndarray:
        """Give the maps of rows ``[start, end)``, float32 ``(n, 4, W)``."""
        width = self._span[1] - self._span[0]
        part = self._part
        if part is None or start < part.start or end > part.end:
            last = min(start + max(_NUMBERS // (4 * width + 1), end - start), len(self._library))
            part = self._part = _Numbered(self._library, start, last, self._span, self._weights)
        rows = np.arange(start, end) - part.start
        if np.isnan(part.y[part.place[rows]]).any():
            self._predict(part, rows)
        y = part.y[part.place[rows]]
        return _scored(y[:, 1:].reshape(len(rows), 4, width), y[:, 0], self._log2fc).astype(np.float32)

    def _predict(self, part: _Numbered, rows: np.ndarray) -> None:
        """Predict what some rows lead to first: as edits of the reference or of the row, or in full."""
        if self._window is not None:
            self._predict_in_full(part, rows)
            return
        many = part.leads[rows].sum(1) >= _FEWEST if self._fast else np.zeros(len(rows), bool)
        if many.any():
            with on_device(self._model, self._device), torch.no_grad():
                verdict = plan_of(self._model, [self._one_hot(part.codes[rows[:1]])])
                verdict.warn(self._where, "mutant", stacklevel=5)
                if verdict.plan is None:
                    many[:] = False
                for row in rows[many]:
                    self._predict_in_part(verdict, part, row)
        self._predict_in_full(part, rows[~many])

    def _predict_in_part(self, verdict: Any, part: _Numbered, row: int) -> None:
        """Predict the edits of one row from the model's plan, over the span of those that it leads to."""
        x = self._one_hot(part.codes[row : row + 1])
        example = verdict.plan.example([x])
        leads, place = part.leads[row], part.place[row]
        if leads[0]:
            part.y[place[0]] = self._column(verdict.plan.output(example))[0]
        width = self._span[1] - self._span[0]
        wanted, at = leads[1:].reshape(4, width), place[1:].reshape(4, width)
        positions = np.flatnonzero(wanted.any(0))
        self.n_predicted += int(leads.sum())
        first, last = self._span[0] + positions[0], self._span[0] + positions[-1] + 1
        for piece in sweep(verdict, example, x, int(first), int(last), self._batch_size):
            y = self._column(piece.output)
            bases = piece.bases.numpy().ravel()
            columns = np.repeat(piece.positions.numpy() - self._span[0], piece.bases.shape[1])
            own = wanted[bases, columns]
            part.y[at[bases, columns][own]] = y[own]

    def _predict_in_full(self, part: _Numbered, rows: np.ndarray) -> None:
        """Predict the sequences that some rows lead to, those of several rows together."""
        of, column = np.nonzero(part.leads[rows])
        width = self._span[1] - self._span[0]
        for first in range(0, len(of), _SEQUENCES):
            chosen = slice(first, first + _SEQUENCES)
            row, mutant = rows[of[chosen]], column[chosen] - 1
            codes = part.codes[row].copy()
            edited = np.flatnonzero(mutant >= 0)
            codes[edited, self._span[0] + mutant[edited] % width] = mutant[edited] // width
            part.y[part.place[row, mutant + 1]] = self._column(self._predictions(codes))
            self.n_predicted += len(row)

    def _predictions(self, codes: np.ndarray) -> Any:
        """Predict sequences; a stop here is no stop of the call, whose own finished rows are what is kept."""
        try:
            if self._window is not None:
                return self._window.predict(len(codes), lambda start, end: codes[start:end])
            return predict(
                self._model,
                CodedSequence(codes),
                batch_size=self._batch_size,
                dtype=self._dtype,
                device=self._device,
            )
        except Interrupted:
            raise KeyboardInterrupt from None

    def _one_hot(self, codes: np.ndarray) -> torch.Tensor:
        coded = torch.from_numpy(codes).to(self._device)
        bases = torch.arange(4, dtype=torch.uint8, device=self._device)[:, None]
        return (coded[:, None] == bases).to(self._dtype)

    def _column(self, y: Any) -> np.ndarray:
        """Give the target's output, one number a row."""
        if not isinstance(y, torch.Tensor) or y.ndim != 2:
            got = f"an output of shape {tuple(y.shape)}" if isinstance(y, torch.Tensor) else f"a {type(y).__name__}"
            need, do = "an output of shape (n, T)", "wrap the model in a target"
            raise problem(self._where, "model", got=got, need=need, do=do, kind=ModelError)
        if not -y.shape[1] <= self._target < y.shape[1]:
            need = f"an index into {y.shape[1]} outputs"
            raise problem(self._where, "target", got=self._target, need=need, do="choose an existing output")
        column: np.ndarray = y[:, self._target].double().cpu().numpy()
        return column
