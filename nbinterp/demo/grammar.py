"""The simulated grammar: what is planted, and what it does.

In: a seed.  Out: random sequences of 400 bp with motifs planted in them, the table of where, and the activity of each
sequence under two tasks.

* ``enhancer``: ETS, AP1 and NRF1 add to the activity, wherever they are, on either strand; the repressor REP takes away.
* ``cooperative``: GATA and TEAD each add a little; a GATA followed, on the same strand, by a TEAD with 4 to 8 bases
  between them adds a lot.  NRF1 adds here too.
* DECOY does nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd
import torch

from ..errors import problem
from ..motif import MotifSet
from ..sequence import one_hot_to_fasta

__all__ = ["EFFECTS", "LENGTH", "TASKS", "activity", "motifs", "sequences", "write_fasta"]

LENGTH: Final = 400
TASKS: Final = ("enhancer", "cooperative")

CONSENSUS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ETS": "ACCGGAAGT",
        "AP1": "ATGACTCAT",
        "NRF1": "GCGCATGCGC",
        "GATA": "CAGATAAGG",
        "TEAD": "ACATTCCAG",
        "REP": "TTCAGCACCA",
        "DECOY": "GTCTAGACGT",
    }
)
# effect of one site on each task
EFFECTS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "ETS": (1.0, 0.0),
        "AP1": (0.8, 0.0),
        "NRF1": (0.6, 0.6),
        "GATA": (0.0, 0.2),
        "TEAD": (0.0, 0.2),
        "REP": (-0.9, 0.0),
        "DECOY": (0.0, 0.0),
    }
)
PAIR: Final = ("GATA", "TEAD")
PAIR_EFFECT: Final = (0.0, 1.2)
PAIR_GAPS: Final = (4, 8)
_MAIN: Final = 0.97  # probability of the consensus letter


def motifs(n_shuffled: int = 0) -> MotifSet:
    """The planted motifs, as probabilities.

    Parameters
    ----------
    n_shuffled : int
        How many copies of each to put beside it, their columns shuffled: "ETS shuffled 1" and so on.  They are what a
        database holds besides the motifs sought: names that should not be found, and a null for `tomtom`.

    Returns
    -------
    MotifSet
        The planted motifs, then the copies, always the same.

    Raises
    ------
    NbinterpError
        For a negative number.

    Examples
    --------
    >>> motifs().consensus("ETS")
    'ACCGGAAGT'
    >>> len(motifs(n_shuffled=4))
    35
    """
    if n_shuffled < 0:
        raise problem("motifs", "n_shuffled", got=n_shuffled, need="0 or more", do="raise it")
    matrices = {}
    for name, text in CONSENSUS.items():
        matrix = torch.full((4, len(text)), (1 - _MAIN) / 3)
        for i, letter in enumerate(text):
            matrix["ACGT".index(letter), i] = _MAIN
        matrices[name] = matrix
    rng = np.random.RandomState(0)
    for name in CONSENSUS:
        for copy in range(1, n_shuffled + 1):
            matrices[f"{name} shuffled {copy}"] = matrices[name][:, rng.permutation(matrices[name].shape[1])]
    return MotifSet(matrices)


def sequences(n: int, random_state: int = 0) -> tuple[torch.Tensor, pd.DataFrame]:
    """Draw sequences with planted motifs.

    Parameters
    ----------
    n : int
        How many.
    random_state : int
        Seed.

    Returns
    -------
    X : int8 one-hot tensor, shape (n, 4, 400)
    truth : DataFrame
        example_idx, start, end, name, strand, role ("activator", "repressor", "single", "pair" or "decoy").

    Examples
    --------
    >>> X, truth = sequences(3)
    >>> tuple(X.shape), sorted(truth.columns)
    ((3, 4, 400), ['end', 'example_idx', 'name', 'role', 'start', 'strand'])
    """
    if n < 1:
        raise problem("sequences", "n", got=n, need="at least 1", do="raise it")
    rng = np.random.RandomState(random_state)
    codes = rng.randint(0, 4, size=(n, LENGTH)).astype(np.int64)
    rows: list[tuple[int, int, int, str, str, str]] = []
    for i in range(n):
        _plant(codes[i], i, rng, rows)
    columns = ["example_idx", "start", "end", "name", "strand", "role"]
    truth = pd.DataFrame(rows, columns=columns).sort_values(["example_idx", "start"], ignore_index=True)
    X = torch.nn.functional.one_hot(torch.from_numpy(codes), 4).transpose(1, 2).to(torch.int8).contiguous()
    return X, truth


def _plant(
    codes: np.ndarray, i: int, rng: np.random.RandomState, rows: list[tuple[int, int, int, str, str, str]]
) -> None:
    """Plant up to five sites, and in half of the sequences the pair, none overlapping another."""
    free = np.ones(LENGTH, bool)
    if rng.rand() < 0.5:
        gap = int(rng.randint(PAIR_GAPS[0], PAIR_GAPS[1] + 1))
        first, second = len(CONSENSUS[PAIR[0]]), len(CONSENSUS[PAIR[1]])
        at = _place(first + gap + second, free, rng)
        if at is not None:
            strand = "+" if rng.rand() < 0.5 else "-"
            order = PAIR if strand == "+" else PAIR[::-1]
            start = at
            for name in order:
                _write(codes, start, name, strand, rng)
                rows.append((i, start, start + len(CONSENSUS[name]), name, strand, "pair"))
                start += len(CONSENSUS[name]) + gap
    names = list(CONSENSUS)
    for name in rng.choice(names, size=rng.randint(1, 6)):
        at = _place(len(CONSENSUS[name]), free, rng)
        if at is None:
            continue
        strand = "+" if rng.rand() < 0.5 else "-"
        _write(codes, at, name, strand, rng)
        role = {"REP": "repressor", "DECOY": "decoy", "GATA": "single", "TEAD": "single"}.get(name, "activator")
        rows.append((i, at, at + len(CONSENSUS[name]), name, strand, role))


def _place(width: int, free: np.ndarray, rng: np.random.RandomState) -> int | None:
    """A free stretch, with 10 bases around it kept clear; None when three tries find none."""
    for _ in range(3):
        at = int(rng.randint(10, LENGTH - width - 10))
        if free[at - 10 : at + width + 10].all():
            free[at - 10 : at + width + 10] = False
            return at
    return None


def _write(codes: np.ndarray, at: int, name: str, strand: str, rng: np.random.RandomState) -> None:
    site = ["ACGT".index(letter) for letter in CONSENSUS[name]]
    drawn = [base if rng.rand() < _MAIN else int(rng.randint(0, 4)) for base in site]
    if strand == "-":
        drawn = [3 - base for base in reversed(drawn)]
    codes[at : at + len(drawn)] = drawn


def activity(truth: pd.DataFrame, n: int) -> np.ndarray:
    """The noiseless activity (n, 2) that the planted sites give each sequence.

    Examples
    --------
    >>> table = pd.DataFrame({"example_idx": [0, 1, 1], "name": ["ETS", "GATA", "TEAD"],
    ...                       "role": ["activator", "pair", "pair"]})
    >>> activity(table, 2).round(2).tolist()
    [[1.0, 0.0], [0.0, 1.6]]
    """
    y = np.zeros((n, 2))
    for row, name, role in truth[["example_idx", "name", "role"]].itertuples(index=False):
        y[row] += EFFECTS[name]
        if role == "pair":
            y[row] += np.array(PAIR_EFFECT) / 2  # each of the two carries half
    return y


def write_fasta(path: str | os.PathLike[str], n: int = 40, random_state: int = 0) -> pd.DataFrame:
    """Write demo sequences as FASTA, named demo_0 and so on; give the table of planted sites."""
    X, truth = sequences(n, random_state)
    one_hot_to_fasta(X, path, headers=[f"demo_{i}" for i in range(n)])
    return truth
