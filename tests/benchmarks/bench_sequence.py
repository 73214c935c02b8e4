"""Sequence operations against tangermeme's compiled ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tangermeme.ersatz
import tangermeme.utils

import nbinterp as nb

from .case import Case

PEER = "tangermeme 1.6.0"


def cases() -> Iterator[Case]:
    """Shuffles as DeepLIFT/SHAP draws them, and encoding."""
    X = nb.random_one_hot((50, 4, 2114), random_state=0)
    yield Case(
        "dinucleotide_shuffle, 50 x 20 of 2,114 bp",
        lambda: nb.dinucleotide_shuffle(X, n=20, random_state=0),
        lambda: tangermeme.ersatz.dinucleotide_shuffle(X, n=20, random_state=0),
        PEER,
    )
    text = "".join(np.random.RandomState(0).choice(list("ACGT"), 1_000_000))
    yield Case(
        "one_hot_encode, 1 Mb",
        lambda: nb.one_hot_encode(text),
        lambda: tangermeme.utils.one_hot_encode(text),
        PEER,
        repeats=5,
    )
