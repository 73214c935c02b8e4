"""A space of mechanisms: a library, its maps, and their clusters, in one object.

In: sequences, attribution maps and activities; made by `mechanism_space` from a model, or by `MechanismSpace.from_parts`.
Out: whatever is asked of clusters: another cut, sums, logos, statistics, background, sites.  It is what the view, the report
and the command share; nothing in it changes, and what would change it gives another.

Source: SEAM (Seitz et al. 2025), whose `MetaExplainer` and `Identifier` these methods are.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

from ..errors import NbinterpWarning, problem
from .background import Background, separate_background
from .cluster import Clusters, cluster_maps
from .cluster_tree import cut_tree
from .library import Library
from .neighbours_maps import as_points
from .sites import find_sites
from .sites_configurations import Configurations, site_configurations
from .sites_effects import site_effects, site_states
from .stability import Stability
from .summary import cluster_statistics, summary_matrix
from .summary_logos import cluster_logos
from .summary_sums import FineSums, nested

__all__ = ["MechanismSpace"]

_FOR_SITES: Final = 100  # clusters: what correlations over clusters need
_MEMBERS: Final = 20  # sequences of each, on average: what entropies need
_NOTHING: Final[Mapping[Any, Any]] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class MechanismSpace:
    """N sequences of a library, with their maps over W positions, in clusters.

    Attributes
    ----------
    library : Library
        The sequences; `reference` are its reference's codes.
    maps : array or memory map (N, 4, W)
        Attributions of all four bases.
    y : np.ndarray, float64 (N,)
        Activities: predictions, or measurements.
    table : DataFrame
        A row a sequence: prediction, hamming, global_importance where it is known, columns of the user, sequence (written
        when it is looked at).
    clusters : Clusters
        `labels` are its labels, -1 for noise.
    embedding : np.ndarray, float32 (N, 2)
        Where each map is drawn.
    fine_labels : np.ndarray, int64 (N,)
        Fine clusters 0..F-1, each within one cluster; clusters are runs of them.
    fine : FineSums
        Their sums.
    fine_tree : np.ndarray, float64 (F - 1, 4), or None
        The tree over fine clusters, in SciPy's form, but that its last column counts sequences and not leaves.
    start : int
        Where the maps begin in the sequences.
    axes : np.ndarray, float64 (3, 4 W), or None
        Of an embedding by principal components: the mean map, and the two directions, in the clusters' gauge.
    names : mapping of int to str
        Of clusters that have one.
    facts : mapping
        How it was made: method, target, embedding and so on.

    Examples
    --------
    >>> maps = np.zeros((6, 4, 3), np.float32)
    >>> maps[3:, 2, 1] = 1
    >>> X = ["ACG", "ACG", "TCG", "AGG", "AGC", "AGG"]
    >>> space = MechanismSpace.from_parts(X, maps, [0, 0, 0, 2, 2, 3], n_clusters=2)
    >>> space
    MechanismSpace(6 sequences, maps of [0, 3), 2 clusters by ward, 6 fine)
    >>> space.statistics()[["n", "median"]].values.tolist()
    [[3.0, 0.0], [3.0, 2.0]]
    """

    library: Library
    maps: np.ndarray
    y: np.ndarray
    table: pd.DataFrame
    clusters: Clusters
    embedding: np.ndarray
    fine_labels: np.ndarray
    fine: FineSums
    fine_tree: np.ndarray | None = None
    start: int = 0
    axes: np.ndarray | None = None
    names: Mapping[int, str] = field(default_factory=lambda: _NOTHING)
    facts: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)

    @classmethod
    def from_parts(
        cls,
        X: Any,
        maps: Any,
        y: Any,
        *,
        reference: Any = 0,
        start: int = 0,
        clusters: Any = None,
        n_clusters: int | None = None,
        embedding: Any = None,
        columns: Any = None,
        n_fine: int = 2000,
        n_refits: int = 5,
        random_state: int = 0,
        facts: Mapping[str, Any] = _NOTHING,
    ) -> MechanismSpace:
        """Put together what was computed elsewhere; what is missing is computed.

        Parameters
        ----------
        X : Library, or what `library_of` takes
            N sequences, at least 2.
        maps : array, memory map or tensor (N, 4, W)
            ``(N, W, 4)``, as SEAM has them, is taken too, where only the last axis is 4.
        y : array (N,) or (N, 1)
            Activities.
        reference : int, str or one-hot
            A row of X, or a sequence that need not be in it; a `Library` has its own.
        start : int
            Where the maps begin in the sequences.
        clusters : Clusters, labels (N,) or linkage (N - 1, 4), optional
            Ward's by default, and a linkage is taken for Ward's, too.  Labels need not be 0, 1, ...: clusters are numbered so
            and named by them.
        n_clusters : int, optional
            Where a tree is cut; default 30, or fewer where there are fewer maps.
        embedding : array (N, 2), optional
            Principal components by default.
        columns : DataFrame or mapping of name to N values, optional
            More columns for the table.
        n_fine : int
            Fine clusters, at most.
        n_refits : int
            Refits by which stability is measured; of labels there are none.
        random_state : int
            Of refits, and of fine clusters where there is no tree.
        facts : mapping
            Kept.

        Returns
        -------
        MechanismSpace

        Raises
        ------
        NbinterpError
            When rows do not fit, there are fewer than 2, maps lie outside the sequences, or a map or an activity is not
            finite (the row is named).
        """
        from .space_parts import assemble

        return assemble(
            X, maps, y, reference=reference, start=start, clusters=clusters, n_clusters=n_clusters,
            embedding=embedding, columns=columns, n_fine=n_fine, n_refits=n_refits, random_state=random_state, facts=facts,
        )  # fmt: skip

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "names": dict(self.names), "facts": dict(self.facts)}  # what pickle takes

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__dict__.update({name: MappingProxyType(state[name]) for name in ("names", "facts")})

    def __len__(self) -> int:
        return len(self.maps)

    def __repr__(self) -> str:
        how = f"{self.clusters.k} cluster{'' if self.clusters.k == 1 else 's'} by {self.clusters.method}"
        return (
            f"MechanismSpace({len(self)} sequences, maps of [{self.start}, {self.end}), {how}, {len(self.fine)} fine)"
        )

    @property
    def labels(self) -> np.ndarray:
        """The cluster of each sequence, int64 ``(N,)``; -1 is noise."""
        return self.clusters.labels

    @property
    def reference(self) -> np.ndarray:
        """The reference's codes, uint8 ``(L,)``; 4 is an unknown base."""
        return self.library.reference_codes

    @property
    def reference_row(self) -> int | None:
        """Where the reference is in the library, or None."""
        return self.library.reference_row

    @property
    def end(self) -> int:
        """Where the maps end in the sequences."""
        return self.start + int(self.maps.shape[2])

    @cached_property
    def rate(self) -> float:
        """Mutations a base, at the positions that vary: what the library has, whatever it was asked for."""
        differ = np.zeros(len(self.reference), np.int64)
        for first in range(0, len(self), 4096):
            differ += (self.library.codes[first : first + 4096] != self.reference).sum(axis=0)
        varies = differ > 0
        return float(differ[varies].mean() / len(self)) if varies.any() else 0.0

    def name(self, label: int) -> str:
        """The name of a cluster: its own, or its number."""
        return self.names.get(int(label), str(int(label)))

    def renamed(self, names: Mapping[int, str]) -> MechanismSpace:
        """Give the same space with other names of clusters; an empty one takes a name away.

        Raises
        ------
        NbinterpError
            For a cluster that there is not.
        """
        unknown = [label for label in names if not 0 <= label < self.clusters.k]
        if unknown:
            need = f"clusters 0 to {self.clusters.k - 1}"
            raise problem("MechanismSpace.renamed", "names", got=unknown[:5], need=need, do="choose among .labels")
        merged = {**self.names, **{int(label): str(name) for label, name in names.items()}}
        kept = {label: name for label, name in sorted(merged.items()) if name}
        return replace(self, names=MappingProxyType(kept))

    def cut(self, n_clusters: int | None = None, *, height: float | None = None, n_refits: int = 0) -> MechanismSpace:
        """Cut the tree elsewhere.

        Parameters
        ----------
        n_clusters : int, optional
            At most as many as there are fine clusters.
        height : float, optional
            Or a height; one of the two is needed.
        n_refits : int
            Refits by which stability is measured, which takes longer than the cut; with 0 it is unknown.

        Returns
        -------
        MechanismSpace
            Without names, since clusters are others.

        Raises
        ------
        NbinterpError
            Where there is no tree, or more clusters than fine ones.

        Warns
        -----
        NbinterpWarning
            When ties skip the number.
        """
        clusters = self._cut("MechanismSpace.cut", n_clusters, height)
        if n_refits:
            old = self.clusters
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NbinterpWarning)  # of ties, which was said
                clusters = cluster_maps(
                    self.maps, n_clusters, old.method, height=height, gauge=old.gauge, linkage=old.linkage,
                    reference=self.window_reference, n_refits=n_refits,
                )  # fmt: skip
        return replace(self, clusters=clusters, names=_NOTHING)

    def _cut(self, where: str, n_clusters: int | None, height: float | None) -> Clusters:
        old = self.clusters
        if old.linkage is None:
            do = "cluster with method='ward'"
            raise problem(where, "n_clusters", got=f"clusters by {old.method}", need="a tree to cut", do=do)
        found = cut_tree(old.linkage, n_clusters, height=height)
        if found.k > len(self.fine):
            got, need = f"{found.k} clusters", f"at most the {len(self.fine)} fine ones"
            raise problem(where, "n_clusters", got=got, need=need, do="make the space with a larger n_fine")
        return replace(old, labels=found.labels, k=found.k, height=found.height, stability=_unknown(len(self), found.k))

    @property
    def window_reference(self) -> np.ndarray:
        """The reference under the maps, one-hot ``(4, W)``."""
        return self.library.reference[:, self.start : self.end]

    def sums(self) -> FineSums:
        """Sums by cluster."""
        return self.fine.merge(nested(self.fine_labels, self.labels))

    def summary(self) -> pd.DataFrame:
        """The mechanism summary matrix: see `summary_matrix`."""
        return summary_matrix(self.sums(), self.reference)

    def statistics(self) -> pd.DataFrame:
        """The clusters' activities: see `cluster_statistics`; first the clusters' names."""
        found = cluster_statistics(self.labels, self.y, reference_row=self._known_row)
        found.insert(0, "name", [self.name(label) for label in found.index])
        return found

    @property
    def _known_row(self) -> int | None:
        row = self.reference_row
        return None if row is None or self.labels[row] < 0 else row

    def background(self, rate: float | None = None, *, multiplier: float = 0.5, adaptive: bool = False) -> Background:
        """What clusters share: see `separate_background`; `rate` is the library's own by default."""
        return separate_background(
            self.sums(), rate=self.rate if rate is None else rate, multiplier=multiplier, adaptive=adaptive
        )

    def logos(self, kind: str = "average", *, centre: bool = False) -> np.ndarray:
        """A matrix to draw of each cluster ``(K, 4, W)``: see `cluster_logos`; enrichment is over the whole library."""
        return cluster_logos(self.sums(), kind, centre=centre, library=self.fine)

    def sites(
        self, *, n_clusters: int | None = None, max_gap: int = 3, min_positions: int = 4, max_q: float = 0.01
    ) -> pd.DataFrame:
        """Find sites: see `find_sites`.

        Parameters
        ----------
        n_clusters : int, optional
            How many clusters to find them by: where there is a tree, it is cut into 100, since correlations over clusters
            need many, but fewer where clusters would have fewer than 20 sequences; else clusters are taken as they are.
        max_gap, min_positions, max_q
            As in `find_sites`.
        """
        sums = self.sums_for_sites(n_clusters)
        return find_sites(sums, max_gap=max_gap, min_positions=min_positions, max_q=max_q)

    def sums_for_sites(self, n_clusters: int | None = None) -> FineSums:
        """Sums by the clusters that `sites` are found by."""
        if n_clusters is None and (self.clusters.linkage is None or self.clusters.k >= _FOR_SITES):
            return self.sums()
        usual = min(_FOR_SITES, max(len(self) // _MEMBERS, self.clusters.k), len(self.fine))
        with warnings.catch_warnings():
            if n_clusters is None:  # nobody asked for that number
                warnings.simplefilter("ignore", NbinterpWarning)
            labels = self._cut("MechanismSpace.sites", n_clusters or usual, None).labels
        return self.fine.merge(nested(self.fine_labels, labels))

    def configurations(
        self,
        sites: pd.DataFrame | None = None,
        *,
        sums: FineSums | None = None,
        rate: float | None = None,
        multiplier: float = 0.5,
        over: str = "span",
    ) -> Configurations:
        """Which clusters keep which sites: see `site_configurations`.

        Parameters
        ----------
        sites : DataFrame, optional
            Found by default.
        sums : FineSums, optional
            Of other clusters, such as `sums_for_sites`.
        rate : float, optional
            The library's own by default.
        multiplier, over
            As in `site_configurations`.
        """
        return site_configurations(
            self.sums() if sums is None else sums, self.sites() if sites is None else sites,
            rate=self.rate if rate is None else rate, multiplier=multiplier, over=over,
        )  # fmt: skip

    def effects(
        self, sites: pd.DataFrame | None = None, *, order: int | None = 2, max_mutations: int = 1,
        n_bootstrap: int = 1000, random_state: int | None = 0,
    ) -> pd.DataFrame:  # fmt: skip
        """What each site and each combination adds, by the sequences' own bases: see `site_states` and `site_effects`."""
        found = self.sites() if sites is None else sites
        states = site_states(self.library, found, self.reference, max_mutations=max_mutations)
        return site_effects(self.y, states, order=order, n_bootstrap=n_bootstrap, random_state=random_state)

    def project(self, maps: Any) -> np.ndarray:
        """Where other maps ``(n, 4, W)`` lie in the embedding, float32 ``(n, 2)``.

        Raises
        ------
        NbinterpError
            For an embedding other than principal components, or maps of another window.
        """
        where = "MechanismSpace.project"
        if self.axes is None:
            got = f"an embedding by {self.facts.get('embedding', 'other means')}"
            do = "make the space with embedding='pca'"
            raise problem(where, "maps", got=got, need="principal components, which have axes", do=do)
        if tuple(np.shape(maps))[1:] != self.maps.shape[1:]:
            need = f"(n, 4, {self.maps.shape[2]})"
            raise problem(
                where, "maps", got=f"shape {tuple(np.shape(maps))}", need=need, do="attribute the same window"
            )
        points = as_points(where, maps, "cpu", gauge=self.clusters.gauge, reference=self.window_reference).numpy()
        return np.asarray((points - self.axes[0]) @ self.axes[1:].T, np.float32)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the space to a folder, from which `load` gives it again; maps that lie there already are left."""
        from .space_files import save_space

        save_space(self, folder)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> MechanismSpace:
        """Read a folder that `save` or `mechanism_space` wrote; maps and sequences are memory-mapped.

        Raises
        ------
        FormatError
            For a folder that is not one, or that is incomplete.
        """
        from .space_files import load_space

        return load_space(folder)


def _unknown(n: int, k: int) -> Stability:
    """Nothing measured."""
    return Stability(np.empty(0), np.full(k, np.nan), np.full(n, np.nan), np.full(k, np.nan), np.full(n, np.nan), 0)
