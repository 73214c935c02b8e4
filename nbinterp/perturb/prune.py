"""The bases of a span that its effect cannot do without.

In: a model, sequences, and a span of each.  Out: which of its bases are enough for most of its effect, when all others are
replaced by backgrounds.  Tiles go from coarse to fine; of each size as many as possible go at once, those whose loss costs
least first, found by halving.  The searches of all spans advance together, so that what they ask is predicted in batches.

Source: Toneyan and Koo, CREME (Nature Genetics 2024), whose pruning of sequences this follows.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from ..core.check import check_choice
from ..errors import problem
from .context.experiment import Experiment
from .context.filled import HOLE, Near
from .context.spans import check_apart, mask_of, spans_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .context.experiment import Settings

__all__ = ["PruneResult", "prune"]

# asks for the mean predictions (R,) of templates (R, L), and ends with the one that is left and its part of the effect
_Search = Generator[np.ndarray, np.ndarray, tuple[np.ndarray, float]]


class PruneResult(NamedTuple):
    """What is left of spans.

    Attributes
    ----------
    kept : bool array (R, L)
        One row a span: its bases that are needed.
    table : DataFrame
        One row a span; see `prune`.
    """

    kept: np.ndarray
    table: pd.DataFrame


def prune(
    model: Any,
    X: Any,
    tiles: Any,
    *,
    part: float = 0.9,
    sizes: Sequence[int] = (16, 4, 1),
    context: str = "background",
    keep: Any = None,
    **settings: Unpack[Settings],
) -> PruneResult:
    """Find the bases of a span that are enough for most of its effect.

    Parameters
    ----------
    model, X, tiles, **settings
        As in `necessity`; here a tile is a span to be pruned, each by itself.
    part : float
        Of the span's mean effect, how much must be left, above 0 and at most 1.
    sizes : sequence of int
        Bases that are tried together, from coarse to fine.
    context : "background" or "sequence"
        What is around the span: backgrounds, so that the bases found are *sufficient* there (as in CREME), or the sequence
        itself, so that they are what it cannot do without.
    keep : optional, in the forms of `tiles`
        What stays in every background; for ``context="background"``.

    Returns
    -------
    PruneResult
        kept, a mask (R, L) of the bases left, and a table as of `necessity`, with bases, the number left, and left, the part
        of the effect that they make.  The effect is that of the whole span: prediction with it - prediction with the span
        replaced.  Bases that equal the background in every background are not counted as needed.

    Raises
    ------
    NbinterpError
        As `necessity`, and when `part` or `sizes` are out of range, or spans reach into what is kept.

    Notes
    -----
    The search is greedy: no single tile of the last size can be taken from what is left, but another, smaller set may exist.
    CREME holds the prediction to a part of the prediction with the whole span; here the effect is what is held, so that
    repressors are pruned by the same rule.

    Examples
    --------
    >>> from nbinterp import demo
    >>> X, truth = demo.sequences(6)
    >>> found = prune(demo.load_model(), X, truth[truth["name"] == "ETS"], n=4)
    >>> bool((found.table["bases"] <= 9).all()), bool((found.table["left"] >= 0.9).all())
    (True, True)
    """
    check_choice("prune", "context", context, ("background", "sequence"))
    if not 0 < part <= 1:
        raise problem("prune", "part", got=part, need="above 0, at most 1", do="0.9 is the default")
    if not len(sizes) or min(sizes) < 1:
        raise problem("prune", "sizes", got=list(sizes), need="one or more, each at least 1", do="pass (16, 4, 1)")
    if keep is not None and context == "sequence":
        raise problem("prune", "keep", got="spans", need="none: all around the span stays", do="leave it out")
    run = Experiment("prune", model, X, settings)
    n, length = run.codes.shape
    spans = spans_of("prune", "tiles", tiles, n, length)
    stays = mask_of("prune", "keep", keep, n, length)
    check_apart("prune", "tiles", spans, stays, "keep")
    of, inside = spans.example_idx, spans.inside(length)
    around = stays[of] if context == "background" else ~inside
    whole = np.where(inside | around, run.codes[of], HOLE)
    none = np.where(inside, HOLE, whole)

    def effect(start: int, end: int) -> torch.Tensor:
        y = run.measure(np.concatenate([whole, none]), np.tile(of, 2), start, end)
        return y[:, : len(of)] - y[:, len(of) :]

    values = run.run(effect)
    used = len(values)
    # a base that is the same in every background costs nothing
    differs = (run.codes[:, None] != run.backgrounds(used)[:, :used]).any(axis=1)
    started = np.where(inside & ~differs[of], HOLE, whole)
    searches = [_search(*pair, part, sizes) for pair in zip(started, none, strict=True)]
    left, parts = _together(run, searches, whole, of, used)
    kept = inside & (left != HOLE)
    return PruneResult(kept, run.table(spans, values, bases=kept.sum(axis=1), left=parts))


def _search(whole: np.ndarray, none: np.ndarray, part: float, sizes: Sequence[int]) -> _Search:
    """Make holes in `whole` towards `none`, as long as `part` of the difference of their predictions is left."""
    full, empty = yield np.stack([whole, none])
    sign = 1.0 if full >= empty else -1.0
    least = sign * (empty + part * (full - empty))
    kept, now = whole, full
    span = np.flatnonzero(whole != none)
    for size in sizes:
        tiles = np.split(span, np.flatnonzero(np.diff(span // size)) + 1)
        while True:
            tiles = [tile for tile in tiles if (kept[tile] != HOLE).any()]
            if not tiles:
                break
            alone = sign * (yield np.stack([_without(kept, tile) for tile in tiles]))
            order = [tiles[i] for i in np.argsort(-alone, kind="stable") if alone[i] >= least]
            n = len(order)
            while n:  # the most that can go together: what cannot is halved
                tried = _without(kept, np.concatenate(order[:n]))
                (y,) = yield tried[None]
                if sign * y >= least:
                    kept, now = tried, y
                    break
                n //= 2
            if not n:
                break
    return kept, (now - empty) / (full - empty) if full != empty else float("nan")


def _without(kept: np.ndarray, tile: np.ndarray) -> np.ndarray:
    made = kept.copy()
    made[tile] = HOLE
    return made


def _together(
    run: Experiment, searches: Sequence[_Search], whole: np.ndarray, of: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Answer what all searches ask, in batches, until each has ended: templates (R, L), and parts of the effects (R,)."""
    found: dict[int, tuple[np.ndarray, float]] = {}
    asked = {row: next(search) for row, search in enumerate(searches)}
    while asked:
        sizes = [len(templates) for templates in asked.values()]
        which = np.repeat(list(asked), sizes)
        y = run.measure(np.concatenate(list(asked.values())), of[which], 0, n, Near(whole, which)).mean(dim=0)
        for row, answer in zip(list(asked), np.split(y.numpy(), np.cumsum(sizes)[:-1]), strict=True):
            try:
                asked[row] = searches[row].send(answer)
            except StopIteration as ended:
                found[row] = ended.value
                del asked[row]
    templates, parts = zip(*(found[row] for row in range(len(searches))), strict=True)
    return np.stack(templates), np.array(parts)
