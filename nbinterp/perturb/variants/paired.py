"""Predictions of sequences and of altered copies of them.

In: reference sequences, altered copies and which reference each is a copy of, all as codes.  Out: what `func` says of
each.  Under `predict` a copy is answered by the model's change-range plan where it differs in a part of the sequence:
the reference is run once, and each copy recomputes only what its change reaches.  Any other `func` sees every sequence.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils._pytree import tree_flatten

from ...core.batches import on_device, resolve_device, resolve_dtype, take_rows
from ...core.check import check_options
from ...errors import Interrupted, ModelError, problem
from ...model.incremental import plan_of
from ...model.incremental.window import Geometry
from ...model.predict import predict
from ...sequence.compact import CodedSequence

__all__ = ["Leaves", "Pairs", "reverse_codes"]

Leaves = list[torch.Tensor]  # the outputs of a model, one after the other, on the CPU
_MOST = 0.75  # a change that is wider than this part of the sequence is run in full
_CACHE_BYTES = 8 << 20  # of the widest array of a block on a CPU: what its caches hold
_COMPLEMENT = np.array([3, 2, 1, 0, 4], np.uint8)


def reverse_codes(codes: np.ndarray) -> np.ndarray:
    """Give the other strand of codes ``(..., L)``."""
    other: np.ndarray = _COMPLEMENT[codes[..., ::-1]]
    return other


class Pairs:
    """How a call predicts: the model, the function, its options, and whether a plan may answer."""

    def __init__(
        self,
        where: str,
        model: Any,
        func: Callable[..., Any],
        options: Mapping[str, Any],
        batch_size: int,
        dtype: torch.dtype | str | None,
        device: torch.device | str | None,
        fast: bool,
    ) -> None:
        self.where, self.model, self.func = where, model, func
        check_options(where, func, options)
        places = {"batch_size": batch_size, "dtype": dtype, "device": device}
        self.options = {**{k: v for k, v in places.items() if _takes(func, k)}, **options}
        self.batch_size = batch_size
        self.device, self.dtype = resolve_device(device, model), resolve_dtype(dtype, model)
        # on an accelerator a batch of whole sequences costs less than starting a plan's small operations one by one
        self.fast = fast and func is predict and not options and self.device.type == "cpu"
        self.verdict: Any = None

    def __call__(
        self, references: np.ndarray, copies: np.ndarray, source: np.ndarray, args: Sequence[torch.Tensor] = ()
    ) -> tuple[Leaves, Leaves]:
        """Predict U references and R copies, each of the reference that `source` names.

        `args` have U rows; a copy takes those of its reference.
        """
        if self.fast and self.verdict is None:
            with on_device(self.model, self.device):
                self.verdict = plan_of(self.model, self._rows(references[:1], args, 0))
            self.verdict.warn(self.where, stacklevel=1)
        if self.fast and self.verdict.plan is not None:
            return self._in_part(references, copies, source, args)
        together = self._in_full(
            np.concatenate([references, copies]), [torch.cat([a, a[torch.from_numpy(source)]]) for a in args]
        )
        n = len(references)
        return [y[:n] for y in together], [y[n:] for y in together]

    def _rows(self, codes: np.ndarray, args: Sequence[torch.Tensor], i: int) -> list[torch.Tensor]:
        X = CodedSequence(torch.from_numpy(codes))
        further = [take_rows(a, i, i + 1, device=self.device, dtype=self.dtype) for a in args]
        return [X.to_one_hot(self.dtype, self.device), *further]

    def _in_full(self, codes: np.ndarray, args: Sequence[torch.Tensor]) -> Leaves:
        X: Any = CodedSequence(torch.from_numpy(np.ascontiguousarray(codes)))
        if self.func is not predict:  # others may not take a compact container
            X = X.to_one_hot(self.dtype)
        options = {**({"args": tuple(args)} if args else {}), **self.options}
        try:
            output = self.func(self.model, X, **options)
        except Interrupted:  # what this call finished is no result of the caller's
            raise KeyboardInterrupt from None
        return self._leaves(output, len(codes))

    def _leaves(self, output: Any, rows: int) -> Leaves:
        leaves = tree_flatten(output)[0]
        if any(not isinstance(y, torch.Tensor) or y.ndim == 0 or len(y) != rows for y in leaves):
            raise problem(
                self.where,
                "func",
                got="outputs that are no tensors with a row a sequence",
                need="a tensor, or a list or dict of them, with a row for each sequence",
                do="choose an output",
                kind=ModelError,
            )
        # a number a sequence without an axis of its own is one task
        return [(y[:, None] if y.ndim == 1 else y).detach().cpu() for y in leaves]

    def _in_part(
        self, references: np.ndarray, copies: np.ndarray, source: np.ndarray, args: Sequence[torch.Tensor]
    ) -> tuple[Leaves, Leaves]:
        """Take the references one by one, each with its copies."""
        before: list[Leaves] = []
        after: list[tuple[np.ndarray, Leaves]] = []
        rest: list[np.ndarray] = []
        order = np.argsort(source, kind="stable")
        ends = np.searchsorted(source[order], np.arange(len(references)), "right")
        with on_device(self.model, self.device), torch.no_grad():
            for i, (first, last) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
                rows = self._rows(references[i : i + 1], args, i)
                example = self.verdict.plan.example(rows)
                before.append([y.clone() for y in self._leaves(self.verdict.plan.output(example), 1)])
                mine = order[first:last]
                for members, lo, hi in _blocks(references[i], copies, mine, self._block_size()):
                    if hi - lo > _MOST * references.shape[1]:
                        rest.append(members)
                    elif lo == hi:
                        after.append((members, [y.expand(len(members), *y.shape[1:]) for y in before[-1]]))
                    else:
                        after.append((members, self._edited(example, rows[0], copies[members, lo:hi], lo)))
            if rest:
                those = np.concatenate(rest)
                theirs = [a[torch.from_numpy(source[those])] for a in args]
                after.append((those, self._in_full(copies[those], theirs)))
        y_ref = [torch.cat(leaf) for leaf in zip(*before, strict=True)]
        return y_ref, _in_order(after, y_ref)

    def _block_size(self) -> int:
        entry = torch.empty((), dtype=self.dtype).element_size()
        return max(1, min(self.batch_size, _CACHE_BYTES // (self.verdict.full * entry) or 1))

    def _edited(self, example: Any, x: torch.Tensor, codes: np.ndarray, lo: int) -> Leaves:
        new = CodedSequence(torch.from_numpy(np.ascontiguousarray(codes))).to_one_hot(self.dtype, self.device)
        delta = new - x[:, :, lo : lo + codes.shape[1]]
        plan = self.verdict.plan
        output, _ = plan.run(example, Geometry(lo, plan.stride, 1, len(codes)), delta, lo)
        # blocks share memory, and an output may be a view of it (or of an activation much larger)
        return [y.clone() for y in self._leaves(output, len(codes))]


def _blocks(
    reference: np.ndarray, copies: np.ndarray, members: np.ndarray, size: int
) -> Iterator[tuple[np.ndarray, int, int]]:
    """Give copies of one reference that differ from it in the same span ``[lo, hi)``, `size` at most at a time."""
    if not len(members):
        return
    differs = copies[members] != reference
    lo = differs.argmax(axis=1)
    hi = np.where(differs.any(axis=1), differs.shape[1] - differs[:, ::-1].argmax(axis=1), lo)
    spans, which = np.unique(np.stack([lo, hi], axis=1), axis=0, return_inverse=True)
    for i, (start, end) in enumerate(spans.tolist()):
        mine = members[which.reshape(-1) == i]
        for first in range(0, len(mine), size):
            yield mine[first : first + size], start, end


def _in_order(parts: list[tuple[np.ndarray, Leaves]], like: Leaves) -> Leaves:
    """Put outputs of rows in any order in the order of the rows."""
    n = sum(len(rows) for rows, _ in parts)
    made = [torch.empty(n, *y.shape[1:], dtype=y.dtype) for y in like]
    for rows, leaves in parts:
        for whole, part in zip(made, leaves, strict=True):
            whole[torch.from_numpy(rows)] = part
    return made


def _takes(func: Callable[..., Any], name: str) -> bool:
    try:
        parameters = inspect.signature(func).parameters
    except (TypeError, ValueError):  # a builtin without a signature
        return False
    return name in parameters or any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
