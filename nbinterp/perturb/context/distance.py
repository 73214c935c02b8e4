"""How an effect depends on where a tile is.

In: a model, sequences, a tile, and places.  Out: a table, one row a place, of what the tile adds there to backgrounds in
which something else is kept.

Source: Toneyan and Koo, CREME (Nature Genetics 2024).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from ...errors import problem
from .experiment import Experiment
from .filled import HOLE, Near
from .spans import Spans, check_apart, mask_of, one_each, spans_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .experiment import Settings

__all__ = ["distance_effect", "places_of"]


def distance_effect(
    model: Any, X: Any, tile: Any, positions: Any, *, keep: Any = None, **settings: Unpack[Settings]
) -> pd.DataFrame:
    """Move a tile along backgrounds, and see what it adds at each place.

    Parameters
    ----------
    model, X, **settings
        As in `necessity`.
    tile : (start, end), or one row or table row for each sequence
        What is moved.
    positions : int or sequence of int
        Where its first base is put: every so many bases, wherever it fits and reaches into nothing that is kept; or at
        these positions, in every sequence.
    keep : optional, in the forms of `tiles`
        What stays in its place in every background: the promoter, the partner.

    Returns
    -------
    DataFrame
        As of `necessity`, one row a place, with start, end those of the place; distance, the bases between the tile and
        the nearest kept base, negative where the tile comes first (NaN with nothing kept); control, the mean prediction of
        the backgrounds with only what is kept; and original, the mean effect of the tile at its own place.  The effect is
        prediction with the tile - control, within each background.

    Notes
    -----
    CREME gives predictions over those with the tile in its own place: ``(control + effect) / (control + original)``.
    The same backgrounds serve all places, as with its ``seed=True``.

    Examples
    --------
    >>> from nbinterp import demo
    >>> X, truth = demo.sequences(1)
    >>> rows = distance_effect(demo.load_model(), X, (100, 110), [50, 300], keep=(200, 210), n=2)
    >>> rows["distance"].tolist()
    [-140.0, 90.0]
    """
    where = "distance_effect"
    run = Experiment(where, model, X, settings)
    n, length = run.codes.shape
    tiles = one_each(where, "tile", tile, n, length)
    kept = mask_of(where, "keep", keep, n, length)
    check_apart(where, "tile", tiles, kept, "keep")
    places = places_of(where, positions, tiles, kept)
    of, rows = places.example_idx, len(places.start)
    controls = np.where(kept, run.codes, HOLE)
    templates = np.concatenate([controls[of], controls, controls])
    for row, (i, at, end) in enumerate(zip(*places, strict=True)):
        templates[row, at:end] = run.codes[i, tiles.start[i] : tiles.end[i]]
    templates[rows : rows + n] = np.where(tiles.inside(length), run.codes, controls)
    each, seen = np.concatenate([of, np.arange(n), np.arange(n)]), []

    def measure(start: int, end: int) -> torch.Tensor:
        y = run.measure(templates, each, start, end, Near(controls, each))
        seen.append(y[:, rows:])
        return y[:, :rows] - y[:, rows + n :][:, of]

    values = run.run(measure)
    means = torch.cat(seen).mean(dim=0)
    original, control = means[:n].numpy()[of], means[n:].numpy()[of]
    return run.table(places, values, distance=_distances(places, kept), control=control, original=original - control)


def places_of(where: str, positions: Any, tiles: Spans, kept: np.ndarray) -> Spans:
    """Give where the tile of each sequence is put: at `positions`, or every so many bases where it fits."""
    length, widths = kept.shape[1], tiles.end - tiles.start
    if isinstance(positions, (int, np.integer)) and positions < 1:
        raise problem(where, "positions", got=positions, need="a step of at least 1, or positions", do="raise it")
    every = isinstance(positions, (int, np.integer))
    starts = np.arange(0, length, positions) if every else np.asarray(positions)
    if starts.ndim != 1 or not len(starts) or not np.issubdtype(starts.dtype, np.integer):
        raise problem(where, "positions", got=repr(positions), need="one or more integers", do="pass first bases")
    found = []
    for i, width in enumerate(widths.tolist()):
        pairs = np.column_stack([np.full(len(starts), i), starts, starts + width])
        if every:
            pairs = pairs[pairs[:, 2] <= length]
            taken = np.concatenate([[0], np.cumsum(kept[i])])
            pairs = pairs[taken[pairs[:, 2]] == taken[pairs[:, 1]]]
        found.append(pairs)
    spans = spans_of(where, "positions", np.concatenate(found), len(kept), length)
    check_apart(where, "positions", spans, kept, "keep")
    return spans


def _distances(places: Spans, kept: np.ndarray) -> np.ndarray:
    """Bases between each place and the nearest kept base; negative where the place comes first."""
    found = np.full(len(places.start), np.nan)
    for row, (i, start, end) in enumerate(zip(*places, strict=True)):
        at = np.flatnonzero(kept[i])
        if len(at):
            gaps = np.where(at < start, start - at - 1, end - at)
            found[row] = gaps[np.argmin(np.abs(gaps))]
    return found
