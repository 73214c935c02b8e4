"""Units of constructs, measured in as many backgrounds as their precision asks for.

In: backgrounds and units (the constructs that are reported and judged together).  Out: their predictions, and the
effect of each with its interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch

from ..core.batches import run_batches
from .backgrounds import Backgrounds, Construct
from .summary import is_precise, round_size, summarize

__all__ = ["Measured", "measure"]


class Measured(NamedTuple):
    """Predictions ``(U, C, N, T)``, NaN in the backgrounds that a unit did not need, and how many it did ``(U,)``."""

    y: torch.Tensor
    n: torch.Tensor

    def first(self, units: int) -> Measured:
        """Give the first units."""
        return Measured(self.y[:units], self.n[:units])

    def effects(self, less: torch.Tensor, level: float) -> dict[str, torch.Tensor]:
        """Summarize the predictions minus `less` ``(1 or U, 1, N, T)``: tensors ``(U, C, T)`` by name, in float64."""
        names = ("effect", "sd", "se", "low", "high")
        found = {name: torch.empty(*self.y.shape[:2], self.y.shape[3], dtype=torch.float64) for name in names}
        for n in self.n.unique().tolist():
            units = self.n == n
            own = less if len(less) == 1 else less[units]
            differences = (self.y[units, :, :n] - own[:, :, :n]).movedim(2, 0)
            for name, part in zip(names, summarize(differences, level=level)[:5], strict=True):
                found[name][units] = part
        return found

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """Average values ``(1 or U, C or 1, N, T)`` over the backgrounds that each unit used: ``(U, C or 1, T)``."""
        used = torch.arange(values.shape[2]) < self.n[:, None]
        rows = values.double().masked_fill(~used[:, None, :, None], 0).sum(dim=2)
        return rows / self.n[:, None, None]


def measure(
    backgrounds: Backgrounds,
    units: Sequence[Sequence[Construct]],
    less: torch.Tensor,
    *,
    batch_size: int,
    precision: float | None,
    step: int | None,
    level: float,
    verbose: bool,
    partial: Callable[[Measured], Any],
) -> Measured:
    """Measure units, each until its predictions minus `less` are precise.

    A unit's number of backgrounds depends on its own numbers alone, neither on the batch size nor on other units.
    """
    each = round_size(backgrounds.where, backgrounds.n, precision, step, level)
    n_constructs = len(units[0])
    y = torch.full(
        (len(units), n_constructs, backgrounds.n, backgrounds.n_outputs), math.nan, dtype=backgrounds.before.dtype
    )
    counts = torch.zeros(len(units), dtype=torch.int64)
    result = Measured(y, counts)

    def run(first: int, last: int) -> None:
        active = list(range(first, last))
        for start in range(0, backgrounds.n, each):
            end = min(start + each, backgrounds.n)
            constructs = [construct for unit in active for construct in units[unit]]
            made = backgrounds.after(constructs, start, end)
            y[active, :, start:end] = made.view(len(active), n_constructs, end - start, -1)
            counts[active] = end
            if precision is not None:
                active = [u for u in active if not is_precise(differences(u, end), precision, level)]
            if not active:
                break

    def differences(unit: int, end: int) -> torch.Tensor:
        own = less[0 if len(less) == 1 else unit]
        return (y[unit, :, :end] - own[:, :end]).transpose(0, 1)

    # two batches of constructs share the reference values of a background
    group = max(1, 2 * batch_size // n_constructs)
    run_batches(
        len(units),
        group,
        run,
        desc=backgrounds.where,
        verbose=verbose,
        partial=lambda done: partial(result.first(done)),
    )
    return result
