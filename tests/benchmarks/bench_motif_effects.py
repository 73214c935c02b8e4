"""Effects of motifs on both strands and of pairs by distance, against loops over the peer's calls.

The peer marginalizes one motif on one strand a call, predicting the backgrounds each time; its `space` takes one order
and one choice of strands a call, and measures no motif alone.  Ours gives all of it, with the single motifs.  Ours is
measured on the second call, when the model's plan is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import Any

import torch
from torch import nn

from nbinterp.perturb.motif_effects import motif_effects
from nbinterp.perturb.spacing import spacing_effects
from nbinterp.sequence import random_one_hot, reverse_complement

from .bench_saturation_mutagenesis import BPNetLike, deepstarr_like
from .case import Case

_PEER = "tangermeme 1.6.0"


def sites(n: int) -> list[str]:
    """Random sites of 6 to 15 bases."""
    generator = torch.Generator().manual_seed(1)
    widths = torch.randint(6, 16, (n,), generator=generator).tolist()
    return ["".join("ACGT"[i] for i in torch.randint(0, 4, (w,), generator=generator).tolist()) for w in widths]


def their_effects(model: nn.Module, X: torch.Tensor, motifs: list[str], **options: Any) -> Any:
    from tangermeme.marginalize import marginalize

    both = [site for motif in motifs for site in (motif, reverse_complement(motif))]
    return [marginalize(model, X, site, **options) for site in both]


def their_spacings(model: nn.Module, X: torch.Tensor, a: str, b: str, distances: range, **options: Any) -> Any:
    from tangermeme.space import space

    spacings = torch.tensor([[distance] for distance in distances])
    reads = product((a, reverse_complement(a)), (b, reverse_complement(b)))
    pairs = [pair for one, two in reads for pair in ([one, two], [two, one])]
    return [space(model, X, pair, spacings, **options) for pair in pairs]


def cases() -> Iterator[Case]:
    """Give motifs and pairs, on models of 249 and 2,114 bp."""
    torch.manual_seed(0)
    pooled, long = deepstarr_like(), BPNetLike().eval()
    for device in ("cpu", "cuda")[: 1 + torch.cuda.is_available()]:
        on: dict[str, Any] = {"device": device, "batch_size": 64}
        X, motifs = random_one_hot((32, 4, 249), random_state=0), sites(40)
        yield Case(
            f"effects of 40 motifs, 2 strands, 32 backgrounds, DeepSTARR-like, {device}",
            partial(motif_effects, pooled, X, motifs, **on),
            partial(their_effects, pooled, X, motifs, **on),
            _PEER,
            2.0,
        )
        wide, few = random_one_hot((2, 4, 2114), random_state=0), motifs[:12]
        yield Case(
            f"effects of 12 motifs, 2 strands, 2 backgrounds of 2,114 bp, BPNet-like, {device}",
            partial(motif_effects, long, wide, few, **on),
            partial(their_effects, long, wide, few, **on),
            _PEER,
            2.0,
            repeats=1,
        )
        yield Case(
            f"8 ways to lay a pair at 50 distances, 8 backgrounds, DeepSTARR-like, {device}",
            partial(spacing_effects, pooled, X[:8], "GATAAG", "TGACTCA", range(50), **on),
            partial(their_spacings, pooled, X[:8], "GATAAG", "TGACTCA", range(50), **on),
            _PEER,
            1.0,
            repeats=1,
        )
