"""Regions with planted motifs, whose contributions are those of the motifs, with noise: the truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from nbinterp.hit import Regions as Where
from nbinterp.hit import write_regions
from nbinterp.motif import Pattern, PatternSet, write_modisco

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


def regions(
    n: int = 12, length: int = 120, motifs: int = 4, noise: float = 0.05, seed: int = 0, spacing: int = 40
) -> Regions:
    """Plant about one motif every `spacing` positions."""
    rng = np.random.default_rng(seed)
    weights = {f"m{k}": _motif(rng, int(rng.integers(6, 13))) for k in range(motifs)}
    codes = rng.integers(0, BASES, (n, length))
    values = rng.normal(0, noise, (n, BASES, length))
    truth = []
    for region in range(n):
        for slot in range(0, length - spacing, spacing):
            name = f"m{rng.integers(motifs)}"
            strand = "+-"[rng.integers(2)]
            one = weights[name] if strand == "+" else weights[name][::-1, ::-1]
            start = slot + int(rng.integers(0, spacing - one.shape[1]))
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


class Repeated:
    """Rows, over and over."""

    def __init__(self, rows: np.ndarray, n: int) -> None:
        self._rows, self.shape = rows, (n, *rows.shape[1:])

    def __getitem__(self, rows: slice) -> np.ndarray:
        return np.asarray(self._rows[np.arange(*rows.indices(self.shape[0])) % len(self._rows)])


def peaks(n: int, length: int) -> pd.DataFrame:
    """Side by side on one chromosome, in no order."""
    start = np.random.default_rng(0).permutation(n) * length
    names = [f"p{i}" for i in range(n)]
    return pd.DataFrame({"chr": "chr1", "chr_id": 0, "start": start, "peak_id": np.arange(n), "peak_name": names})


def write_inputs(folder: Path, data: Regions, n: int | None = None, width: int = 30) -> tuple[Path, Path]:
    """Files for a call: `n` regions, repeated where there are fewer, and patterns of one width, as Fi-NeMo needs them."""
    values = data.projected.astype(np.float32)
    n = len(data.X) if n is None else n
    rows: Any = Repeated(data.X.astype(np.int8), n)
    where = Where(rows, Repeated(values, n), peaks(n, data.X.shape[2]), pd.DataFrame())
    write_regions(folder / "regions.npz", where)
    spans = pd.DataFrame({"example_idx": [0], "start": [0], "end": [width], "strand": ["+"]})
    patterns = []
    for i, one in enumerate(data.motifs.values()):
        before = (width - one.shape[1]) // 2
        padded = np.pad(one, ((0, 0), (before, width - one.shape[1] - before)))
        seen = padded * (padded == padded.max(axis=0))
        patterns.append(Pattern(f"pos_patterns.pattern_{i}", padded, seen, padded, spans, {}))
    write_modisco(folder / "modisco.h5", PatternSet(tuple(patterns)))
    return folder / "regions.npz", folder / "modisco.h5"
