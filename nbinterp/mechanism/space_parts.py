"""Putting a space together from its parts, and computing those that are missing.

In: sequences, maps, activities, and perhaps clusters and an embedding.  Out: a `MechanismSpace`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from ..core.arrays import numpy_of
from ..errors import problem
from .cluster import Clusters, cluster_maps
from .cluster_embed import principal_components
from .compile import compile_library
from .library import Library, library_of
from .neighbours_maps import as_points
from .space import MechanismSpace
from .space_fine import fine_of_labels, fine_of_tree
from .stability import stability_of
from .summary_rows import read_activity
from .summary_sums import fine_sums

__all__ = ["assemble", "axes_of", "build", "check_maps", "compile_table"]

_WHERE = "MechanismSpace.from_parts"
_CHUNK = 1 << 12  # maps looked at together
_SILHOUETTES = 2000  # maps that silhouettes of given labels are computed for


def assemble(
    X: Any,
    maps: Any,
    y: Any,
    *,
    reference: Any,
    start: int,
    clusters: Any,
    n_clusters: int | None,
    embedding: Any,
    columns: Any,
    n_fine: int,
    n_refits: int,
    random_state: int,
    facts: Mapping[str, Any],
) -> MechanismSpace:
    """`MechanismSpace.from_parts`."""
    library = X if isinstance(X, Library) else library_of(X, reference)
    maps = check_maps(_WHERE, maps, len(library), library.shape[2], start)
    y = read_activity(_WHERE, y, len(library))
    if not isinstance(n_fine, (int, np.integer)) or n_fine < 1:
        raise problem(_WHERE, "n_fine", got=n_fine, need="at least 1", do="2000 is usual")
    window = library.reference[:, start : start + maps.shape[2]]
    found, names = _clusters(maps, clusters, n_clusters, n_refits, random_state)
    axes, facts = None, dict(facts)
    if embedding is None:
        facts["embedding"] = "pca"
        xy, axes = axes_of(maps, found.gauge, window)
    else:
        xy = np.asarray(embedding, np.float32)
        if xy.shape != (len(library), 2) or not np.isfinite(xy).all():
            got = f"shape {xy.shape}" if xy.shape != (len(library), 2) else "NaN or infinity"
            raise problem(
                _WHERE, "embedding", got=got, need=f"{len(library)} finite points (N, 2)", do="pass two columns"
            )
    made = build(
        library, maps, y, found, xy, axes, start=start, n_fine=int(n_fine), random_state=random_state, columns=columns,
        facts=facts,
    )  # fmt: skip
    return replace(made, names=MappingProxyType(names))


def build(
    library: Library,
    maps: np.ndarray,
    y: np.ndarray,
    clusters: Clusters,
    embedding: np.ndarray,
    axes: np.ndarray | None,
    *,
    start: int,
    n_fine: int,
    random_state: int,
    columns: Any,
    backgrounds: Any = None,
    facts: Mapping[str, Any],
    device: Any = None,
) -> MechanismSpace:
    """A space of parts that are all there and fit."""
    tree = None
    if clusters.linkage is not None:
        fine_labels, tree = fine_of_tree(clusters.linkage, max(n_fine, clusters.k))
    else:
        fine_labels = fine_of_labels(maps, clusters.labels, n_fine, random_state=random_state, device=device)
    return MechanismSpace(
        library=library, maps=maps, y=y, table=compile_table(library, y, columns, backgrounds), clusters=clusters,
        embedding=embedding, fine_labels=fine_labels,
        fine=fine_sums(maps, library, fine_labels, y, start=start, device=device), fine_tree=tree, start=start, axes=axes,
        facts=MappingProxyType(dict(facts)),
    )  # fmt: skip


def check_maps(where: str, maps: Any, n: int, length: int, start: int) -> np.ndarray:
    """Hold maps to the sequences, and give them as ``(N, 4, W)``; a memory map stays one."""
    array: np.ndarray = maps.detach().cpu().numpy() if hasattr(maps, "detach") else np.asanyarray(maps)
    if array.ndim != 3 or 4 not in array.shape[1:] or array.dtype.kind != "f":
        need = "numbers (N, 4, W), or (N, W, 4)"
        raise problem(where, "maps", got=f"{array.dtype} of shape {array.shape}", need=need, do="check the axes")
    array = array if array.shape[1] == 4 else np.swapaxes(array, 1, 2)
    if len(array) != n:
        raise problem(where, "maps", got=f"{len(array)} maps of {n} sequences", need="one each", do="match the rows")
    if n < 2:
        raise problem(
            where, "X", got="1 sequence", need="at least 2, since one has no neighbour", do="make a larger library"
        )
    if start < 0 or start + array.shape[2] > length:
        got, need = f"maps of [{start}, {start + array.shape[2]})", f"a window of the {length} bases"
        raise problem(where, "start", got=got, need=need, do="say where the maps begin")
    for first in range(0, n, _CHUNK):
        finite = np.isfinite(array[first : first + _CHUNK]).all(axis=(1, 2))
        if not finite.all():
            got = f"NaN or infinity in map {first + int((~finite).argmax())}"
            do = "drop such rows, or see why the attribution failed there"
            raise problem(where, "maps", got=got, need="finite numbers", do=do)
    return array


def _clusters(
    maps: np.ndarray, given: Any, n_clusters: int | None, n_refits: int, seed: int
) -> tuple[Clusters, dict[int, str]]:
    """Clusters of what was given, and their names where labels were no numbers from 0."""
    n = len(maps)
    if isinstance(given, Clusters):
        if given.labels.shape != (n,):
            raise problem(_WHERE, "clusters", got=f"{len(given.labels)} labels", need=f"{n}", do="cluster these maps")
        return given, {}
    if given is None:
        return cluster_maps(maps, n_clusters, n_refits=n_refits, random_state=seed), {}
    array = numpy_of(given)
    if array.shape == (n - 1, 4):
        if (np.diff(array[:, 2]) < 0).any():
            raise problem(
                _WHERE, "clusters", got="heights that descend", need="a tree by ascending height", do="sort it"
            )
        return cluster_maps(
            maps, n_clusters, linkage=array.astype(np.float64), n_refits=n_refits, random_state=seed
        ), {}
    if array.shape != (n,) or array.dtype.kind not in "iu":
        need = f"Clusters, {n} integers, or a linkage ({n - 1}, 4)"
        raise problem(_WHERE, "clusters", got=f"{array.dtype} of shape {array.shape}", need=need, do="pass one of them")
    return _labelled(maps, array)


def _labelled(maps: np.ndarray, given: np.ndarray) -> tuple[Clusters, dict[int, str]]:
    kinds = np.unique(given[given >= 0])
    if not len(kinds):
        raise problem(_WHERE, "clusters", got="only noise (-1)", need="at least one cluster", do="cluster otherwise")
    labels = np.where(given >= 0, np.searchsorted(kinds, given), -1).astype(np.int64)
    names = {} if kinds[-1] == len(kinds) - 1 else {i: str(kind) for i, kind in enumerate(kinds.tolist())}
    stability = stability_of(maps, labels, lambda part: np.zeros(len(part)), n_refits=0, at_most=_SILHOUETTES)
    return Clusters(labels, len(kinds), stability, method="labels"), names


def axes_of(
    maps: np.ndarray, gauge: str = "none", reference: Any = None, device: Any = None
) -> tuple[np.ndarray, np.ndarray]:
    """Two principal components, float32 ``(N, 2)``, and the mean and directions ``(3, D)``; zeros where there is one."""
    n, width = len(maps), int(np.prod(maps.shape[1:]))
    form = {"gauge": gauge, "reference": reference}
    found = principal_components(maps, min(2, n, width), device=device, **form)
    mean = as_points("embedding", maps.mean(axis=0, dtype=np.float64)[None], "cpu", **form).numpy()
    xy, directions = np.zeros((n, 2), np.float32), np.zeros((2, width))
    xy[:, : found.coordinates.shape[1]], directions[: len(found.directions)] = found.coordinates, found.directions
    return xy, np.concatenate([mean, directions])


def compile_table(library: Library, y: np.ndarray, columns: Any, backgrounds: Any = None) -> pd.DataFrame:
    """`compile_library`, with the user's columns before the sequences."""
    table = compile_library(library, y, backgrounds)
    if columns is None:
        return table
    more = pd.DataFrame(columns).reset_index(drop=True)
    taken = [str(name) for name in more.columns if name in table.columns]
    if len(more) != len(library) or taken:
        got = f"another column {taken[0]}" if taken else f"{len(more)} rows"
        need = f"{len(library)} rows, of columns with other names than prediction, hamming and sequence"
        raise problem(_WHERE, "columns", got=got, need=need, do="rename them" if taken else "match the rows")
    sequence = table.pop("sequence")
    return pd.concat([table, more, sequence], axis=1)
