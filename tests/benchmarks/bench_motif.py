"""Scanning for motifs: one sequence while a person waits, and a genome's worth."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import memelite
import numpy as np
import torch

from nbinterp.motif import fimo, read_motifs

from .case import Case

PEER = "memelite 0.5.0"
ROOT = Path(__file__).resolve().parents[2]


def _one_hot(n: int, length: int) -> np.ndarray:
    codes = np.random.RandomState(0).randint(0, 4, (n, length))
    return (codes[:, None] == np.arange(4)[:, None]).astype(np.int8)


def cases() -> Iterator[Case]:
    """JASPAR's 879 vertebrate motifs on both strands, p < 1e-4."""
    path = Path(os.environ.get("NBINTERP_DATA", ROOT.parent / "shared" / "data")) / "jaspar_core_vertebrates.meme"
    if not path.is_file():
        return
    motifs = read_motifs(path, dtype=torch.float64)
    theirs = {name: one.numpy() for name, one in motifs.items()}
    for n, bar in ((1, 3.0), (100, None), (2000, 1.0)):
        X = _one_hot(n, 2114)
        yield Case(
            f"fimo, {n:,} x 2,114 bp x 879 motifs, tables of hits",
            lambda X=X: fimo(motifs, X),
            lambda X=X: memelite.fimo(theirs, X),
            PEER,
            bar=bar,
            repeats=9 if n == 1 else 3,
        )
    X = _one_hot(1, 4_000_000)
    yield Case(
        "fimo, 4 Mb x 879 motifs, counts",
        lambda: fimo(motifs, X, return_counts=True),
        lambda: memelite.fimo(theirs, X, return_counts=True),
        PEER,
        bar=1.0,
    )
