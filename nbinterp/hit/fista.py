"""Fi-NeMo's own iteration, step by step, for parity with it.

Fast iterative shrinkage with a fixed step, begun again with a smaller one when it overflows, stopped by the expression that
Fi-NeMo takes for the duality gap.  That expression lacks a factor: regions stop early, two thirds of them above the
tolerance.  `solve_exact` is what should be used.

Source: Beck and Teboulle 2009; Fi-NeMo 0.41.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import torch

from ..errors import NbinterpWarning
from .bank import Bank, Windows
from .exact import Solution, certify
from .motifs import HitMotifs
from .scaled import Scaled

__all__ = ["FistaOptions", "FistaSolution", "solve_fista"]


class FistaOptions(NamedTuple):
    """Fi-NeMo's options of the same names."""

    step_size_max: float = 3.0
    step_size_min: float = 0.08
    step_adjust: float = 0.7
    convergence_tol: float = 0.0005
    max_steps: int = 10000


class FistaSolution(NamedTuple):
    """What `solve_exact` gives, and Fi-NeMo's own numbers of each region."""

    solution: Solution
    nll: torch.Tensor
    dual_gap: torch.Tensor
    num_steps: torch.Tensor
    step_size: torch.Tensor


class _State(NamedTuple):
    """Regions that still move: which they are, and where they are."""

    region: torch.Tensor
    c: torch.Tensor
    z: torch.Tensor
    steps: torch.Tensor
    step: torch.Tensor

    def take(self, which: torch.Tensor) -> _State:
        return _State(*(part[which] for part in self))


def solve_fista(problem: Scaled, motifs: HitMotifs, bank: Bank, options: FistaOptions | None = None) -> FistaSolution:
    """Solve every region of a batch as Fi-NeMo does, in float32."""
    options = options or FistaOptions()
    dense = _Dense(problem, motifs)
    n = len(problem.y)
    shape = (len(motifs), problem.length - motifs.weights.shape[2] + 1)
    one = problem.y.new_ones(n, dtype=torch.float32)
    state = _State(
        torch.arange(n, device=one.device),
        one.new_zeros(n, *shape),
        one.new_zeros(n, *shape),
        0 * one,
        one * options.step_size_max,
    )
    facts = one.new_zeros(4, n)
    found: list[tuple[torch.Tensor, Windows]] = []
    stuck = torch.zeros((), dtype=torch.long, device=one.device)
    while len(state.region):
        state, gap, nll = _step(state, dense)
        failed = ~gap.isfinite()
        tried = torch.where(failed, state.step * options.step_adjust, state.step)
        hopeless = failed & (tried < options.step_size_min)
        done = (gap <= options.convergence_tol) | (state.steps > options.max_steps) | hopeless
        stuck += (done & ~(gap <= options.convergence_tol)).sum()
        c, z = (torch.where(failed[:, None, None], 0, part) for part in (state.c, state.z))
        clean = _State(state.region, c, z, torch.where(failed, 0, state.steps), tried)
        if done.any():
            over = clean.take(done)
            facts[:, over.region] = torch.stack([nll[done], gap[done], over.steps, over.step])
            region, motif, start = torch.nonzero(over.c, as_tuple=True)
            first = torch.as_tensor(motifs.starts, device=start.device)[motif]
            found.append((over.c[region, motif, start], Windows(over.region[region], motif, start + first)))
            clean = clean.take(~done)
        state = clean
    if stuck:
        warnings.warn(
            f"solve_fista: {int(stuck)} regions did not converge; solver='exact' does", NbinterpWarning, stacklevel=2
        )
    return FistaSolution(_solution(problem, bank, found), facts[0], facts[1], facts[2].long(), facts[3])


class _Dense:
    """Fi-NeMo's dense arrays: every motif at every place, float32."""

    def __init__(self, problem: Scaled, motifs: HitMotifs) -> None:
        device = problem.y.device
        inside = torch.zeros(motifs.weights.shape[0], 1, motifs.weights.shape[2], device=device)
        for m, (start, end) in enumerate(zip(motifs.starts, motifs.ends, strict=True)):
            inside[m, :, start:end] = 1
        self.weights = torch.as_tensor(motifs.weights, device=device).float() * inside
        self.lambdas = torch.as_tensor(motifs.lambdas, device=device).float()[:, None]
        if problem.y.shape[1] == 1:
            bases = torch.nn.functional.one_hot(problem.codes.long(), 5)[..., :4].transpose(1, 2).float()
            self.y, self.seen = problem.y.float() * bases, bases
        else:
            self.y, self.seen = problem.y.float(), torch.ones(len(problem.y), 1, 1, device=device)
        energy = torch.nn.functional.conv1d(self.y.square(), inside.expand(-1, 4, -1))
        self.scales = (energy + 1).rsqrt().clamp_max(10)


def _step(state: _State, dense: _Dense) -> tuple[_State, torch.Tensor, torch.Tensor]:
    """One step from z; the gap and the loss are those of z."""
    region, y, scales, lambdas = state.region, dense.y[state.region], dense.scales[state.region], dense.lambdas
    residual = y - dense.seen[region] * torch.nn.functional.conv_transpose1d(state.z * scales, dense.weights)
    slope = torch.nn.functional.conv1d(residual, dense.weights) * scales
    squares, cost = residual.square().sum(dim=(1, 2)), (lambdas * state.z.abs()).sum(dim=(1, 2))
    dual = (1 / (slope / lambdas).amax(dim=(1, 2))).clamp_max(1)
    gap = (0.5 * squares * (1 + dual**2) - (residual * y).sum(dim=(1, 2)) + cost).abs() / y.shape[2]
    c = torch.relu(state.z + state.step[:, None, None] * (slope - lambdas))
    momentum = (state.steps / (state.steps + 3))[:, None, None]
    z = (1 + momentum) * c - momentum * state.c
    return _State(region, c, z, state.steps + 1, state.step), gap, 0.5 * squares / y.shape[2]


def _solution(problem: Scaled, bank: Bank, found: list[tuple[torch.Tensor, Windows]]) -> Solution:
    """What is true of the coefficients that were found: their residual, objective and duality gap."""
    windows = Windows(*(torch.cat(parts) for parts in zip(*(w for _, w in found), strict=True)))
    return certify(problem, bank, windows, torch.cat([c for c, _ in found]).double())
