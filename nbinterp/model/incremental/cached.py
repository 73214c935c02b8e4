"""Plans that were checked, kept as long as their model lives.

In: a model and one row of each input.  Out: a plan that gave the model's own numbers, or the reason there is none.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch.utils._pytree import tree_flatten, tree_map

from ...core.batches import autocast
from ...core.cache import ModelCache
from ...errors import NbinterpWarning
from .capture import Unsupported
from .plan import Plan, make_plan
from .window import Geometry

__all__ = ["Verdict", "plan_of", "substitutions"]

# The largest difference allowed between a plan and the model, relative to the largest output, by precision.
_TOLERANCE: Final = {torch.float64: 1e-10, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 5e-2}
_TOLERANCE_TF32: Final = 3e-3  # float32 convolutions on CUDA have a 10-bit mantissa by default

_PLANS: Final = ModelCache()  # weak: a plan goes with its model


@dataclass
class Verdict:
    """A checked plan, or why there is none.

    Attributes
    ----------
    plan : Plan or None
        The plan, if it gave the model's own numbers.
    reason : str
        Why there is none; it completes "not used because ...".
    widest : int
        Entries a row has in the largest array, windowed.
    full : int
        Entries a row has in the model's largest activation.
    warned : bool
        Whether the user has been told the reason.
    """

    plan: Plan | None
    reason: str
    widest: int
    full: int
    state: Hashable
    warned: bool = False

    def warn(self, where: str, rows: str = "sequence", *, stacklevel: int) -> None:
        """Tell the user, the first time, that there is no plan and why: every one of the `rows` is predicted in full."""
        if self.plan is None and not self.warned:
            self.warned = True
            warnings.warn(
                f"{where}(fast): every {rows} is predicted in full, since {self.reason}; pass fast=False to skip the attempt",
                NbinterpWarning,
                stacklevel=stacklevel + 1,
            )


def plan_of(model: Callable[..., Any], rows: Sequence[torch.Tensor]) -> Verdict:
    """Give the plan of a model that is in evaluation mode on the rows' device; made and checked on the first call.

    It is made anew when a parameter was replaced, written to or moved, and when it no longer gives the model's output.
    """
    x = rows[0]
    key = (tuple(tuple(row.shape[1:]) for row in rows), tuple(row.dtype for row in rows), str(x.device))
    state = _state(model)
    fresh: list[Verdict] = []

    def judge() -> Verdict:
        fresh.append(_judge(model, rows, state))
        return fresh[0]

    verdict = _PLANS.get(model, key, judge)
    if not fresh and (verdict.state != state or not _agrees(verdict, model, rows)):
        _PLANS.forget(model)
        verdict = _PLANS.get(model, key, judge)
    return verdict


def _state(model: Any) -> Hashable:
    """Give what changes when a module's parameters or buffers are replaced, written to or moved."""
    if not isinstance(model, torch.nn.Module):
        return None
    tensors = [*model.parameters(), *model.buffers()]
    # PyTorch counts the writes to a tensor there and nowhere else
    return tuple((id(t), t.data_ptr(), 0 if t.is_inference() else t._version) for t in tensors)


def _agrees(verdict: Verdict, model: Callable[..., Any], rows: Sequence[torch.Tensor]) -> bool:
    """Whether a kept plan still gives the model's output for the sequence itself."""
    if verdict.plan is None:
        return True
    x = rows[0]
    with torch.no_grad(), autocast(x.device, x.dtype):
        theirs = model(*(row.repeat(2, *(1 for _ in row.shape[1:])) for row in rows))
    with torch.no_grad():
        ours = verdict.plan.output(verdict.plan.example(rows))
    return _distance(ours, tree_map(lambda y: y[:1] if isinstance(y, torch.Tensor) else y, theirs), x) is None


