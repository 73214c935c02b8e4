"""Attribution maps of a whole library, streamed to memory or to a file that can be taken up again.

In: a model, a `Library`, a method.  Out: maps ``(N, 4, W)``, float32: an array, or a memory-mapped ``.npy`` file.  A row's
map depends on that row alone: not on the batch, nor on where a run was interrupted.

Source: SEAM (`Attributer`), whose maps are gradients and differences of all four bases with nothing taken off; so are
these, except that SEAM divides gradients by the size of the batch unless told otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import numpy as np
import torch

from ..attribution import deep_lift_shap, expected_gradients, integrated_gradients, saliency, smooth_grad
from ..core.batches import run_batches
from ..core.cache import content_hash
from ..core.check import check_choice, check_options
from ..errors import Interrupted, ModelError, problem
from ..sequence import dinucleotide_shuffle
from .library import Library, library_of
from .library_combinatorial import holds_all
from .library_letters import HAPLOID, span_within
from .library_predict import predict_library
from .maps_ism import SharedMutants, complete_ism
from .maps_store import MapStore

__all__ = ["MAP_METHODS", "attribute_library"]

_WHERE: Final = "attribute_library"
_ISM: Final = "saturation_mutagenesis"
_GRADIENTS: Final[Mapping[str, Callable[..., Any]]] = {
    "saliency": partial(saliency, gradient_correction=False),
    "smooth_grad": partial(smooth_grad, gradient_correction=False),
    "integrated_gradients": integrated_gradients,
    "expected_gradients": expected_gradients,
    "deep_lift_shap": deep_lift_shap,
}
_WITH_REFERENCES: Final = ("expected_gradients", "deep_lift_shap")
_SEEDED: Final = ("smooth_grad", "integrated_gradients", *_WITH_REFERENCES)
MAP_METHODS: Final = (*_GRADIENTS, _ISM)
_BATCHES_AT_A_TIME: Final = 8

Method = str | Callable[..., Any]
Make = Callable[[int, int], np.ndarray]


def attribute_library(
    model: Any,
    library: Any,
    method: Method = "saliency",
    *,
    target: int = 0,
    span: tuple[int, int] | None = None,
    path: str | os.PathLike[str] | None = None,
    batch_size: int = 64,
    random_state: int = 0,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    overwrite: bool = False,
    verbose: bool = False,
    **options: Any,
) -> np.ndarray:
    """Attribute every sequence of a library.

    Parameters
    ----------
    model : callable
        Takes ``(n, 4, L)``, gives ``(n, T)``.
    library : Library
        N sequences; or what `library_of` takes, such as one-hot ``(N, 4, L)`` or ``(N, L, 4)``.
    method : str or callable
        One of `MAP_METHODS`, or a function ``(model, X, **options)`` that gives ``(n, 4, L)``.
    target : int
        Which output; for a method of your own, pass what it needs among the options.
    span : (int, int), optional
        Positions to keep, half-open; all by default.
    path : path, optional
        A ``.npy`` file to stream to, or a ``.zarr`` folder of compressed parts (needs the extra ``zarr``).  Called again
        after an interruption with the same arguments, the function goes on where it stopped; called once more, it reads
        the file.
    batch_size : int
        Sequences at a time.
    random_state : int
        Seed of references and noise.
    dtype, device, verbose
        As in `predict`.
    overwrite : bool
        Whether a file of other maps may be replaced.
    **options
        Of the method: ``n_steps``, ``n_samples``, ``noise``, ``references``, ``n_shuffles``...; of
        saturation mutagenesis, ``log2fc`` and ``fast``.

    Returns
    -------
    np.ndarray, float32, shape (N, 4, end - start)
        Scores of all four bases, with no gauge fixed: gradients; contributions of each base relative to the references;
        or, for saturation mutagenesis, differences from the prediction, 0 at the base that is there.  Read-only and
        memory-mapped with `path`; with ``.zarr`` it is Zarr's array, of which slices are NumPy's.

    Raises
    ------
    NbinterpError
        When an argument does not fit, a map is not finite, or `path` holds maps of something else.
    Interrupted
        When stopped by the user; `.partial` holds the finished maps, and so does the file.

    Notes
    -----
    `deep_lift_shap` and `expected_gradients` take the same references for every row, shuffles of the library's reference,
    so that maps differ by their sequences and not by their references.

    Saturation mutagenesis predicts every distinct sequence once, and a library that holds all sequences of its window
    needs the predictions of its rows alone when `span` is that window.

    A model that is no `torch.nn.Module` is known by its name when a file is taken up again, since its parameters cannot be seen.

    Examples
    --------
    >>> from nbinterp.mechanism.library_random import random_library
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(40, 1))
    >>> library = random_library("ACGTACGTAC", 6, random_state=0)
    >>> attribute_library(model, library, "saliency", device="cpu").shape
    (6, 4, 10)
    """
    if not isinstance(library, Library):
        library = library_of(library)
    if not len(library):
        raise problem(_WHERE, "library", got="no sequences", need="at least one", do="check how it was cut")
    kept = span_within(_WHERE, "span", span, library.shape[2])
    _check_method(method, library, options)
    computing: dict[str, Any] = {"batch_size": batch_size, "dtype": dtype, "device": device}
    store = MapStore(
        _WHERE,
        path,
        (len(library), 4, kept[1] - kept[0]),
        {} if path is None else _identity(model, library, method, target, kept, random_state, dtype, options),
        overwrite,
    )
    if store.done < len(library):
        make = _maker(model, library, method, target, kept, random_state, computing, options)
        _fill(store, make, len(library), batch_size * _BATCHES_AT_A_TIME, verbose)
    made: np.ndarray = store.finish()
    return made


def _check_method(method: Method, library: Library, options: Mapping[str, Any]) -> None:
    if callable(method):
        check_options(_WHERE, method, options)
        return
    check_choice(_WHERE, "method", method, MAP_METHODS)
    check_options(_WHERE, _GRADIENTS.get(method, _ism_options), options)
    if library.letters != HAPLOID and method not in ("saliency", "smooth_grad"):
        need, do = "a gradient at the sequence itself", "choose saliency or smooth_grad, or pass a function"
        raise problem(_WHERE, "method", got=f"{method!r} of a two-hot library", need=need, do=do)


def _ism_options(log2fc: bool = False, fast: bool = True) -> None:
    """Name the options of saturation mutagenesis."""


def _identity(
    model: Any,
    library: Library,
    method: Method,
    target: int,
    span: tuple[int, int],
    seed: int,
    dtype: Any,
    options: Any,
) -> dict[str, str]:
    """Name what decides the maps; the batch size, the device and their speed do not."""
    plain = {name: _named(value) for name, value in options.items() if name != "fast"}
    return {
        "model": _named(model),
        "library": library.fingerprint,
        "method": method if isinstance(method, str) else _named(method),
        "target": str(target),
        "span": str(list(span)),
        "random_state": str(seed),
        "dtype": str(dtype),
        "options": content_hash(plain),
    }


def _named(value: Any) -> Any:
    """Give a model's content, a function's name, and other values as they are, hashed where they are large."""
    if isinstance(value, (torch.nn.Module, torch.Tensor, np.ndarray)):
        return content_hash(value)
    if callable(value):
        return str(getattr(value, "__qualname__", type(value).__qualname__))
    return value


def _fill(store: MapStore, make: Make, n: int, rows: int, verbose: bool) -> None:
    """Make what is missing; what was made is kept whatever happens."""
    first = store.done
    try:
        run_batches(
            n - first,
            rows,
            lambda start, end: store.write(make(first + start, first + end)),
            desc=_WHERE,
            verbose=verbose,
        )
    except KeyboardInterrupt:
        raise Interrupted(store.maps[: store.done] if store.done else None, store.done) from None
    finally:
        store.save()


def _maker(
    model: Any,
    library: Library,
    method: Method,
    target: int,
    span: tuple[int, int],
    seed: int,
    computing: dict[str, Any],
    options: dict[str, Any],
) -> Make:
    """Give the function that makes the maps of rows ``[start, end)``."""
    if method == _ISM:
        return _mutagenesis(model, library, target, span, computing, options)
    if callable(method):
        given: dict[str, Any] = {}
        call, seeded = method, False
    else:
        given = {"target": target, "hypothetical": True, **computing}
        call, seeded = _GRADIENTS[method], method in _SEEDED
        if method in _WITH_REFERENCES:
            options = {**options, "references": _shared_references(library, seed, options)}

    def make(start: int, end: int) -> np.ndarray:
        X = library[start:end].to_one_hot() if callable(method) else library[start:end]  # ours make rows on the device
        own = dict(options)
        if isinstance(own.get("references"), torch.Tensor) and len(own["references"]) == 1:
            own["references"] = own["references"].expand(len(X), -1, -1, -1)
        if seeded:
            own["random_state"] = seed + start  # as the whole library in one call would have it
        try:
            maps = call(model, X, **given, **own)
        except Interrupted:
            raise KeyboardInterrupt from None
        return _checked(maps, tuple(X.shape))[:, :, slice(*span)]

    return make


def _shared_references(library: Library, seed: int, options: dict[str, Any]) -> Any:
    """Give what to compare every row with: shuffles of the reference, unless told otherwise."""
    if "references" in options:
        return options["references"]
    if (library.reference_codes == 4).any():
        do = "pass references="
        raise problem(_WHERE, "library", got="a reference with unknown bases", need="known bases to shuffle", do=do)
    reference = torch.from_numpy(library.reference)[None]
    return dinucleotide_shuffle(reference, n=options.get("n_shuffles", 20), random_state=seed)


def _checked(maps: Any, shape: tuple[int, ...]) -> np.ndarray:
    if not isinstance(maps, (torch.Tensor, np.ndarray)) or tuple(maps.shape) != shape:
        got = f"shape {tuple(maps.shape)}" if hasattr(maps, "shape") else f"a {type(maps).__name__}"
        do = "give scores of all four bases at every position"
        raise problem(_WHERE, "method", got=got, need=f"maps of shape {shape}", do=do, kind=ModelError)
    return maps.detach().cpu().numpy() if isinstance(maps, torch.Tensor) else maps


def _mutagenesis(
    model: Any,
    library: Library,
    target: int,
    span: tuple[int, int],
    computing: dict[str, Any],
    options: dict[str, Any],
) -> Make:
    """Give the saturation mutagenesis of rows; of a complete library, from its predictions."""
    if span != library.window or not holds_all(library):
        shared = SharedMutants(_WHERE, model, library, span, target, **computing, **options)
        return shared.maps
    try:
        y = predict_library(model, library, fast=options.get("fast", True), **computing)
    except Interrupted:
        raise Interrupted(None, 0) from None
    maps = complete_ism(library, y, target=target, log2fc=options.get("log2fc", False))
    return lambda start, end: maps[start:end]
