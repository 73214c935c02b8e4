"""Contributions with no motifs in them: the same values of the same bases, in another order.

In: regions.  Out: regions of the same make whose positions are permuted, bases and contributions together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..errors import problem

__all__ = ["permute_regions"]


def permute_regions(
    X: Any, contributions: Any, random_state: int | np.random.RandomState | None = None, *, block: int = 1
) -> tuple[torch.Tensor, torch.Tensor]:
    """Permute the positions of each region, bases and contributions together.

    Parameters
    ----------
    X : tensor or array (N, 4, L)
        One-hot.
    contributions : tensor or array (N, L) or (N, 4, L)
    random_state : int, optional
        Seed.  Region i is permuted alike whatever regions stand beside it.
    block : int
        Positions that stay together, so that neighbours are as alike as they were; the last block may be shorter.

    Returns
    -------
    tensors, as the arguments

    Examples
    --------
    >>> X, contributions = permute_regions(np.eye(4)[None], np.arange(4.0)[None], random_state=0)
    >>> (X[0].argmax(0) == contributions[0]).all().item()
    True
    """
    where = "permute_regions"
    sequence, values = torch.as_tensor(X), torch.as_tensor(contributions)
    n, length = sequence.shape[0], sequence.shape[-1]
    if values.shape[0] != n or values.shape[-1] != length:
        got = f"shape {tuple(values.shape)}, and X of {tuple(sequence.shape)}"
        raise problem(where, "contributions", got=got, need="as many regions and positions", do="match them")
    if not 1 <= block <= length:
        raise problem(where, "block", got=block, need=f"1 to {length}", do="1 permutes single positions")
    seeds = np.random.default_rng(
        random_state if not isinstance(random_state, np.random.RandomState) else random_state.randint(2**31)
    )
    keys = torch.from_numpy(seeds.random((n, -(-length // block)))).to(sequence.device)
    spread = keys.repeat_interleave(block, dim=1)[:, :length]
    order = torch.argsort(spread, dim=1, stable=True)
    return _taken(sequence, order), _taken(values, order.to(values.device))


def _taken(values: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    return values.gather(-1, order if values.ndim == 2 else order[:, None].expand(-1, values.shape[1], -1))
