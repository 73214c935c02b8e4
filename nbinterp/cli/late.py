"""Libraries that load when they are used.

In: a library's name.  Out: in its place, a module that becomes the library at the first look at it.  So a command that does not
compute with torch does not wait a second for it.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

__all__ = ["load_late"]


class _Late(ModuleType):
    """What ``import`` finds in the library's place; `importlib.util.LazyLoader` would load it at every second ``import``."""

    def __getattr__(self, name: str) -> Any:
        spec, self.__class__ = self.__spec__, ModuleType  # type: ignore[assignment]
        if spec is None or spec.loader is None:
            raise AttributeError(name)
        if spec.submodule_search_locations is not None:
            self.__path__ = spec.submodule_search_locations
        for whole, part in list(sys.modules.items()):  # imported alone; names of the library's own go before
            if whole.rpartition(".")[0] == spec.name:
                setattr(self, whole.rpartition(".")[2], part)
        spec.loader.exec_module(self)
        return getattr(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if not isinstance(value, ModuleType):
            super().__setattr__(name, value)


def load_late(name: str, *, parts: bool = False) -> None:
    """Let ``import`` of a library cost nothing until something of it is asked for.

    With `parts` its modules can be imported alone; else that, too, loads the whole first.
    """
    spec = None if name in sys.modules else find_spec(name)
    if spec is not None:
        module = module_from_spec(spec)
        if not parts:
            vars(module).pop("__path__", None)
        module.__class__ = _Late
        sys.modules[name] = module
