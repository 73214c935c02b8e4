"""Many small non-negative quadratic problems at once, exactly.

minimise  1/2 c'Qc - h'c  over  c >= 0,  for thousands of small Q.

Coordinate descent finds which coefficients are not zero, a linear system gives their values; the conditions of Karush, Kuhn and
Tucker decide.  Coefficients are visited in the order given: of two that do the same, the first one takes it all.
"""

from __future__ import annotations

import torch

__all__ = ["solve_blocks"]

_SWEEPS = 4  # between two linear systems
_ROUNDS = 200
_RIDGE = 1e-9


def solve_blocks(Q: torch.Tensor, h: torch.Tensor, tolerance: float = 1e-10) -> torch.Tensor:
    """Solve them all.

    Parameters
    ----------
    Q : float64 tensor (n, K, K)
        Positive semidefinite; rows and columns of zeros where a problem is smaller than K.
    h : float64 tensor (n, K)
        Zero there, too.
    tolerance : float
        On the conditions, relative to the largest of each h.

    Returns
    -------
    tensor (n, K)
        Of those that do not meet the tolerance in the end, the best that was found.

    Examples
    --------
    >>> Q = torch.tensor([[[1.0, 1.0], [1.0, 1.0]]]).double()  # twins: the first one takes it all
    >>> solve_blocks(Q, torch.tensor([[0.5, 0.5]]).double()).tolist()
    [[0.5, 0.0]]
    """
    c = torch.zeros_like(h)
    bound = tolerance * h.abs().amax(dim=1).clamp_min(1e-300)
    open_ = torch.arange(len(h), device=h.device)
    for _ in range(_ROUNDS):
        part = _polish(Q[open_], h[open_], _descend(Q[open_], h[open_], c[open_]))
        c[open_] = part
        slope = h[open_] - torch.einsum("nij,nj->ni", Q[open_], part)
        wrong = torch.where(part > 0, slope.abs(), slope).amax(dim=1)
        open_ = open_[wrong > bound[open_]]
        if not len(open_):
            break
    return c


def _descend(Q: torch.Tensor, h: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    """A few sweeps over the coefficients, each set to its best with the others as they are."""
    slope = h - torch.einsum("nij,nj->ni", Q, c)
    diagonal = torch.diagonal(Q, dim1=1, dim2=2)
    inverse = torch.where(diagonal > 0, 1 / diagonal.clamp_min(1e-300), 0)
    least = 1e-13 * h.abs().amax(dim=1)  # rounding alone: of twins, what the first one leaves
    c = c.clone()
    for _ in range(_SWEEPS):
        for k in range(h.shape[1]):
            new = c[:, k] + slope[:, k] * inverse[:, k]
            new = torch.where(new > least * inverse[:, k], new, 0)
            slope -= Q[:, :, k] * (new - c[:, k])[:, None]
            c[:, k] = new
    return c


def _polish(Q: torch.Tensor, h: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    """Solve for the coefficients that are not zero; those that would fall below zero stop there and drop out."""
    eye = torch.eye(h.shape[1], dtype=h.dtype, device=h.device)
    for _ in range(h.shape[1]):
        active = c > 0
        system = torch.where(active[:, :, None] & active[:, None, :], Q, eye)
        # a little on the diagonal: where Q is singular, the way leads to a border, and one coefficient drops out
        ridge = _RIDGE * torch.diagonal(system, dim1=1, dim2=2).amax(dim=1)
        factor, failed = torch.linalg.cholesky_ex(system + ridge[:, None, None] * eye)
        wanted = torch.where(active, h, 0)[:, :, None]
        aim = torch.cholesky_solve(wanted, factor)
        aim = (aim + torch.cholesky_solve(wanted - system @ aim, factor))[:, :, 0]  # and taken off again
        usable = (failed == 0) & aim.isfinite().all(dim=1)
        falls = active & (aim < 0) & usable[:, None]
        room = torch.where(falls, c / (c - aim).clamp_min(1e-300), 1.0)
        step = room.amin(dim=1, keepdim=True)
        moved = torch.where(active, c + step * (aim - c), 0).clamp_min(0)
        moved[falls & (room <= step)] = 0
        better = usable & (_value(Q, h, moved) <= _value(Q, h, c))
        c = torch.where(better[:, None], moved, c)
        if not (falls.any(dim=1) & better).any():
            break
    return c


def _value(Q: torch.Tensor, h: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    return 0.5 * torch.einsum("ni,nij,nj->n", c, Q, c) - (h * c).sum(dim=1)
