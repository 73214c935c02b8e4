"""Annotations: counts, pairs and spacings of 100,000."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tangermeme.annotate
import torch

from nbinterp.annotation import count_annotations, pairwise_annotations, pairwise_annotations_spacing

from .case import Case

PEER = "tangermeme 1.6.0"


def _annotations(n_examples: int, each: int) -> torch.Tensor:
    """Example, annotation (of 50), start and end of annotations of 8 bases that do not overlap."""
    rng = np.random.default_rng(0)
    start = np.cumsum(rng.integers(8, 60, (n_examples, each)), axis=1)
    example = np.repeat(np.arange(n_examples), each)
    kind = rng.integers(0, 50, n_examples * each)
    return torch.from_numpy(np.stack([example, kind, start.ravel(), start.ravel() + 8], axis=1))


def cases() -> Iterator[Case]:
    """The three counts."""
    X = _annotations(5000, 20)
    yield Case(
        "pairwise_annotations_spacing, 100,000 annotations in 5,000 examples",
        lambda: pairwise_annotations_spacing(X, dtype=torch.int32),
        lambda: tangermeme.annotate.pairwise_annotations_spacing(X, dtype=torch.int32),
        PEER,
        bar=20,
        repeats=1,
    )
    pairs = X[:, :2].contiguous()
    yield Case(
        "pairwise_annotations, 100,000 annotations in 5,000 examples",
        lambda: pairwise_annotations(pairs),
        lambda: tangermeme.annotate.pairwise_annotations(pairs),
        PEER,
        repeats=1,
    )
    yield Case(
        "count_annotations, 100,000 annotations in 5,000 examples",
        lambda: count_annotations(pairs),
        lambda: tangermeme.annotate.count_annotations(pairs),
        PEER,
    )
