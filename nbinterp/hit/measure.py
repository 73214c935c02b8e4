"""What is said of each hit.

In: a solved batch.  Out: one array a quantity, one entry a hit.
"""

from __future__ import annotations

import numpy as np

from .bank import Bank
from .exact import Solution
from .scaled import Scaled

__all__ = ["measure"]


def measure(problem: Scaled, bank: Bank, solution: Solution) -> dict[str, np.ndarray]:
    """Quantities of the hits of a batch.

    Returns
    -------
    dict of arrays
        coefficient, of the scaled problem; coefficient_global, in units of the contributions squared; similarity, of the
        contributions with the motif whole; cosine, with the motif as the sequence shows it; importance, the summed sizes of
        the contributions, and importance_sq, their summed squares; explained, the part of importance_sq that the motif
        explains at best beside the other hits; leave_one_out, what the region's squared error gains without the hit,
        relative to the region's squares.
    """
    windows, c = solution.windows, solution.coefficients
    atoms = bank.atoms(problem, windows)
    scales = bank.scales(problem, windows)
    energy = problem.window_energy(windows.region, windows.start, bank.sizes[windows.motif])
    root = np.sqrt(energy)
    squares = np.square(atoms).sum(axis=(1, 2))
    product = bank.inner(problem.y, windows, atoms) / scales
    rest = bank.inner(solution.residual, windows, atoms)
    alone = rest + c * squares  # with what the other hits leave
    gain = 2 * c * rest + np.square(c) * squares
    g = problem.g[windows.region]
    return {
        "coefficient": c,
        "coefficient_global": c * np.square(g),
        "similarity": _over(product, root),
        "cosine": _over(product * scales, root * np.sqrt(squares)),
        "importance": g * _sizes(problem, bank, solution),
        "importance_sq": np.square(g) * energy,
        "explained": _over(np.square(alone), squares * energy),
        "leave_one_out": gain / problem.length,
    }


def _over(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(whole > 0, part / np.maximum(whole, 1e-300), 0)


def _sizes(problem: Scaled, bank: Bank, solution: Solution) -> np.ndarray:
    """Sum of absolute values in each hit's window."""
    windows = solution.windows
    before = np.pad(np.abs(problem.y).sum(axis=1).cumsum(axis=1), ((0, 0), (1, 0)))
    ends = windows.start + bank.sizes[windows.motif]
    return np.asarray(np.maximum(before[windows.region, ends] - before[windows.region, windows.start], 0))
