"""Write down what a model computes: the list of tensor operations of one forward pass.

The model runs twice, on two and on three copies of a row, under a mode that sees every operation PyTorch carries out,
whatever the model is written in: modules, functions, TorchScript.  That takes the time of two forward passes, where an
export takes seconds.  A size that differs between the two runs depends on the number of rows, and is kept as a linear
function of it, so that the recording can be replayed on any number.

In: a callable and one row of each of its inputs.  Out: a `Recording`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

__all__ = ["Op", "Recording", "Ref", "Size", "Unsupported", "arguments", "concrete", "name_of", "record", "refs"]


class Unsupported(Exception):  # noqa: N818  (a reason, not a fault: the caller falls back)
    """Why a model cannot be replayed; the text completes "not used because ..."."""


@dataclass(frozen=True)
class Ref:
    """The tensor of this number."""

    index: int


@dataclass(frozen=True)
class Size:
    """An integer that depends on the number of rows n: ``base + per_row * n``."""

    base: int
    per_row: int

    def at(self, n: int) -> int:
        """Give the integer for n rows."""
        return self.base + self.per_row * n


Shape = tuple["int | Size", ...]


@dataclass(frozen=True)
class Op:
    """One operation: what is called, on what (tensors as `Ref`, row-bound integers as `Size`), and what it makes."""

    target: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    outputs: tuple[int, ...]

    @cached_property
    def reads(self) -> tuple[int, ...]:
        """The tensors it is called on, in order."""
        return tuple(refs((self.args, self.kwargs)))


@dataclass(frozen=True)
class Recording:
    """The operations of a forward pass, in order, with the tensors they start from."""

    ops: tuple[Op, ...]
    inputs: tuple[int, ...]
    constants: Mapping[int, torch.Tensor]
    shapes: Mapping[int, Shape]
    dtypes: tuple[torch.dtype, ...]
    output: Any

    def run(self, op: Op, value: Callable[[int], Any], n: int) -> tuple[torch.Tensor, ...]:
        """Carry out one operation for n rows, taking its tensors from `value`."""
        args, kwargs = concrete((op.args, op.kwargs), value, n)
        return _tensors(op.target(*args, **kwargs))


def _tensors(result: Any) -> tuple[torch.Tensor, ...]:
    """List an operation's outputs, without those it left undefined."""
    if isinstance(result, torch.Tensor):
        return (result,)
    return tuple(leaf for leaf in tree_flatten(result)[0] if leaf is not None)


def concrete(tree: Any, value: Callable[[int], Any], n: int) -> Any:
    """Put tensors and integers in the place of each `Ref` and `Size`.

    Arguments are sequences and dicts of plain things alone; PyTorch's walk of any tree takes ten times as long.
    """
    if isinstance(tree, Ref):
        return value(tree.index)
    if isinstance(tree, Size):
        return tree.at(n)
    if isinstance(tree, (tuple, list)):
        return type(tree)([concrete(item, value, n) for item in tree])
    return {key: concrete(item, value, n) for key, item in tree.items()} if isinstance(tree, dict) else tree


def refs(tree: Any) -> list[int]:
    """List the tensors that an argument tree names, in order."""
    return [item.index for item in tree_flatten(tree)[0] if isinstance(item, Ref)]


def _schema(target: Any) -> Any:
    """Give an operation's signature; PyTorch has no public name for it."""
    return target._schema


def _memory(tensor: torch.Tensor) -> int:
    """Give a number that tensors have in common when they share memory; it also holds for empty ones."""
    return int(tensor.untyped_storage()._cdata)


def _bare_name(target: Any) -> str:
    return str(_schema(target).name).rpartition("::")[2]


def name_of(op: Op) -> str:
    """Give an operation's name as a person knows it, without its overload: ``conv1d``."""
    return _bare_name(op.target)


def arguments(op: Op) -> dict[str, Any]:
    """Give each argument by the name it has in the operation's schema, defaults filled in."""
    bound: dict[str, Any] = {}
    for i, argument in enumerate(_schema(op.target).arguments):
        if i < len(op.args):
            bound[argument.name] = op.args[i]
        else:
            default = argument.default_value if argument.has_default_value() else None
            bound[argument.name] = op.kwargs.get(argument.name, default)
    return bound


