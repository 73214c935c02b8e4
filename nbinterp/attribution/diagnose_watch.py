"""The tracer of `diagnose`: it goes on where `deep_lift_shap` would stop, and weighs what it met.

In: the two passes of the engine, and one backward pass whose upstream gradient is the sign of each pair's delta.  Out: rows
of the two tables of a `Diagnosis`.  The first pass keeps inputs and outputs of calls that may turn out to have no rule;
the second pairs them with those of the references; hooks compare the difference in output with what the derivative makes
of the difference in input.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

import torch

from ..errors import ModelError
from ..model.bilinear import BilinearOp
from ..model.predict import call_model
from .engine import Tensor, Tracer, depends, tensors_in
from .operations import HANDLERS, PRODUCTS

__all__ = ["Watcher"]

# The modules that tools with rules by module know (tangermeme 1.6, captum 0.9).
_TANGERMEME: Final = frozenset(
    "ReLU ReLU6 RReLU SELU CELU GELU SiLU Mish ELU LeakyReLU Sigmoid Tanh Softplus Softshrink LogSigmoid PReLU GLU "
    "MaxPool1d MaxPool2d Softmax LayerNorm RMSNorm BilinearOp".split()
)
_CAPTUM: Final = frozenset("ReLU ELU LeakyReLU Sigmoid Tanh Softplus MaxPool1d MaxPool2d MaxPool3d Softmax".split())
_BY_CHANCE: Final = frozenset(name for name, handler in HANDLERS.items() if handler is HANDLERS["dropout"])

_REWRITE = "write it with operations that have rules, or give its module one: additional_nonlinear_ops={ItsModule: "
_REWRITE += "integrated_gradients_op()}"


@dataclass
class Fault:
    """An operation without a rule."""

    operation: str
    where: str
    problem: str
    remedy: str
    share: float = float("nan")


@dataclass
class _Call:
    """One call, as it came in."""

    name: str
    func: Any
    args: Any
    kwargs: dict[str, Any]
    chance: Tensor | None  # the state of the random numbers before it, where it draws some


@dataclass
class Watcher(Tracer):
    """A tracer that notes instead of refusing."""

    known: Mapping[str, torch.nn.Module] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    differs: list[tuple[str, ...]] = field(default_factory=list)
    weight: float = 0.0  # of a unit of delta, in the weighing backward pass; 0 before it
    _calls: int = 0
    _n_customs: int = 0
    _call: _Call | None = None
    _flagged: str = ""
    _kept: dict[int, tuple[list[Tensor], list[Tensor]]] = field(default_factory=dict)
    _values: dict[tuple[Any, int], Tensor] = field(default_factory=dict)
    _customs: list[tuple[list[Tensor | None], Tensor]] = field(default_factory=list)
    _met: set[Any] = field(default_factory=set)
    _used: set[tuple[str, str]] = field(default_factory=set)

    @contextmanager
    def passing(self) -> Iterator[None]:
        """One pass: count its calls from nought."""
        self._calls, self._n_customs = 0, 0
        self._met, self._values = set(), {}
        yield
        self._call = None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Keep the call's inputs, hand it on, and look at what became of it."""
        kwargs = dict(kwargs or {})
        if not depends((*args, *kwargs.values())):
            return super().__torch_function__(func, types, args, kwargs)
        name = getattr(func, "__name__", str(func))
        chance = torch.get_rng_state() if name in _BY_CHANCE else None
        self._call, self._flagged = _Call(name, func, _copied(args), _copied(kwargs), chance), ""
        self._calls += 1
        try:
            result = super().__torch_function__(func, types, args, kwargs)
        finally:
            call, self._call = self._call, None
        outputs = list(tensors_in([args[0] if result is None else result]))
        for one in outputs:
            if one.grad_fn is not None:
                self._values[one.grad_fn, one.output_nr] = one.detach()
        self._keep(call, [one for one in outputs if one.requires_grad])
        return result

    def unknown(self, name: str, result: Any) -> Any:
        """Note it for the end of the call."""
        self._flagged = name
        return result

    def _keep(self, call: _Call, outputs: list[Tensor]) -> None:
        inputs = list(tensors_in((*call.args, *call.kwargs.values())))
        moving = [one for one in inputs if one.requires_grad]
        if self.pairing is None:
            if self._flagged or any(getattr(one, "_nbinterp_gate", False) for one in inputs):
                self._kept[self._calls] = [one.detach() for one in moving], [one.detach().clone() for one in outputs]
            return
        if not self._flagged:
            return
        fault = Fault(call.name, self._site()[0], *_explain(self._flagged, call.name), share=0.0)
        self.faults.append(fault)
        seen = self._kept.get(self._calls)
        if seen is None or len(seen[0]) != len(moving) or len(seen[1]) != len(outputs):
            fault.share = float("nan")
            return
        gaps_in, gaps_out = self._gaps(seen[0], moving), self._gaps(seen[1], outputs)
        for i, one in enumerate(outputs):
            one.register_hook(self._weigh(fault, call, moving, gaps_in, gaps_out[i], i))

    def _gaps(self, seen: list[Tensor], refs: list[Tensor]) -> list[Tensor]:
        return [a - r.detach() for a, r in zip(self.paired(tuple(seen), tuple(refs)), refs, strict=True)]

    def _weigh(
        self, fault: Fault, call: _Call, moving: list[Tensor], gaps_in: list[Tensor], gap: Tensor, i: int
    ) -> Callable[[Tensor], None]:
        """``<g, b_x - b_r> - <h, a_x - a_r>`` of one output, the gradient h by running the call alone."""

        def hook(g: Tensor) -> None:
            if not self.weight:
                return
            leaves = [one.detach().clone().requires_grad_() for one in moving]
            swap = {id(one): leaf for one, leaf in zip(moving, leaves, strict=True)}
            with torch.enable_grad(), torch.random.fork_rng(devices=[]):
                if call.chance is not None:
                    torch.set_rng_state(call.chance)
                args, kwargs = _copied(call.args, swap), _copied(call.kwargs, swap)
                result = call.func(*args, **kwargs)
            outputs = [one for one in tensors_in([args[0] if result is None else result]) if one.requires_grad]
            pulled = torch.autograd.grad(outputs[i], leaves, g, allow_unused=True)
            passed = sum(float((h * d).sum()) for h, d in zip(pulled, gaps_in, strict=True) if h is not None)
            fault.share += self.weight * (float((g * gap).sum()) - passed)

        return hook

    def foreign(self, made_by: type, result: Tensor) -> None:
        """Weigh a custom autograd function by the gradients that come to it and leave it."""
        node = result.grad_fn
        if node is None or node in self._met:
            return
        self._met.add(node)
        inputs = [None if n is None else self._value(n, i) for n, i in node.next_functions]
        if self.pairing is None:
            self._customs.append((inputs, result.detach().clone()))
            return
        at = self._n_customs
        self._n_customs += 1
        problem = "a custom autograd function, whose derivative is known but not what it computes"
        fault = Fault(made_by.__name__, f"{self.where()}, {_defined(made_by)}", problem, _REWRITE)
        self.faults.append(fault)
        seen_in, seen_out = self._customs[at]
        pairs = [(a, r) for a, r in zip(seen_in, inputs, strict=True) if a is not None and r is not None]
        if len(pairs) != sum(n is not None for n, _ in node.next_functions):
            return
        gap = self._gaps([seen_out], [result])[0]
        gaps_in: list[Tensor | None] = [
            None if a is None or r is None else self._gaps([a], [r])[0] for a, r in zip(seen_in, inputs, strict=True)
        ]

        def hook(lower: Any, upper: Any) -> None:
            if not self.weight or sum(g is not None for g in upper) != 1:
                return
            passed = sum(
                float((h * d).sum()) for h, d in zip(lower, gaps_in, strict=True) if h is not None and d is not None
            )
            g = next(g for g in upper if g is not None)
            fault.share = self.weight * (float((g * gap).sum()) - passed)

        node.register_hook(hook)

    def _value(self, node: Any, index: int) -> Tensor | None:
        """What a node gave in this pass; a leaf's node holds it itself."""
        leaf = getattr(node, "variable", None)
        return leaf.detach() if leaf is not None else self._values.get((node, index))

    def meet(
        self, name: str, record: Callable[[], tuple[Tensor, ...]], kind: str = "rule"
    ) -> tuple[Tensor, ...] | None:
        """Note on the first pass who else would know this operation."""
        if self.pairing is None and kind == "rule" and self._call is not None:
            self._compare(self._call)
        return super().meet(name, record, kind)

    def _compare(self, call: _Call) -> None:
        label = self.where()
        module = self.known.get(label)
        kind = type(module).__name__
        where, made = self._site()
        own = module is not None and (type(module).__module__.startswith("torch.nn") or isinstance(module, BilinearOp))
        both = "tangermeme, captum"
        if call.kwargs.get("inplace") or (call.name.endswith("_") and not call.name.startswith("__")):
            note = "changes its input in place, which backward hooks on modules refuse", both, "drop inplace"
        elif made:
            note = f"in {made}, which is made in forward, where hooks cannot find it", both, "make it in __init__"
        elif own and kind in _TANGERMEME:
            again = (label, call.name) in self._used
            self._used.add((label, call.name))
            if kind not in _CAPTUM:
                note = f"{kind} has no rule in captum", "captum", "none needed here"
            elif again:
                note = f"{kind} is used more than once in a forward pass", "captum", "make one for each use"
            else:
                return
        elif own:
            note = f"{kind} has no rule there", both, "none needed here"
        elif call.name in PRODUCTS:
            note = "a product of activations outside a module", both, "write it as a BilinearOp"
        else:
            note = "a functional call, which hooks on modules do not see", both, "write it as a module"
        row = (call.name, where, *note)
        if row not in self.differs:
            self.differs.append(row)

    def _site(self) -> tuple[str, str]:
        """Where a call is: module path and source line; and the class of a module made in forward, if it is in one."""
        registered = {id(module) for module in self.known.values()}
        line, made, within = "", "", False
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code is not call_model.__code__:
            home = str(frame.f_globals.get("__name__", ""))
            if not line and not home.startswith(("torch.", __package__)):
                line = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
            holder = frame.f_locals.get("self") if frame.f_code.co_name == "forward" else None
            if isinstance(holder, torch.nn.Module):
                within = within or id(holder) in registered
                made = made or ("" if within else type(holder).__name__)
            frame = frame.f_back
        return ", ".join(part for part in (self.where(), line) if part), made

    def halted(self, error: ModelError) -> None:
        """Note what stops the engine itself."""
        got = str(error).split("got ", 1)[-1]
        what, _, remedy = got.partition("; do ")
        self.faults.append(Fault("the forward pass", self.where(), what, remedy))


