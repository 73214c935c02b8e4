"""Regions with planted motifs, whose contributions are those of the motifs, with noise: the truth is known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

BASES = 4


class Regions(NamedTuple):
    """One-hot ``X``, hypothetical contributions, contribution matrices by name, and what was planted (region, start, name)."""

    X: np.ndarray
    hypothetical: np.ndarray
    motifs: dict[str, np.ndarray]
    truth: list[tuple[int, int, str, str]]

    @property
    def projected(self) -> np.ndarray:
        return (self.X * self.hypothetical).sum(axis=1)


def regions(n: int = 12, length: int = 120, motifs: int = 4, noise: float = 0.05, seed: int = 0) -> Regions:
    """Plant about one motif every 40 positions."""
    rng = np.random.default_rng(seed)
    weights = {f"m{k}": _motif(rng, int(rng.integers(6, 13))) for k in range(motifs)}
    codes = rng.integers(0, BASES, (n, length))
    values = rng.normal(0, noise, (n, BASES, length))
    truth = []
    for region in range(n):
        for slot in range(0, length - 40, 40):
            name = f"m{rng.integers(motifs)}"
            strand = "+-"[rng.integers(2)]
            one = weights[name] if strand == "+" else weights[name][::-1, ::-1]
            start = slot + int(rng.integers(0, 40 - one.shape[1]))
            end = start + one.shape[1]
            codes[region, start:end] = one.argmax(axis=0)
            values[region, :, start:end] += one * rng.lognormal(0, 0.3)
            truth.append((region, start, name, strand))
    X = np.eye(BASES)[codes].transpose(0, 2, 1)
    return Regions(X, values, weights, truth)


def _motif(rng: np.random.Generator, width: int) -> np.ndarray:
    out = rng.normal(-0.2, 0.2, (BASES, width))
    out[rng.integers(0, BASES, width), np.arange(width)] = rng.uniform(0.5, 1.5, width)
    return out