@dataclass
class _Recorder(TorchDispatchMode):
    """Number every tensor as it appears, and note the operations between them."""

    inputs: Sequence[torch.Tensor]
    numbers: dict[int, int] = field(default_factory=dict)  # id of a tensor -> its number now
    alive: list[torch.Tensor] = field(default_factory=list)  # keeps ids unique while recording
    tensors: list[torch.Tensor] = field(default_factory=list)  # by number
    shapes: list[tuple[int, ...]] = field(default_factory=list)  # as they were when made
    constants: dict[int, torch.Tensor] = field(default_factory=dict)
    moving: set[int] = field(default_factory=set)  # numbers that depend on an input
    overwritten: set[int] = field(default_factory=set)  # ids of tensors whose memory was written by another name
    sharing: dict[int, set[int]] = field(default_factory=dict)  # storage -> ids of its tensors
    ops: list[Op] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        for tensor in self.inputs:
            self.moving.add(self._number(tensor))

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Keep PyTorch from importing its compiler, a second or more, on account of this mode."""
        return False

    def _number(self, tensor: torch.Tensor) -> int:
        number = len(self.tensors)
        self.numbers[id(tensor)] = number
        self.alive.append(tensor)
        self.tensors.append(tensor)
        self.shapes.append(tuple(tensor.shape))
        self.sharing.setdefault(_memory(tensor), set()).add(id(tensor))
        return number

    def ref(self, item: Any) -> Any:
        """Give a tensor's number; one not seen before is a constant of the model."""
        if not isinstance(item, torch.Tensor):
            return item
        if id(item) in self.overwritten:
            raise Unsupported("the model writes into part of a tensor that it reads again")
        if id(item) not in self.numbers:
            self.constants[self._number(item)] = item
        return Ref(self.numbers[id(item)])

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        sent_args, sent_kwargs = tree_map(self.ref, args), tree_map(self.ref, kwargs)
        moving = any(i in self.moving for i in refs((sent_args, sent_kwargs)))
        result = func(*args, **kwargs)
        leaves = _tensors(result)
        if not all(isinstance(leaf, torch.Tensor) for leaf in leaves) or not leaves:
            if moving and not str(func).startswith(("aten.sym_", "aten.size", "aten._assert")):
                raise Unsupported(f"{_bare_name(func)} turns a tensor into a plain number")
            return result
        if _schema(func).is_mutable:
            func = self._functional(func, args[0], result)
        outputs = tuple(self._number(leaf) for leaf in leaves)
        if moving:
            self.moving.update(outputs)
        self.ops.append(Op(func, sent_args, sent_kwargs, outputs))
        return result

    def _functional(self, func: Any, written: torch.Tensor, result: Any) -> Any:
        """Find what an in-place operation computes; other names of the memory it writes must not be read again."""
        name = _bare_name(func)
        overload = _schema(func).overload_name or "default"
        pure = getattr(getattr(torch.ops.aten, name[:-1], None), overload, None) if name[-1] == "_" else None
        if pure is None or result is not written:
            raise Unsupported(f"{name} writes into a tensor")
        self.overwritten |= self.sharing[_memory(written)] - {id(written)}
        return pure


def record(model: Callable[..., Any], rows: Sequence[torch.Tensor]) -> Recording:
    """Record a forward pass on one row (of each input) so that it can be replayed on any number of rows.

    Raises
    ------
    Unsupported
        When the model decides by values, changes its operations with the number of rows, or writes into shared memory.
    """
    with torch.inference_mode():
        two, out_two = _record_once(model, rows, 2)
        three, out_three = _record_once(model, rows, 3)
    if [op.target for op in two.ops] != [op.target for op in three.ops]:
        raise Unsupported("the model does other operations for another number of rows")
    shapes: dict[int, Shape] = {i: _merge(a, b) for i, (a, b) in enumerate(zip(two.shapes, three.shapes, strict=True))}
    if any(isinstance(size, Size) for i in two.constants for size in shapes[i]):
        raise Unsupported("a tensor made outside PyTorch depends on the number of rows")
    ops = tuple(
        _without_row_squeeze(
            Op(a.target, _merge(a.args, b.args), _merge(dict(a.kwargs), dict(b.kwargs)), a.outputs),
            two.shapes,
        )
        for a, b in zip(two.ops, three.ops, strict=True)
    )
    return Recording(
        ops,
        tuple(range(len(rows))),
        two.constants,
        shapes,
        tuple(t.dtype for t in two.tensors),
        _merge(out_two, out_three),
    )


def _record_once(model: Callable[..., Any], rows: Sequence[torch.Tensor], n: int) -> tuple[_Recorder, Any]:
    inputs = [row.repeat(n, *(1 for _ in row.shape[1:])) for row in rows]
    recorder = _Recorder(inputs)
    with recorder:
        output = model(*inputs)
    return recorder, tree_map(recorder.ref, output)


def _merge(a: Any, b: Any) -> Any:
    """Join what the runs on two and on three rows say: equal, or linear in the number of rows."""
    leaves_a, spec_a = tree_flatten(a)
    leaves_b, spec_b = tree_flatten(b)
    if spec_a != spec_b:
        raise Unsupported("the model's structure depends on the number of rows")
    joined = []
    for x, y in zip(leaves_a, leaves_b, strict=True):
        if type(x) is int and type(y) is int and x != y:
            joined.append(Size(x - 2 * (y - x), y - x))
        elif x is y or x == y or repr(x) == repr(y) == "nan":
            joined.append(x)
        else:
            raise Unsupported("a number in the model depends on the number of rows")
    return tree_unflatten(joined, spec_a)


def _without_row_squeeze(op: Op, shapes: list[tuple[int, ...]]) -> Op:
    """Name the axes of a bare ``squeeze()``, so that it leaves a single row its axis."""
    if op.target is not torch.ops.aten.squeeze.default:
        return op
    axes = [i for i, size in enumerate(shapes[refs(op.args)[0]]) if size == 1]
    return Op(torch.ops.aten.squeeze.dims, (op.args[0], axes), {}, op.outputs)
