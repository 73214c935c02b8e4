"""Small problems by the thousand: conditions of the optimum, where systems are singular, too."""

from __future__ import annotations

import numpy as np
import pytest

from nbinterp.hit.blocks import solve_blocks


@pytest.mark.parametrize("rank", [1, 3, 12])
@pytest.mark.parametrize("noise", [0.0, 1e-9, 1e-3])
def test_conditions_hold_where_systems_are_singular(rank: int, noise: float) -> None:
    """Many coefficients that do nearly the same: none can be raised or lowered to gain."""
    rng = np.random.default_rng(0)
    atoms = rng.normal(size=(200, 12, rank)) @ rng.normal(size=(200, rank, 20)) + noise * rng.normal(size=(200, 12, 20))
    y = rng.normal(size=(200, 20, 1))
    Q, h = atoms @ atoms.transpose(0, 2, 1), (atoms @ y)[:, :, 0] - 0.1
    c = solve_blocks(Q, h)
    slope = h - np.einsum("nij,nj->ni", Q, c)
    scale = np.abs(h).max(axis=1, keepdims=True)
    assert (c >= 0).all()
    assert (slope / scale).max() < 1e-6
    assert (np.where(c > 0, np.abs(slope), 0) / scale).max() < 1e-6


def test_problems_of_other_sizes_and_none() -> None:
    Q = np.zeros((2, 3, 3))
    Q[0, 0, 0] = 2
    h = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert solve_blocks(Q, h).tolist() == [[0.5, 0.0, 0.0], [0.0, 0.0, 0.0]]
    assert solve_blocks(Q[:0], h[:0]).shape == (0, 3)
