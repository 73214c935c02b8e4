"""Which bases moved the prediction, and by how much.

In: a model and one-hot sequences ``(N, 4, L)``.  Out: scores of that shape, of the base that is there or, with
``hypothetical=True``, of all four.  DeepLIFT/SHAP against references (of every output: PISA), exact saturation
mutagenesis, gradients, and dependency maps, which ask how an edit changes the scores of other bases.
"""

from ..model.bilinear import BilinearOp
from .deep_lift_shap import (
    AttributionErrorResult,
    deep_lift_shap,
    hypothetical_attributions,
    integrated_gradients_op,
)
from .dependency_map import dependency_map
from .diagnose import Diagnosis, diagnose
from .faithfulness import FaithfulnessResult, faithfulness
from .gradient import (
    IntegratedGradientsResult,
    expected_gradients,
    input_x_gradient,
    integrated_gradients,
    saliency,
    smooth_grad,
)
from .ism import saturation_mutagenesis
from .methods import attribute
from .pisa import pisa

__all__ = [
    "AttributionErrorResult",
    "BilinearOp",
    "Diagnosis",
    "FaithfulnessResult",
    "IntegratedGradientsResult",
    "attribute",
    "deep_lift_shap",
    "dependency_map",
    "diagnose",
    "expected_gradients",
    "faithfulness",
    "hypothetical_attributions",
    "input_x_gradient",
    "integrated_gradients",
    "integrated_gradients_op",
    "pisa",
    "saliency",
    "saturation_mutagenesis",
    "smooth_grad",
]
