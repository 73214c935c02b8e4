"""One door to every attribution method, for reports and command lines.

In: a model, sequences and a method's name.  Out: hypothetical scores ``(N, 4, L)``; times the one-hot they are the scores
of the bases that are there.
"""

from __future__ import annotations

from typing import Any

import torch

from ..core.check import check_choice
from ..core.methods import METHODS
from ..errors import problem
from .deep_lift_shap import deep_lift_shap
from .gradient import expected_gradients, input_x_gradient, integrated_gradients, saliency
from .ism import saturation_mutagenesis

__all__ = ["attribute"]


def attribute(
    model: Any,
    X: Any,
    method: str = "deep_lift_shap",
    *,
    target: int = 0,
    n_shuffles: int = 20,
    batch_size: int = 64,
    random_state: int | None = 0,
    device: torch.device | str | None = None,
    verbose: bool = False,
) -> torch.Tensor:
    """Attribute by a method's name.

    Parameters
    ----------
    model, X, target, batch_size, device, verbose
        As in `deep_lift_shap`.
    method : str
        One of `core.methods.METHODS`.
    n_shuffles, random_state
        For methods with references.

    Returns
    -------
    torch.Tensor, shape (N, 4, L)
        Hypothetical scores: of every base, as if it were there.

    Raises
    ------
    NbinterpError
        For an unknown method, or scores that are not finite.

    Examples
    --------
    >>> from nbinterp import random_one_hot
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(40, 1))
    >>> tuple(attribute(model, random_one_hot((2, 4, 10), random_state=0), "saliency").shape)
    (2, 4, 10)
    """
    check_choice("attribute", "method", method, METHODS)
    common: dict[str, Any] = {"batch_size": batch_size, "hypothetical": True, "device": device, "verbose": verbose}
    shuffled: dict[str, Any] = {"n_shuffles": n_shuffles, "random_state": random_state}
    if method == "deep_lift_shap":
        scores = deep_lift_shap(model, X, target=target, **common, **shuffled)
    elif method == "expected_gradients":
        scores = expected_gradients(model, X, target=target, **common, **shuffled)
    elif method == "saturation_mutagenesis":
        scores = saturation_mutagenesis(model, X, target=target, **common)
    elif method == "integrated_gradients":
        scores = integrated_gradients(model, X, target=target, **common)
    elif method == "input_x_gradient":
        scores = input_x_gradient(model, X, target=target, **common)
    else:
        scores = saliency(model, X, target=target, **common)
    if not bool(torch.isfinite(scores).all()):
        raise problem("attribute", "model", got="scores that are NaN or infinite", need="numbers", do="check the model")
    return scores  # type: ignore[no-any-return]
