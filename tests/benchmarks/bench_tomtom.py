"""TOMTOM: 200 JASPAR motifs against 879, warm and in a fresh process, and one-hot seqlets."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import memelite
import numpy as np

from nbinterp.motif.meme import read_meme
from nbinterp.motif.tomtom import tomtom

from .case import Case

PEER = "memelite 0.5.0"
DATA = Path(os.environ.get("NBINTERP_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


def _fresh(module: str) -> Callable[[], None]:
    """A first call in a process that finds no compiled code, as on a new machine."""
    code = (
        f"import numpy as np; from {module} import tomtom; rng = np.random.default_rng(0); "
        "motifs = [rng.dirichlet([0.3] * 4, 10).T for _ in range(879)]; tomtom(motifs[:200], motifs)"
    )

    def call() -> None:
        with tempfile.TemporaryDirectory() as empty:
            subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "NUMBA_CACHE_DIR": empty})

    return call


def cases() -> Iterator[Case]:
    """Motifs and seqlets."""
    yield Case(
        "tomtom, import and first call in a fresh process, 200 x 879",
        _fresh("nbinterp.motif.tomtom"),
        _fresh("memelite"),
        PEER,
        bar=20,
        repeats=1,
        warm_up=False,
    )
    path = DATA / "jaspar_core_vertebrates.meme"
    if not path.exists():
        return
    motifs = [one.double().numpy() for one in read_meme(path).values()]
    yield Case(
        "tomtom, warm, 200 x 879 JASPAR motifs",
        lambda: tomtom(motifs[:200], motifs),
        lambda: memelite.tomtom(motifs[:200], motifs),
        PEER,
        bar=1,
        repeats=5,
    )
    rng = np.random.default_rng(0)
    seqlets = [np.eye(4)[:, rng.integers(0, 4, rng.integers(8, 20))] for _ in range(500)]
    yield Case(
        "tomtom, warm, 500 one-hot seqlets x 879 JASPAR motifs, the nearest",
        lambda: tomtom(seqlets, motifs, n_nearest=1),
        lambda: memelite.tomtom(seqlets, motifs, n_nearest=1),
        PEER,
        repeats=3,
    )
