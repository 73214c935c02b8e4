"""Hit calling written out: every window of every motif as one column of a matrix."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nbinterp.hit import HitMotifs


class Dense(NamedTuple):
    """The lasso of one region: ``y``, one column of ``A`` a window, and where each column stands."""

    y: np.ndarray
    A: np.ndarray
    penalty: np.ndarray
    place: list[tuple[int, int]]

    def objective(self, c: np.ndarray) -> float:
        return float(0.5 * np.square(self.y - self.A @ c).sum() + self.penalty @ c)

    def relative_gap(self, c: np.ndarray) -> float:
        """From the definition: the primal at c, less the dual at the residual shrunk until it is feasible."""
        residual = self.y - self.A @ c
        shrunk = residual / max(1.0, float((self.A.T @ residual / self.penalty).max()))
        dual = 0.5 * self.y @ self.y - 0.5 * np.square(self.y - shrunk).sum()
        return float((self.objective(c) - dual) / max(self.objective(c), 1e-300))

    def coefficients(self, found: dict[tuple[int, int], float]) -> np.ndarray:
        assert set(found) <= set(self.place)
        return np.array([found.get(place, 0.0) for place in self.place])


def dense(X: np.ndarray, contributions: np.ndarray, motifs: HitMotifs) -> Dense:
    """Build it for one region; contributions ``(L,)`` at the observed bases, or hypothetical ``(4, L)``."""
    length = X.shape[1]
    seen = X if contributions.ndim == 1 else np.ones_like(X)
    y = contributions * seen
    y = y / np.sqrt(np.square(y).sum() / length)
    columns, penalty, place = [], [], []
    for m in range(len(motifs)):
        width, first, last = motifs.widths[m], motifs.starts[m], motifs.ends[m]
        for at in range(length - width + 1):
            start, end = at + first, at + last
            atom = np.zeros_like(y)
            atom[:, start:end] = motifs.weights[m, :, first:last] * seen[:, start:end]
            columns.append((atom / np.sqrt(np.square(y[:, start:end]).sum() + 1)).ravel())
            penalty.append(motifs.lambdas[m])
            place.append((m, int(start)))
    return Dense(y.ravel(), np.array(columns).T, np.array(penalty), place)


def descend(problem: Dense, sweeps: int = 400) -> np.ndarray:
    """Plain coordinate descent over every window."""
    c, residual, squares = np.zeros(problem.A.shape[1]), problem.y.copy(), np.square(problem.A).sum(axis=0)
    for _ in range(sweeps):
        for k in np.flatnonzero(squares):
            new = max(0.0, c[k] + (problem.A[:, k] @ residual - problem.penalty[k]) / squares[k])
            if new != c[k]:
                residual -= problem.A[:, k] * (new - c[k])
                c[k] = new
    return c
