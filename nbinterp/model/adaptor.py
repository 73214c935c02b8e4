"""Other layouts, constant flanks and extra inputs, at the border.

In: a model that wants ``(N, L, 4)``, ``(N, 4, 1, L)``, a plasmid around the insert, or more inputs.  Out: a module that
takes ``(N, 4, L)`` of the variable part alone; conversion is differentiable, so attributions come back in that shape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from ..core.check import check_choice
from ..sequence import one_hot_encode

__all__ = ["Adapted", "adapt"]

_LAYOUTS = ("NCL", "NLC", "NC1L")


class Adapted(nn.Module):
    """A model behind a border; made by `adapt`."""

    left: torch.Tensor
    right: torch.Tensor

    def __init__(self, model: nn.Module, layout: str, flanks: tuple[torch.Tensor, torch.Tensor], extra: Any) -> None:
        super().__init__()
        self.model, self.layout, self.more = model, layout, extra
        self.register_buffer("left", flanks[0])
        self.register_buffer("right", flanks[1])
        for name in ("task_names", "head_names"):
            setattr(self, name, getattr(model, name, None))
        inner = getattr(model, "in_length", None)
        self.in_length = inner - flanks[0].shape[-1] - flanks[1].shape[-1] if isinstance(inner, int) else None

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> Any:
        """Add the flanks, arrange the axes, add the inputs, and call the model."""
        parts = [flank.to(X).expand(X.shape[0], -1, -1) for flank in (self.left, self.right)]
        X = torch.cat([parts[0], X, parts[1]], dim=-1) if parts[0].shape[-1] + parts[1].shape[-1] else X
        more = tuple(self.more(X)) if self.more is not None else ()
        if self.layout == "NLC":
            X = X.transpose(1, 2)
        elif self.layout == "NC1L":
            X = X.unsqueeze(2)
        return self.model(X, *args, *more)


def adapt(
    model: nn.Module,
    layout: str = "NCL",
    flanks: tuple[str, str] = ("", ""),
    extra: Callable[[torch.Tensor], Sequence[torch.Tensor]] | None = None,
) -> Adapted:
    """Make a model take one-hot ``(N, 4, L)``.

    Parameters
    ----------
    model : module
        Whatever its input.
    layout : {"NCL", "NLC", "NC1L"}
        What it wants: ``(N, 4, L)``, ``(N, L, 4)`` or ``(N, 4, 1, L)``.
    flanks : (str, str)
        Constant sequence put before and after, such as a plasmid's; not attributed.
    extra : callable, optional
        From the full one-hot ``(N, 4, L)`` to further inputs, such as control tracks of zeros.

    Examples
    --------
    >>> inner = nn.Sequential(nn.Flatten(), nn.Linear(4 * 10, 1))
    >>> tuple(adapt(inner, layout="NLC", flanks=("ACG", "TT"))(torch.zeros(2, 4, 5)).shape)
    (2, 1)
    """
    check_choice("adapt", "layout", layout, _LAYOUTS)
    encoded = []
    for flank in flanks:
        one = one_hot_encode(flank)
        assert isinstance(one, torch.Tensor)
        encoded.append(one.float().unsqueeze(0))
    return Adapted(model, layout, (encoded[0], encoded[1]), extra).eval()
