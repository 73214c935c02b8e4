"""Seqlets: the first call of a fresh process, and a warm one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import numpy as np
import tangermeme.seqlet
import torch

import nbinterp as nb

from .case import Case

PEER = "tangermeme 1.6.0"


def _fresh(module: str) -> Callable[[], None]:
    code = (
        f"import numpy as np; from {module} import recursive_seqlets; "
        "recursive_seqlets(np.random.RandomState(0).laplace(size=(10, 2114)))"
    )
    return lambda: subprocess.run([sys.executable, "-c", code], check=True)  # type: ignore[func-returns-value]


def cases() -> Iterator[Case]:
    """Both callers, and TF-MoDISco's."""
    yield Case(
        "recursive_seqlets, import and first call in a fresh process, 10 x 2,114 bp",
        _fresh("nbinterp"),
        _fresh("tangermeme.seqlet"),
        PEER,
        repeats=1,
        warm_up=False,
    )
    X = np.random.RandomState(0).laplace(scale=0.01, size=(1000, 2114))
    X[:, 1000:1012] += 0.1
    yield Case(
        "recursive_seqlets, warm, 1,000 x 2,114 bp",
        lambda: nb.recursive_seqlets(X),
        lambda: tangermeme.seqlet.recursive_seqlets(X),
        PEER,
    )
    narrow = X[:200].astype(np.float32)
    yield Case(
        "tfmodisco_seqlets, 200 x 2,114 bp",
        lambda: nb.tfmodisco_seqlets(narrow),
        lambda: tangermeme.seqlet.tfmodisco_seqlets(torch.from_numpy(narrow.copy())),
        PEER,
        repeats=1,
    )
