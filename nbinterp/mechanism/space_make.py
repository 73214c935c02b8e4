"""From a model and a sequence to its mechanisms, in one call.

In: a model and a reference.  Out: a `MechanismSpace`: library, predictions, maps, clusters.  With a folder every stage is
kept there as it goes, and a call that was stopped goes on where it stopped.

Source: SEAM (Seitz et al. 2025), whose pipeline this is, with SQUID's library.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

from ..core.cache import content_hash
from ..core.check import check_choice, check_options
from ..errors import problem
from .cluster import Clusters, cluster_maps
from .cluster_embed import embed_tsne, embed_umap
from .cluster_leiden import optional
from .library import Library, library_of
from .library_global import backgrounds_of
from .library_letters import HAPLOID, span_within
from .library_random import one_sequence, random_library
from .maps import MAP_METHODS, attribute_library
from .neighbours import nearest_neighbours
from .neighbours_maps import as_points
from .space import MechanismSpace
from .space_files import load_space, read_note
from .space_parts import axes_of, build, compile_table
from .space_stages import Computing, keep_array, library_predictions, model_key, output_of
from .ward import ward_linkage

__all__ = ["mechanism_space"]

_WHERE: Final = "mechanism_space"
_CLUSTERERS: Final = ("ward", "average", "complete", "kmeans", "dbscan", "leiden")
_NEIGHBOURS: Final = {"umap": 14, "tsne": 90}  # of the graph; a map itself makes UMAP's 15
_PACKAGES: Final = {"umap": "umap", "tsne": "openTSNE"}


def mechanism_space(
    model: Any,
    reference: Any = None,
    *,
    n: int = 20_000,
    rate: float = 0.1,
    window: tuple[int, int] | None = None,
    library: Any = None,
    method: Any = "saliency",
    target: int | None = None,
    span: tuple[int, int] | None = None,
    n_clusters: int | None = None,
    cluster_method: str = "ward",
    gauge: str = "none",
    n_fine: int = 2_000,
    n_refits: int = 5,
    embedding: str = "pca",
    columns: Any = None,
    attribution_options: Mapping[str, Any] = MappingProxyType({}),
    cluster_options: Mapping[str, Any] = MappingProxyType({}),
    folder: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    random_state: int = 0,
    dtype: Any = None,
    device: Any = None,
    batch_size: int = 64,
    verbose: bool = False,
) -> MechanismSpace:
    """Make a library, predict it, attribute it, and cluster the maps.

    Parameters
    ----------
    model : callable
        Takes ``(n, 4, L)``, gives ``(n, T)``.
    reference : str, one-hot (4, L) or (L, 4)
        The sequence to ask about; may be left out with a `library`.
    n, rate, window
        Of the library: sequences, substitutions a position, and where; as in `random_library`.
    library : Library, or what `library_of` takes, optional
        Instead of a random library: combinatorial, global, or sequences that exist.
    method : str or callable
        Of attribution, as in `attribute_library`.
    target : int, optional
        Which output; needed where the model has several.
    span : (int, int), optional
        Positions of the maps; by default those that the library varies.
    n_clusters : int, optional
        Default 30.
    cluster_method : str
        As in `cluster_maps`.
    gauge : str
        In which maps are compared: "none", "hierarchical" or "wild-type", as in `ward_linkage`; they are kept as they are.
    n_fine, n_refits, columns
        As in `MechanismSpace.from_parts`.
    embedding : {"pca", "umap", "tsne"}
        The last two need the extra ``mechanism``.
    attribution_options, cluster_options : mapping
        More arguments of `attribute_library` and of `cluster_maps`.
    folder : path, optional
        Where everything is kept; `MechanismSpace.load` reads it.  Maps are streamed there.  Called again with the same
        arguments, the function goes on where it stopped, or reads what is there; with other clusters or another embedding,
        it keeps predictions and maps.
    overwrite : bool
        Whether predictions and maps of something else may be replaced.
    random_state : int
        Of library, references and noise of attributions, clusters and refits.
    dtype, device, batch_size, verbose
        As in `predict`; clusters are computed on that device, too.

    Returns
    -------
    MechanismSpace
        ``facts["seconds"]`` says what each stage took.

    Raises
    ------
    NbinterpError
        When an argument does not fit, a prediction or a map is not finite (the row is named), or the folder holds something
        else.
    Interrupted
        When stopped by the user; what was finished is in the folder.

    Examples
    --------
    >>> from nbinterp import demo
    >>> X, _ = demo.sequences(1, random_state=7)
    >>> model = demo.load_model()
    >>> mechanism_space(model, X[0], n=40, window=(50, 90), target=0, n_clusters=4, n_refits=0, device="cpu")
    MechanismSpace(40 sequences, maps of [50, 90), 4 clusters by ward, 40 fine)
    """
    chosen = _library(reference, library, n, rate, window, random_state)
    kept = _span(chosen, span)
    _check(chosen, method, cluster_method, gauge, embedding, n_clusters, n_fine, columns, cluster_options)
    computing = Computing(batch_size, dtype, device)
    output = output_of(_WHERE, model, chosen, target, computing)
    source = {"model": model_key(model), "target": str(output), "dtype": str(dtype)}
    name = method if isinstance(method, str) else model_key(method)
    how = [name, list(kept), random_state, _plain(attribution_options)]
    tree = content_hash(source, chosen.fingerprint, how, gauge, cluster_method)
    more = None if columns is None else pd.DataFrame(columns)
    asked = content_hash(tree, n_clusters, n_fine, n_refits, embedding, dict(cluster_options), more)
    home = None if folder is None else Path(folder)
    if home is not None and not overwrite:
        note = read_note(home)
        if note is not None and note["facts"].get("asked") == asked:
            return load_space(home)

    seconds: dict[str, float] = {}
    with _timed(seconds, "predictions"):
        y = library_predictions(
            _WHERE, model, chosen, output, computing, _in(home, "predictions.npy"), source, overwrite, verbose
        )
        backgrounds = None
        if chosen.kind == "global" and hasattr(chosen.source, "with_motif"):
            backgrounds = library_predictions(
                _WHERE, model, backgrounds_of(chosen), output, computing, _in(home, "backgrounds.npy"), source, overwrite,
                verbose,
            )  # fmt: skip
    with _timed(seconds, "maps"):
        maps = attribute_library(
            model, chosen, method, target=output, span=kept, path=_in(home, "maps.npy"), batch_size=batch_size,
            random_state=random_state, dtype=dtype, device=device, overwrite=overwrite, verbose=verbose,
            **attribution_options,
        )  # fmt: skip
    form: dict[str, Any] = {"gauge": gauge, "reference": chosen.reference[:, slice(*kept)], "device": device}
    with _timed(seconds, "clusters"):
        clusters = _clusters(
            maps, cluster_method, n_clusters, cluster_options, home, tree, n_refits, random_state, form, verbose
        )
    with _timed(seconds, "embedding"):
        xy, axes = _embedding(maps, embedding, random_state, form)
    facts = {
        "method": name, "target": output, "embedding": embedding, "model": type(model).__name__, "asked": asked,
        "seconds": seconds,
    }  # fmt: skip
    with _timed(seconds, "sums"):
        space = build(
            chosen, maps, y, clusters, xy, axes, start=kept[0], n_fine=n_fine, random_state=random_state, columns=columns,
            backgrounds=backgrounds, facts=facts, device=device,
        )  # fmt: skip
    if home is not None:
        with _timed(seconds, "files"):
            space.save(home)
    return space


def _check(
    library: Library, method: Any, cluster_method: str, gauge: str, embedding: str, n_clusters: int | None, n_fine: int,
    columns: Any, options: Mapping[str, Any],
) -> None:  # fmt: skip
    """Refuse before anything is computed what would be refused long after."""
    if isinstance(method, str):
        check_choice(_WHERE, "method", method, MAP_METHODS)
    check_choice(_WHERE, "cluster_method", cluster_method, _CLUSTERERS)
    as_points(_WHERE, np.zeros((1, *library.shape[1:])), "cpu", gauge=gauge, reference=library.reference)
    check_choice(_WHERE, "embedding", embedding, ("pca", *_PACKAGES))
    if embedding in _PACKAGES:
        optional(_WHERE, "embedding", embedding, _PACKAGES[embedding])
    check_options(_WHERE, cluster_maps, options)
    if cluster_method == "dbscan" and not (options.get("eps") or 0) > 0:
        do = "pass cluster_options={'eps': ...}"
        raise problem(_WHERE, "cluster_options", got=f"eps {options.get('eps')}", need="a radius above 0", do=do)
    for argument, value in (("n_clusters", n_clusters), ("n_fine", n_fine)):
        if value is not None and value < 1:
            raise problem(_WHERE, argument, got=value, need="at least 1", do="leave it out")
    compile_table(library, np.zeros(len(library)), columns)


def _library(reference: Any, given: Any, n: int, rate: float, window: Any, seed: int) -> Library:
    """The library that is asked for, of at least two sequences."""
    if given is None and reference is None:
        raise problem(_WHERE, "reference", got="None", need="a sequence, or a library", do="pass one of the two")
    if given is None:
        made = random_library(reference, n, rate, window=window, random_state=seed)
    elif isinstance(given, Library):
        made = given
        if reference is not None and not np.array_equal(
            one_sequence(_WHERE, reference, made.letters), made.reference_codes
        ):
            need = "the library's reference"
            raise problem(_WHERE, "reference", got="another sequence", need=need, do="leave it out")
    else:
        made = library_of(given, 0 if reference is None else reference, window=window)
    if made.letters != HAPLOID:
        need = "one base a position, since maps are summed by base"
        raise problem(_WHERE, "library", got="a library of two copies", need=need, do="make a random_library")
    if len(made) < 2:
        argument = "n" if given is None else "library"
        raise problem(_WHERE, argument, got=f"{len(made)} sequence", need="at least 2, since one has no neighbour",
                      do="make a larger library")  # fmt: skip
    return made


def _span(library: Library, span: tuple[int, int] | None) -> tuple[int, int]:
    if span is None and library.kind != "global":
        return library.window
    return span_within(_WHERE, "span", span, library.shape[2])


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: model_key(value) if callable(value) else value for name, value in options.items()}


def _in(home: Path | None, name: str) -> Path | None:
    return None if home is None else home / name


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[stage] = round(time.perf_counter() - began, 3)


def _clusters(
    maps: np.ndarray, method: str, n_clusters: int | None, options: Mapping[str, Any], home: Path | None, key: str,
    n_refits: int, seed: int, form: Mapping[str, Any], verbose: bool,
) -> Clusters:  # fmt: skip
    """Clusters; of Ward the tree is kept, since it is what takes long."""
    linkage = None
    if method == "ward" and "engine" not in options:
        linkage = keep_array(_in(home, "linkage.npy"), key, lambda: ward_linkage(maps, verbose=verbose, **form))
    return cluster_maps(
        maps,
        n_clusters,
        method,
        linkage=linkage,
        n_refits=n_refits,
        random_state=seed,
        verbose=verbose,
        **form,
        **options,
    )


def _embedding(
    maps: np.ndarray, method: str, seed: int, form: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray | None]:
    if method == "pca":
        return axes_of(maps, **form)
    graph = nearest_neighbours(maps, min(_NEIGHBOURS[method], len(maps) - 1), **form)
    return (embed_umap if method == "umap" else embed_tsne)(graph, maps, random_state=seed), None
