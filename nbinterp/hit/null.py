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
    X: Any,
    contributions: Any,
    random_state: int | np.random.RandomState | np.random.Generator | None = None,
    *,
    block: int = 1,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Permute the positions of each region, bases and contributions together.

    Parameters
    ----------
    X : tensor, array or PackedSequence (N, 4, L)
        One-hot.
    contributions : tensor or array (N, L) or (N, 4, L)
    random_state : int, optional
        Seed.  Region i is permuted alike whatever regions stand beside it.  A generator of NumPy's goes on: regions a few at
        a time are permuted as all at once.
    block : int
        Positions that stay together, so that neighbours are as alike as they were; the last block may be shorter.

    Returns
    -------
    tensors, as the arguments

    Raises
    ------
    NbinterpError
        For other shapes, or blocks below 1 or longer than the regions.

    Examples
    --------
    >>> X, contributions = permute_regions(np.eye(4)[None], np.arange(4.0)[None], random_state=0)
    >>> (X[0].argmax(0) == contributions[0]).all().item()
    True
    """
    where = "permute_regions"
    sequence, values = (torch.as_tensor(v.to_one_hot() if hasattr(v, "to_one_hot") else v) for v in (X, contributions))
    if sequence.ndim != 3 or sequence.shape[1] != 4:
        raise problem(where, "X", got=f"shape {tuple(sequence.shape)}", need="(N, 4, L)", do="one-hot encode")
    n, _, length = sequence.shape
    if tuple(values.shape) not in ((n, length), (n, 4, length)):
        need = f"{(n, length)} or {(n, 4, length)}"
        raise problem(where, "contributions", got=f"shape {tuple(values.shape)}", need=need, do="match them with X")
    if not 1 <= block <= length:
        raise problem(where, "block", got=block, need=f"1 to {length}", do="1 permutes single positions")
    seed = random_state.randint(2**31) if isinstance(random_state, np.random.RandomState) else random_state
    rng = np.random.default_rng(seed)
    keys = torch.from_numpy(rng.random((n, -(-length // block)))).to(sequence.device)
    spread = keys.repeat_interleave(block, dim=1)[:, :length]
    order = torch.argsort(spread, dim=1, stable=True)
    return _taken(sequence, order), _taken(values, order.to(values.device))


def _taken(values: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    return values.gather(-1, order if values.ndim == 2 else order[:, None].expand(-1, values.shape[1], -1))
