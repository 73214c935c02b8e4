"""Context tests, against their published definitions: one call of the model a tile and shuffle.

CREME itself (creme-nn 0.2.5) asks in this way, on arrays `(L, 4)`; here its loops are written over the same tensors, shuffles
and model, so that what is compared is how the model is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import nn

from nbinterp import demo
from nbinterp.model import predict
from nbinterp.perturb.context import higher_order, necessity, sufficiency
from nbinterp.sequence import dinucleotide_shuffle

from .bench_saturation_mutagenesis import BPNetLike, one_hot
from .case import Case

_PEER = "one call a shuffle"


def _tiles(length: int, width: int) -> list[tuple[int, int]]:
    return [(a, min(a + width, length)) for a in range(0, length, width)]


def _shuffled(X: torch.Tensor, n: int) -> list[torch.Tensor]:
    return [dinucleotide_shuffle(X, n=1, random_state=[j])[:, 0] for j in range(n)]


def loop_necessity(model: nn.Module, X: torch.Tensor, width: int, n: int, device: str) -> list[torch.Tensor]:
    """Shuffle one tile at a time, one prediction at a time."""
    found = []
    for a, b in _tiles(X.shape[2], width):
        for background in _shuffled(X, n):
            made = X.clone()
            made[:, :, a:b] = background[:, :, a:b]
            found.append(predict(model, made, device=device))
    return found


def loop_sufficiency(model: nn.Module, X: torch.Tensor, width: int, n: int, device: str) -> list[torch.Tensor]:
    """Put one tile into one background at a time, and predict both."""
    found = []
    for a, b in _tiles(X.shape[2], width):
        for background in _shuffled(X, n):
            found.append(predict(model, background, device=device))
            made = background.clone()
            made[:, :, a:b] = X[:, :, a:b]
            found.append(predict(model, made, device=device))
    return found


def loop_higher_order(
    model: nn.Module, X: torch.Tensor, width: int, n: int, device: str, rounds: int
) -> list[torch.Tensor]:
    """Greedy rounds of `loop_necessity`."""
    found = []
    for _ in range(rounds):
        found += loop_necessity(model, X, width, n, device)
    return found


def cases() -> Iterator[Case]:
    """Give the demo model (400 bp) and a BPNet-like one (2,114 bp)."""
    torch.manual_seed(0)
    for device in ("cpu", "cuda")[: 1 + torch.cuda.is_available()]:
        for label, model, length, width, n in (
            ("demo model, 400 bp", demo.load_model(), 400, 20, 20),
            ("BPNet-like, 2,114 bp", BPNetLike().eval(), 2114, 50, 5),
        ):
            X, on = one_hot(length), {"n": n, "device": device}
            tests: list[tuple[str, Callable[..., Any], Callable[..., Any], dict[str, Any]]] = [
                ("necessity", necessity, loop_necessity, {}),
                ("sufficiency", sufficiency, loop_sufficiency, {}),
                ("higher order", higher_order, loop_higher_order, {"rounds": 2}),
            ]
            for name, ours, loop, more in tests:
                yield Case(
                    f"context, {name}, {label}, {length // width} tiles, {n} shuffles, {device}",
                    partial(ours, model, X, width, **on, **more),
                    partial(loop, model, X, width, **on, **more),
                    _PEER,
                    bar=2.0,
                    repeats=1,
                )
