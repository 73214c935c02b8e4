"""Strings to one-hot and back.

In: strings over an alphabet (ACGT unless said otherwise) with ignored letters such as N.  Out: int8 one-hot tensors of
shape ``(4, L)``, and strings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import torch

from ..core.check import validate_input
from ..errors import problem
from .compact import CodedSequence, PackedSequence
from .encode_compiled import one_hot_rows

__all__ = ["characters", "one_hot_encode", "pwm_consensus", "random_one_hot", "reverse_complement"]

DNA: Final = ("A", "C", "G", "T")
COMPLEMENT: Final[Mapping[str, str]] = MappingProxyType({"A": "T", "C": "G", "G": "C", "T": "A"})
_BAD: Final = 255


def code_table(where: str, alphabet: Sequence[str], ignore: Sequence[str]) -> np.ndarray:
    """Map each byte to its index in `alphabet`, to ``len(alphabet)`` when ignored, to 255 when it is neither.

    Lower case stands for upper case unless the alphabet itself tells them apart.
    """
    both = set(alphabet) & set(ignore)
    if both:
        raise problem(
            where, "ignore", got=f"{sorted(both)} in both", need="letters that are not in alphabet", do="remove them"
        )
    table = np.full(256, _BAD, np.uint8)
    pairs = [*((letter, i) for i, letter in enumerate(alphabet)), *((letter, len(alphabet)) for letter in ignore)]
    for letter, _ in pairs:
        if len(letter) != 1 or not letter.isascii():
            raise problem(where, "alphabet", got=repr(letter), need="single ASCII letters", do="correct it")
    for letter, code in pairs:
        table[ord(letter.lower())] = code
    for letter, code in pairs:  # the letters themselves have the last word
        table[ord(letter)] = code
    return table


def encode_codes(where: str, sequence: str | bytes, table: np.ndarray, alphabet: Sequence[str]) -> np.ndarray:
    """Give the uint8 codes of a string, or name its first wrong letter."""
    raw = sequence if isinstance(sequence, bytes) else sequence.encode("ascii", "replace")
    codes = np.frombuffer(bytearray(raw).translate(table.tobytes()), np.uint8)
    if codes.size and codes.max() == _BAD:
        position = int(np.argmax(codes == _BAD))
        raise problem(
            where,
            "sequence",
            got=f"{sequence[position : position + 1]!r} at position {position}",
            need=f"letters of {''.join(alphabet)} or of ignore",
            do="clean the sequence, or name the letter in ignore",
        )
    return codes


def one_hot_encode(
    sequence: str,
    alphabet: Sequence[str] = DNA,
    dtype: torch.dtype = torch.int8,
    ignore: Sequence[str] = ("N",),
    desc: str | None = None,
    verbose: bool = False,
    n_jobs: int = 1,
    return_packed: bool = False,
) -> torch.Tensor | PackedSequence:
    """Encode a string as a one-hot tensor.

    Parameters
    ----------
    sequence : str
        L letters.  Lower case (soft-masked sequence) is read as upper case, where tangermeme raises.
    alphabet : sequence of str
        The letters of the rows, in order.
    dtype : torch.dtype
        Of the result.
    ignore : sequence of str
        Letters that become a zero column.
    desc, verbose, n_jobs
        Accepted for compatibility; encoding a chromosome takes a fraction of a second on one thread.
    return_packed : bool
        Give a `PackedSequence` (two bits a base) instead.

    Returns
    -------
    torch.Tensor, shape (len(alphabet), L)
        Without a batch axis, as in tangermeme.

    Raises
    ------
    NbinterpError
        At a letter in neither `alphabet` nor `ignore`, naming it and its position.

    Examples
    --------
    >>> one_hot_encode("acgN").tolist()
    [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    """
    del desc, verbose, n_jobs
    if not isinstance(sequence, str):
        raise problem("one_hot_encode", "sequence", got=f"a {type(sequence).__name__}", need="a str", do="join it")
    table = code_table("one_hot_encode", alphabet, ignore)
    if return_packed:
        return PackedSequence.from_codes(
            torch.from_numpy(encode_codes("one_hot_encode", sequence, table, alphabet)), alphabet
        )
    found = one_hot_rows(sequence, table, len(alphabet))
    if found is not None:
        return found.to(dtype)
    letters = np.frombuffer(sequence.encode("ascii", "replace"), np.uint8)
    rows = np.empty((len(alphabet), len(letters)), np.bool_)
    for row, letter in zip(rows, alphabet, strict=True):
        np.equal(letters, ord(letter), out=row)
    if np.count_nonzero(rows) != len(letters):  # lower case, ignored letters, or wrong ones
        codes = encode_codes("one_hot_encode", sequence, table, alphabet)
        np.equal(codes, np.arange(len(alphabet), dtype=np.uint8)[:, None], out=rows)
    return torch.from_numpy(rows).view(torch.int8).to(dtype)


def characters(
    pwm: torch.Tensor | np.ndarray | PackedSequence | CodedSequence,
    alphabet: Sequence[str] = DNA,
    force: bool = False,
    allow_N: bool = False,
) -> str:
    """Write the most probable letter of each position.

    Parameters
    ----------
    pwm : tensor or array of shape (A, L) or (1, A, L), or a compact container of one sequence
        One-hot, or any matrix in which the largest entry of a column is the letter.
    alphabet : sequence of str
        The letters of the rows.
    force : bool
        Take the first letter at a tie, where otherwise an error is raised.
    allow_N : bool
        Write N at columns that sum to zero.

    Raises
    ------
    NbinterpError
        At a tie, or for another shape.

    Examples
    --------
    >>> characters(one_hot_encode("GATTACA"))
    'GATTACA'
    >>> characters(one_hot_encode("GANTACA"), allow_N=True)
    'GANTACA'
    """
    X = pwm.to_one_hot() if isinstance(pwm, (PackedSequence, CodedSequence)) else torch.as_tensor(pwm)
    if X.ndim == 3 and X.shape[0] == 1:
        X = X[0]
    if X.ndim != 2:
        raise problem("characters", "pwm", got=f"shape {tuple(X.shape)}", need="shape (4, L)", do="pass one sequence")
    if X.shape[0] != len(alphabet):
        raise problem(
            "characters",
            "pwm",
            got=f"{X.shape[0]} rows",
            need=f"one for each of {''.join(alphabet)}",
            do="pass alphabet=",
        )
    ties = (X.max(dim=0, keepdim=True).values == X).sum(dim=0) > 1
    if bool(ties.any()) and not force and not allow_N:
        position = int(ties.int().argmax())
        raise problem(
            "characters",
            "pwm",
            got=f"a tie at position {position}",
            need="one largest letter a position",
            do="pass allow_N=True for unknown bases, or force=True to take the first",
        )
    letters = np.array([*alphabet, "N"])
    codes = X.argmax(dim=0)
    if allow_N:
        codes = torch.where(X.sum(dim=0) == 0, len(alphabet), codes)
    return "".join(letters[codes.cpu().numpy()])


def reverse_complement(seq: Any, complement_map: Mapping[str, str] = COMPLEMENT, allow_N: bool = True) -> Any:
    """Reverse-complement a string, a one-hot tensor or a compact container.

    Parameters
    ----------
    seq : str, tensor of shape (4, L) or (N, 4, L), PackedSequence or CodedSequence
        Batches are accepted, where tangermeme refuses them.
    complement_map : mapping
        From each letter to its complement; the order of its keys is that of the rows.
    allow_N : bool
        Whether a string or container may hold N, which stays N.

    Examples
    --------
    >>> reverse_complement("GATTN")
    'NAATC'
    >>> characters(reverse_complement(one_hot_encode("GATT")))
    'AATC'
    """
    if isinstance(seq, str):
        letters = {**complement_map, **({"N": "N"} if allow_N else {})}
        wrong = [c for c in seq if c not in letters]
        if wrong:
            raise problem(
                "reverse_complement", "seq", got=repr(wrong[0]), need=f"letters of {''.join(letters)}", do="clean it"
            )
        return "".join(letters[c] for c in reversed(seq))
    keys = list(complement_map)
    order = [keys.index(value) for value in complement_map.values()]
    if isinstance(seq, (PackedSequence, CodedSequence)):
        codes = seq.to_codes()
        if not allow_N and bool((codes == 4).any()):
            raise problem("reverse_complement", "seq", got="an N", need="known bases", do="pass allow_N=True")
        complement = torch.tensor([*order, 4], dtype=torch.uint8)
        return type(seq).from_codes(complement[codes.flip(-1).long()], seq.alphabet)
    if not isinstance(seq, torch.Tensor) or seq.ndim not in (2, 3):
        shape = tuple(seq.shape) if hasattr(seq, "shape") else type(seq).__name__
        raise problem(
            "reverse_complement", "seq", got=shape, need="a str, or shape (4, L) or (N, 4, L)", do="convert it"
        )
    return seq.flip(-1)[..., order, :]


def random_codes(shape: tuple[int, int, int], probs: Any, random_state: np.random.RandomState) -> np.ndarray:
    """Draw letters row by row from numpy's stream; uint8 codes of shape (N, L)."""
    n, n_letters, length = shape
    weights = None if probs is None else np.asarray(probs, np.float64)
    codes = np.empty((n, length), np.uint8)
    for i in range(n):
        p = None if weights is None else weights[i % len(weights)]
        codes[i] = random_state.choice(n_letters, size=length, p=p)
    return codes


def as_random_state(random_state: int | np.random.RandomState | None) -> np.random.RandomState:
    """Give numpy's legacy generator, whose stream makes a seed give the peers' results."""
    return random_state if isinstance(random_state, np.random.RandomState) else np.random.RandomState(random_state)


def random_one_hot(
    shape: tuple[int, int, int],
    probs: Any = None,
    dtype: str | np.dtype[Any] = "int8",
    random_state: int | np.random.RandomState | None = None,
    return_packed: bool = False,
) -> torch.Tensor | PackedSequence:
    """Draw random sequences, position by position.

    Parameters
    ----------
    shape : (N, A, L)
        Of the result.
    probs : array of shape (1, A) or (N, A), optional
        Probability of each letter, for all sequences or each; uniform by default.
    dtype : str or numpy dtype
        Of the result.
    random_state : int, RandomState or None
        Seed; the stream is tangermeme's.
    return_packed : bool
        Give a `PackedSequence` instead.

    Examples
    --------
    >>> characters(random_one_hot((1, 4, 10), random_state=0)[0])
    'ATCATTTTCT'
    """
    if not isinstance(shape, tuple) or len(shape) != 3:
        raise problem("random_one_hot", "shape", got=repr(shape), need="a tuple (N, 4, L)", do="pass three sizes")
    codes = random_codes(shape, probs, as_random_state(random_state))
    if return_packed:
        return PackedSequence.from_codes(torch.from_numpy(codes))
    one_hot = np.zeros(shape, dtype=dtype)
    np.put_along_axis(one_hot, codes[:, None].astype(np.int64), 1, axis=1)
    return torch.from_numpy(one_hot)


def pwm_consensus(X: torch.Tensor | np.ndarray) -> torch.Tensor:
    """Give the one-hot of the largest entry of each column; zero columns stay zero.

    Examples
    --------
    >>> characters(pwm_consensus(torch.tensor([[0.7, 0.1], [0.1, 0.1], [0.1, 0.7], [0.1, 0.1]])))
    'AG'
    """
    X = torch.as_tensor(X)
    validate_input(X, "X", shape=(-1, -1), min_value=0, max_value=1)
    consensus = torch.zeros_like(X)
    consensus[X.argmax(dim=0), torch.arange(X.shape[-1])] = 1
    consensus[:, X.sum(dim=0) == 0] = 0
    return consensus
