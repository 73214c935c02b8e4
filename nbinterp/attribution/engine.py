"""Run a model so that its gradient is DeepLIFT's multiplier.

In: a model, S observed sequences and K references of each.  Out: the gradient at the references, under DeepLIFT's rules.

The observed rows go through the model once and every non-linear operation writes down what it saw; then the references
go through it, and each operation, met in the same order, is paired with its record.  Its multiplier, say
``(f(x) - f(r)) / (x - r)``, is known at once and takes the place of its derivative, so that one ordinary backward pass
over the reference rows alone gives the multipliers at the input.  A sequence is thus run forward once for all its
references, and no gradient is carried for it.

Operations are met as function calls, so modules and functional code are treated alike, and a module that is used twice
is two operations.  An operation that has no rule is refused by name; none is silently taken for linear.

Sources: DeepLIFT, Shrikumar et al. 2017; DeepSHAP, Lundberg and Lee 2017.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from ..errors import ModelError, problem

__all__ = ["Event", "Pairing", "Tracer", "UserRule", "frozen", "module_label", "tensors_in"]

Tensor = torch.Tensor
UserRule = Callable[[torch.nn.Module, Any, Any], Any]


@dataclass(frozen=True)
class Pairing:
    """How reference rows lie against observed rows: each of `n` observed rows has `k` references in succession."""

    n: int
    k: int
    asked_by: str = "deep_lift_shap"

    def fold(self, ref: Tensor, dim: int) -> Tensor:
        """Split the batch axis of a reference tensor into (n, k, rest)."""
        folded: Tensor = ref.unflatten(dim, (self.n, self.k, -1))
        return folded

    def spread(self, seen: Tensor, ref: Tensor) -> tuple[Tensor, Tensor, int]:
        """Give views of both that broadcast against each other, and the axis that was split (-1 for none)."""
        if self.k == 1 or seen.ndim == 0 or seen.shape == ref.shape:
            return seen, ref, -1
        for dim in range(seen.ndim):
            if ref.shape[dim] == seen.shape[dim] * self.k and ref.shape[dim] != seen.shape[dim]:
                return seen.unflatten(dim, (self.n, 1, -1)), self.fold(ref, dim), dim
        raise _differs(self.asked_by, f"shapes {tuple(seen.shape)} and {tuple(ref.shape)}")

    def expand(self, seen: Tensor, ref: Tensor) -> Tensor:
        """Repeat an observed tensor to the shape of its references."""
        wide, folded, dim = self.spread(seen, ref)
        return wide if dim < 0 else wide.expand_as(folded).flatten(dim, dim + 2)


def _differs(asked_by: str, what: str) -> ModelError:
    error = problem(
        asked_by, "model", got=f"another sequence of operations for the references than for X ({what})",
        need="a forward pass that does not depend on the data", do="remove the branch on the data", kind=ModelError,
    )  # fmt: skip
    assert isinstance(error, ModelError)
    return error


@dataclass
class Event:
    """One operation as it was met: its name, its module, and what the observed rows gave."""

    name: str
    where: str
    record: tuple[Tensor, ...]
    kind: str = "rule"


@dataclass
class Tracer(TorchFunctionMode):
    """Meets every operation of a forward pass.

    First pass (`pairing` is None): write records.  Second pass: read them in the same order.

    Parameters
    ----------
    handlers : mapping
        From the name of a function to what is done with it when it sees the sequence.
    linear : frozenset
        Names of functions that need no rule.
    strict : bool
        Refuse an operation without a rule; otherwise note it and take its derivative.
    asked_by : str
        The public function, for messages.
    """

    handlers: Mapping[str, Callable[..., Any]]
    linear: frozenset[str]
    strict: bool = True
    pairing: Pairing | None = None
    asked_by: str = "deep_lift_shap"
    events: list[Event] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    _at: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def second_pass(self, pairing: Pairing) -> None:
        """Go back to the first record, to pair it."""
        self.pairing, self._at = pairing, 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Hand a call that sees the sequence to its rule; let every other pass."""
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", str(func))
        if not args and "input" in kwargs and name != "where":  # elsewhere `input` is the first parameter
            args = (kwargs.pop("input"),)
        every = (*args, *kwargs.values())
        if not depends(every):
            return _carry_gate(args[0] if name == "__setitem__" else None, func(*args, **kwargs), every)
        self.look(every)
        self._check_gates(name, every)
        handler = self.handlers.get(name)
        if handler is not None:
            return handler(self, name, func, args, kwargs)
        result = func(*args, **kwargs)
        if name == "__setitem__":  # linear, once the index is known to be a constant
            return result
        if not depends([result] if isinstance(result, Tensor) else result):
            return _mark_gate(result)
        return result if name in self.linear else self.unknown(name, result)

    def look(self, values: Any) -> None:
        """Refuse what a custom autograd function gave: its derivative is known, but not what it computes."""
        for one in tensors_in(values):
            made_by = getattr(one.grad_fn, "_forward_cls", None)  # nodes of torch itself have none
            if made_by is not None and made_by.__module__.split(".")[0] != __name__.split(".")[0]:
                self.foreign(made_by, one)

    def foreign(self, made_by: type, result: Tensor) -> None:
        """Meet the output of a custom autograd function."""
        self.unknown(f"{made_by.__name__} (a custom autograd function)", result)

    def unknown(self, name: str, result: Any) -> Any:
        """Meet an operation that has no rule."""
        if self.strict:
            raise problem(
                self.asked_by, "model", got=f"the operation {name} at {self.where()}, which has no rule",
                need="operations with one", do="rewrite it, pass additional_nonlinear_ops for its module (for example "
                "integrated_gradients_op()), or use saturation_mutagenesis or integrated_gradients", kind=ModelError,
            )  # fmt: skip
        return result

    def where(self) -> str:
        """The module being run, by its path."""
        return self.modules[-1] if self.modules else "the model"

    def meet(
        self, name: str, record: Callable[[], tuple[Tensor, ...]], kind: str = "rule"
    ) -> tuple[Tensor, ...] | None:
        """First pass: write a record and give None.  Second pass: give the record written there."""
        if self.pairing is None:
            kept = tuple(t.detach().clone() for t in record())  # the model may go on to change them in place
            self.events.append(Event(name, self.where(), kept, kind))
            return None
        if self._at >= len(self.events) or self.events[self._at].name != name:
            met = self.events[self._at].name if self._at < len(self.events) else "the end"
            raise _differs(self.asked_by, f"{name} where there was {met}")
        event = self.events[self._at]
        self._at += 1
        return event.record

    def _check_gates(self, name: str, args: Any) -> None:
        """What was computed from the sequence without a gradient is a constant only when both passes agree on it."""
        for one in tensors_in(args):
            if getattr(one, "_nbinterp_gate", False) and not one.requires_grad:
                seen = self.meet(f"gate of {name}", lambda one=one: (one,), "gate")  # type: ignore[misc]
                if seen is not None and not torch.equal(self.paired(seen, (one,))[0], one):
                    self.unknown(f"{name} with a mask or detached value computed from the sequence", one)

    def paired(self, seen: tuple[Tensor, ...], refs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Repeat observed tensors to the shapes of their references."""
        assert self.pairing is not None
        return tuple(self.pairing.expand(a, r) for a, r in zip(seen, refs, strict=True))


def tensors_in(args: Any) -> Iterator[Tensor]:
    """The tensors of a nest of lists and tuples."""
    for one in args:
        if isinstance(one, Tensor):
            yield one
        elif isinstance(one, (list, tuple)):
            yield from tensors_in(one)


def depends(args: Any) -> bool:
    """Whether any tensor among the arguments carries a gradient and is no weight: whether it sees the sequence."""
    if isinstance(args, Tensor):
        return args.requires_grad and not isinstance(args, torch.nn.Parameter)
    if not isinstance(args, (list, tuple)) and not hasattr(args, "__iter__"):
        return False
    return any(depends(one) for one in tensors_in(args))


def _mark_gate(result: Any) -> Any:
    """Remember that a tensor without gradient was computed from the sequence."""
    for one in tensors_in([result]):
        one._nbinterp_gate = True  # type: ignore[attr-defined]
    return result


def _carry_gate(changed: Any, result: Any, args: Any) -> Any:
    """Mark what a call without gradients gave, or changed in place, when it read a marked tensor."""
    if any(getattr(one, "_nbinterp_gate", False) for one in tensors_in(args)):
        _mark_gate([changed, result])
    return result


@contextmanager
def frozen(model: Any, tracer: Tracer, rules: Mapping[type, UserRule]) -> Iterator[None]:
    """Take gradients off the weights and follow which module is running; put all back afterwards."""
    if not isinstance(model, torch.nn.Module):
        yield
        return
    weights = [(p, p.requires_grad) for p in model.parameters()]
    handles: list[Any] = []
    wrapped: list[torch.nn.Module] = []
    try:
        for weight, _ in weights:
            weight.requires_grad_(False)
        for path, module in model.named_modules():
            handles.append(module.register_forward_pre_hook(_entering(tracer, module_label(path, module))))
            handles.append(module.register_forward_hook(_leaving(tracer), always_call=True))
            rule = _rule_of(module, rules)
            if rule is not None:
                _wrap(module, rule, tracer)
                wrapped.append(module)
        yield
    finally:
        for handle in handles:
            handle.remove()
        for module in wrapped:
            del module.forward  # the class's own shows again
        for weight, wanted in weights:
            weight.requires_grad_(wanted)


def module_label(path: str, module: torch.nn.Module) -> str:
    """How messages name a module: its path and its class."""
    return f"{path or 'the model'} ({type(module).__name__})"


def _entering(tracer: Tracer, label: str) -> Callable[..., None]:
    return lambda *_: tracer.modules.append(label)


def _leaving(tracer: Tracer) -> Callable[..., None]:
    def leave(module: torch.nn.Module, args: Any, out: Any) -> None:
        del module, args
        try:
            tracer.look([out])
        finally:
            tracer.modules.pop()

    return leave


def _rule_of(module: torch.nn.Module, rules: Mapping[type, UserRule]) -> UserRule | None:
    """The rule of the nearest class, subclasses included."""
    return next((rules[kind] for kind in type(module).__mro__ if kind in rules), None)


def _wrap(module: torch.nn.Module, rule: UserRule, tracer: Tracer) -> None:
    """Make a module one operation with the user's rule."""
    plain = module.forward

    def forward(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if args or kwargs:
            raise problem(
                tracer.asked_by, "additional_nonlinear_ops", got=f"{type(module).__name__} called with several inputs",
                need="modules of one input", do="give the rule to a module around one input", kind=ModelError,
            )  # fmt: skip
        with torch._C.DisableTorchFunction():
            out = plain(x)
            seen = tracer.meet(type(module).__name__, lambda: (x, out)) if x.requires_grad else None
            if seen is None:
                return out  # type: ignore[no-any-return]
            assert tracer.pairing is not None
            pair = tracer.pairing
            both_in = torch.cat([pair.expand(seen[0], x), x]).detach()
            both_out = torch.cat([pair.expand(seen[1], out), out]).detach()
            kept = x, both_in, both_out, module, plain, rule
            ruled: Tensor = _UserRuled.apply(*kept)  # type: ignore[no-untyped-call]
            return ruled

    module.forward = forward


class _UserRuled(torch.autograd.Function):
    """A module under a rule of tangermeme's form: it reads ``module.input`` and ``module.output``, halves in one batch."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, both_in: Tensor, both_out: Tensor, module: torch.nn.Module, plain: Any, rule: UserRule
    ) -> Tensor:
        """Give the references' half of the output."""
        ctx.kept = both_in, both_out, module, plain, rule
        return both_out.chunk(2)[1].clone()

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Call the rule with both halves, and keep the observed one, whose gradient the multiplier is."""
        both_in, both_out, module, plain, rule = ctx.kept
        upstream = torch.cat([grads[0], grads[0]])
        with torch.enable_grad(), torch._C.DisableTorchFunction():
            leaf = both_in.clone().requires_grad_()
            (local,) = torch.autograd.grad(plain(leaf), leaf, upstream)
            module.input, module.output = both_in, both_out
            wrapped = module.forward
            module.forward = plain  # the rule may call the module
            try:
                result = rule(module, (local,), (upstream,))
            finally:
                module.forward = wrapped
                del module.input, module.output
        return (result[0].chunk(2)[0], None, None, None, None, None)
