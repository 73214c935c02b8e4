"""Marginalization: what a motif does in backgrounds that know nothing of it.

In: a model, background sequences, and a motif, or annotated spans of other sequences.  Out: the output of a function
before and after the motif is written over the middle of each background.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from ..core.results import PerturbationAnnotationsResult, PerturbationResult
from ..model import predict
from ..sequence import substitute
from .annotations import read_annotations
from .call import each, make_call, sequences
from .edits import Edits
from .place import DNA, check_placed, motif_width
from .run import run_edits, stack

__all__ = ["marginalize", "marginalize_annotations"]


def marginalize(
    model: Any,
    X: Any,
    motif: torch.Tensor | str,
    start: int | None = None,
    alphabet: Sequence[str] = DNA,
    func: Callable[..., Any] = predict,
    additional_func_kwargs: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> PerturbationResult:
    """Apply a function before and after writing a motif over background sequences.

    Parameters
    ----------
    model : callable
        What `func` is applied to.
    X : one-hot (N, 4, L) or compact container
        The backgrounds; unknown bases are kept.
    motif : str or one-hot (1 or N, 4, width)
        Unknown bases (N, zero columns) leave the background as it is.
    start : int, optional
        Position of its first base; centred by default.
    alphabet : sequence of str
        The letters of a motif string.
    func : callable
        ``func(model, X, **options)``: `predict`, `deep_lift_shap`, `saturation_mutagenesis` or your own.
    additional_func_kwargs : mapping, optional
        Options of `func` whose names are taken by an argument here.
    **kwargs
        Options of `func`, such as `args`, `batch_size` and `device` of `predict`.

    Returns
    -------
    PerturbationResult
        `y_before` and `y_after`, each as `func` gives it.

    Raises
    ------
    NbinterpError
        When the motif does not fit in the sequences or is on another device, or `X` is not one-hot.
    OptionError
        When `func` does not accept an option.

    Examples
    --------
    >>> from nbinterp import random_one_hot
    >>> model = torch.nn.Sequential(torch.nn.Conv1d(4, 2, 5), torch.nn.Flatten(), torch.nn.Linear(92, 1))
    >>> X = random_one_hot((8, 4, 50), random_state=0).float()
    >>> y_before, y_after = marginalize(model, X, "CTCAGTGATG", device="cpu")
    >>> tuple(y_after.shape)
    (8, 1)
    """
    where = "marginalize"
    one_hot = sequences(where, X, letters=len(alphabet))
    call = make_call(where, func, model, kwargs, additional_func_kwargs, X=one_hot)
    at = check_placed(where, "motif", motif_width(where, "motif", motif, one_hot), start, one_hot.shape[2])
    edited = substitute(one_hot, motif, start=at, alphabet=alphabet)
    return PerturbationResult(call.on(one_hot), call.on(edited))


def marginalize_annotations(
    model: Any,
    X: Any,
    X0: Any,
    annotations: Any,
    *,
    start: int | None = None,
    alphabet: Sequence[str] = DNA,
    func: Callable[..., Any] = predict,
    additional_func_kwargs: Mapping[str, Any] | None = None,
    reuse: bool = True,
    **kwargs: Any,
) -> PerturbationAnnotationsResult:
    """Marginalize each of A annotated spans: cut it out of its sequence and write it over the backgrounds.

    The backgrounds are given to `func` once, and many annotations together in each call of it.

    Parameters
    ----------
    model : callable
        What `func` is applied to.
    X : one-hot (N, 4, L) or compact container
        The annotated sequences.
    X0 : one-hot (N0, 4, L0) or compact container
        The backgrounds.
    annotations : tensor or array (A, 3), or DataFrame
        ``example_idx, start, end``, of any widths.
    start, alphabet, func, additional_func_kwargs, **kwargs
        As in `marginalize`; `args` have N0 rows.
    reuse : bool
        With `predict`, whether to recompute only what an edit reaches where the model allows it; equal to rounding.

    Returns
    -------
    PerturbationAnnotationsResult
        `y_befores` and `y_afters`, ``(A, N0, ...)``.  `y_befores` is one output seen A times: copy before writing to it.

    Raises
    ------
    NbinterpError
        When there are no annotations, one is not within its sequence, or is longer than the backgrounds.
    OptionError
        When `func` does not accept an option.
    Interrupted
        On a keyboard interrupt, with the finished annotations.

    Notes
    -----
    A `func` whose output for one row depends on the other rows of a call gives other numbers here than one annotation at
    a time.  Where an option holds a tensor or a random stream, annotations are called one at a time, as tangermeme does.

    Examples
    --------
    >>> from nbinterp import random_one_hot
    >>> model = torch.nn.Sequential(torch.nn.Conv1d(4, 2, 5), torch.nn.Flatten(), torch.nn.Linear(92, 1))
    >>> X = random_one_hot((10, 4, 50), random_state=0).float()
    >>> y_befores, y_afters = marginalize_annotations(model, X[:2], X[2:], [[0, 5, 12], [1, 30, 40]], device="cpu")
    >>> tuple(y_afters.shape)
    (2, 8, 1)
    """
    where = "marginalize_annotations"
    source = sequences(where, X, letters=len(alphabet))
    backgrounds = sequences(where, X0, argument="X0", letters=len(alphabet))
    spans = read_annotations(where, annotations, len(source), source.shape[2])
    call = make_call(where, func, model, kwargs, additional_func_kwargs, X=backgrounds)
    rows, length = torch.arange(len(backgrounds)), backgrounds.shape[2]
    motif_width(where, "X", source, backgrounds)
    places = [check_placed(where, "annotations", b - a, start, length) for _, a, b in spans]
    if call.stays_whole:
        motifs = (source[i : i + 1, :, a:b] for i, a, b in spans)
        options = {"start": start, "alphabet": alphabet, "func": func, **kwargs}
        alone = [marginalize(model, backgrounds, m, additional_func_kwargs=additional_func_kwargs, **options)
                 for m in motifs]  # fmt: skip
        return PerturbationAnnotationsResult(*stack(alone))

    def edits(i: int) -> Edits:
        (example, a, b), at = spans[i], places[i]
        under = backgrounds[:, :, at : at + b - a]
        return Edits(rows, at, substitute(under, source[example : example + 1, :, a:b], start=0, alphabet=alphabet))

    y_before = call.on(backgrounds)

    def finish(y_afters: Any, done: int) -> PerturbationAnnotationsResult:
        return PerturbationAnnotationsResult(each(lambda y: y.expand(done, *y.shape), y_before), y_afters)

    return run_edits(  # type: ignore[no-any-return]
        call, backgrounds, edits, len(spans), len(backgrounds), together=True, reuse=reuse, finish=finish
    )
