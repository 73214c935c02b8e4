"""Clusters as a person left them: where the tree is cut, what was merged, split and named.

In: fine clusters with their tree, and a cut and edits as they travel.  Out: the clusters there are.
``js/src/state/space.ts`` does the same in the page.

A cut is ``{"k": number}``, ``{"height": number}``, or None for the clusters of the space.  Edits are ``["merge", id, ...]``, whose
union has the least of the ids, and ``["split", id]``: what was merged comes apart again, else the node of the tree does; the
larger part keeps the id, and the other one takes the next that is free.  A name is kept by the nodes that a cluster is
made of, so that it comes back with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Cluster", "Leaves", "clusters_of"]


@dataclass(frozen=True)
class Cluster:
    """Some leaves: its id, the nodes of the tree that they are all of, and what was merged into it."""

    id: int
    nodes: tuple[int, ...]
    leaves: tuple[int, ...]
    parts: tuple[Cluster, ...] = ()

    @property
    def key(self) -> str:
        """The same for the same leaves."""
        return " ".join(map(str, self.nodes))


class Leaves:
    """The leaves of a space, and the tree over them where there is one.

    Parameters
    ----------
    counts : int array (F,)
        Points of each.
    labels : int array (F,)
        Their clusters as they were given; -1 for none.
    tree : array (F - 1, 4), optional
        A linkage.

    Examples
    --------
    >>> leaves = Leaves(np.array([5, 1, 2]), np.array([0, 0, 1]), np.array([[0, 1, 1.0, 6], [2, 3, 2.0, 8]]))
    >>> [cluster.leaves for cluster in leaves.cut({"k": 2})], leaves.cover({0, 1})
    ([(0, 1), (2,)], (3,))
    """

    def __init__(self, counts: np.ndarray, labels: np.ndarray, tree: np.ndarray | None) -> None:
        self.counts, self._labels = counts, labels
        self._children = np.empty((0, 2), int) if tree is None else tree[:, :2].astype(int)
        self._under: list[tuple[int, ...]] = [(leaf,) for leaf in range(len(counts))]
        for a, b in self._children.tolist():
            self._under.append(self._under[a] + self._under[b])
        sizes = [len(leaves) for leaves in self._under[len(counts) :]]  # SciPy counts leaves, not points
        self.tree = None if tree is None else np.column_stack([tree[:, :3], sizes])

    def cut(self, cut: Mapping[str, Any] | None) -> list[Cluster]:
        """Clusters of a cut, numbered by their first leaves, which are numbered along the whole tree: as a cut of it is."""
        labels = self._labels
        if cut is not None and self.tree is not None and len(self.counts) > 1:
            from scipy.cluster.hierarchy import fcluster

            by_height = "height" in cut
            limit, criterion = (cut["height"], "distance") if by_height else (max(int(cut["k"]), 1), "maxclust")
            _, first, which = np.unique(fcluster(self.tree, limit, criterion), return_index=True, return_inverse=True)
            labels = np.argsort(np.argsort(first))[which]
        members: dict[int, set[int]] = {}
        for leaf, label in enumerate(labels.tolist()):
            if label >= 0:
                members.setdefault(label, set()).add(leaf)
        return [self.cluster(label, self.cover(some)) for label, some in sorted(members.items())]

    def cover(self, leaves: set[int]) -> tuple[int, ...]:
        """The fewest nodes whose leaves these are, ascending."""
        if self.tree is None:
            return tuple(sorted(leaves))
        whole, top = leaves.copy(), leaves.copy()
        for node, (a, b) in enumerate(self._children.tolist(), len(self.counts)):
            if a in whole and b in whole:
                whole.add(node)
                top -= {a, b}
                top.add(node)
        return tuple(sorted(top))

    def cluster(self, label: int, nodes: Sequence[int], parts: Sequence[Cluster] = ()) -> Cluster:
        """The cluster of some nodes."""
        leaves = sorted(leaf for node in nodes for leaf in self._under[node])
        return Cluster(label, tuple(nodes), tuple(leaves), tuple(parts))

    def merged(self, some: Sequence[Cluster]) -> Cluster:
        """The union of clusters."""
        leaves = {leaf for one in some for leaf in one.leaves}
        return self.cluster(min(one.id for one in some), self.cover(leaves), some)

    def halves(self, one: Cluster, free: int) -> Sequence[Cluster]:
        """The parts of a cluster, which is itself where it has none."""
        if one.parts:
            return one.parts
        if len(one.nodes) == 1 and one.nodes[0] < len(self.counts):
            return [one]
        if self.tree is None:
            return [one]
        parts = one.nodes if len(one.nodes) > 1 else self._children[one.nodes[0] - len(self.counts)].tolist()
        first, *others = sorted(parts, key=lambda node: -self.counts[list(self._under[node])].sum())
        return [self.cluster(one.id, [first]), self.cluster(free, sorted(others))]


def clusters_of(leaves: Leaves, cut: Mapping[str, Any] | None, edits: Sequence[Sequence[Any]]) -> list[Cluster]:
    """The clusters after a cut and all that was done to them, by id.

    Examples
    --------
    >>> leaves = Leaves(np.array([5, 1, 2]), np.array([0, 1, 2]), np.array([[0, 1, 1.0, 6], [2, 3, 2.0, 8]]))
    >>> [(c.id, c.leaves) for c in clusters_of(leaves, None, [["merge", 1, 2]])]
    [(0, (0,)), (1, (1, 2))]
    >>> [(c.id, c.leaves) for c in clusters_of(leaves, {"k": 1}, [["split", 0]])]
    [(0, (0, 1)), (1, (2,))]
    """
    now = {one.id: one for one in leaves.cut(cut)}
    free = max(now, default=-1) + 1
    for kind, *ids in edits:
        some = [now[label] for label in ids if label in now]
        if kind == "merge" and len(some) > 1:
            for one in some:
                del now[one.id]
            union = leaves.merged(some)
            now[union.id] = union
        elif kind == "split" and some:
            one = now.pop(some[0].id)
            parts = leaves.halves(one, free)
            if len(parts) > 1 and not one.parts:
                free += 1
            now |= {part.id: part for part in parts}
    return [now[label] for label in sorted(now)]
