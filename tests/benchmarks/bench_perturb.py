"""Experiments of many edits, against the peer's, which predicts each annotation or spacing in a call of its own.

Ours are measured on the second call, when the model's plan is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import nn

from nbinterp.perturb import ablate_annotations, marginalize_annotations, space
from nbinterp.sequence import random_one_hot

from .bench_saturation_mutagenesis import BPNetLike, deepstarr_like
from .case import Case

PEER = "tangermeme 1.6.0"
ANNOTATIONS = 200


def spans(length: int, sequences: int) -> torch.Tensor:
    """Annotations of 6 to 24 bases, spread over the sequences."""
    generator = torch.Generator().manual_seed(0)
    width = torch.randint(6, 25, (ANNOTATIONS,), generator=generator)
    start = (torch.rand(ANNOTATIONS, generator=generator) * (length - width)).long()
    return torch.stack([torch.arange(ANNOTATIONS) % sequences, start, start + width], dim=1)


def theirs(module: str, name: str, *args: Any, **options: Any) -> Callable[[], Any]:
    import importlib

    return partial(getattr(importlib.import_module(f"tangermeme.{module}"), name), *args, **options)


def cases() -> Iterator[Case]:
    """Give ablations, marginalizations and spacings on a dilated and on a pooled network, and without plans."""
    torch.manual_seed(0)
    attention = nn.Sequential(nn.Conv1d(4, 32, 15, padding=7), nn.Softmax(dim=2), nn.Flatten(), nn.Linear(16000, 1))
    networks = (
        ("BPNet-like", BPNetLike(32, 7).eval(), 1000, 4.0),
        ("DeepSTARR-like", deepstarr_like(), 249, 2.0),
        ("no plan", attention.eval(), 500, None),
    )
    for label, model, length, bar in networks:
        X, X0 = random_one_hot((10, 4, length), random_state=0).float(), random_one_hot((8, 4, length), random_state=1)
        on: dict[str, Any] = {"device": "cpu"}
        for where, sequences in (("one sequence", 1), ("ten", 10)):
            given = (model, X, spans(length, sequences))
            for n in (1, 20):
                options = {"n": n, "random_state": 0, **on}
                name = f"ablate 200 annotations of {where}, n={n}, {label}"
                least = (bar if sequences == 1 else 2.0) if bar else None
                peer = theirs("ablate", "ablate_annotations", *given, **options)
                yield Case(name, partial(ablate_annotations, *given, **options), peer, PEER, least, repeats=1)
        given = (model, X, X0.float(), spans(length, 10))
        name = f"marginalize 200 annotations in 8 backgrounds, {label}"
        peer = theirs("marginalize", "marginalize_annotations", *given, **on)
        least = 2.0 if bar else None
        yield Case(name, partial(marginalize_annotations, *given, **on), peer, PEER, least, repeats=1)
        motifs = (model, X0.float(), ["TGACTCA", "GATAAG"], [[gap] for gap in range(100)])
        name = f"space over 100 spacings in 8 backgrounds, {label}"
        yield Case(name, partial(space, *motifs, **on), theirs("space", "space", *motifs, **on), PEER, 1.0, repeats=1)
