"""Edits of one sequence, as a person makes them, and their history.

In: codes ``(L,)`` and edits.  Out: the edited codes, of the same length, and where each of them comes from.  Edits are kept
whole and against the original, so that a lost message cannot put the two halves of a view out of step, and undo is to
drop the last.  The browser half does the same in ``js/src/state/edits.ts``; shared fixtures hold both to one answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..errors import problem

__all__ = ["Change", "Edited", "History", "apply_changes"]

LETTERS = "ACGTN"


class Change(NamedTuple):
    """Bases put in the place of ``[start, end)``: a substitution, an insertion (start = end), a deletion (no bases).

    Positions are those of the sequence as the changes before this one left it.
    """

    start: int
    end: int
    bases: str


class Edited(NamedTuple):
    """Codes after the changes, and for each the position in the original that it stands for (-1: none)."""

    codes: np.ndarray
    origin: np.ndarray


def apply_changes(codes: np.ndarray, changes: Iterable[Change]) -> Edited:
    """Apply changes in order; what an insertion pushes off the end is lost, what a deletion leaves open is unknown.

    Parameters
    ----------
    codes : uint8 array, shape (L,)
        0 to 3 for A, C, G, T, and 4 for unknown.
    changes : iterable of Change

    Returns
    -------
    Edited
        The length stays L: a model takes one length.  Substituted bases keep the position they stand for.

    Raises
    ------
    NbinterpError
        When a change lies outside, or has other letters than A, C, G, T and N.

    Examples
    --------
    >>> edited = apply_changes(np.array([0, 1, 2, 3], np.uint8), [Change(1, 2, "TT"), Change(0, 1, "")])
    >>> edited.codes.tolist(), edited.origin.tolist()
    ([3, 3, 2, 3], [1, -1, 2, 3])
    """
    length = len(codes)
    now, origin = codes.astype(np.uint8), np.arange(length)
    for change in changes:
        start, end, bases = change
        if not 0 <= start <= end <= length:
            raise problem(
                "apply_changes", "changes", got=f"[{start}, {end})", need=f"a span within [0, {length}]", do="move it"
            )
        new = [LETTERS.find(base) for base in bases.upper()]
        if min(new, default=0) < 0:
            raise problem("apply_changes", "changes", got=repr(bases), need="letters A, C, G, T or N", do="correct it")
        kept = origin[start : start + min(len(new), end - start)]
        added = np.full(len(new) - len(kept), -1)
        now = np.concatenate([now[:start], np.array(new, np.uint8), now[end:]])
        open_end = max(length - len(now), 0)
        now = np.concatenate([now, np.full(open_end, 4, np.uint8)])
        origin = np.concatenate([origin[:start], kept, added, origin[end:], np.full(open_end, -1)])
    return Edited(now[:length], origin[:length])


@dataclass(frozen=True)
class History:
    """Changes done, and those undone that can be done again.

    Examples
    --------
    >>> history = History().do(Change(3, 4, "A")).do(Change(5, 5, "TT")).undo()
    >>> [one.start for one in history.done], history.redo().undone
    ([3], ())
    """

    done: tuple[Change, ...] = ()
    undone: tuple[Change, ...] = ()

    def do(self, change: Change) -> History:
        """Add a change; what was undone before is forgotten."""
        return History((*self.done, change))

    def undo(self) -> History:
        """Take back the last change, if there is one."""
        return History(self.done[:-1], (*self.undone, self.done[-1])) if self.done else self

    def redo(self) -> History:
        """Do again what was undone last, if there is anything."""
        return History((*self.done, self.undone[-1]), self.undone[:-1]) if self.undone else self

    def to_json(self) -> dict[str, list[list[Any]]]:
        """Plain lists, as they travel."""
        return {"done": [list(one) for one in self.done], "undone": [list(one) for one in self.undone]}

    @classmethod
    def from_json(cls, stored: dict[str, Sequence[Sequence[Any]]]) -> History:
        """Read what `to_json` wrote."""
        done, undone = (tuple(_change(one) for one in stored.get(key, ())) for key in ("done", "undone"))
        return cls(done, undone)


def _change(values: Sequence[Any]) -> Change:
    if len(values) != 3 or not isinstance(values[2], str):
        raise problem("History", "changes", got=repr(values), need="[start, end, bases]", do="pass three values")
    return Change(int(values[0]), int(values[1]), values[2])
