"""What a design went through, and what came of it.

In: a sequence, and the edits that were accepted one after the other.  Out: a `Design`: the designed sequences, a table of
every step, and the sequences after any number of steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pandas as pd
import torch

from ..errors import Interrupted, problem
from ..sequence import characters, one_hot_encode

__all__ = ["Design", "Trail", "design_of", "keeping_steps"]


class _Step(NamedTuple):
    """A row of `Design.steps`, but for its example."""

    step: int
    motif: str
    strand: str
    start: int
    end: int
    before: str
    after: str
    loss: float
    prediction: float


@dataclass(frozen=True)
class Design:
    """Designed sequences and how they came about.

    Attributes
    ----------
    X : torch.Tensor or compact container
        What the function returns by itself.
    steps : pandas.DataFrame
        One row a step: `example_idx` (the row of `start`), `step`, `motif`, `strand`, `start`, `end`, the bases there
        `before` and `after`, the `loss` with this step made, and the `prediction`, averaged over the outputs that count.
        Step 0 is the beginning, and changes nothing.
    start : torch.Tensor
        ``(n, 4, L)``: what the steps begin from.
    alphabet : tuple of str
        The letters of the rows.
    """

    X: Any
    steps: pd.DataFrame
    start: torch.Tensor
    alphabet: tuple[str, ...] = ("A", "C", "G", "T")

    def replay(self, n: int | None = None, X: torch.Tensor | None = None) -> torch.Tensor:
        """Make the first n steps again (all by default), on the sequences they were made on or on others.

        Parameters
        ----------
        n : int, optional
            Steps; 0 gives the beginning.
        X : one-hot (n, 4, L), optional
            Other sequences, as many as in `start`; any number where that is a single one.

        Raises
        ------
        NbinterpError
            When `X` has another number or length, or `n` is negative.

        Examples
        --------
        >>> from nbinterp import one_hot_encode
        >>> from nbinterp.design import greedy_substitution
        >>> model = lambda X: X[:, 2].sum(dim=-1, keepdim=True)  # counts G
        >>> X = one_hot_encode("AAAA").unsqueeze(0)
        >>> design = greedy_substitution(model, X, motifs=["G"], max_iter=2, return_steps=True)
        >>> [characters(design.replay(n)[0]) for n in range(3)]
        ['AAAA', 'GAAA', 'GGAA']
        """
        if n is not None and n < 0:
            raise problem("replay", "n", got=n, need="0 or more", do="pass how many steps to make")
        made = (self.start if X is None else X).clone()
        single = len(self.start) == 1
        if made.ndim != 3 or made.shape[1:] != self.start.shape[1:] or not (single or len(made) == len(self.start)):
            need = f"({'any number' if single else len(self.start)}, {', '.join(map(str, self.start.shape[1:]))})"
            raise problem("replay", "X", got=f"shape {tuple(made.shape)}", need=need, do="pass sequences that fit")
        columns = self.steps[["example_idx", "step", "start", "before", "after"]]
        for i, step, start, before, after in columns.itertuples(index=False, name=None):
            if after and (n is None or step <= n):
                _write(made if single else made[i : i + 1], start, before, after, self.alphabet)
        return made


def _write(X: torch.Tensor, start: int, before: str, after: str, alphabet: Sequence[str]) -> None:
    """Put bases into sequences, in place; an N clears what was known before, and leaves what was not."""
    columns = torch.as_tensor(one_hot_encode(after, alphabet=alphabet)).to(X)
    known = torch.tensor([a != "N" or b != "N" for a, b in zip(after, before, strict=True)], device=X.device)
    span = X[:, :, start : start + len(after)]
    span.copy_(torch.where(known, columns, span))


@dataclass(frozen=True)
class Trail:
    """A sequence ``(1, 4, L)`` and the steps that led to it."""

    X: torch.Tensor
    alphabet: tuple[str, ...]
    steps: tuple[_Step, ...] = ()

    @property
    def loss(self) -> float:
        """Of the sequence as it is."""
        return self.steps[-1].loss

    def begin(self, loss: float, prediction: float) -> Trail:
        """Note what the beginning is worth."""
        return replace(self, steps=(_Step(0, "", ".", 0, 0, "", "", loss, prediction),))

    def then(self, name: str, strand: str, start: int, columns: torch.Tensor, loss: float, prediction: float) -> Trail:
        """Take a step: columns ``(4, w)`` written from `start` on; zero columns leave what is there."""
        old = self.X[0, :, start : start + columns.shape[1]]
        new = torch.where(columns.sum(dim=0) > 0, columns.to(old), old)
        return self.instead(name, strand, start, new, loss, prediction)

    def instead(self, name: str, strand: str, start: int, new: torch.Tensor, loss: float, prediction: float) -> Trail:
        """Take a step that puts columns ``(4, w)`` in the place of what is there, whatever they are."""
        X, end = self.X.clone(), start + new.shape[1]
        X[0, :, start:end] = new
        before, after = (characters(Z[0, :, start:end], self.alphabet, allow_N=True) for Z in (self.X, X))
        number = self.steps[-1].step + 1 if self.steps else 1
        step = _Step(number, name, strand, start, end, before, after, loss, prediction)
        return Trail(X, self.alphabet, (*self.steps, step))


def design_of(trails: Sequence[Trail], start: torch.Tensor, X: Any = None) -> Design:
    """Put trails together, one a row of `start` ``(n, 4, L)``; `X` is their sequences by default."""
    rows = [(i, *step) for i, trail in enumerate(trails) for step in trail.steps]
    steps = pd.DataFrame(rows, columns=["example_idx", *_Step._fields])
    whole = dict.fromkeys(("example_idx", "step", "start", "end"), "int64")
    steps = steps.astype({**whole, "loss": "float64", "prediction": "float64"})
    return Design(torch.cat([t.X for t in trails]) if X is None else X, steps, start, trails[0].alphabet)


@contextmanager
def keeping_steps(result: Callable[[], Design]) -> Iterator[None]:
    """Raise an interrupt again with the design so far and the number of its steps."""
    try:
        yield
    except KeyboardInterrupt:
        design = result()
        raise Interrupted(design, int((design.steps["step"] > 0).sum())) from None
