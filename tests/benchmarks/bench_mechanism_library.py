"""Libraries, and what is made of them, against SQUID where it is installed.

SQUID 0.4.9 (MIT) is no dependency of the tests; without it the times stand alone.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from nbinterp.demo import load_model
from nbinterp.mechanism.compile import compile_library
from nbinterp.mechanism.library_combinatorial import combinatorial_library
from nbinterp.mechanism.library_predict import predict_library
from nbinterp.mechanism.library_random import random_library
from nbinterp.mechanism.maps import attribute_library
from nbinterp.mechanism.maps_ism import complete_ism
from nbinterp.model import predict

from .case import Case

REFERENCE = "".join(np.random.RandomState(0).choice(list("ACGT"), 400))
PEER = "SQUID 0.4.9"


def _squid(kind: str, *arguments: Any, **options: Any) -> Callable[[], Any] | None:
    """A mutagenizer of SQUID, told to be quiet."""
    if find_spec("squid") is None:
        return None
    mutagenizer = import_module("squid.mutagenizer")
    x = np.eye(4)[["ACGT".index(base) for base in REFERENCE[:249]]]

    def work() -> Any:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return getattr(mutagenizer, kind)(*arguments, **options)(x, 10_000)

    return work


def cases() -> Iterator[Case]:
    """Give each measurement."""
    yield Case(
        "random library, 10,000 x 249, one-hot",
        lambda: random_library(REFERENCE[:249], 10_000, 0.1).to_one_hot(),
        _squid("RandomMutagenesis", 0.1, seed=0),
        PEER,
        bar=5.0,
    )
    yield Case(
        "combinatorial library, 4^8 of 249, one-hot",
        lambda: combinatorial_library(REFERENCE[:249], window=(100, 108)).to_one_hot(),
        _squid("CombinatorialMutagenesis", -1, mut_window=[100, 107]),
        PEER,
        bar=1.0,
    )
    y = np.random.RandomState(0).normal(size=4**8)
    yield Case("saturation mutagenesis of 4^8 sequences", lambda: complete_ism(combinatorial_library("ACGTTGCA"), y))
    yield Case(
        "table of 100,000 x 249",
        lambda: compile_library(random_library(REFERENCE[:249], 100_000), np.zeros(100_000)),
        repeats=1,
    )
    model = load_model()
    window = combinatorial_library(REFERENCE, window=(200, 205))
    yield Case(
        "predictions of 4^5 sequences of 400, demo model",
        lambda: predict_library(model, window, device="cpu"),
        lambda: predict(model, window, device="cpu"),
        "the model in full",
        bar=2.0,
    )
    singles = combinatorial_library(REFERENCE, 1, window=(200, 220))
    yield Case(
        "saturation mutagenesis of 61 mutants over 20 positions, demo model",
        lambda: attribute_library(model, singles, "saturation_mutagenesis", span=(200, 220), device="cpu"),
        lambda: attribute_library(model, singles, "saturation_mutagenesis", span=(200, 220), fast=False, device="cpu"),
        "each distinct sequence in full",
        bar=2.0,
    )
