"""Surrogates of a library of SQUID's size, against scikit-learn as SQUID calls it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from nbinterp.mechanism.surrogate_design import Design
from nbinterp.mechanism.surrogate_fit import fit_surrogate
from nbinterp.mechanism.surrogate_linear import fit_ridge

from .case import Case


def cases() -> Iterator[Case]:
    """20,000 sequences of 249 bases, a tenth of each mutated."""
    random = np.random.RandomState(0)
    wild = random.randint(0, 4, 249)
    X = np.where(random.rand(20_000, 249) < 0.1, (wild + random.randint(1, 4, (20_000, 249))) % 4, wild).astype(
        np.uint8
    )
    theta = random.normal(size=(4, 249)) * (random.rand(249) < 0.2)
    phi = theta[X, np.arange(249)].sum(axis=1)
    y = np.tanh((phi - phi.mean()) / phi.std()) + 0.1 * random.normal(size=len(X))
    codes, target = torch.as_tensor(X), torch.as_tensor(y)

    def ours() -> object:
        return fit_ridge(Design(codes, np.zeros((0, 2), np.int64), "cpu"), target, 0.1)

    def theirs() -> object:
        from sklearn.linear_model import Ridge

        return Ridge(alpha=0.1).fit(np.eye(4)[X].reshape(len(X), -1), y)

    yield Case("ridge surrogate, 20,000 x 249", ours, theirs, "scikit-learn Ridge (SQUID's)", bar=1.0)
    yield Case("additive surrogate with a curve, 20,000 x 249", lambda: fit_surrogate(X, y), repeats=1, warm_up=False)
