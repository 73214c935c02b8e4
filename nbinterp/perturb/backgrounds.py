"""What a function says of backgrounds with motifs placed in them.

In: a model, backgrounds and constructs (motifs with a place each).  Out: predictions, constructs x backgrounds x
outputs.  Edited sequences are made a batch at a time on the device.  Where `func` is `predict` and the model has a
change-range plan (`nbinterp.model.incremental`), only what the motifs reach is recomputed, to the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import torch

from ..core.batches import n_rows, on_device, resolve_device, resolve_dtype, run_batches, take_rows
from ..core.check import check_options
from ..errors import Interrupted, ModelError, problem
from ..model.incremental import plan_of
from ..model.incremental.window import Geometry
from ..model.predict import check_inputs, predict

__all__ = ["Backgrounds", "Construct", "Placement"]


class Placement(NamedTuple):
    """A motif and its place: `columns` int8 ``(1 or N, 4, w)`` written from `start` on; zero columns write nothing."""

    start: int
    columns: torch.Tensor

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + self.columns.shape[2]


_SLACK: Final = 8  # bases that a block may be wider than it must, since each block costs the same to start

Construct = tuple[Placement, ...]  # no two of them overlap


class _Block(NamedTuple):
    """Constructs over one span from `start` on: `columns` ``(K, 1 or N, 4, W)``, and which constructs they are."""

    start: int
    columns: torch.Tensor
    members: list[int]


class Backgrounds:
    """The backgrounds of one call, and what the function says of them.

    Parameters
    ----------
    where : str
        The public function.
    model, X, args
        As in `predict`.
    func : callable
        Takes ``(model, X, args=..., batch_size=..., dtype=..., device=..., **options)``; gives ``(N, T)`` or ``(N,)``.
    options : mapping
        Further options of `func`.
    batch_size, dtype, device
        As in `predict`.
    fast : bool
        Whether to recompute only what a construct reaches, where that can be done.

    Attributes
    ----------
    n, length, n_outputs : int
        N, L and T.
    before : torch.Tensor
        ``(N, T)``: the backgrounds as they are.
    """

    def __init__(
        self,
        where: str,
        model: Any,
        X: Any,
        args: Sequence[torch.Tensor] | None,
        func: Callable[..., Any],
        options: Mapping[str, Any],
        batch_size: int,
        dtype: torch.dtype | str | None,
        device: torch.device | str | None,
        fast: bool,
    ) -> None:
        check_options(where, func, options)
        self._inputs = (X, *check_inputs(where, X, args))
        if len(X.shape) != 3 or X.shape[1] != 4:
            raise problem(
                where, "X", got=f"shape {tuple(X.shape)}", need="(N, 4, L)", do="one-hot encode the sequences"
            )
        self.where, self._model, self._func = where, model, func
        self._device, self._dtype = resolve_device(device, model), resolve_dtype(dtype, model)
        self._batch_size = batch_size
        self._options = {**options, "batch_size": batch_size, "dtype": self._dtype, "device": self._device}
        self.n, self.length = n_rows(X), int(X.shape[2])
        try:
            self.before = self._call(X, self._inputs[1:])
        except KeyboardInterrupt:
            raise Interrupted(None, 0) from None
        self.n_outputs = self.before.shape[1]
        self._plan: Any = self._make_plan() if fast and func is predict and not options else None

    def _call(self, X: Any, args: Sequence[torch.Tensor]) -> torch.Tensor:
        """Ask the function; a stop here is no stop of the call, whose own finished parts are what is kept."""
        try:
            y = self._func(self._model, X, args=args or None, **self._options)
        except Interrupted:
            raise KeyboardInterrupt from None
        if not isinstance(y, torch.Tensor) or y.ndim not in (1, 2):
            raise problem(
                self.where,
                "func",
                got=f"an output of shape {tuple(y.shape)}" if isinstance(y, torch.Tensor) else f"a {type(y).__name__}",
                need="one tensor (N, T)",
                do="choose what to measure with target(model, ...)",
                kind=ModelError,
            )
        return (y if y.ndim == 2 else y[:, None]).cpu()

    def _make_plan(self) -> Any:
        """Get the model's change-range plan, or say once why there is none."""
        with on_device(self._model, self._device):
            verdict = plan_of(self._model, self._rows(0, 1))
        verdict.warn(self.where, stacklevel=4)
        return verdict.plan

    def _rows(self, start: int, end: int) -> list[torch.Tensor]:
        return [take_rows(one, start, end, device=self._device, dtype=self._dtype) for one in self._inputs]

    def after(self, constructs: Sequence[Construct], start: int, end: int) -> torch.Tensor:
        """Measure every construct in backgrounds ``[start, end)``: ``(K, end - start, T)``."""
        y = torch.empty(len(constructs), end - start, self.n_outputs, dtype=self.before.dtype)
        blocks = list(self._blocks(constructs, start, end))
        if self._plan is None:
            self._in_full(blocks, start, end, y)
        else:
            self._in_part(blocks, start, end, y)
        return y

    def _blocks(self, constructs: Sequence[Construct], start: int, end: int) -> Iterator[_Block]:
        """Sort constructs into blocks of at most a batch, each of neighbours in place and width."""
        spans = [(min(p.start for p in c), max(p.end for p in c)) for c in constructs]
        for members in _neighbours(spans, self._batch_size):
            lo, hi = min(spans[k][0] for k in members), max(spans[k][1] for k in members)
            each = max(p.columns.shape[0] for k in members for p in constructs[k])
            columns = torch.zeros(len(members), min(each, end - start), 4, hi - lo, dtype=torch.int8)
            for row, k in zip(columns, members, strict=True):
                for placed in constructs[k]:
                    sites = placed.columns if placed.columns.shape[0] == 1 else placed.columns[start:end]
                    row[:, :, placed.start - lo : placed.end - lo] = sites
            yield _Block(lo, columns.to(self._device).to(self._dtype), members)

    def _in_full(self, blocks: Sequence[_Block], start: int, end: int, y: torch.Tensor) -> None:
        """Predict whole sequences, a batch of backgrounds at a time."""
        for first in range(start, end, self._batch_size):
            x, *others = self._rows(first, min(first + self._batch_size, end))
            n = len(x)
            here = slice(first - start, first - start + n)
            together = max(1, self._batch_size // n)
            for block in blocks:
                for k in range(0, len(block.members), together):
                    columns = block.columns[k : k + together]
                    columns = columns if columns.shape[1] == 1 else columns[:, here]
                    edited = _written(x, block.start, columns)
                    further = [o.repeat(len(columns), *(1 for _ in o.shape[1:])) for o in others]
                    y[block.members[k : k + together], here] = self._call(edited.flatten(0, 1), further).view(
                        len(columns), n, -1
                    )

    def _in_part(self, blocks: Sequence[_Block], start: int, end: int, y: torch.Tensor) -> None:
        """Recompute what the constructs reach, a background at a time."""
        with on_device(self._model, self._device), torch.inference_mode():
            for i in range(start, end):
                rows = self._rows(i, i + 1)
                example = self._plan.example(rows)
                for block in blocks:
                    columns = block.columns[:, 0 if block.columns.shape[1] == 1 else i - start]
                    old = rows[0][:, :, block.start : block.start + columns.shape[2]]
                    delta = torch.where(_known(columns, 1), columns - old, torch.zeros_like(columns))
                    y[block.members, i - start] = self._recomputed(example, block.start, delta)

    def _recomputed(self, example: Any, start: int, delta: torch.Tensor) -> torch.Tensor:
        """Carry changes ``(K, 4, W)`` of one background through the model; fewer at a time where memory is short."""
        made: list[torch.Tensor] = []

        def step(first: int, last: int) -> None:
            geometry = Geometry(start, self._plan.stride, 1, last - first)
            made.append(self._plan.run(example, geometry, delta[first:last], start)[0].cpu())

        run_batches(len(delta), self._batch_size, step)
        return torch.cat(made).view(len(delta), -1)


def _neighbours(spans: Sequence[tuple[int, int]], most: int) -> Iterator[list[int]]:
    """Cut spans, in order of place, into groups that lie within twice the first one's width or little more."""
    members: list[int] = []
    for k in sorted(range(len(spans)), key=spans.__getitem__):
        if members:
            lo, hi = spans[members[0]]
            if len(members) == most or spans[k][1] > lo + 2 * (hi - lo) + _SLACK:
                yield members
                members = []
        members.append(k)
    yield members


def _known(columns: torch.Tensor, axis: int) -> torch.Tensor:
    return columns.sum(dim=axis, keepdim=True) > 0


def _written(x: torch.Tensor, start: int, columns: torch.Tensor) -> torch.Tensor:
    """Write columns ``(K, 1 or n, 4, W)`` into the sequences ``(n, 4, L)``: ``(K, n, 4, L)``."""
    edited = x.repeat(len(columns), 1, 1, 1)
    window = edited[..., start : start + columns.shape[3]]
    window.copy_(torch.where(_known(columns, 2), columns, window))
    return edited
