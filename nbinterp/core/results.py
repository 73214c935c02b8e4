"""Frozen results that more than one function returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import torch

__all__ = ["AttributionReferencesResult", "PerturbationResult", "SaturationMutagenesisRawResult"]


class PerturbationResult(NamedTuple):
    """What a perturbation did: the output of `func` before and after."""

    y_before: Any
    y_after: Any


class AttributionReferencesResult(NamedTuple):
    """Attributions ``(N, 4, L)`` and the references ``(N, R, 4, L)`` that they were computed against."""

    attributions: torch.Tensor
    references: torch.Tensor


class SaturationMutagenesisRawResult(NamedTuple):
    """Predictions of the sequence ``(N, ...)`` and of each of its single edits ``(N, 4, W, ...)``."""

    y0: Any
    y_hat: Any
