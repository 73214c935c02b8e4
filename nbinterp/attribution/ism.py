"""Saturation mutagenesis: what the model says of every single substitution.

In: a model and one-hot sequences.  Out: attributions ``(N, 4, W)``, or the predictions before and after each edit.
Edits are answered by the model's change-range plan (`nbinterp.model.incremental`), which recomputes only what an edit
reaches and gives the same numbers to rounding; a model that has no plan is run on every edited sequence.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from ..core.batches import Rows, n_rows, on_device, resolve_device, resolve_dtype, run_batches, take_rows
from ..core.results import SaturationMutagenesisRawResult
from ..errors import Interrupted, ModelError, NbinterpWarning, problem
from ..model.incremental import Piece, plan_of, sweep
from ..model.predict import check_inputs, predict

__all__ = ["resolve_span", "saturation_mutagenesis"]

_WHERE = "saturation_mutagenesis"


def saturation_mutagenesis(
    model: Callable[..., Any],
    X: Rows,
    args: Sequence[torch.Tensor] | None = None,
    start: int = 0,
    end: int = -1,
    batch_size: int = 32,
    target: int | slice | Sequence[int] | None = None,
    hypothetical: bool = False,
    raw_outputs: bool = False,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    verbose: bool = False,
    func: Callable[..., Any] | None = None,
    fast: bool = True,
) -> torch.Tensor | SaturationMutagenesisRawResult:
    """Attribute by putting every other base at every position.

    The score of base b at position p is the prediction with b at p, minus the original prediction, minus the mean of
    that over the four bases (the base that is there counts as 0).

    With ``fast=True`` each edit is carried through the model as a difference over the window that it reaches, which is
    many times faster and equal to rounding; the model is captured on the first call, in about the time of ten
    predictions, and kept.  A model that cannot be is run in full on each edited sequence, and a warning says why, once
    a model; `nbinterp.model.incremental.change_range_reason` gives the reason on request.

    Parameters
    ----------
    model : callable
        Takes ``(n, 4, L)`` and a row of each of `args`.
    X : tensor, array or compact container
        One-hot sequences, ``(N, 4, L)``.  Values are rounded towards zero, with a warning where that changes them.
    args : sequence of torch.Tensor, optional
        Further inputs, N rows each.
    start, end : int
        Positions to edit, ``[start, end)``; a negative `end` counts from the end, -1 being the end itself.
    batch_size : int
        Sequences run at a time; bounds the memory.  The result does not depend on it.
    target : int, slice, sequence of int, optional
        Which outputs (axis 1) to average over; all of them by default.
    hypothetical : bool
        Whether to give scores of all bases, rather than of the base that is there.
    raw_outputs : bool
        Whether to give the predictions themselves.
    dtype, device : optional
        Precision and place of the computation; by default the model's dtype, and CUDA where there is one.
    verbose : bool
        Whether to show progress, by sequence.
    func : callable, optional
        Applied to each batch of outputs.
    fast : bool
        Whether to recompute only what an edit reaches.

    Returns
    -------
    torch.Tensor
        ``(N, 4, end - start)``, or
    SaturationMutagenesisRawResult
        `y0` ``(N, ...)`` and `y_hat` ``(N, 4, end - start, ...)``, with `raw_outputs`; lists of them when the model has
        several outputs.

    Raises
    ------
    NbinterpError
        When X or `args` do not fit, the span is empty or outside the sequence, or the model has several outputs and
        `raw_outputs` is not asked for.
    Interrupted
        When stopped by the user; `.partial` holds the results of the finished sequences.

    Notes
    -----
    At an N (zero column) all four bases are edits.  The score projected on it is 0.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(8, 1, bias=False))
    >>> _ = torch.nn.init.zeros_(model[1].weight)
    >>> model[1].weight.data[0, 0] = 4.0  # an A at the first position counts 4
    >>> X = torch.tensor([[[1.0, 0], [0, 1], [0, 0], [0, 0]]])
    >>> saturation_mutagenesis(model, X, hypothetical=True, fast=False, device="cpu")[0, :, 0].tolist()
    [3.0, -1.0, -1.0, -1.0]
    """
    if len(X.shape) != 3:
        raise problem(_WHERE, "X", got=f"shape {tuple(X.shape)}", need="shape (N, 4, L)", do="add the missing axis")
    check_inputs(_WHERE, X, args)
    start, end = resolve_span(_WHERE, start, end, X.shape[2])
    runner = _Runner(model, _hard(X), tuple(args or ()), start, end, batch_size, func, dtype, device)
    with on_device(model, runner.device), torch.no_grad():
        runner.predict_references()
        if not raw_outputs and not runner.single:
            raise problem(
                _WHERE,
                "raw_outputs",
                got="a model with several outputs",
                need="one output to score",
                do="pass raw_outputs=True, or choose an output with func",
            )
        if fast:
            runner.make_plan()

        def result(n: int) -> torch.Tensor | SaturationMutagenesisRawResult:
            raw = runner.result(n)
            return raw if raw_outputs else _scores(raw, runner.one_hot(n), target, hypothetical)

        run_batches(n_rows(X), 1, lambda i, _: runner.mutate(i), desc=_WHERE, verbose=verbose, partial=result)
        return result(n_rows(X))


def _hard(X: Rows) -> Rows:
    """Round soft values towards zero, with a warning."""
    if isinstance(X, (torch.Tensor, np.ndarray)):
        values = torch.as_tensor(X)
        if values.is_floating_point() and not torch.equal(values, values.trunc()):
            warnings.warn(
                f"{_WHERE}(X): soft values are rounded towards zero; pass hard one-hot sequences",
                NbinterpWarning,
                stacklevel=3,
            )
            return values.trunc()
    return X


def resolve_span(where: str, start: int, end: int, length: int) -> tuple[int, int]:
    """Give ``[start, end)`` with a negative `end` counted from the end; it must hold a position."""
    last = length + 1 + end if end < 0 else end
    if start < 0 or last > length or start >= last:
        raise problem(
            where,
            "start, end",
            got=f"[{start}, {last})",
            need=f"0 <= start < end <= {length}",
            do="choose a span inside the sequence",
        )
    return start, last


def _scores(raw: SaturationMutagenesisRawResult, X: torch.Tensor, target: Any, hypothetical: bool) -> torch.Tensor:
    scores: torch.Tensor = raw.y_hat - raw.y0[:, None, None]
    if target is not None:
        scores = scores[:, :, :, target]
    scores = scores - scores.mean(dim=1, keepdim=True)
    if scores.ndim > 3:
        scores = scores.flatten(3).mean(dim=3)
    return scores if hypothetical else X * scores


class _Runner:
    """One call: its arguments, and the predictions made so far."""

    def __init__(
        self,
        model: Callable[..., Any],
        X: Rows,
        args: Sequence[torch.Tensor],
        start: int,
        end: int,
        batch_size: int,
        func: Callable[..., Any] | None,
        dtype: torch.dtype | str | None,
        device: torch.device | str | None,
    ) -> None:
        self.model, self.X, self.args, self.func = model, X, args, func
        self.start, self.end, self.batch_size = start, end, batch_size
        self.device, self.dtype = resolve_device(device, model), resolve_dtype(dtype, model)
        self.single = True
        self.y0: list[torch.Tensor] = []
        self.y_hat: list[torch.Tensor] = []
        self.verdict: Any = None

    def rows(self, i: int) -> list[torch.Tensor]:
        """Give row i of X and of every further input."""
        return [take_rows(a, i, i + 1, device=self.device, dtype=self.dtype) for a in (self.X, *self.args)]

    def one_hot(self, n: int) -> torch.Tensor:
        """Give the edited span of the first n sequences, on the CPU."""
        return take_rows(self.X, 0, n, device="cpu", dtype=self.dtype)[:, :, self.start : self.end]

    def predict(self, X: Rows, args: Sequence[torch.Tensor]) -> Any:
        """Run the model in full; a stop here is no stop of the call, whose own finished rows are what is kept."""
        try:
            return predict(self.model, X, args, self.func, self.batch_size, self.dtype, self.device)
        except Interrupted:
            raise KeyboardInterrupt from None

    def predict_references(self) -> None:
        """Predict the sequences as they are."""
        try:
            y0 = self.predict(self.X, self.args)
        except KeyboardInterrupt:
            raise Interrupted(None, 0) from None
        self.single, self.y0 = isinstance(y0, torch.Tensor), _listed(y0)

    def make_plan(self) -> None:
        """Get the model's change-range plan, or say once why there is none."""
        self.verdict = plan_of(self.model, self.rows(0))
        self.verdict.warn(_WHERE, "edited sequence", stacklevel=3)

    def mutate(self, i: int) -> None:
        """Predict every edit of sequence i."""
        rows = self.rows(i)
        alphabet, width = rows[0].shape[1], self.end - self.start
        fast = self.verdict is not None and self.verdict.plan is not None
        home = self.device if fast else torch.device("cpu")
        made = [y[i].to(home).expand(alphabet, width, *y.shape[1:]).contiguous() for y in self.y0]
        for piece in self.in_part(rows) if fast else self.in_full(rows):
            bases, at = piece.bases.to(home), (piece.positions - self.start).to(home)
            for y, new in zip(made, _listed(piece.output), strict=True):
                y[bases.flatten(), at.repeat_interleave(bases.shape[1])] = new
        if not self.y_hat:
            self.y_hat.extend(torch.empty(n_rows(self.X), *y.shape, dtype=y.dtype) for y in made)
        for kept, y in zip(self.y_hat, made, strict=True):
            kept[i] = y.cpu()

    def in_part(self, rows: list[torch.Tensor]) -> Iterator[Piece]:
        """Give the edits of one sequence with outputs from the plan."""
        example = self.verdict.plan.example(rows)
        for piece in sweep(self.verdict, example, rows[0], self.start, self.end, self.batch_size):
            yield piece if self.func is None else piece._replace(output=self.func(piece.output))

    def in_full(self, rows: list[torch.Tensor]) -> Iterator[Piece]:
        """Give the edits of one sequence with outputs from the whole model; they are made on the device."""
        x, *others = rows
        column = x[0, :, self.start : self.end]
        identity = (column == 1) & ((column != 0).sum(0) == 1)
        all_bases, all_positions = torch.where(~identity)
        for first in range(0, len(all_bases), self.batch_size):
            bases = all_bases[first : first + self.batch_size]
            positions = all_positions[first : first + self.batch_size] + self.start
            each = torch.arange(len(bases), device=self.device)
            edited = x.repeat(len(bases), 1, 1)
            edited[each, :, positions] = 0
            edited[each, bases, positions] = 1
            further = [o.expand(len(bases), *o.shape[1:]) for o in others]
            yield Piece(positions.cpu(), bases.cpu()[:, None], self.predict(edited, further))

    def result(self, n: int) -> SaturationMutagenesisRawResult:
        """Give the predictions of the first n sequences."""
        y0, y_hat = [y[:n] for y in self.y0], [y[:n] for y in self.y_hat]
        return SaturationMutagenesisRawResult(*((y0[0], y_hat[0]) if self.single else (y0, y_hat)))


def _listed(output: Any) -> list[torch.Tensor]:
    """Give a model's outputs as a list."""
    tensors = [output] if isinstance(output, torch.Tensor) else output
    if not isinstance(tensors, (list, tuple)) or not all(isinstance(t, torch.Tensor) for t in tensors):
        raise problem(
            _WHERE,
            "model",
            got=f"an output of type {type(output).__name__}",
            need="a tensor, or a list or tuple of tensors",
            do="choose an output with func",
            kind=ModelError,
        )
    return list(tensors)
