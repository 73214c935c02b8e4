"""Motifs as sequences that can be written: their consensus, or sites drawn from their probabilities.

In: motifs as matrices ``(4, w)`` or strings, under a name each.  Out: one-hot instances, one for all backgrounds or one
for each.  A zero column (an ``N``) leaves the background as it is.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ..errors import problem
from ..sequence import one_hot_encode
from ..sequence.encode import as_random_state

__all__ = ["Motifs", "instances", "matrices", "seed_of", "stranded"]

Motifs = Mapping[str, Any] | Sequence[str] | str  # what a public function takes for motifs


def matrices(where: str, argument: str, motifs: Motifs) -> dict[str, torch.Tensor]:
    """Give each motif's matrix ``(4, w)`` by name; strings are their own names."""
    if isinstance(motifs, str):
        motifs = [motifs]
    if not isinstance(motifs, Mapping):
        if not all(isinstance(motif, str) for motif in motifs):
            raise problem(where, argument, got="matrices without names", need="a name each", do="pass {name: matrix}")
        motifs = {motif: motif for motif in motifs}
    if not motifs:
        raise problem(where, argument, got="no motifs", need="at least one", do="check how they were read")
    return {str(name): _matrix(where, argument, str(name), motif) for name, motif in motifs.items()}


def _matrix(where: str, argument: str, name: str, motif: Any) -> torch.Tensor:
    matrix = one_hot_encode(motif) if isinstance(motif, str) else torch.as_tensor(motif)
    assert isinstance(matrix, torch.Tensor)
    if matrix.ndim != 2 or matrix.shape[0] != 4 or matrix.shape[1] == 0:
        raise problem(
            where,
            argument,
            got=f"shape {tuple(matrix.shape)} for {name}",
            need="(4, width)",
            do="transpose or split it",
        )
    if not bool(torch.isfinite(matrix).all()) or bool((matrix < 0).any()):
        raise problem(
            where,
            argument,
            got=f"negative or infinite entries in {name}",
            need="probabilities or counts",
            do="pass the PWM",
        )
    return matrix.to(device="cpu", dtype=torch.float64)


def seed_of(random_state: int | np.random.RandomState | None) -> int:
    """Fix the seed of a call: the number given, or one drawn."""
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(as_random_state(random_state).randint(2**31))


def instances(name: str, matrix: torch.Tensor, n: int, *, sample: bool, seed: int, place: int = 0) -> torch.Tensor:
    """Write a motif as one-hot int8: its consensus ``(1, 4, w)``, or `n` sites drawn from it ``(n, 4, w)``.

    A motif's draws depend on `seed`, its name and its `place` in the construct, and site i is the same however many
    are drawn, so that neither other motifs nor more backgrounds change it.
    """
    bases = matrix.argmax(dim=0)[None]
    if sample:
        cumulative = (matrix / matrix.sum(dim=0).clamp_min(1e-300)).cumsum(dim=0)
        stream = np.random.RandomState([seed, zlib.crc32(name.encode()), place])
        draws = torch.from_numpy(stream.random_sample((n, 1, matrix.shape[1])))
        bases = (draws >= cumulative[None, :3]).sum(dim=1)
    written = torch.nn.functional.one_hot(bases, 4).transpose(1, 2).to(torch.int8)
    return (written * (matrix.sum(dim=0) > 0)).contiguous()


def stranded(sites: torch.Tensor, strand: str) -> torch.Tensor:
    """Give instances as they are read on a strand."""
    return sites if strand == "+" else sites.flip(1, 2)
