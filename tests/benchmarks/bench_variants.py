"""Effects of 1,000 substitutions on a BPNet-like model of 2,114 bp, against the peer's one sequence a variant.

The peer applies all rows of a sequence together, so that its user repeats the sequence for each variant, and runs both
copies.  Here each reference is run once.  With many variants in a window (a saturation assay, a fine-mapped locus, all
variants of a peak) that is once in tens of variants; with each variant in the middle of a window of its own it is half
of the work that is left, so that the ratio cannot pass two by what is recomputed, only by how.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch

from nbinterp.perturb.variants import Variants, read_variants, variant_effects

from .bench_saturation_mutagenesis import BPNetLike
from .case import Case

LENGTH = 2114


def substitutions(n: int, windows: int, snap: int = 1) -> Variants:
    """Give `n` random substitutions in so many windows, or, where there are as many, 8 bases apart in a contig."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (windows, LENGTH + 1)) if windows < n else rng.integers(0, 4, (1, LENGTH + 8 * n))
    genome = {f"chr{i}": np.eye(4, dtype=np.int8)[row].T for i, row in enumerate(codes)}
    places, loci = LENGTH // 2 + 8 * np.arange(n), None
    if windows < n:
        places = np.concatenate([rng.choice(np.arange(557, 1557), n // windows, replace=False) for _ in range(windows)])
        loci = pd.DataFrame({"chrom": list(genome), "start": 0, "end": LENGTH})
    contig = np.repeat(np.arange(len(codes)), n // len(codes))
    old = codes[contig, places]
    new = (old + rng.integers(1, 4, n)) % 4
    letters = np.array(list("ACGT"))
    table = pd.DataFrame(
        {"chrom": [f"chr{i}" for i in contig], "start": places, "ref": letters[old], "alt": letters[new]}
    )
    return read_variants(table, genome, in_window=LENGTH, loci=loci, snap=snap)


def theirs(model: Any, variants: Variants, device: str) -> Callable[[], Any]:
    from tangermeme.variant_effect import substitution_effect

    X = variants.X_ref.to_one_hot(torch.float32)
    rows = variants.variants
    edits = [(i, row.start - row.window_start, "ACGT".index(row.alt)) for i, row in enumerate(rows.itertuples())]
    return partial(substitution_effect, model, X, torch.tensor(edits), device=device)


def cases() -> Iterator[Case]:
    """Give variants in 20 given windows, each in a window of its own, and those again with windows shared by bins."""
    torch.manual_seed(0)
    model = BPNetLike().eval()
    for device in ("cpu", "cuda")[: 1 + torch.cuda.is_available()]:
        for windows, snap, bar in ((20, 1, 3.0), (1000, 1, 1.0), (1000, 256, 3.0)):
            variants = substitutions(1000, windows, snap)
            ours = partial(variant_effects, model, variants, reverse_complement=False, device=device)
            many = f"{len(variants.windows):,} windows" + (" by snap=256" if snap > 1 else "")
            name = f"variant effects, 1,000 SNVs in {many}, BPNet-like, 2,114 bp, {device}"
            peer = theirs(model, variants, device)
            yield Case(name, ours, peer, "tangermeme 1.6.0", bar if device == "cpu" else None, repeats=1, warm_up=False)
