"""A small space whose mechanisms are known: two sites, each either intact or broken, and a model that has them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd
import torch

from nbinterp.mechanism.space import MechanismSpace

SITES = {4: "TGACTCA", 22: "GATAAG"}
WEIGHTS = {4: 3.0, 22: 1.5}
LETTERS = "ACGT"


class Sites(torch.nn.Module):
    """The squares of how much of each site is there, base by base, so that gradients depend on the sequence."""

    def __init__(self, width: int = 36) -> None:
        super().__init__()
        kernel, rng = torch.zeros(2, 4, width), np.random.default_rng(1)
        for i, (start, word) in enumerate(SITES.items()):
            for j, letter in enumerate(word):
                kernel[i, LETTERS.index(letter), start + j] = (
                    WEIGHTS[start] * rng.uniform(0.5, 1.5) / len(word)
                ) ** 0.5
        self.kernel = torch.nn.Parameter(kernel)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return torch.einsum("nbl,kbl->nk", X, self.kernel).square().sum(dim=1, keepdim=True)


def codes(n: int = 240, width: int = 36, seed: int = 0, rate: float = 0.15) -> np.ndarray:
    """The reference, which holds both sites, and its mutants: uint8 (n, width)."""
    rng = np.random.default_rng(seed)
    reference = rng.integers(0, 4, width)
    for start, word in SITES.items():
        reference[start : start + len(word)] = [LETTERS.index(letter) for letter in word]
    steps = np.where(rng.random((n, width)) < rate, rng.integers(1, 4, (n, width)), 0)
    steps[0] = 0
    return ((reference + steps) % 4).astype(np.uint8)


def space(n: int = 240, n_fine: int = 40, **options: Any) -> MechanismSpace:
    """Maps are gradients of `Sites`."""
    from nbinterp.mechanism.maps import attribute_library

    X = np.eye(4, dtype=np.int8)[codes(n)].transpose(0, 2, 1)
    model = Sites()
    maps = attribute_library(model, X, "saliency", device="cpu")
    with torch.no_grad():
        y = model(torch.from_numpy(X).float()).numpy()
    told = {"n_clusters": 5, "n_refits": 0, "facts": {"method": "saliency", "target": 0}, **options}
    return MechanismSpace.from_parts(X, maps, y, n_fine=n_fine, **told)


shared = functools.cache(space)  # not at import: a test of a second device must come before the first gradient


def large(n: int, width: int = 249, n_fine: int = 2000, centres: int = 30, seed: int = 0) -> MechanismSpace:
    """A space of so many maps, put together without clustering them: fine clusters are drawn by lot within each of the 30."""
    from scipy.cluster.hierarchy import fcluster, linkage

    from nbinterp.mechanism.cluster import Clusters
    from nbinterp.mechanism.library import Library, Stored
    from nbinterp.mechanism.stability import Stability
    from nbinterp.mechanism.summary_sums import fine_sums

    rng = np.random.default_rng(seed)
    reference = rng.integers(0, 4, width).astype(np.uint8)
    dice = rng.integers(0, 30, (n, width), dtype=np.uint8)  # one base in ten is another
    dice[0] = 3
    letters = (reference + np.where(dice < 3, dice + 1, 0).astype(np.uint8)) % 4
    home = rng.integers(0, centres, n)
    sites = rng.integers(0, width - 12, centres)
    maps = np.empty((n, 4, width), np.float32)
    for start in range(0, n, 10_000):
        part = maps[start : start + 10_000]
        part[:] = 0.2 * rng.standard_normal(part.shape, np.float32)
        for k, site in enumerate(sites):
            part[home[start : start + 10_000] == k, :, site : site + 12] += np.eye(4)[reference[site : site + 12]].T
    fine = home * (n_fine // centres) + rng.integers(0, n_fine // centres, n)
    _, fine = np.unique(fine, return_inverse=True)
    y = (home % 7 + rng.normal(size=n)).astype(np.float64)
    sums = fine_sums(maps, letters, fine, y)
    tree = linkage(sums.means.reshape(len(sums), -1), "ward")
    labels = (fcluster(tree, centres, "maxclust") - 1)[fine].astype(np.int64)
    k = int(labels.max()) + 1
    unknown = Stability(np.empty(0), np.full(k, np.nan), np.full(n, np.nan), np.full(k, np.nan), np.full(n, np.nan), 0)
    angle = 2 * np.pi * home / centres
    xy = 6 * np.stack([np.cos(angle) * (1 + home % 3), np.sin(angle) * (1 + home % 3)], 1) + rng.normal(size=(n, 2))
    library = Library(reference, "given", (0, width), None, Stored(letters, (0, width)), range(n))
    table = pd.DataFrame({"prediction": y, "hamming": (letters != reference).sum(axis=1)})
    return MechanismSpace(
        library, maps, y, table, Clusters(labels, k, unknown), xy.astype(np.float32), fine, sums, tree, facts={"embedding": "made up"}
    )  # fmt: skip
