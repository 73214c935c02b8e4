"""A second device made of the first, which refuses what a GPU would refuse.

Its tensors live on the device ``elsewhere:0`` as far as PyTorch and the code under test can tell; each holds a CPU tensor on
which every operation is really done.  What mixes the two devices raises, as it does on a GPU, and so does reading a tensor
as an array without ``.cpu()``.  So the tests that hold one device against another have something to say on any machine.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch.utils import _pytree as pytree

NAME = "elsewhere"
# what may see both devices: it is there to carry numbers from one to the other
_COPIES = frozenset({"aten::copy_", "aten::_copy_from", "aten::_copy_from_and_resize", "aten::_to_copy"})
# reached with Python's dispatch switched off, where the fallback cannot be found; and what PyTorch makes by giving a new
# tensor its size afterwards, which these tensors cannot follow
_NAMED = (
    *("empty.memory_format", "empty_strided", "_copy_from", "_to_copy", "copy_"),
    *("eye", "eye.m", "arange", "arange.start", "arange.start_step", "linspace", "randperm"),
)


class Elsewhere(torch.Tensor):
    """A tensor of the second device."""

    here: torch.Tensor

    @staticmethod
    def __new__(cls, here: torch.Tensor) -> Elsewhere:  # noqa: PYI034 - Self is not in Python 3.10's typing
        """Look like `here`, but for the device."""
        made: Elsewhere = torch.Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls, here.size(), strides=here.stride(), storage_offset=here.storage_offset(), dtype=here.dtype,
            device=torch.device(NAME, 0),
        )  # fmt: skip
        made.here = here
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Do it here and say that it was done there."""
        del types
        return _perform(func, args, kwargs or {})


def _perform(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    name = func._schema.name
    flat, spec = pytree.tree_flatten((args, kwargs))
    there = [t for t in flat if isinstance(t, Elsewhere)]
    mixed = [t for t in flat if isinstance(t, torch.Tensor) and not isinstance(t, Elsewhere) and t.dim() > 0]
    if there and mixed and name not in _COPIES:
        raise RuntimeError(f"Expected all tensors to be on the same device, but {name} got {NAME} and cpu")
    device = kwargs.get("device")
    made_there = bool(there) if device is None else torch.device(device).type == NAME
    plain = [torch.device("cpu") if isinstance(v, torch.device) else getattr(v, "here", v) for v in flat]
    plain_args, plain_kwargs = pytree.tree_unflatten(plain, spec)
    # inference tensors keep no version, which tensors made in Python must
    with torch.inference_mode(False), torch.no_grad():
        result = func(*plain_args, **plain_kwargs)
    written = {id(t.here): t for t in there}  # an operation in place gives back the tensor it was given

    def place(value: Any) -> Any:
        if not isinstance(value, torch.Tensor) or not made_there:
            return value
        return written.get(id(value)) if id(value) in written else Elsewhere(value)

    with torch.inference_mode(False):
        return pytree.tree_map(place, result)


@functools.cache
def install() -> tuple[torch.library.Library, ...]:
    """Make the device known to PyTorch, once a process, before the first gradient is taken in it."""
    from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

    _setup_privateuseone_for_python_backend(NAME)
    every = torch.library.Library("_", "IMPL")
    every.fallback(lambda func, *args, **kwargs: _perform(func, args, kwargs), "PrivateUse1")
    named = torch.library.Library("aten", "IMPL")
    for full in _NAMED:
        name, _, overload = full.partition(".")
        func = getattr(getattr(torch.ops.aten, name), overload or "default")
        named.impl(full, functools.partial(_call, func), "PrivateUse1")
    return every, named  # they hold as long as these live


def _call(func: Any, *args: Any, **kwargs: Any) -> Any:
    return _perform(func, args, kwargs)