def _judge(model: Callable[..., Any], rows: Sequence[torch.Tensor], state: Hashable) -> Verdict:
    x = rows[0]
    try:
        with autocast(x.device, x.dtype):
            plan = make_plan(model, rows)
        with torch.no_grad():
            reason, widest, full = _check(plan, model, rows)
    except Unsupported as error:
        return Verdict(None, str(error), 0, 0, state)
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, TypeError, ValueError, IndexError, KeyError, NotImplementedError, AssertionError) as error:
        # Others' code runs here in ways its author did not foresee; the plain path reports what is truly wrong.
        first_line = (str(error).strip().splitlines() or [""])[0]
        reason = f"its operations could not be replayed ({type(error).__name__}: {first_line})"
        return Verdict(None, reason, 0, 0, state)
    return Verdict(None if reason else plan, reason or "", widest, full, state)


def _check(plan: Plan, model: Callable[..., Any], rows: Sequence[torch.Tensor]) -> tuple[str | None, int, int]:
    """Compare a plan with its model on edits at both ends and in the middle."""
    x = rows[0]
    example = plan.example(rows)
    length, stride = x.shape[2], plan.stride
    P = 2 if length > stride else 1
    starts = sorted({0, max(0, (length - stride) // 2), max(0, length - 1 - stride * (P - 1))})
    full = max(v.numel() for v in example.values.values() if isinstance(v, torch.Tensor))
    widest = 0
    for start in starts:
        positions = torch.arange(P) * stride + start
        bases = torch.tensor([[j % x.shape[1], (j + 2) % x.shape[1]] for j in range(P)])
        geometry, delta = substitutions(x, start, stride, bases)
        ours, elements = plan.run(example, geometry, delta, start)
        widest = max(widest, elements)
        edited = x.repeat(geometry.rows, 1, 1)
        at = positions.repeat_interleave(bases.shape[1]).to(x.device)
        edited[torch.arange(geometry.rows, device=x.device), :, at] = 0
        edited[torch.arange(geometry.rows, device=x.device), bases.flatten().to(x.device), at] = 1
        others = [row.repeat(geometry.rows, *(1 for _ in row.shape[1:])) for row in rows[1:]]
        with autocast(x.device, x.dtype):
            theirs = model(edited, *others)
        reason = _distance(ours, theirs, x)
        if reason is not None:
            return reason, widest, full
    return None, widest, full


def _distance(ours: Any, theirs: Any, x: torch.Tensor) -> str | None:
    """Say how two outputs differ by more than rounding, or None."""
    a, spec_a = tree_flatten(ours)
    b, spec_b = tree_flatten(theirs)
    if spec_a != spec_b or any(
        not isinstance(p, torch.Tensor) or not isinstance(q, torch.Tensor) or p.shape != q.shape
        for p, q in zip(a, b, strict=True)
    ):
        return "replaying its operations gives outputs of another structure"
    tolerance = _TOLERANCE.get(x.dtype, _TOLERANCE[torch.float32])
    if x.device.type == "cuda" and x.dtype == torch.float32:
        tolerance = _TOLERANCE_TF32
    for p, q in zip(a, b, strict=True):
        scale = float(q.double().abs().max()) if q.numel() else 0.0
        error = float((p.double() - q.double()).abs().max()) if q.numel() else 0.0
        if not error <= tolerance * (scale or 1.0):
            return f"replaying its operations differs from the model by {error:.2g} on outputs of up to {scale:.2g}"
    return None


def substitutions(x: torch.Tensor, first: int, stride: int, bases: torch.Tensor) -> tuple[Geometry, torch.Tensor]:
    """Describe a block of single substitutions.

    Parameters
    ----------
    x : torch.Tensor
        The reference, (1, 4, L).
    first, stride : int
        The first position and the distance between positions.
    bases : torch.Tensor
        (P, K) indices of the bases put in.

    Returns
    -------
    geometry : Geometry
        P positions with K alternatives.
    delta : torch.Tensor
        (P * K, 4, 1), the new columns minus the old.
    """
    P, K = bases.shape
    columns = x[0, :, first : first + (P - 1) * stride + 1 : stride].t()  # (P, 4)
    new = torch.nn.functional.one_hot(bases.to(x.device), x.shape[1]).to(x.dtype)
    delta = new - columns[:, None]
    return Geometry(first, stride, P, K), delta.flatten(0, 1).unsqueeze(2)
