"""How far predictions are from what is wanted.

In: the predictions of candidates, one row each.  Out: a loss for each, the lower the better.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch

from ..errors import ModelError, problem

__all__ = ["SQUARED_ERROR", "Objective", "make_objective", "one_output"]

SQUARED_ERROR: Final = torch.nn.MSELoss(reduction="none")


def one_output(where: str, y: Any) -> torch.Tensor:
    """Hold a model's output to one tensor ``(n, T, ...)``."""
    if isinstance(y, torch.Tensor) and y.ndim >= 2:
        return y
    got = f"an output of shape {tuple(y.shape)}" if isinstance(y, torch.Tensor) else f"a {type(y).__name__}"
    raise problem(
        where, "model", got=got, need="one tensor (N, T)", do="choose an output with target(model, ...)",
        kind=ModelError,
    )  # fmt: skip


@dataclass(frozen=True)
class Objective:
    """What is wanted: `y` ``(1 or n, T, ...)`` as judged by `loss`, or the largest outputs where `y` is None.

    Only outputs in `mask` ``(T,)`` count.
    """

    where: str
    y: torch.Tensor | None
    loss: Callable[..., Any]
    mask: torch.Tensor

    def predictions(self, y_hat: torch.Tensor) -> torch.Tensor:
        """The mean of the outputs that count, for each row."""
        return y_hat[:, self.mask].flatten(1).mean(dim=1)

    def losses(self, y_hat: torch.Tensor) -> torch.Tensor:
        """The loss of each row; rows that are no number are the worst."""
        if self.y is None:
            values = -self.predictions(y_hat)
        else:
            chosen, wanted = y_hat[:, self.mask], self.y[:, self.mask]
            if len(wanted) > 1:
                wanted = wanted.repeat(len(chosen) // len(wanted), *(1 for _ in wanted.shape[1:]))
            values = self.loss(wanted.expand_as(chosen), chosen)
            if not isinstance(values, torch.Tensor) or values.ndim == 0 or len(values) != len(chosen):
                shape = tuple(values.shape) if isinstance(values, torch.Tensor) else type(values).__name__
                raise problem(
                    self.where, "loss", got=f"{shape} for {len(chosen)} rows", need="a value for each row",
                    do="pass for example torch.nn.MSELoss(reduction='none')",
                )  # fmt: skip
            values = values.flatten(1).mean(dim=1) if values.ndim > 1 else values
        return torch.where(values.isnan(), torch.inf, values)


def make_objective(where: str, y: Any, loss: Callable[..., Any], output_mask: Any, like: torch.Tensor) -> Objective:
    """Hold `y` and `output_mask` to the shape of the model's output `like`."""
    T = like.shape[1]
    mask = torch.ones(T, dtype=torch.bool) if output_mask is None else torch.as_tensor(output_mask).cpu()
    if mask.dtype != torch.bool or mask.shape != (T,) or not bool(mask.any()):
        got = "no output" if mask.dtype == torch.bool and mask.shape == (T,) else f"{mask.dtype}, {tuple(mask.shape)}"
        raise problem(
            where, "output_mask", got=got, need=f"bool, shape ({T},), with some True", do="mark the outputs that count"
        )
    if y is None:
        return Objective(where, None, loss, mask)
    wanted = torch.as_tensor(y).detach().cpu()
    wanted = wanted.unsqueeze(0) if wanted.ndim == 1 else wanted
    if wanted.ndim != like.ndim or wanted.shape[1:] != like.shape[1:] or len(wanted) not in (1, len(like)):
        need = f"(1, {', '.join(map(str, like.shape[1:]))}), as the model's output"
        raise problem(where, "y", got=f"shape {tuple(wanted.shape)}", need=need, do="give a value for each output")
    return Objective(where, wanted, loss, mask)
