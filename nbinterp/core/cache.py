"""Keys made of content, and results kept as long as a model lives.

In: models, tensors, arrays, tables, plain values.  Out: a hex key that is the same for the same content, in any
process; or a value computed once a model.
"""

from __future__ import annotations

import hashlib
import json
import sys
import weakref
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np
import pandas as pd

__all__ = ["ModelCache", "content_hash"]

Value = TypeVar("Value")


def content_hash(*objects: Any) -> str:
    """Hash tensors, arrays, modules (class, structure and state), frames, bytes and JSON-like values to 64 hex digits.

    Examples
    --------
    >>> content_hash({"a": 1, "b": [2]}) == content_hash({"b": [2], "a": 1})
    True
    >>> import torch
    >>> content_hash(torch.zeros(3)) == content_hash(torch.zeros(4))
    False
    """
    digest = hashlib.sha256()
    for item in objects:
        _feed(digest, item)
    return digest.hexdigest()


def _feed(digest: Any, item: Any) -> None:
    if isinstance(item, np.ndarray):
        digest.update(f"array {item.dtype} {item.shape}".encode())
        digest.update(np.ascontiguousarray(item).tobytes())
    elif isinstance(item, pd.DataFrame):
        digest.update(f"frame {list(item.columns)}".encode())
        digest.update(item.to_csv(index=False).encode())
    elif isinstance(item, bytes):
        digest.update(b"bytes")
        digest.update(item)
    elif isinstance(item, dict):
        digest.update(b"{")
        for key in sorted(item, key=str):
            _feed(digest, str(key))
            _feed(digest, item[key])
        digest.update(b"}")
    elif isinstance(item, (list, tuple)):
        digest.update(b"[")
        for value in item:
            _feed(digest, value)
        digest.update(b"]")
    elif isinstance(item, (str, int, float, type(None))) or not _feed_torch(digest, item):
        digest.update(json.dumps(item, default=str).encode() + b"\0")


def _feed_torch(digest: Any, item: Any) -> bool:
    """Feed a module or a tensor, and say whether it was one."""
    torch = sys.modules.get("torch")  # neither can be here when torch is not
    if torch is None or not isinstance(item, (torch.nn.Module, torch.Tensor)):
        return False
    if isinstance(item, torch.nn.Module):
        digest.update(f"module {type(item).__qualname__} {item}".encode())
        for name, value in item.state_dict().items():
            digest.update(name.encode())
            _feed(digest, value)
    else:
        _feed(digest, item.detach().cpu().reshape(-1).view(torch.uint8).numpy() if item.numel() else None)
        digest.update(f"tensor {item.dtype} {tuple(item.shape)}".encode())
    return True


class ModelCache:
    """Values computed once for a model and a key, dropped with the model.

    The cache is its owner's: there is none in this module.

    Examples
    --------
    >>> cache = ModelCache()
    >>> import torch
    >>> model = torch.nn.Linear(2, 1)
    >>> cache.get(model, "key", lambda: 41 + 1), cache.get(model, "key", lambda: 0)
    (42, 42)
    """

    def __init__(self) -> None:
        self._values: weakref.WeakKeyDictionary[Any, dict[Hashable, Any]] = weakref.WeakKeyDictionary()

    def get(self, model: Any, key: Hashable, make: Callable[[], Value]) -> Value:
        """Give the value of `key` for `model`, making it on the first call."""
        try:
            values = self._values.setdefault(model, {})
        except TypeError:  # a callable that cannot be weakly referenced: compute each time
            return make()
        if key not in values:
            values[key] = make()
        value: Value = values[key]
        return value

    def forget(self, model: Any) -> None:
        """Drop what is kept for `model`."""
        self._values.pop(model, None)
