"""Global libraries: a motif held while everything around it is drawn anew, row by row.

In: a reference, the motif's window, and gaps inside it that vary too.  Out: a `Library`; and the same contexts without
the motif, against which its global importance is measured.  Contexts are uniform letters, or shuffles of the reference
that keep its dinucleotides.

Sources: SQUID 0.4.9 (``context_agnostic=True``); global importance analysis, Koo et al., PLoS Comput Biol 2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ..core.check import check_choice
from ..errors import problem
from ..sequence.shuffle import shuffle_codes
from .library import Library
from .library_draw import letters, poisson_counts
from .library_letters import span_within
from .library_random import check_count, mean_mutations, mutated, one_sequence

__all__ = ["backgrounds_of", "global_library"]


def global_library(
    reference: Any,
    n: int,
    window: tuple[int, int],
    *,
    gaps: Sequence[tuple[int, int]] = (),
    rate: float = 0.0,
    context: str = "random",
    random_state: int = 0,
) -> Library:
    """Draw contexts around a motif.

    Parameters
    ----------
    reference : str, one-hot (4, L) or (L, 4)
        Has the motif in its window.
    n : int
        Rows; all have drawn contexts, the first too.
    window : (int, int)
        The motif's positions, half-open.
    gaps : sequence of (int, int)
        Spans that are drawn like the context, such as those between two sites of the window.
    rate : float
        Substitutions a position of the window, drawn as in `random_library`; the first row has none.
    context : "random" or "dinucleotide"
        Uniform independent letters, or a shuffle of the whole reference with the same counts of dinucleotides.
    random_state : int
        Of the draw; row i depends on it and i alone.

    Returns
    -------
    Library
        `backgrounds_of` gives the same contexts without the motif.

    Raises
    ------
    NbinterpError
        When an argument does not fit, or the reference has unknown bases where they are read.

    Examples
    --------
    >>> library = global_library("AAATGACTCAAAA", 3, window=(3, 10), gaps=[(6, 7)], random_state=1)
    >>> [row[3:6] + row[7:10] for row in library.sequences()]
    ['TGATCA', 'TGATCA', 'TGATCA']
    """
    where = "global_library"
    check_choice(where, "context", context, ["random", "dinucleotide"])
    codes, n = one_sequence(where, reference), check_count(where, n)
    span = span_within(where, "window", window, len(codes))
    spans = tuple(span_within(where, "gaps", gap, len(codes)) for gap in gaps)
    read = codes if context == "dinucleotide" else codes[slice(*span)]
    if (read == 4).any():
        need = "known bases" + ("" if context == "dinucleotide" else " in the window")
        raise problem(where, "reference", got="an unknown base", need=need, do="fill it, or draw random contexts")
    mean = mean_mutations(where, rate, span[1] - span[0])
    source = _Global(int(random_state), span, spans, mean, context == "dinucleotide")
    return Library(codes, "global", span, int(random_state), source, range(n))


def backgrounds_of(library: Library) -> Library:
    """Give the contexts of a global library, row by row, without its motif.

    Raises
    ------
    NbinterpError
        When the library is not a global one.

    Examples
    --------
    >>> library = global_library("AAATGACTCAAAA", 2, window=(3, 10))
    >>> [(a[:3], a[10:]) == (b[:3], b[10:]) for a, b in zip(library.sequences(), backgrounds_of(library).sequences())]
    [True, True]
    """
    if not isinstance(library.source, _Global):
        need, do = "one made by global_library", "pass predictions of backgrounds of your own"
        raise problem("backgrounds_of", "library", got=f"a {library.kind} library", need=need, do=do)
    return replace(library, source=replace(library.source, with_motif=False))


@dataclass(frozen=True)
class _Global:
    """Rows of drawn contexts around a window."""

    seed: int
    window: tuple[int, int]
    gaps: tuple[tuple[int, int], ...]
    mean: int
    dinucleotides: bool
    with_motif: bool = True

    def codes(self, reference: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        drawn = self._shuffled(reference, rows) if self.dinucleotides else letters(self.seed, rows, len(reference))
        if not self.with_motif:
            return drawn
        held = torch.zeros(len(reference), dtype=torch.bool, device=rows.device)
        held[slice(*self.window)] = True
        for gap in self.gaps:
            held[slice(*gap)] = False
        return torch.where(held, self._motifs(reference, rows), drawn)

    def _motifs(self, reference: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        codes = reference.expand(len(rows), -1)
        if not self.mean:
            return codes
        codes = codes.clone()
        window = codes[:, slice(*self.window)]
        counts = poisson_counts(self.seed, rows, self.mean, window.shape[1]).masked_fill(rows == 0, 0)
        window.copy_(mutated(self.seed, rows, counts, window))
        return codes

    def _shuffled(self, reference: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        if not len(rows):
            return reference.expand(0, -1)
        numbers = rows.cpu().numpy()
        codes = np.repeat(reference.cpu().numpy()[None], len(numbers), axis=0)
        seeds = (numbers + self.seed).astype(np.uint32)  # larger ones wrap around
        return torch.from_numpy(shuffle_codes(codes, 4, 1, seeds, "uniform")[:, 0]).to(rows.device)
