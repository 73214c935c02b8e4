"""Names of the attribution methods, for those who offer them and must not load torch to do so."""

from __future__ import annotations

from typing import Final

__all__ = ["METHODS"]

METHODS: Final = (
    "deep_lift_shap",
    "saturation_mutagenesis",
    "integrated_gradients",
    "expected_gradients",
    "input_x_gradient",
    "saliency",
)
