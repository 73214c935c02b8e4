"""Spacing: what motifs do together, at distances from each other.

In: a model, background sequences, motifs and spacings between them.  Out: the output of a function before, and with the
motifs written over the backgrounds at each spacing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from ..core.results import SpaceResult
from ..errors import problem
from ..model import predict
from .annotations import integer_rows
from .call import each, make_call, sequences
from .edits import Edits
from .place import DNA, check_placed, motif_width, one_hot_motif
from .run import run_edits

__all__ = ["space"]


def space(
    model: Any,
    X: Any,
    motifs: Sequence[torch.Tensor | str],
    spacing: Any,
    start: int | None = None,
    alphabet: Sequence[str] = DNA,
    func: Callable[..., Any] = predict,
    additional_func_kwargs: Mapping[str, Any] | None = None,
    verbose: bool = False,
    *,
    reuse: bool = True,
    **kwargs: Any,
) -> SpaceResult:
    """Apply a function before and after writing motifs over backgrounds, at each of S spacings.

    Parameters
    ----------
    model : callable
        What `func` is applied to.
    X : one-hot (N, 4, L) or compact container
        The backgrounds; unknown bases are kept.
    motifs : sequence of str or one-hot (1 or N, 4, width)
        From left to right; unknown bases leave the background as it is.
    spacing : integers (S, n_motifs - 1)
        Bases between the end of each motif and the start of the next, a row for each arrangement.
    start : int, optional
        Position of the first motif; each arrangement as a whole is centred by default.
    alphabet : sequence of str
        The letters of motif strings.
    func : callable
        ``func(model, X, **options)``: `predict`, `deep_lift_shap`, `saturation_mutagenesis` or your own.
    additional_func_kwargs : mapping, optional
        Options of `func` whose names are taken by an argument here.
    verbose : bool
        Show progress by spacing; `func` does not see it.
    reuse : bool
        With `predict`, whether to recompute only what an edit reaches where the model allows it; equal to rounding.
    **kwargs
        Options of `func`, such as `args`, `batch_size` and `device` of `predict`.

    Returns
    -------
    SpaceResult
        `y_before` ``(N, ...)`` as `func` gives it, and `y_afters` ``(N, S, ...)``.

    Raises
    ------
    NbinterpError
        When a spacing is negative, an arrangement does not fit in the sequences, or there are no spacings.
    OptionError
        When `func` does not accept an option.
    Interrupted
        On a keyboard interrupt, with the finished spacings.

    Notes
    -----
    A `func` whose output for one row depends on the other rows of a call gives other numbers here than one spacing at a
    time.  Where an option holds a tensor or a random stream, spacings are called one at a time, as tangermeme does.

    Examples
    --------
    >>> from nbinterp import random_one_hot
    >>> model = torch.nn.Sequential(torch.nn.Conv1d(4, 2, 5), torch.nn.Flatten(), torch.nn.Linear(92, 1))
    >>> X = random_one_hot((8, 4, 50), random_state=0).float()
    >>> y_before, y_afters = space(model, X, ["TGACTCA", "GATAA"], [[0], [3], [10]], device="cpu")
    >>> tuple(y_afters.shape)
    (8, 3, 1)
    """
    where = "space"
    one_hot = sequences(where, X, letters=len(alphabet))
    widths = [motif_width(where, f"motifs[{i}]", motif, one_hot) for i, motif in enumerate(motifs)]
    gaps = _read_spacing(where, spacing, len(widths))
    wholes = [sum(widths) + sum(row) for row in gaps]
    places = [check_placed(where, "motifs, spacing", whole, start, one_hot.shape[2]) for whole in wholes]
    call = make_call(where, func, model, kwargs, additional_func_kwargs, X=one_hot)
    encoded = [one_hot_motif(where, f"motifs[{i}]", motif, alphabet, one_hot) for i, motif in enumerate(motifs)]
    rows, n = torch.arange(len(one_hot)), max(len(motif) for motif in encoded)

    def edits(i: int) -> Edits:
        between = [one_hot.new_zeros(n, one_hot.shape[1], gap) for gap in (*gaps[i], 0)]
        pieces = [
            piece for motif, gap in zip(encoded, between, strict=True) for piece in (motif.expand(n, -1, -1), gap)
        ]
        arrangement = torch.cat(pieces, dim=2)
        under = one_hot[:, :, places[i] : places[i] + wholes[i]]
        return Edits(rows, places[i], torch.where(arrangement.sum(dim=1, keepdim=True) > 0, arrangement, under))

    y_before = call.on(one_hot)

    def finish(y_afters: Any, done: int) -> SpaceResult:
        del done
        return SpaceResult(y_before, each(lambda y: y.transpose(0, 1), y_afters))

    return run_edits(  # type: ignore[no-any-return]
        call, one_hot, edits, len(gaps), len(rows), together=not call.stays_whole, reuse=reuse, verbose=verbose,
        finish=finish,
    )  # fmt: skip


def _read_spacing(where: str, spacing: Any, n_motifs: int) -> list[list[int]]:
    """Give the gaps of each arrangement; they are as many as there are neighbours, and none is negative."""
    if n_motifs < 2:
        raise problem(where, "motifs", got=f"{n_motifs} motifs", need="at least two", do="use marginalize for one")
    shape = tuple(torch.as_tensor(spacing).shape)
    if len(shape) != 2 or shape[1] != n_motifs - 1 or not shape[0]:
        raise problem(
            where, "spacing", got=f"shape {shape}", need=f"shape (S, {n_motifs - 1}) with S at least 1",
            do="give a row for each arrangement, such as [[10], [20]] for two motifs",
        )  # fmt: skip
    gaps = integer_rows(where, "spacing", spacing, ", ".join(["bases between neighbours"] * (n_motifs - 1)))
    if (gaps < 0).any():
        raise problem(
            where, "spacing", got=int(gaps.min()), need="0 or more", do="drop it, or place the motifs with substitute"
        )
    return gaps.tolist()  # type: ignore[no-any-return]
