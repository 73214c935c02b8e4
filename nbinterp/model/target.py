"""What to explain: a model's outputs become ``(N, T)``, built of registered modules.

In: a model with any outputs, and a choice of head, tasks, positions, transform and contrast.  Out: an `nn.Module` from
``(N, 4, L)`` to ``(N, T)``.  Every step that is not linear is a module of its own, so that each attribution rule finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from ..core.check import check_choice
from ..errors import ModelError, problem
from .bilinear import BilinearOp

__all__ = ["Ensemble", "Target", "target"]

_TRANSFORMS = ("identity", "profile", "logcounts", "sum", "mean")


class Profile(nn.Module):
    """The logits weighted by the profile that they stand for: ``sum(z * softmax(z))`` of mean-subtracted logits.

    The scalar that BPNet-like models explain for their profile head.
    """

    def __init__(self) -> None:
        super().__init__()
        self.softmax = nn.Softmax(dim=-1)
        self.product = BilinearOp("...,...->...")

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        """(N, C, positions) to (N, 1)."""
        z = logits.flatten(1)
        z = z - z.mean(dim=-1, keepdim=True)
        return self.product(z, self.softmax(z)).sum(dim=-1, keepdim=True)  # type: ignore[no-any-return]


class Ensemble(nn.Module):
    """The mean of several models of one shape; ``spread`` gives their standard deviation.

    Examples
    --------
    >>> models = [torch.nn.Linear(4, 1) for _ in range(3)]
    >>> x = torch.ones(2, 4)
    >>> ensemble = Ensemble(models)
    >>> tuple(ensemble(x).shape), tuple(ensemble.spread(x).shape)
    ((2, 1), (2, 1))
    """

    def __init__(self, models: Sequence[nn.Module]) -> None:
        super().__init__()
        if not models:
            raise problem("Ensemble", "models", got="none", need="at least one", do="pass the folds")
        self.members = nn.ModuleList(models)

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> torch.Tensor:
        """Mean over members."""
        total = self.members[0](X, *args)
        for member in self.members[1:]:
            total = total + member(X, *args)
        return total / len(self.members)  # type: ignore[no-any-return]

    def spread(self, X: torch.Tensor, *args: torch.Tensor) -> torch.Tensor:
        """Sample standard deviation over members; zero for a single one."""
        if len(self.members) == 1:
            return torch.zeros_like(self.members[0](X, *args))
        return torch.stack([member(X, *args) for member in self.members]).std(dim=0)


class Target(nn.Module):
    """A model and what to read of it; made by `target`."""

    def __init__(
        self,
        model: nn.Module,
        head: int | None,
        task: Sequence[int] | None,
        positions: tuple[int, int] | None,
        transform: str,
        contrast: tuple[Sequence[int], Sequence[int]] | None,
        reverse_complement: bool,
    ) -> None:
        super().__init__()
        self.model = model
        self.head, self.task, self.positions = head, task, positions
        self.transform, self.contrast, self.reverse_complement = transform, contrast, reverse_complement
        self.profile = Profile() if transform == "profile" else nn.Identity()
        self.in_length = getattr(model, "in_length", None)

    def _read(self, y: Any) -> torch.Tensor:
        if isinstance(y, dict):
            y = list(y.values())
        if isinstance(y, torch.Tensor):
            if self.head not in (None, 0):
                raise problem(
                    "target", "head", got=self.head, need="0: the model gives one output", do="choose columns with task=",
                    kind=ModelError,
                )  # fmt: skip
        elif isinstance(y, (list, tuple)):
            if self.head is None and len(y) > 1:
                raise problem(
                    "target",
                    "head",
                    got=f"None for {len(y)} outputs",
                    need="which one",
                    do="pass head=",
                    kind=ModelError,
                )
            y = y[self.head or 0]
        if self.task is not None:
            if max(self.task) >= y.shape[1] or min(self.task) < -y.shape[1]:
                raise problem(
                    "target",
                    "task",
                    got=list(self.task),
                    need=f"columns 0 to {y.shape[1] - 1}",
                    do="correct it",
                    kind=ModelError,
                )
            y = y[:, list(self.task)]
        if self.positions is not None:
            y = y[..., self.positions[0] : self.positions[1]]
        if self.transform == "profile":
            y = self.profile(y)
        elif self.transform in ("sum", "mean"):
            y = y.sum(dim=-1) if self.transform == "sum" else y.mean(dim=-1)
        y = y[:, None] if y.ndim == 1 else y
        if self.contrast is not None:
            on, off = self.contrast
            y = y[:, list(on)].mean(dim=1, keepdim=True) - y[:, list(off)].mean(dim=1, keepdim=True)
        return y  # type: ignore[no-any-return]

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> torch.Tensor:
        """(N, 4, L) to (N, T)."""
        y = self._read(self.model(X, *args))
        if self.reverse_complement:
            y = (y + self._read(self.model(X.flip(1, 2), *args))) / 2
        if y.ndim != 2:
            raise problem(
                "target", "transform", got=f"an output of shape {tuple(y.shape)}", need="(N, T)",
                do="choose positions, or transform='sum', 'mean' or 'profile'", kind=ModelError,
            )  # fmt: skip
        return y


def target(
    model: nn.Module | Sequence[nn.Module],
    head: int | str | None = None,
    task: int | str | Sequence[int | str] | None = None,
    positions: tuple[int, int] | None = None,
    transform: str | None = None,
    contrast: tuple[Sequence[int], Sequence[int]] | None = None,
    reverse_complement: bool = False,
) -> nn.Module:
    """Choose what to explain.

    Parameters
    ----------
    model : module, or several
        Several (the folds of a cross-validation) become their mean, an `Ensemble`.
    head : int or str, optional
        Which output, by number or by ``model.head_names``; needed when there are several.
    task : int, str or several, optional
        Columns of the output, by number or by ``model.task_names``.
    positions : (start, end), optional
        Span of the output's last axis.
    transform : {"identity", "profile", "logcounts", "sum", "mean"}, optional
        ``"profile"``: logits weighted by their softmax, one number; ``"logcounts"``: the count head as it is;
        ``"sum"`` and ``"mean"``: over the last axis.
    contrast : (on, off), optional
        Mean of the columns `on` minus mean of the columns `off`.
    reverse_complement : bool
        Average over both strands (the model is run twice).

    Returns
    -------
    torch.nn.Module
        ``(N, 4, L)`` to ``(N, T)``.

    Raises
    ------
    NbinterpError
        For an unknown head, task or transform.

    Examples
    --------
    >>> from nbinterp.model.networks import BPNet
    >>> profile = target(BPNet(4, 2), head="profile", transform="profile")
    >>> tuple(profile(torch.zeros(3, 4, 200)).shape)
    (3, 1)
    """
    if not isinstance(model, nn.Module):
        return Ensemble([target(m, head, task, positions, transform, contrast, reverse_complement) for m in model])
    transform = transform or "identity"
    check_choice("target", "transform", transform, _TRANSFORMS)
    if transform == "logcounts" and head is None:
        head = "logcounts"
    tasks = None if task is None else [task] if isinstance(task, (int, str)) else list(task)
    numbers = None if tasks is None else [_number("task", t, getattr(model, "task_names", None)) for t in tasks]
    task_names = getattr(model, "task_names", None)
    if isinstance(head, str) and task_names and head in task_names and task is None:
        # heads of one number each are the columns of one output: the name says which
        head, numbers = None, [list(task_names).index(head)]
    number = None if head is None else _number("head", head, getattr(model, "head_names", None))
    return Target(model, number, numbers, positions, transform, contrast, reverse_complement).eval()


def _number(argument: str, value: int | str, names: Sequence[str] | None) -> int:
    if isinstance(value, int):
        return value
    if not names:
        raise problem(
            "target", argument, got=repr(value), need="a number, since the model names none", do="pass an int"
        )
    check_choice("target", argument, value, names)
    return list(names).index(value)