def _copied(values: Any, swap: Mapping[int, Tensor] | None = None) -> Any:
    """Copy the tensors of a nest, keeping marks and gradients' wanting; those in `swap` become others."""
    if isinstance(values, Tensor):
        if swap is not None:
            other = swap.get(id(values))
            return values if other is None else other.clone()  # not a leaf, so that it can be changed in place
        copy = values.detach().clone().requires_grad_(values.requires_grad)
        if getattr(values, "_nbinterp_gate", False):
            copy._nbinterp_gate = True  # type: ignore[attr-defined]
        return copy
    if isinstance(values, dict):
        return {key: _copied(one, swap) for key, one in values.items()}
    if type(values) in (list, tuple):
        return type(values)(_copied(one, swap) for one in values)
    return values


def _explain(flag: str, name: str) -> tuple[str, str]:
    """The problem and its remedy, in words."""
    if "mask or detached" in flag:
        return (
            "a mask or detached value computed from the sequence, which differs between sequence and reference",
            "gate with an activation (relu, sigmoid), and keep the gradient: no detach() and no no_grad()",
        )
    if "that is on" in flag:
        return (
            "dropout that stays on in evaluation, so that each pass drops others",
            f"pass training=self.training to {name}, or use nn.Dropout",
        )
    if "statistics of the batch" in flag:
        return (
            "takes the statistics of the batch also in evaluation, so that rows depend on each other",
            "keep running statistics (track_running_stats=True, training=self.training), or use GroupNorm",
        )
    detail = "" if flag == name else f" ({flag})"
    return f"has no rule{detail}; its derivative at the reference stands in", _REWRITE


def _defined(made_by: type) -> str:
    """File and line of a class, where its source can be had."""
    try:
        return f"{Path(inspect.getsourcefile(made_by) or '').name}:{inspect.getsourcelines(made_by)[1]}"
    except (OSError, TypeError):
        return made_by.__module__
