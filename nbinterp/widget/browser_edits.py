"""What a person did to a set of motifs, and the set that it makes.

In: the motifs as they were given, and edits in order, as they travel: lists that begin with a word.  Out: the motifs as they
are now.
``js/src/state/browserEdits.ts`` does the same in the page; ``tests/fixtures/protocol/browser.json`` holds both to the same answers.

Motifs are numbered: first those that were given, then those that were merged, in order.  The edits are

* ``["rename", number, name]``,
* ``["tag", [number, ...], tag]`` and ``["untag", [number, ...], tag]``,
* ``["merge", [[number, start, strand], ...], name]``: the members with the columns at which they begin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

__all__ = ["Motif", "iupac", "merge", "replay"]

_LETTERS: Final = "-ACMGRSVTWYHKDBN"  # by the sum of A 1, C 2, G 4, T 8


@dataclass(frozen=True)
class Motif:
    """One motif: its number, its name, what it is made of.

    Attributes
    ----------
    number : int
        Of a motif that was given, its place in the set.
    name : str
        As it is now.
    pwm : array (4, w)
        Probabilities.
    cwm : array (4, w) or None
        Contributions.
    weight : float
        What it counts in a mean.
    tags : tuple of str
        In the order in which they were put.
    members : tuple of int
        The motifs that were given which it holds: itself, or those that were merged.
    """

    number: int
    name: str
    pwm: np.ndarray
    cwm: np.ndarray | None
    weight: float
    tags: tuple[str, ...]
    members: tuple[int, ...]


def replay(motifs: Sequence[Motif], edits: Sequence[Sequence[Any]], background: Sequence[float]) -> list[Motif]:
    """Motifs after the edits; what was merged stands in the place of its first member.

    Examples
    --------
    >>> one, two = (Motif(i, name, np.eye(4), None, 1, (), (i,)) for i, name in enumerate("ab"))
    >>> edits = [["tag", [0], "new"], ["merge", [[0, 0, "+"], [1, 1, "-"]], "both"], ["rename", 2, "c"]]
    >>> [(m.name, m.tags, m.members, m.pwm.shape) for m in replay([one, two], edits, [0.25] * 4)]
    [('c', ('new',), (0, 1), (4, 5))]
    """
    now = {motif.number: motif for motif in motifs}
    order = list(now)
    number = len(motifs)
    for kind, which, word in edits:
        if kind == "rename":
            now[which] = replace(now[which], name=word)
        elif kind == "merge":
            members = [now.pop(one) for one, _, _ in which]
            place = min(order.index(one.number) for one in members)
            order[place] = number
            order = [one for one in order if one in now or one == number]
            now[number] = merge(number, word, members, [(start, strand) for _, start, strand in which], background)
            number += 1
        else:
            for one in which:
                tags = dict.fromkeys((*now[one].tags, word))
                now[one] = replace(now[one], tags=tuple(tag for tag in tags if kind == "tag" or tag != word))
    return [now[one] for one in order]


def merge(
    number: int, name: str, members: Sequence[Motif], places: Sequence[tuple[int, str]], background: Sequence[float]
) -> Motif:
    """The weighted mean of motifs that are aligned; where one has no column it counts as background, and as no contribution.

    Members that all weigh nothing count alike.
    """
    weights = np.array([one.weight for one in members], np.float64)
    total = weights.sum()
    weights = weights / total if total > 0 else np.full(len(members), 1 / len(members))
    width = max(start + one.pwm.shape[1] for one, (start, _) in zip(members, places, strict=True))
    pwm = np.zeros((4, width))
    cwm = np.zeros((4, width)) if all(one.cwm is not None for one in members) else None
    for one, weight, (start, strand) in zip(members, weights, places, strict=True):
        inside = slice(start, start + one.pwm.shape[1])
        padded = np.repeat(np.asarray(background, np.float64)[:, None], width, axis=1)
        padded[:, inside] = _turned(one.pwm, strand)
        pwm += weight * padded
        if cwm is not None and one.cwm is not None:
            cwm[:, inside] += weight * _turned(one.cwm, strand)
    tags = tuple(dict.fromkeys(tag for one in members for tag in one.tags))
    return Motif(number, name, pwm, cwm, float(total), tags, tuple(i for one in members for i in one.members))


def _turned(matrix: np.ndarray, strand: str) -> np.ndarray:
    return matrix[::-1, ::-1] if strand == "-" else matrix


def iupac(pwm: np.ndarray) -> str:
    """A consensus of one letter a column: a base of over half that is twice the next one, two of over three quarters, or N.

    Source: Cavener, Nucleic Acids Research 1987.

    Examples
    --------
    >>> iupac(np.array([[0.9, 0.4, 0.3], [0.1, 0.0, 0.3], [0.0, 0.5, 0.2], [0.0, 0.1, 0.2]]))
    'ARN'
    """
    letters = []
    for column in pwm.T:
        order = np.argsort(-column, kind="stable")
        first, second = column[order[0]], column[order[1]]
        if first > 0.5 and first > 2 * second:
            code = 1 << int(order[0])
        elif first + second > 0.75:
            code = (1 << int(order[0])) + (1 << int(order[1]))
        else:
            code = 15
        letters.append(_LETTERS[code])
    return "".join(letters)
