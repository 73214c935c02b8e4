"""Frozen results that more than one function returns, and those that unpack as tangermeme's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import torch

__all__ = [
    "AttributionReferencesResult",
    "PerturbationAnnotationsResult",
    "PerturbationResult",
    "SaturationMutagenesisRawResult",
    "SpaceResult",
]


class PerturbationResult(NamedTuple):
    """What a perturbation did: the output of `func` before and after."""

    y_before: Any
    y_after: Any


class PerturbationAnnotationsResult(NamedTuple):
    """What the perturbation of each of A annotations did: outputs of `func` before and after, annotations first."""

    y_befores: Any
    y_afters: Any


class SpaceResult(NamedTuple):
    """Outputs of `func` before ``(N, ...)``, and with motifs at each of S spacings ``(N, S, ...)``."""

    y_before: Any
    y_afters: Any


class AttributionReferencesResult(NamedTuple):
    """Attributions ``(N, 4, L)`` and the references ``(N, R, 4, L)`` that they were computed against."""

    attributions: torch.Tensor
    references: torch.Tensor


class SaturationMutagenesisRawResult(NamedTuple):
    """Predictions of the sequence ``(N, ...)`` and of each of its single edits ``(N, 4, W, ...)``."""

    y0: Any
    y_hat: Any
