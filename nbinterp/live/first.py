"""What a view shows before anything was edited: predictions and scores of the sequences as they were given.

In: codes and a model.  Out: the engine that will answer edits, and its first answers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from ..attribution import attribute
from ..core.check import check_choice
from ..model import predict
from .engine import Engine
from .repredict import one_hot_of
from .targets import targets_of

__all__ = ["First", "first_answers"]


class First(NamedTuple):
    """The target chosen, predictions (N,) and hypothetical scores (N, 4, L), where they were asked for."""

    target: str
    predictions: np.ndarray | None
    scores: np.ndarray | None


def first_answers(
    codes: np.ndarray,
    model: Any,
    targets: Any,
    target: str,
    method: str,
    n_shuffles: int,
    device: str | None,
    *,
    scores: bool,
    predictions: bool,
) -> tuple[Engine, First]:
    """Make the engine of a view, and what it shows at first.

    Examples
    --------
    >>> from nbinterp import demo
    >>> codes = np.zeros((1, 400), np.uint8)
    >>> engine, first = first_answers(
    ...     codes, demo.load_model(), None, "", "saliency", 20, "cpu", scores=False, predictions=True
    ... )
    >>> first.target, first.predictions.shape
    ('enhancer', (1,))
    """
    X = torch.cat([one_hot_of(row, "cpu", torch.int8) for row in codes])
    offered = targets_of(model, X, targets, device)
    chosen = target or next(iter(offered))
    check_choice("LogoView", "target", chosen, offered)
    engine = Engine(offered, codes, n_shuffles=n_shuffles, device=device)
    check_choice("LogoView", "method", method, engine.methods)
    y = predict(offered[chosen], X, device=device).reshape(len(codes)) if predictions else None
    found = attribute(offered[chosen], X, method, n_shuffles=n_shuffles, device=device) if scores else None
    return engine, First(
        chosen, None if y is None else y.float().cpu().numpy(), None if found is None else found.float().cpu().numpy()
    )
