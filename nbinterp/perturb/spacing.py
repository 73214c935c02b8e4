"""What two motifs do together, by distance, order and strands.

In: a model, backgrounds, two motifs (or a set of them) and distances.  Out: the effect of each pair, and how far it is
from the sum of what each motif does alone at its place (cooperativity), with its interval.

The first motif, a, keeps its place and the second, b, moves, so that a alone is measured once for all distances.  A pair
can be put down in eight ways: two orders, two strands each.  On the other strand, "ab" with strands s and t reads as
"ba" with both strands turned, so the eight are four arrangements, each in two readings:

==========  =======================================  ==============  ==============
arrangement what a reader along a sees               as order ab     as order ba
==========  =======================================  ==============  ==============
a_then_b    both read the same way, b after a        a ``+``, b ``+``  a ``-``, b ``-``
b_then_a    both read the same way, b before a       a ``-``, b ``-``  a ``+``, b ``+``
facing      they read towards each other             a ``+``, b ``-``  a ``-``, b ``+``
apart       they read away from each other           a ``-``, b ``+``  a ``+``, b ``-``
==========  =======================================  ==============  ==============

A model that treats both strands alike gives both readings one answer; where they differ, it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import torch

from ..errors import Interrupted, problem
from ..model.predict import predict
from .backgrounds import Backgrounds, Construct, Placement
from .instances import Motifs, instances, matrices, seed_of, stranded
from .measured import Measured, measure

__all__ = ["SpacingEffects", "interaction_map", "spacing_effects"]

_ARRANGEMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {  # order, strand of a, strand of b
        **dict.fromkeys(("ab++", "ba--"), "a_then_b"),
        **dict.fromkeys(("ab--", "ba++"), "b_then_a"),
        **dict.fromkeys(("ab+-", "ba-+"), "facing"),
        **dict.fromkeys(("ab-+", "ba+-"), "apart"),
    }
)


@dataclass(frozen=True, eq=False)
class SpacingEffects:
    """Effects of pairs of motifs.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a pair of motifs, order, strands, distance and output: motif_a, motif_b, order ("ab" or "ba", from left
        to right), strand_a, strand_b, arrangement (see `nbinterp.perturb.spacing`), distance (bases between them),
        start_a, start_b, output, n (backgrounds used), effect (of both), effect_a, effect_b (of each alone, at its
        place), cooperativity (effect minus both), and sd, se, low, high of the cooperativity.
    y_before : torch.Tensor
        ``(N, T)``: the backgrounds as they are.
    y_expected, y_after : torch.Tensor
        ``(K, N, T)``: what effects that add would give, and what the model gives, for each of the K constructs; the
        table has T rows for each, in order.  `y_after` is NaN in backgrounds that a construct did not need.
    """

    table: pd.DataFrame
    y_before: torch.Tensor
    y_expected: torch.Tensor
    y_after: torch.Tensor


def spacing_effects(
    model: Callable[..., Any],
    X: Any,
    motif_a: Any,
    motif_b: Any,
    distances: Sequence[int],
    args: Sequence[torch.Tensor] | None = None,
    *,
    start: int | None = None,
    sample: bool = False,
    func: Callable[..., Any] = predict,
    precision: float | None = None,
    step: int | None = None,
    level: float = 0.95,
    random_state: int | np.random.RandomState | None = None,
    batch_size: int = 64,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    verbose: bool = False,
    fast: bool = True,
    **options: Any,
) -> SpacingEffects:
    """Measure two motifs together in both orders, on all strands, at every distance.

    Parameters
    ----------
    model : callable
        Takes ``(n, 4, L)`` and a row of each of `args`; one output ``(n, T)``, see `target` for others.
    X : tensor, array or compact container
        Backgrounds ``(N, 4, L)``.
    motif_a, motif_b : str, matrix (4, w), or {name: either}
        The motif that stays and the one that moves; strings are their own names, matrices are called "a" and "b".
    distances : sequence of int
        Bases between the two, 0 or more.
    args : sequence of torch.Tensor, optional
        Further inputs, N rows each.
    start : int, optional
        Where motif a begins; centred (``L // 2 - w // 2``) by default.
    sample : bool
        Write other sites in every background, drawn from the motifs' probabilities, instead of their consensus.
    precision : float, optional
        Stop measuring a construct when half the width of the interval of its cooperativity is at most this.
    func, step, level, random_state, batch_size, dtype, device, verbose, fast, options
        As in `motif_effects`.

    Returns
    -------
    SpacingEffects

    Raises
    ------
    NbinterpError
        When a distance is negative, or puts a motif outside the sequence; the message names the largest that fits.
    ModelError, OptionError
        As in `motif_effects`.
    Interrupted
        When stopped by the user; `.partial` holds the finished constructs.

    Notes
    -----
    Two copies of one motif have but one order, "ab"; their sites are drawn apart.

    Examples
    --------
    >>> import torch
    >>> from nbinterp import random_one_hot
    >>> class Pair(torch.nn.Module):  # A and C with two bases between them count 1
    ...     def forward(self, X):
    ...         return (X[:, 0, :-3] * X[:, 1, 3:]).sum(dim=-1, keepdim=True)
    >>> X = torch.zeros(4, 4, 30)
    >>> X[:, 2] = 1  # backgrounds of G
    >>> table = spacing_effects(Pair(), X, "A", "C", range(5), fast=False, device="cpu").table
    >>> table.loc[table["cooperativity"] > 0, ["order", "strand_a", "strand_b", "arrangement", "distance"]].values.tolist()
    [['ab', '+', '+', 'a_then_b', 2]]
    """
    pair = [_one("motif_a", motif_a, "a"), _one("motif_b", motif_b, "b")]
    run = _Pairs("spacing_effects", pair, [(0, 1)], distances, start, sample, random_state)
    backgrounds = Backgrounds(run.where, model, X, args, func, options, batch_size, dtype, device, fast)
    return run(backgrounds, batch_size=batch_size, precision=precision, step=step, level=level, verbose=verbose)


def interaction_map(
    model: Callable[..., Any],
    X: Any,
    motifs: Motifs,
    distances: Sequence[int],
    args: Sequence[torch.Tensor] | None = None,
    *,
    start: int | None = None,
    sample: bool = False,
    func: Callable[..., Any] = predict,
    precision: float | None = None,
    step: int | None = None,
    level: float = 0.95,
    random_state: int | np.random.RandomState | None = None,
    batch_size: int = 64,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    verbose: bool = False,
    fast: bool = True,
    **options: Any,
) -> SpacingEffects:
    """Measure every two motifs of a set together, and each with itself.

    Parameters
    ----------
    motifs : MotifSet, mapping, or strings
        M motifs, as in `motif_effects`; ``M (M + 1) / 2`` pairs, the earlier one being motif a.
    model, X, distances, args, start, sample, func, precision, step, level, random_state, batch_size, dtype, device,
    verbose, fast, options
        As in `spacing_effects`.

    Returns
    -------
    SpacingEffects
        In long form, a row for what was measured: no empty cells.

    Raises
    ------
    NbinterpError, ModelError, OptionError, Interrupted
        As in `spacing_effects`.

    Examples
    --------
    >>> import torch
    >>> X = torch.zeros(2, 4, 30)
    >>> X[:, 2] = 1
    >>> model = lambda X: X.sum(dim=(1, 2))
    >>> found = interaction_map(model, X, ["A", "C"], [3, 5], fast=False, device="cpu")
    >>> found.table.groupby(["motif_a", "motif_b"]).size().to_dict()
    {('A', 'A'): 8, ('A', 'C'): 16, ('C', 'C'): 8}
    """
    where = "interaction_map"
    known = list(matrices(where, "motifs", motifs).items())
    pairs = list(combinations_with_replacement(range(len(known)), 2))
    run = _Pairs(where, known, pairs, distances, start, sample, random_state)
    backgrounds = Backgrounds(where, model, X, args, func, options, batch_size, dtype, device, fast)
    return run(backgrounds, batch_size=batch_size, precision=precision, step=step, level=level, verbose=verbose)


def _one(argument: str, motif: Any, name: str) -> tuple[str, torch.Tensor]:
    named = motif if isinstance(motif, (str, Mapping)) else {name: motif}
    known = matrices("spacing_effects", argument, named)
    if len(known) != 1:
        raise problem("spacing_effects", argument, got=f"{len(known)} motifs", need="one", do="use interaction_map")
    return next(iter(known.items()))


class _Site(NamedTuple):
    """A motif by its number, read on a strand, at a place; `role` keeps two copies' drawn sites apart."""

    motif: int
    strand: str
    start: int
    role: int


class _Pair(NamedTuple):
    """Two sites, and the words for how they lie."""

    a: _Site
    b: _Site
    order: str
    distance: int

    @property
    def arrangement(self) -> str:
        """How the two read, from the one to the other."""
        return _ARRANGEMENTS[self.order + self.a.strand + self.b.strand]


class _Pairs:
    """One call: its motifs, and the constructs made of them."""

    def __init__(
        self,
        where: str,
        motifs: Sequence[tuple[str, torch.Tensor]],
        pairs: Sequence[tuple[int, int]],
        distances: Sequence[int],
        start: int | None,
        sample: bool,
        random_state: int | np.random.RandomState | None,
    ) -> None:
        self.where, self.motifs, self.pairs, self.start = where, motifs, pairs, start
        self.distances = [int(distance) for distance in distances]
        if not self.distances or min(self.distances) < 0:
            raise problem(
                where, "distances", got=list(distances), need="one or more of 0 or more", do="leave out the others"
            )
        self.sample, self.seed = sample, seed_of(random_state) if sample else 0

    def __call__(self, backgrounds: Backgrounds, **options: Any) -> SpacingEffects:
        """Measure each motif alone at its places, then the pairs."""
        laid = [pair for a, b in self.pairs for pair in self._lay(a, b, backgrounds.length)]
        sites = {site: i for i, site in enumerate(dict.fromkeys(site for pair in laid for site in (pair.a, pair.b)))}
        placed = self._placed(sites, backgrounds.n)
        before = backgrounds.before
        alone = self._alone(backgrounds, placed, options)
        effects = [alone[[sites[site] for site in column]] for column in zip(*((p.a, p.b) for p in laid), strict=True)]
        expected = before + effects[0] + effects[1]

        def result(measured: Measured) -> SpacingEffects:
            n = len(measured.y)
            table = self._table(laid[:n], backgrounds.n_outputs)
            columns = self._columns(measured, before, [e[:n] for e in effects], expected[:n], options["level"])
            shape = (n, backgrounds.n_outputs)
            table = table.assign(**{key: value.expand(shape).flatten().numpy() for key, value in columns.items()})
            return SpacingEffects(table, before, expected[:n], measured.y[:, 0])

        units: list[list[Construct]] = [[(placed[sites[pair.a]], placed[sites[pair.b]])] for pair in laid]
        return result(measure(backgrounds, units, expected[:, None], partial=result, **options))

    @staticmethod
    def _alone(backgrounds: Backgrounds, placed: Sequence[Placement], options: Mapping[str, Any]) -> torch.Tensor:
        """Give the effect of each motif at each of its places, in all backgrounds: ``(places, N, T)``."""
        units: list[list[Construct]] = [[(one,)] for one in placed]
        less = backgrounds.before[None, None]
        try:
            found = measure(backgrounds, units, less, **{**options, "precision": None, "partial": lambda _: None})
        except Interrupted:
            raise Interrupted(None, 0) from None
        return found.y[:, 0] - backgrounds.before

    def _lay(self, a: int, b: int, length: int) -> list[_Pair]:
        """Put a pair down in every way."""
        width_a, width_b = (self.motifs[i][1].shape[1] for i in (a, b))
        start = length // 2 - width_a // 2 if self.start is None else self.start
        orders = ("ab",) if a == b else ("ab", "ba")
        room = length - start - width_a - width_b
        if "ba" in orders:
            room = min(room, start - width_b)
        if start < 0 or max(self.distances) > room:
            names = f"{self.motifs[a][0]} at {start} and {self.motifs[b][0]}"
            need = f"at most {room}" if start >= 0 and room >= 0 else "motifs that fit beside each other"
            do = f"keep {names} inside the {length} bases"
            raise problem(self.where, "distances", got=max(self.distances), need=need, do=do)
        return [
            _Pair(
                _Site(a, strand_a, start, 0),
                _Site(b, strand_b, start + width_a + gap if order == "ab" else start - gap - width_b, 1),
                order,
                gap,
            )
            for order in orders
            for strand_a in "+-"
            for strand_b in "+-"
            for gap in self.distances
        ]

    def _placed(self, sites: Mapping[_Site, int], n: int) -> list[Placement]:
        """Write each site's motif, once for all its places."""
        written = {
            (motif, role): instances(*self.motifs[motif], n, sample=self.sample, seed=self.seed, place=role)
            for motif, role in {(site.motif, site.role) for site in sites}
        }
        return [Placement(s.start, stranded(written[s.motif, s.role], s.strand)) for s in sites]

    def _table(self, laid: Sequence[_Pair], n_outputs: int) -> pd.DataFrame:
        names = "motif_a motif_b order strand_a strand_b arrangement distance start_a start_b output".split()
        rows = [
            (
                self.motifs[p.a.motif][0],
                self.motifs[p.b.motif][0],
                *(p.order, p.a.strand, p.b.strand, p.arrangement, p.distance, p.a.start, p.b.start),
                output,
            )
            for p in laid
            for output in range(n_outputs)
        ]
        return pd.DataFrame(rows, columns=names)

    @staticmethod
    def _columns(
        measured: Measured, before: torch.Tensor, alone: Sequence[torch.Tensor], expected: torch.Tensor, level: float
    ) -> dict[str, torch.Tensor]:
        """Give the numbers of the table, ``(K, T)`` each."""
        effect_a, effect_b = (measured.mean(one[:, None])[:, 0] for one in alone)
        found = {key: value[:, 0] for key, value in measured.effects(expected[:, None], level).items()}
        cooperativity = found.pop("effect")
        return {
            "n": measured.n[:, None],
            "effect": measured.mean(measured.y - before)[:, 0],
            "effect_a": effect_a,
            "effect_b": effect_b,
            "cooperativity": cooperativity,
            **found,
        }
