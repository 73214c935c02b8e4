"""Predictions of edited copies that recompute only what the edits reach.

In: a call of `predict`, its sequences and edits of them.  Out: what `predict` gives for the edited copies, equal to
rounding, from the model's change-range plan (`nbinterp.model.incremental`); or None where the model has no plan, or where
running it whole is less work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch.utils._pytree import tree_flatten, tree_unflatten

from ..core.batches import on_device, resolve_device, resolve_dtype, take_rows
from ..model import predict
from ..model.incremental import plan_of
from ..model.incremental.cached import Verdict
from ..model.incremental.window import Geometry
from .call import Call
from .edits import Edits

__all__ = ["Repredictor", "repredictor"]

FEWEST = 32  # edited copies, below which capturing the model costs more than it saves
FEWEST_EACH = 4  # copies of a sequence that pay for keeping its activations
MOST = 4  # a span longer than a quarter of the sequence is not worth the bookkeeping
APART = 32  # positions that a window may be wider than the edits in it
ENOUGH = 16  # copies in a block that is not widened for more
BLOCK_BYTES = {"cpu": 1 << 20}  # of the largest array of a block: what a core has a cache of its own for
GPU_BYTES = 512 << 20


class _Member(NamedTuple):
    """Some copies of one sequence: their places in the output, and what they add to it from `start` on."""

    places: torch.Tensor
    start: int
    delta: torch.Tensor

    @property
    def end(self) -> int:
        return self.start + self.delta.shape[2]


def repredictor(call: Call, X: torch.Tensor, copies: int) -> Repredictor | None:
    """Prepare to predict edits, or give None where `call` is not one that a plan can answer."""
    if call.func is not predict or copies < FEWEST:
        return None
    device = resolve_device(call.options.get("device"), call.model)
    dtype = resolve_dtype(call.options.get("dtype"), call.model)
    if dtype not in (torch.float32, torch.float64):
        return None
    return Repredictor(call, X, device, dtype)


class Repredictor:
    """Answers edits of some sequences; the model is captured, or its plan found, at the first."""

    def __init__(self, call: Call, X: torch.Tensor, device: torch.device, dtype: torch.dtype) -> None:
        self._call, self._X, self._device, self._dtype = call, X, device, dtype
        self._verdict: Verdict | None = None

    def pays(self, edits: Edits) -> bool:
        """Whether copies change so little of their sequences that recomputing in part is less work."""
        return edits.columns.shape[2] * MOST <= self._X.shape[2]

    def __call__(self, edits: Sequence[Edits]) -> Any:
        """Predict edited copies, or give None when the model has no plan or there are too few copies of each sequence."""
        members = self._by_row(edits)
        if sum(len(one.rows) for one in edits) < FEWEST_EACH * len(members):
            return None
        order: list[torch.Tensor] = []
        pieces: list[list[torch.Tensor]] = []
        model = self._call.model
        with on_device(model, self._device), torch.no_grad():
            if self._verdict is None:
                self._verdict = plan_of(model, self._rows(0))
            if self._verdict.plan is None:
                return None
            for row, of_row in members.items():
                rows = self._rows(row)
                example = self._verdict.plan.example(rows)
                for block in _blocks(of_row):
                    for places, y in self._answer(example, rows[0], block):
                        leaves, spec = tree_flatten(y)
                        order.append(places)
                        pieces.append(leaves)
        back = torch.cat(order).argsort()
        return tree_unflatten([torch.cat(column)[back] for column in zip(*pieces, strict=True)], spec)

    def _rows(self, i: int) -> list[torch.Tensor]:
        """Give a sequence and its further inputs on the device."""
        args = self._call.args_of(torch.tensor([i])) or ()
        sequence = take_rows(self._X, i, i + 1, device=self._device, dtype=self._dtype)
        return [sequence, *(take_rows(a, 0, 1, device=self._device, dtype=self._dtype) for a in args)]

    def _answer(self, example: Any, x: torch.Tensor, block: list[_Member]) -> Iterator[tuple[torch.Tensor, Any]]:
        """Predict the copies of a block, as many at a time as fit; out of memory, half as many."""
        verdict, post = self._verdict, self._call.options.get("func")
        assert verdict is not None
        assert verdict.plan is not None
        lo, hi = min(one.start for one in block), max(one.end for one in block)
        places = torch.cat([one.places for one in block])
        delta = x.new_zeros(len(places), x.shape[1], hi - lo)
        for one, rows in zip(block, delta.split([len(one.places) for one in block]), strict=True):
            rows[:, :, one.start - lo : one.end - lo] = one.delta
        # a wide window holds more than the single base that the plan was measured with
        entries = min(verdict.full, verdict.widest + verdict.full * (hi - lo) // x.shape[2])
        budget = BLOCK_BYTES.get(self._device.type, GPU_BYTES) // (entries * x.element_size())
        size = max(1, min(budget, self._call.options.get("batch_size", 32) * verdict.full // entries))
        first = 0
        while first < len(delta):
            part = delta[first : first + size]
            try:
                with torch.inference_mode():
                    y, _ = verdict.plan.run(example, Geometry(lo, verdict.plan.stride, 1, len(part)), part, lo)
                    y = y if post is None else post(y)
            except torch.OutOfMemoryError:
                if size == 1:
                    raise
                size = max(1, size // 2)
                torch.cuda.empty_cache()
                continue
            yield places[first : first + size], _as_predicted(y)
            first += len(part)

    def _by_row(self, edits: Sequence[Edits]) -> dict[int, list[_Member]]:
        """Sort copies by the sequence they are of."""
        members: dict[int, list[_Member]] = {}
        first = 0
        for one in edits:
            order = one.rows.argsort(stable=True)
            rows = one.rows[order]
            distinct, counts = rows.unique_consecutive(return_counts=True)
            sizes = counts.tolist()
            columns = one.columns[order.to(one.columns.device)].to(self._dtype)
            under = self._X[rows.to(self._X.device), :, one.start : one.start + columns.shape[2]].to(columns)
            deltas = (columns - under).to(self._device).split(sizes)
            for row, places, delta in zip(distinct.tolist(), (order + first).split(sizes), deltas, strict=True):
                members.setdefault(row, []).append(_Member(places, one.start, delta))
            first += len(one.rows)
        return members


def _blocks(members: list[_Member]) -> Iterator[list[_Member]]:
    """Put copies whose edits lie together into one block."""
    block: list[_Member] = []
    lo = hi = widest = copies = 0
    for one in sorted(members, key=lambda m: (m.start, -m.end)):
        wide = max(widest, one.end - one.start)
        reach = max(hi, one.end)
        if block and reach > hi and (copies >= ENOUGH or reach - lo > wide + APART):
            yield block
            block = []
        if not block:
            lo, reach, wide, copies = one.start, one.end, one.end - one.start, 0
        block.append(one)
        hi, widest, copies = reach, wide, copies + len(one.places)
    if block:
        yield block


def _as_predicted(y: Any) -> Any:
    """Give outputs as `predict` does: on the CPU, tuples as lists."""
    if isinstance(y, dict):
        return {key: _as_predicted(one) for key, one in y.items()}
    return y.cpu() if isinstance(y, torch.Tensor) else [_as_predicted(one) for one in y]
