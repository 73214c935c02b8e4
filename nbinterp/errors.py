"""What nbinterp raises and warns.

Every message at a public door has one shape, so that a reader finds the cause, the rule and the way out in the same
places each time: ``function(argument): got X; need Y; do Z``.  `problem` writes it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

__all__ = [
    "FormatError",
    "Interrupted",
    "ModelError",
    "NbinterpError",
    "NbinterpWarning",
    "OptionError",
    "problem",
    "suggest",
]


class NbinterpError(ValueError):
    """An argument or a file that nbinterp cannot work with; the message says what to do."""


class FormatError(NbinterpError):
    """A file that is not what its reader needs: truncated, of another format, or with unsupported parts."""


class ModelError(NbinterpError):
    """A model that does not fit the call: wrong input length, unusable output, an operation without a rule."""


class OptionError(NbinterpError, TypeError):
    """An option that the receiving function does not accept."""


class NbinterpWarning(UserWarning):
    """Something worth knowing that did not stop the work."""


class Interrupted(KeyboardInterrupt):
    """The user interrupted a long run; what was finished is kept.

    Attributes
    ----------
    partial : object
        The results of the finished rows, of the type the function returns, or None when nothing was finished.
    n_done : int
        How many rows `partial` holds, counted from the first.
    """

    def __init__(self, partial: Any, n_done: int) -> None:
        super().__init__(f"interrupted after {n_done} rows; they are in this exception's .partial")
        self.partial = partial
        self.n_done = n_done


def problem(
    where: str,
    argument: str,
    *,
    got: object,
    need: object,
    do: object,
    kind: type[NbinterpError] = NbinterpError,
) -> NbinterpError:
    """Build (not raise) an error of the house shape.

    Parameters
    ----------
    where, argument : str
        The public function and its argument, as the user wrote them.
    got, need, do : object
        The fact, the rule, and the remedy; each becomes a phrase without a full stop.
    kind : type, optional
        The class of the error.

    Examples
    --------
    >>> str(problem("predict", "X", got="length 1000", need="length 2114", do="re-extract with in_window=2114"))
    'predict(X): got length 1000; need length 2114; do re-extract with in_window=2114'
    """
    return kind(f"{where}({argument}): got {got}; need {need}; do {do}")


def suggest(word: str, choices: Iterable[str]) -> str:
    """Give ``" (did you mean 'x'?)"`` for the choice nearest to `word`, or an empty string.

    Examples
    --------
    >>> suggest("n_shufles", ["n_shuffles", "target"])
    " (did you mean 'n_shuffles'?)"
    >>> suggest("zzz", ["n_shuffles", "target"])
    ''
    """
    near = difflib.get_close_matches(word, list(choices), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
