"""What a model can be asked about: one number a choice, by name.

In: a model and one sequence.  Out: a mapping from label to a module ``(N, 4, L)`` to ``(N, 1)``; and modules for labels put
together of these: "enhancer - cooperative", "counts, both strands", "profile at 950-1150".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import torch

from ..core.batches import on_device, resolve_device, resolve_dtype, take_rows
from ..errors import ModelError, problem
from ..model import target
from ..model.predict import call_model
from ..model.target import Target

__all__ = ["Contrast", "compose", "targets_of"]

_BOTH: Final = ", both strands"
_AT: Final = re.compile(r" at (\d+)-(\d+)$")

_MOST = 64  # columns that are offered one by one


def targets_of(
    model: Any, X: Any, targets: Any = None, device: Any = None, *, where: str = "LogoView"
) -> dict[str, Any]:
    """Name the numbers that a model gives.

    Parameters
    ----------
    model : module
        Of one output ``(N, T)``: its columns, by ``model.task_names`` where it has them.  Of several heads: the columns of
        each; a head of profiles ``(N, T, L')`` becomes its profile-weighted log-odds, one number.
    X : one-hot (N, 4, L) or compact container
        The first sequence is run, to see what comes out.
    targets : mapping, module, or None
        Modules to offer in place of the model's own columns, by label.
    device : optional
        As in `predict`.
    where : str
        The view, for its errors.

    Returns
    -------
    dict
        Label to module ``(N, 4, L) -> (N, 1)``.

    Raises
    ------
    ModelError
        When the model is no module, or gives what is no tensor of one row.

    Examples
    --------
    >>> from nbinterp import demo
    >>> list(targets_of(demo.load_model(), torch.zeros(1, 4, 400)))
    ['enhancer', 'cooperative']
    """
    if isinstance(targets, Mapping) and targets:
        return {str(label): one for label, one in targets.items()}
    if targets is not None:
        return {"prediction": targets}
    if not isinstance(model, torch.nn.Module):
        raise problem(
            where, "model", got=f"a {type(model).__name__}", need="a torch.nn.Module", do="wrap it in one",
            kind=ModelError,
        )  # fmt: skip
    on, of = resolve_device(device, model), resolve_dtype(None, model)
    with on_device(model, on), torch.inference_mode():
        y = call_model(where, model, take_rows(X, 0, 1, device=on, dtype=of))
    heads = [y] if isinstance(y, torch.Tensor) else list(y.values()) if isinstance(y, Mapping) else list(y)
    if not all(isinstance(head, torch.Tensor) for head in heads):
        raise problem(
            where, "model", got="an output that is no tensor", need="tensors", do="pass targets=", kind=ModelError
        )
    several = not isinstance(y, torch.Tensor)
    names = list(getattr(model, "head_names", None) or [])
    found: dict[str, Any] = {}
    for i, head in enumerate(heads):
        label = names[i] if i < len(names) else f"head {i}"
        found.update(_columns(model, head, i if several else None, label))
    return found


def _columns(model: Any, head: torch.Tensor, number: int | None, label: str) -> dict[str, Any]:
    if head.ndim == 1 or head.shape[1:].numel() == 1:
        return {label if number is not None else "prediction": target(model, head=number)}
    if head.ndim > 2:
        return {f"{label}, profile": target(model, head=number, transform="profile")}
    tasks = list(getattr(model, "task_names", None) or [])
    named = tasks if number is None and len(tasks) == head.shape[1] else [f"{label} {t}" for t in range(head.shape[1])]
    return {name: target(model, head=number, task=t) for t, name in enumerate(named[:_MOST])}


class Contrast(torch.nn.Module):
    """One target less another."""

    def __init__(self, on: torch.nn.Module, off: torch.nn.Module) -> None:
        super().__init__()
        self.on, self.off = on, off

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """(N, 4, L) to (N, 1)."""
        difference: torch.Tensor = self.on(X) - self.off(X)
        return difference


def compose(targets: Mapping[str, Any], label: str, length: int) -> Any:
    """Make the module of a label: one of `targets`, or put together of them.

    Parameters
    ----------
    targets : mapping from label to module
        See `targets_of`.
    label : str
        A label; two with " - " between them for their difference; " at START-END" after a profile's, for that span of the
        sequence; ", both strands" at the end for the mean over both.
    length : int
        Of the sequences; a shorter profile is taken to be centred in them.

    Raises
    ------
    NbinterpError
        For a label that is not known, or a span of what has no positions.

    Examples
    --------
    >>> from nbinterp import demo
    >>> known = targets_of(demo.load_model(), torch.zeros(1, 4, 400))
    >>> tuple(compose(known, "enhancer - cooperative, both strands", 400)(torch.zeros(2, 4, 400)).shape)
    (2, 1)
    """
    if label in targets:
        return targets[label]
    if label.endswith(_BOTH):
        return target(compose(targets, label.removesuffix(_BOTH), length), reverse_complement=True)
    on, minus, off = label.partition(" - ")
    if minus:
        return Contrast(compose(targets, on, length), compose(targets, off, length)).eval()
    span = _AT.search(label)
    if span:
        return _at(compose(targets, label[: span.start()], length), label, int(span[1]), int(span[2]), length)
    raise problem("Engine", "target", got=repr(label), need=f"one of {', '.join(targets)}", do="choose one")


def _at(whole: Any, label: str, start: int, end: int, length: int) -> Any:
    """The same profile over a span of the sequence."""
    if not isinstance(whole, Target) or whole.transform != "profile":
        raise problem("Engine", "target", got=repr(label), need="a span of a profile", do="leave the span out")
    first = next(whole.parameters())
    with torch.no_grad():
        y = whole.model(torch.zeros(1, 4, length, device=first.device, dtype=first.dtype))
    size = (
        y if isinstance(y, torch.Tensor) else list(y.values() if isinstance(y, Mapping) else y)[whole.head or 0]
    ).shape[-1]
    margin = (length - size) // 2
    a, b = max(start - margin, 0), min(end - margin, size)
    if a >= b:
        need = f"a span that meets [{margin}, {margin + size})"
        raise problem("Engine", "target", got=repr(label), need=need, do="move it")
    return Target(whole.model, whole.head, whole.task, (a, b), "profile", None, False).eval()
