"""Design, next to the peer's: constructs and motif substitutions in a BPNet-like model.

Ours scores motifs and places together and recomputes only what a motif reaches; the peer runs the model on every
sequence, in constructs place by place.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch

from nbinterp import predict, random_one_hot, substitute
from nbinterp.design import greedy_marginalize, greedy_substitution

from .bench_saturation_mutagenesis import BPNetLike
from .case import Case


def theirs(name: str, *inputs: Any, **options: Any) -> Any:
    import tangermeme.design as peer

    return getattr(peer, name)(*inputs, **options)


def cases() -> Iterator[Case]:
    """Give a construct of two motifs in four backgrounds, and one substitution, on each device that is there."""
    torch.manual_seed(0)
    model, motifs = BPNetLike(32, 5).eval(), ["TGACTCA", "GATAAG", "CCGGAAGT"]
    X = random_one_hot((4, 4, 2114), random_state=0)
    change = predict(model, substitute(X, motifs[0])) - predict(model, X)
    wanted = 3 * change.mean(dim=0, keepdim=True)  # more than one motif can do
    for device in ("cpu", "cuda")[: 1 + torch.cuda.is_available()]:
        marginal = {"y": wanted, "motifs": motifs, "max_iter": 2, "tol": 0.0, "device": device}
        yield Case(
            f"greedy_marginalize, 3 motifs, 4 backgrounds of 2,114 bp, 2 rounds, {device}",
            partial(greedy_marginalize, model, X, **marginal), partial(theirs, "greedy_marginalize", model, X, **marginal),
            "tangermeme 1.6.0", 5.0, repeats=1,
        )  # fmt: skip
        one = {"motifs": motifs[:1], "max_iter": 1, "device": device}
        yield Case(
            f"greedy_substitution, 1 motif, 2,114 bp, 1 round, {device}",
            partial(greedy_substitution, model, X[:1], **one), partial(theirs, "greedy_substitution", model, X[:1], **one),
            "tangermeme 1.6.0", None, repeats=1,
        )  # fmt: skip
