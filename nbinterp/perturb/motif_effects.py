"""What motifs do to a model's predictions, by themselves.

In: a model, backgrounds and motifs.  Out: the effect of each motif on each strand, averaged over the backgrounds, with
its interval (`motif_effects`); or the same at many places (`position_effects`).  Every motif is written into every
background and the difference is taken within the background: the idea of marginalization (global importance analysis,
Koo et al., PLOS Comput. Biol. 2021), with numbers, both strands and drawn sites.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from ..core.check import check_choice
from ..errors import problem
from ..model.predict import predict
from .backgrounds import Backgrounds, Placement
from .instances import Motifs, instances, matrices, seed_of, stranded
from .measured import Measured, measure

__all__ = ["MotifEffects", "PositionEffects", "motif_effects", "position_effects"]


@dataclass(frozen=True, eq=False)
class MotifEffects:
    """Effects of motifs.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a motif, strand and output: name, strand, start, output, n (backgrounds used), before, after (means),
        effect (mean of after minus before within a background), sd, se, low, high.
    y_before : torch.Tensor
        ``(N, T)``: the backgrounds as they are.
    y_after : torch.Tensor
        ``(M, S, N, T)``: with each motif on each strand; NaN in backgrounds that a motif did not need.
    """

    table: pd.DataFrame
    y_before: torch.Tensor
    y_after: torch.Tensor


@dataclass(frozen=True, eq=False)
class PositionEffects:
    """Effects of motifs by place: a `table` as in `MotifEffects`, `y_before` ``(N, T)``, `y_after` ``(M, S, P, N, T)``.

    `starts` are the P places, in order.
    """

    table: pd.DataFrame
    y_before: torch.Tensor
    y_after: torch.Tensor
    starts: tuple[int, ...]


def motif_effects(
    model: Callable[..., Any],
    X: Any,
    motifs: Motifs,
    args: Sequence[torch.Tensor] | None = None,
    *,
    start: int | None = None,
    strands: str = "both",
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
) -> MotifEffects:
    """Measure what each motif does in the same backgrounds.

    Parameters
    ----------
    model : callable
        Takes ``(n, 4, L)`` and a row of each of `args`; one output ``(n, T)``, see `target` for others.
    X : tensor, array or compact container
        Backgrounds ``(N, 4, L)``: shuffled or random sequences, or real ones that lack the motifs.
    motifs : MotifSet, mapping, or strings
        Matrices ``(4, w)`` of probabilities or strings, by name; strings alone are their own names.  A zero column, or
        ``N``, leaves the background as it is.
    args : sequence of torch.Tensor, optional
        Further inputs, N rows each.
    start : int, optional
        Where each motif begins; centred (``L // 2 - w // 2``) by default.
    strands : {"both", "+", "-"}
        Which strands to write it on.
    sample : bool
        Write another site in every background, drawn from the motif's probabilities, instead of its consensus.
    func : callable
        What to measure: ``func(model, X, args=..., batch_size=..., dtype=..., device=..., **options)`` giving one row
        a sequence, ``(n, T)``.
    precision : float, optional
        Stop measuring a motif when half the width of all its intervals is at most this; the backgrounds used are the
        first, `step` (16) at a time.  By default all are used.
    step : int, optional
        Backgrounds a round, with `precision`.
    level : float
        Of the confidence intervals.
    random_state : int, RandomState or None
        Seed of drawn sites.  Site i of a motif depends on the seed and the motif's name alone.
    batch_size : int
        Sequences at a time; the numbers do not depend on it.
    dtype, device : optional
        As in `predict`.
    verbose : bool
        Show progress, by motif.
    fast : bool
        Recompute only what a motif reaches, where `func` is `predict` and the model has a change-range plan; equal to
        rounding.
    **options
        Further options of `func`.

    Returns
    -------
    MotifEffects

    Raises
    ------
    NbinterpError
        When a motif is longer than the sequences, or begins outside.
    ModelError
        When `func` gives something else than ``(N, T)`` or ``(N,)``.
    OptionError
        For an option that `func` does not accept.
    Interrupted
        When stopped by the user; `.partial` holds the finished motifs.

    Examples
    --------
    >>> import torch
    >>> from nbinterp import random_one_hot
    >>> model = lambda X: X[:, 2].sum(dim=-1, keepdim=True)  # counts G
    >>> X = random_one_hot((64, 4, 20), random_state=0)
    >>> table = motif_effects(model, X, {"full": "GGGG", "none": "TATA"}, fast=False, device="cpu").table
    >>> [(row.name, row.strand, round(row.effect)) for row in table.itertuples(index=False)]
    [('full', '+', 3), ('full', '-', -1), ('none', '+', -1), ('none', '-', -1)]
    """
    where = "motif_effects"
    known = matrices(where, "motifs", motifs)
    backgrounds = Backgrounds(where, model, X, args, func, options, batch_size, dtype, device, fast)
    starts = [_place(where, name, m, backgrounds.length, start) for name, m in known.items()]
    trial = _Trial(backgrounds, known, [(s,) for s in starts], _strands(where, strands), sample, random_state)

    def result(measured: Measured) -> MotifEffects:
        return MotifEffects(trial.table(measured, level), backgrounds.before, trial.after(measured)[:, :, 0])

    return result(trial.run(batch_size, precision, step, level, verbose, result))


def position_effects(
    model: Callable[..., Any],
    X: Any,
    motifs: Motifs,
    starts: Sequence[int] | None = None,
    args: Sequence[torch.Tensor] | None = None,
    *,
    strands: str = "both",
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
) -> PositionEffects:
    """Measure what each motif does wherever it is placed.

    Parameters
    ----------
    starts : sequence of int, optional
        Where the motifs begin; every place that all of them fit by default.
    model, X, motifs, args, strands, sample, func, precision, step, level, random_state, batch_size, dtype, device,
    verbose, fast, options
        As in `motif_effects`; a motif is measured until it is precise at all its places.  The drawn site of a
        background is the same at all places.

    Returns
    -------
    PositionEffects

    Raises
    ------
    NbinterpError, ModelError, OptionError, Interrupted
        As in `motif_effects`.

    Examples
    --------
    >>> import torch
    >>> from nbinterp import random_one_hot
    >>> model = lambda X: X[:, 2, :10].sum(dim=-1, keepdim=True)  # counts G in the left half
    >>> X = random_one_hot((64, 4, 20), random_state=0)
    >>> effects = position_effects(model, X, "GGGG", [0, 8, 16], strands="+", fast=False, device="cpu")
    >>> [round(effect) for effect in effects.table["effect"]]
    [3, 2, 0]
    """
    where = "position_effects"
    known = matrices(where, "motifs", motifs)
    backgrounds = Backgrounds(where, model, X, args, func, options, batch_size, dtype, device, fast)
    widest = max(matrix.shape[1] for matrix in known.values())
    places = tuple(range(backgrounds.length - widest + 1)) if starts is None else tuple(int(s) for s in starts)
    for name, matrix in known.items():
        for place in places or (None,):
            _place(where, name, matrix, backgrounds.length, place)
    if not places:
        raise problem(where, "starts", got="none", need="at least one place", do="pass None for all")
    trial = _Trial(backgrounds, known, [places] * len(known), _strands(where, strands), sample, random_state)

    def result(measured: Measured) -> PositionEffects:
        return PositionEffects(trial.table(measured, level), backgrounds.before, trial.after(measured), places)

    return result(trial.run(batch_size, precision, step, level, verbose, result))


class _Trial:
    """Motifs on strands at places: one unit a motif, one construct a strand and place."""

    def __init__(
        self,
        backgrounds: Backgrounds,
        motifs: dict[str, torch.Tensor],
        starts: Sequence[Sequence[int]],
        strands: str,
        sample: bool,
        random_state: int | np.random.RandomState | None,
    ) -> None:
        self.backgrounds, self.names, self.starts, self.strands = backgrounds, list(motifs), starts, strands
        seed = seed_of(random_state) if sample else 0
        self.units = []
        for (name, matrix), places in zip(motifs.items(), starts, strict=True):
            sites = instances(name, matrix, backgrounds.n, sample=sample, seed=seed)
            self.units.append([(Placement(place, stranded(sites, s)),) for s in strands for place in places])

    def run(
        self,
        batch_size: int,
        precision: float | None,
        step: int | None,
        level: float,
        verbose: bool,
        result: Callable[[Measured], Any],
    ) -> Measured:
        return measure(
            self.backgrounds,
            self.units,
            self.backgrounds.before[None, None],
            batch_size=batch_size,
            precision=precision,
            step=step,
            level=level,
            verbose=verbose,
            partial=result,
        )

    def after(self, measured: Measured) -> torch.Tensor:
        """Give the predictions ``(M, S, P, N, T)``."""
        units, constructs, *rest = measured.y.shape
        return measured.y.view(units, len(self.strands), constructs // len(self.strands), *rest)

    def table(self, measured: Measured, level: float) -> pd.DataFrame:
        """Give one row a motif, strand, place and output."""
        before = self.backgrounds.before[None, None]
        shape = (len(measured.y), measured.y.shape[1], self.backgrounds.n_outputs)
        rows = [
            (name, strand, place, output)
            for name, places in zip(self.names[: shape[0]], self.starts, strict=False)
            for strand in self.strands
            for place in places
            for output in range(shape[2])
        ]
        table = pd.DataFrame(rows, columns=["name", "strand", "start", "output"])
        columns = {
            "n": measured.n[:, None, None],
            "before": measured.mean(before),
            "after": measured.mean(measured.y),
            **measured.effects(before, level),
        }
        return table.assign(**{key: value.expand(shape).flatten().numpy() for key, value in columns.items()})


def _strands(where: str, strands: str) -> str:
    check_choice(where, "strands", strands, ("both", "+", "-"))
    return "+-" if strands == "both" else strands


def _place(where: str, name: str, matrix: torch.Tensor, length: int, start: int | None) -> int:
    width = matrix.shape[1]
    if width > length:
        raise problem(where, "motifs", got=f"{name} of {width} bases", need=f"at most {length}", do="trim its flanks")
    if start is None:
        return length // 2 - width // 2
    if not 0 <= start <= length - width:
        raise problem(
            where, "start", got=start, need=f"0 to {length - width} for {name} of {width} bases", do="move it inside"
        )
    return start
