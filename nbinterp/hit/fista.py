"""Fi-NeMo's own iteration, step by step, for parity with it.

Fast iterative shrinkage with a fixed step, begun again with a smaller one when it overflows, stopped by the expression that
Fi-NeMo takes for the duality gap.  That expression lacks a factor: regions stop early, two thirds of them above the
tolerance.  `solve_exact` is what should be used.

Source: Beck and Teboulle 2009; Fi-NeMo 0.41.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import torch

from ..errors import NbinterpWarning
from .bank import Bank, Windows
from .exact import Solution, certify
from .motifs import HitMotifs
from .scaled import Scaled
from .threads import one_thread

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
    nll: np.ndarray
    dual_gap: np.ndarray
    num_steps: np.ndarray
    step_size: np.ndarray


class _State(NamedTuple):
    """Regions that still move: which they are, and where they are."""

    region: torch.Tensor
    c: torch.Tensor
    z: torch.Tensor
    steps: torch.Tensor
    step: torch.Tensor

    def take(self, which: torch.Tensor) -> _State:
        return _State(*(part[which] for part in self))


def solve_fista(
    problem: Scaled, motifs: HitMotifs, bank: Bank, device: str = "cpu", options: FistaOptions | None = None
) -> FistaSolution:
    """Solve every region of a batch as Fi-NeMo does, in float32."""
    with one_thread():
        facts, found, stuck = _iterate(_Dense(problem, motifs, torch.device(device)), motifs, options or FistaOptions())
    if stuck:
        warnings.warn(
            f"solve_fista: {stuck} regions did not converge; solver='exact' does", NbinterpWarning, stacklevel=2
        )
    windows = Windows(*(np.concatenate(parts) for parts in zip(*(w for _, w in found), strict=True)))
    solution = certify(problem, bank, windows, np.concatenate([c for c, _ in found]))
    return FistaSolution(solution, facts[0], facts[1], facts[2].astype(np.int64), facts[3])


def _iterate(
    dense: _Dense, motifs: HitMotifs, options: FistaOptions
) -> tuple[np.ndarray, list[tuple[np.ndarray, Windows]], int]:
    """Facts of the regions, coefficients and their windows, and how many regions did not converge."""
    n, _, length = dense.y.shape
    shape = (len(motifs), length - motifs.weights.shape[2] + 1)
    one = dense.y.new_ones(n)
    state = _State(
        torch.arange(n, device=one.device),
        one.new_zeros(n, *shape),
        one.new_zeros(n, *shape),
        0 * one,
        one * options.step_size_max,
    )
    facts = one.new_zeros(4, n)
    found: list[tuple[np.ndarray, Windows]] = []
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
            found.append(_windows(over, motifs))
            clean = clean.take(~done)
        state = clean
    return facts.cpu().numpy(), found, int(stuck)


def _windows(state: _State, motifs: HitMotifs) -> tuple[np.ndarray, Windows]:
    """What is above 0, in double precision."""
    places = torch.nonzero(state.c, as_tuple=True)
    region, motif, start = (one.cpu().numpy() for one in (state.region[places[0]], *places[1:]))
    return state.c[places].double().cpu().numpy(), Windows(region, motif, start + motifs.starts[motif])


class _Dense:
    """Fi-NeMo's dense arrays: every motif at every place, float32."""

    def __init__(self, problem: Scaled, motifs: HitMotifs, device: torch.device) -> None:
        y, codes = (torch.as_tensor(one, device=device) for one in (problem.y, problem.codes))
        inside = torch.zeros(motifs.weights.shape[0], 1, motifs.weights.shape[2], device=device)
        for m, (start, end) in enumerate(zip(motifs.starts, motifs.ends, strict=True)):
            inside[m, :, start:end] = 1
        self.weights = torch.as_tensor(motifs.weights, device=device).float() * inside
        self.lambdas = torch.as_tensor(motifs.lambdas, device=device).float()[:, None]
        if y.shape[1] == 1:
            bases = torch.nn.functional.one_hot(codes, 5)[..., :4].transpose(1, 2).float()
            self.y, self.seen = y.float() * bases, bases
        else:
            self.y, self.seen = y.float(), torch.ones(len(y), 1, 1, device=device)
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
