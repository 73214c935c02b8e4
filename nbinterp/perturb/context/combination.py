"""How parts act together: tiles lost one after the other, and copies put in one after the other.

In: a model, sequences, and tiles or places.  Out: a table, one row a round, of the effect of all that was changed so far,
against the sum of the effects that each change has alone.  Every round tries all that is left, in all backgrounds at once,
and keeps the best.

Source: Toneyan and Koo, CREME (Nature Genetics 2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from ...core.check import check_choice
from ...errors import problem
from .distance import places_of
from .experiment import Experiment
from .filled import HOLE, Near
from .spans import Spans, mask_of, one_each, overlap, spans_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .experiment import Settings

__all__ = ["higher_order", "multiplicity"]


def higher_order(
    model: Any, X: Any, tiles: Any, *, rounds: int | None = None, objective: str = "min", **settings: Unpack[Settings]
) -> pd.DataFrame:
    """Replace the tile whose loss changes the prediction most, then the next, and compare with the sum of single losses.

    Parameters
    ----------
    model, X, tiles, **settings
        As in `necessity`; tiles of a sequence must not overlap.  The first round decides how many backgrounds are precise
        enough; the later ones use as many.
    rounds : int, optional
        Tiles replaced at most; all by default.
    objective : "min" or "max"
        Whether each round looks for the lowest prediction (enhancers) or the highest (silencers).

    Returns
    -------
    DataFrame
        As of `necessity`, one row a sequence and round, with round, from 1; start and end are those of the tile replaced in
        it; effect is that of all tiles replaced so far; additive, the sum of their single effects; interaction, effect -
        additive, with interaction_low and interaction_high.  Tiles that back each other up (either alone suffices) have a
        positive interaction, tiles that need each other a negative one.

    Notes
    -----
    CREME goes on from the one shuffle whose prediction is nearest to the mean; here all backgrounds are carried on, so that
    every round has its spread.

    Examples
    --------
    >>> from nbinterp import demo
    >>> X, truth = demo.sequences(2)
    >>> rows = higher_order(demo.load_model(), X, 100, rounds=2, n=2)
    >>> rows[["example_idx", "round"]].to_numpy().tolist()
    [[0, 1], [0, 2], [1, 1], [1, 2]]
    """
    where = "higher_order"
    run = Experiment(where, model, X, settings)
    n, length = run.codes.shape
    spans = spans_of(where, "tiles", tiles, n, length)
    order = np.lexsort((spans.start, spans.example_idx))
    i, start, end = (column[order] for column in spans)
    meets = (i[1:] == i[:-1]) & (start[1:] < end[:-1])
    if meets.any():
        raise overlap(where, "tiles", Spans(i, start, end), int(np.argmax(meets)) + 1, "another tile")
    holes = [np.full(width, HOLE, np.uint8) for width in (spans.end - spans.start).tolist()]
    most = int(np.bincount(spans.example_idx).max())
    count = _count(where, "rounds", most if rounds is None else rounds)
    return _greedy(run, spans, holes, None, objective, count, "round")


def multiplicity(
    model: Any,
    X: Any,
    tile: Any,
    positions: Any,
    *,
    copies: int = 4,
    keep: Any = None,
    objective: str = "max",
    **settings: Unpack[Settings],
) -> pd.DataFrame:
    """Put copies of a tile into backgrounds, each at the best place that is left, and see whether they add up.

    Parameters
    ----------
    model, X, **settings
        As in `higher_order`.
    tile : (start, end), or one row or table row for each sequence
        What is copied.
    positions : int or sequence of int
        As in `distance_effect`; places that overlap a copy are not tried again.
    copies : int
        At most; fewer where no place is left.
    keep : optional, in the forms of `tiles`
        What stays in every background.
    objective : "max" or "min"
        Whether each copy goes where the prediction is highest, or lowest.

    Returns
    -------
    DataFrame
        As of `higher_order`, with copy in place of round; start and end are those of its place; control, the mean prediction
        of the backgrounds with only what is kept; effect is prediction with all copies so far - control; a negative
        interaction means that copies saturate.

    Examples
    --------
    >>> from nbinterp import demo
    >>> X, truth = demo.sequences(1)
    >>> rows = multiplicity(demo.load_model(), X, (200, 210), 40, copies=3, n=2)
    >>> rows["copy"].tolist()
    [1, 2, 3]
    """
    where = "multiplicity"
    run = Experiment(where, model, X, settings)
    n, length = run.codes.shape
    tiles = one_each(where, "tile", tile, n, length)
    kept = mask_of(where, "keep", keep, n, length)
    places = places_of(where, positions, tiles, kept)
    blocks = [run.codes[i, tiles.start[i] : tiles.end[i]] for i in places.example_idx.tolist()]
    controls = np.where(kept, run.codes, HOLE)
    return _greedy(run, places, blocks, controls, objective, _count(where, "copies", copies), "copy")


def _count(where: str, argument: str, value: int) -> int:
    if value < 1:
        raise problem(where, argument, got=value, need="at least 1", do="raise it")
    return value


class _Round(NamedTuple):
    """What one round chose for a sequence: the row of `spans`, and changes of the prediction (n,) in each background."""

    number: int
    row: int
    joint: torch.Tensor  # by all that was written so far
    alone: torch.Tensor  # by this alone


def _greedy(
    run: Experiment,
    spans: Spans,
    blocks: Sequence[np.ndarray],
    controls: np.ndarray | None,
    objective: str,
    count: int,
    name: str,
) -> pd.DataFrame:
    """Write the best block into each sequence, `count` times.

    Block r is written at span r.  With `controls`, templates (N, L), effects are gains over these; without, they are what
    the sequences themselves lose.
    """
    check_choice(run.where, "objective", objective, ("min", "max"))
    n, best = len(run.codes), np.argmax if objective == "max" else np.argmin
    templates = (run.codes if controls is None else controls).copy()
    bases: list[torch.Tensor] = []

    def predicted(rows: np.ndarray, start: int, end: int) -> torch.Tensor:
        of = spans.example_idx[rows]
        tried = templates[of]
        for made, row in zip(tried, rows.tolist(), strict=True):
            made[spans.start[row] : spans.end[row]] = blocks[row]
        return run.measure(tried, of, start, end, Near(templates, of))

    def first(start: int, end: int) -> torch.Tensor:
        whole = run.whole.expand(end - start, n)
        bases.append(whole if controls is None else run.measure(controls, np.arange(n), start, end))
        return predicted(left, start, end) - bases[-1][:, spans.example_idx]

    left = np.arange(len(blocks))
    alone = changes = run.run(first)
    base, chosen = torch.cat(bases), []
    for number in range(1, count + 1):
        if number > 1:
            changes = predicted(left, 0, len(base)) - base[:, spans.example_idx[left]]
        means, keep = changes.mean(dim=0).numpy(), np.ones(len(left), bool)
        for i in np.unique(spans.example_idx[left]).tolist():
            mine = np.flatnonzero(spans.example_idx[left] == i)
            column = mine[best(means[mine])]
            row = int(left[column])
            start, end = spans.start[row], spans.end[row]
            templates[i, start:end] = blocks[row]
            chosen.append(_Round(number, row, changes[:, column], alone[:, row]))
            keep[mine] = (spans.start[left[mine]] >= end) | (spans.end[left[mine]] <= start)
        left = left[keep]
        if not len(left):
            break
    return _table(run, spans, chosen, None if controls is None else base, name)


def _table(
    run: Experiment, spans: Spans, chosen: list[_Round], control: torch.Tensor | None, name: str
) -> pd.DataFrame:
    """Order the rounds by sequence, and compare each with the sum of what was written alone."""
    chosen = sorted(chosen, key=lambda one: (spans.example_idx[one.row], one.number))
    rows = np.array([one.row for one in chosen])
    of = spans.example_idx[rows]
    sign = -1 if control is None else 1
    joint = sign * torch.stack([one.joint for one in chosen], dim=1)
    single = sign * torch.stack([one.alone for one in chosen], dim=1)
    total = torch.cat([single[:, of == i].cumsum(dim=1) for i in np.unique(of)], dim=1)
    further = {} if control is None else {"control": control.mean(dim=0).numpy()[of]}
    table = run.table(Spans(*(column[rows] for column in spans)), joint, **further)
    table.insert(1, name, [one.number for one in chosen])
    interaction = run.summarize(joint - total)
    return table.assign(
        additive=total.mean(dim=0).numpy(),
        interaction=interaction.mean.numpy(),
        interaction_low=interaction.low.numpy(),
        interaction_high=interaction.high.numpy(),
    )
