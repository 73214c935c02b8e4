"""Whether a tile is needed, whether it is enough, and how much of it is its context.

In: a model, sequences, and tiles of them.  Out: a table, one row a tile, of the effect on the prediction:

* `necessity`: the tile is replaced, all else stays;
* `context_dependence`: the tile stays, all else is replaced;
* `sufficiency`: the tile is put into backgrounds, against the same backgrounds without it;
* `context_swap`: the tile is put into other sequences, against these as they are.

Source: Toneyan and Koo, CREME (Nature Genetics 2024).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from ...core.check import check_choice
from ...errors import problem
from ...sequence import CodedSequence, dinucleotide_shuffle
from .experiment import Experiment, codes_of
from .filled import HOLE, Filler, Near
from .spans import Spans, check_apart, mask_of, spans_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .experiment import Settings

__all__ = ["context_dependence", "context_swap", "necessity", "sufficiency"]


def necessity(
    model: Any, X: Any, tiles: Any, *, fill: str = "background", **settings: Unpack[Settings]
) -> pd.DataFrame:
    """Replace a tile, and see what the prediction loses.

    Parameters
    ----------
    model : callable
        ``(n, 4, L)`` to ``(n, T)``.
    X : one-hot (N, 4, L) or compact container
        The sequences; unknown bases are shuffled as a letter of their own.
    tiles : int, pairs, rows or DataFrame
        A width (tiles side by side along every sequence); ``(start, end)``, or several, for every sequence;
        ``(example_idx, start, end)`` rows; or a table with these columns, such as seqlets.  They may overlap: each is
        replaced alone.
    fill : "background" or "shuffle"
        What takes the tile's place: the same positions of the sequence's background, shared by all tiles; or dinucleotide
        shuffles of the tile itself, as in CREME, which need tiles of some length (they keep its ends).
    **settings
        See `Settings`: n=20, target=0, args, random_state=0, backgrounds, level=0.95, precision, step, func, batch_size,
        dtype, device, verbose.

    Returns
    -------
    DataFrame
        One row a tile: example_idx, start, end; prediction (of the sequence); effect, the mean over the backgrounds of
        prediction - prediction without the tile (positive where the tile raises it); its sd over backgrounds, se, and
        confidence interval low, high; n, the backgrounds used; normalised, CREME's effect / prediction, which means
        something where predictions are positive.

    Raises
    ------
    NbinterpError
        For tiles that are empty or leave the sequence, outputs that are no ``(n, T)``, backgrounds of another shape, and
        tiles that no shuffle changes.
    OptionError
        For a setting that is not known.

    Examples
    --------
    >>> from nbinterp import demo
    >>> X, truth = demo.sequences(6)
    >>> rows = necessity(demo.load_model(), X, truth[truth["name"] == "ETS"], n=4)
    >>> bool((rows["low"] > 0.8).all())
    True
    """
    check_choice("necessity", "fill", fill, ("background", "shuffle"))
    run = Experiment("necessity", model, X, settings)
    spans = spans_of("necessity", "tiles", tiles, len(run.codes), run.length)
    of = spans.example_idx
    templates = np.where(spans.inside(run.length), HOLE, run.codes[of])
    filler = None if fill == "background" else _shuffled(run, spans)
    values = run.run(lambda a, b: run.whole[of] - run.measure(templates, of, a, b, filler=filler))
    return run.table(spans, values)


def _shuffled(run: Experiment, spans: Spans) -> Filler:
    """Fill each tile with shuffles of its own, made with the seeds of the backgrounds."""
    widths = spans.end - spans.start
    made = np.zeros((len(widths), run.n, widths.max()), np.uint8)
    for width in np.unique(widths).tolist():
        rows = np.flatnonzero(widths == width)
        at = spans.start[rows, None] + np.arange(width)
        each = run.codes[spans.example_idx[rows, None], at]
        repeated = CodedSequence(np.repeat(each, run.n, axis=0)).to_one_hot()
        seeds = np.tile(run.seed + np.arange(run.n), len(rows))
        drawn = dinucleotide_shuffle(repeated, n=1, random_state=seeds, allow_N=True)[:, 0]
        made[rows, :, :width] = codes_of(run.where, "X", drawn).reshape(len(rows), run.n, width)
        same = (made[rows, :, :width] == each[:, None]).all(axis=(1, 2))
        if same.any():
            i, a, b = (int(column[rows[np.argmax(same)]]) for column in spans)
            raise problem(
                run.where, "tiles", got=f"[{a}, {b}) of sequence {i}, which no shuffle changes",
                need="tiles that can be shuffled", do="widen it, or pass fill='background'",
            )  # fmt: skip
    inside = np.arange(widths.max()) < widths[:, None]
    return lambda rows, j, holes: made[rows, j][inside[rows]]


def context_dependence(model: Any, X: Any, tiles: Any, **settings: Unpack[Settings]) -> pd.DataFrame:
    """Keep a tile, replace all else, and see what the prediction loses.

    Parameters
    ----------
    model, X, tiles, **settings
        As in `necessity`.

    Returns
    -------
    DataFrame
        As of `necessity`; effect is prediction - prediction of the tile in backgrounds: near zero where the tile alone
        makes the prediction, positive where its context adds to it.

    Examples
    --------
    >>> from nbinterp import demo
    >>> X, truth = demo.sequences(2)
    >>> context_dependence(demo.load_model(), X, (0, 400), n=2)["effect"].tolist()  # nothing is replaced
    [0.0, 0.0]
    """
    run = Experiment("context_dependence", model, X, settings)
    spans = spans_of("context_dependence", "tiles", tiles, len(run.codes), run.length)
    of = spans.example_idx
    templates = np.where(spans.inside(run.length), run.codes[of], HOLE)
    near = Near(np.full_like(run.codes, HOLE), of)
    values = run.run(lambda a, b: run.whole[of] - run.measure(templates, of, a, b, near))
    return run.table(spans, values)


def context_swap(model: Any, X: Any, X_other: Any, tiles: Any, **settings: Unpack[Settings]) -> pd.DataFrame:
    """Put a tile into other sequences, at the same place, and see what they gain.

    Parameters
    ----------
    model, X, tiles, **settings
        As in `necessity`; n and backgrounds are given by `X_other`.
    X_other : one-hot (M, 4, L) or compact container
        The contexts; each tile is put into every one of them, with the `args` of the tile's sequence.  Order them at
        random where `precision` is given, since the first are used first.

    Returns
    -------
    DataFrame
        As of `necessity`, with n contexts in place of backgrounds, and control, the mean prediction of the contexts;
        effect is prediction of the context with the tile - without.

    Examples
    --------
    >>> from nbinterp import demo
    >>> X, truth = demo.sequences(8)
    >>> rows = context_swap(demo.load_model(), X[:1], X[1:], truth[truth["example_idx"] == 0])
    >>> rows["n"].tolist()[0]
    7
    """
    where = "context_swap"
    for name in ("n", "backgrounds"):
        if name in settings:
            raise problem(where, name, got="a value", need="none: the contexts are X_other", do="leave it out")
    others = codes_of(where, "X_other", X_other)
    codes = codes_of(where, "X", X)
    if others.ndim != 2 or others.shape[1] != codes.shape[1] or not len(others):
        got, need = f"codes of shape {others.shape}", f"one or more sequences of length {codes.shape[1]}"
        raise problem(where, "X_other", got=got, need=need, do="give contexts of the same length")
    run = Experiment(where, model, X, settings, np.broadcast_to(others, (len(codes), *others.shape)))
    spans = spans_of(where, "tiles", tiles, len(codes), run.length)
    templates = np.where(spans.inside(run.length), codes[spans.example_idx], HOLE)
    return _against(run, spans, templates, np.full_like(codes, HOLE))


def sufficiency(model: Any, X: Any, tiles: Any, *, keep: Any = None, **settings: Unpack[Settings]) -> pd.DataFrame:
    """Put a tile into backgrounds, and see what it adds.

    Parameters
    ----------
    model, X, tiles, **settings
        As in `necessity`.
    keep : optional, in the forms of `tiles`
        What stays in every background, a promoter say; tiles must not reach into it.

    Returns
    -------
    DataFrame
        As of `necessity`, with control, the mean prediction of the backgrounds with only what is kept; effect is prediction
        with the tile too - control, within each background.

    Examples
    --------
    >>> from nbinterp import demo
    >>> X, truth = demo.sequences(6)
    >>> rows = sufficiency(demo.load_model(), X, truth[truth["name"] == "ETS"], n=4)
    >>> bool((rows["low"] > 0.8).all())
    True
    """
    run = Experiment("sufficiency", model, X, settings)
    n, length = run.codes.shape
    spans = spans_of("sufficiency", "tiles", tiles, n, length)
    kept = mask_of("sufficiency", "keep", keep, n, length)
    check_apart("sufficiency", "tiles", spans, kept, "keep")
    of = spans.example_idx
    templates = np.where(spans.inside(length) | kept[of], run.codes[of], HOLE)
    return _against(run, spans, templates, np.where(kept, run.codes, HOLE))


def _against(run: Experiment, spans: Spans, templates: np.ndarray, controls: np.ndarray) -> pd.DataFrame:
    """Measure templates against the control of their sequence, in the same backgrounds."""
    rows, mine = len(templates), spans.example_idx
    both, of = np.concatenate([templates, controls]), np.concatenate([mine, np.arange(len(controls))])
    seen: list[torch.Tensor] = []

    def measure(start: int, end: int) -> torch.Tensor:
        y = run.measure(both, of, start, end, Near(controls, of))
        seen.append(y[:, rows:][:, mine])
        return y[:, :rows] - seen[-1]

    values = run.run(measure)
    return run.table(spans, values, control=torch.cat(seen).mean(dim=0).numpy())
