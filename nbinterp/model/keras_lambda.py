"""Keras Lambda layers, recognised and never run.

In: a layer's configuration, whose code is marshalled Python.  Out: a registered module, for the one lambda that published
models have: ChromBPNet's sum of counts on the log scale.  Code from a file is not executed here, and not even unmarshalled:
the names in it are read as bytes.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import nn

from .networks import Exp, Log

__all__ = ["LogSumExp", "build_lambda"]

_NAME: Final = re.compile(rb"[A-Za-z_]\w+\Z")
# lambda x: tf.math.reduce_logsumexp(x, axis=-1, keepdims=True)
_LOG_SUM_EXP: Final = frozenset({"tf", "math", "reduce_logsumexp", "axis", "keepdims"})


class LogSumExp(nn.Module):
    """Logarithm of the sum of exponentials over the features, of registered steps that attribution rules find."""

    def __init__(self) -> None:
        super().__init__()
        self.exp, self.log = Exp(), Log()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C) to (N, 1)."""
        total: torch.Tensor = self.log(self.exp(x).sum(dim=1, keepdim=True))
        return total


def build_lambda(config: Mapping[str, Any]) -> nn.Module | None:
    """Translate a Lambda layer; None when it is not one that is known."""
    function = config.get("function")
    if isinstance(function, Mapping):  # Keras 3
        function = function.get("config", {}).get("code")
    if isinstance(function, (list, tuple)):  # Keras 2: code, defaults, closure
        function = function[0] if function and not any(function[1:]) else None
    if not isinstance(function, str) or config.get("arguments"):
        return None
    try:
        raw = base64.b64decode(function)
    except (binascii.Error, ValueError):
        return None
    return LogSumExp() if _names(raw) == _LOG_SUM_EXP else None


def _names(marshalled: bytes) -> frozenset[str]:
    """The names of two letters and more among the short strings of marshalled code: type, length, bytes."""
    found = set()
    for match in re.finditer(rb"[zZ\xda\xfa](.)", marshalled, re.DOTALL):
        text = marshalled[match.end() : match.end() + match[1][0]]
        if _NAME.match(text):
            found.add(text.decode())
    return frozenset(found)
