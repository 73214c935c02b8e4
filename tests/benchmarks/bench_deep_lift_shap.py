"""DeepLIFT/SHAP of one sequence against twenty references, next to the peer's.

Ours runs the sequence forward once for all its references and carries one gradient; the peer runs it once for each and
carries two.  With default shuffles the drawing of references is in both times.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch

from nbinterp.attribution.deep_lift_shap import deep_lift_shap
from nbinterp.sequence import dinucleotide_shuffle

from .bench_saturation_mutagenesis import BPNetLike, one_hot
from .case import Case


def theirs(model: torch.nn.Module, X: torch.Tensor, **options: Any) -> Any:
    from tangermeme.deep_lift_shap import deep_lift_shap as peer

    return peer(model, X, **options)


def cases() -> Iterator[Case]:
    """Give a BPNet-like model of 2,114 bp with references given and drawn, on each device that is there."""
    torch.manual_seed(0)
    model, X = BPNetLike().eval(), one_hot(2114)
    references = dinucleotide_shuffle(X, n=20, random_state=0)
    for device in ("cpu", "cuda")[: 1 + torch.cuda.is_available()]:
        for name, options in (
            ("20 references given", {"references": references}),
            ("20 shuffles drawn", {"n_shuffles": 20, "random_state": 0}),
        ):
            here = {**options, "device": device}
            yield Case(
                f"DeepLIFT/SHAP, BPNet-like, 2,114 bp, {name}, {device}",
                partial(deep_lift_shap, model, X, **here),
                partial(theirs, model, X, **here),
                "tangermeme 1.6.0",
                2.0,
            )
