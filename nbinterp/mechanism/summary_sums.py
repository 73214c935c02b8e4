"""Sums by cluster, made in one pass over the maps, and added up ever after.

In: attribution maps, sequences, a cluster label a row.  Out: for every cluster its count, the sum and the sum of squares
of its maps, its letter counts and a histogram of its activities.  Whatever is shown of clusters follows from these, and
those of a union are the sums of its parts: with some 2,000 fine clusters a cut of the tree, a union, a logo or a slider
needs no maps.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import torch

from ..core.batches import run_batches
from ..errors import problem
from .summary_rows import read_activity, read_labels, read_window

__all__ = ["FineSums", "fine_sums", "nested"]

_BINS: Final = 64
_NAMES: Final = ("n", "maps", "squares", "letters", "y", "y_squares", "y_counts")  # what adds up


@dataclass(frozen=True, eq=False)
class FineSums:
    """Sums of K clusters over a window of W positions.

    Attributes
    ----------
    labels : np.ndarray, int64 (K,)
        The clusters, ascending.
    n : np.ndarray, int64 (K,)
        Sequences of each.
    maps, squares : np.ndarray, float64 (K, 4, W)
        Sums of attributions and of their squares.
    letters : np.ndarray, int64 (K, 4, W)
        How many sequences hold each base; unknown bases are in none.
    start : int
        Where the window begins in the sequence.
    y, y_squares : np.ndarray, float64 (K,), or None
        Sums of activities and of their squares.
    y_counts : np.ndarray, int64 (K, bins), or None
        Histogram of activities; its edges are `y_edges` (bins + 1,).
    """

    labels: np.ndarray
    n: np.ndarray
    maps: np.ndarray
    squares: np.ndarray
    letters: np.ndarray
    start: int = 0
    y: np.ndarray | None = None
    y_squares: np.ndarray | None = None
    y_counts: np.ndarray | None = None
    y_edges: np.ndarray | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"FineSums({len(self)} clusters of {int(self.n.sum())} sequences, positions [{self.start}, {self.end}))"

    @property
    def end(self) -> int:
        """Where the window ends."""
        return self.start + int(self.maps.shape[2])

    @property
    def means(self) -> np.ndarray:
        """Cluster-averaged maps, float64 ``(K, 4, W)``, in the gauge of the maps."""
        return np.asarray(self.maps / self.n[:, None, None])

    @property
    def variances(self) -> np.ndarray:
        """Variance of the maps within each cluster, with n - 1 below; NaN in clusters of one."""
        n = self.n[:, None, None]
        centred = np.maximum(self.squares - self.maps**2 / n, 0)
        return np.asarray(np.divide(centred, n - 1, out=np.full_like(centred, np.nan), where=n > 1))

    @property
    def standard_errors(self) -> np.ndarray:
        """Standard errors of the cluster-averaged maps."""
        return np.asarray(np.sqrt(self.variances / self.n[:, None, None]))

    @property
    def frequencies(self) -> np.ndarray:
        """Frequencies of the known bases, float64 ``(K, 4, W)``; zeros where none is known."""
        return np.asarray(self.letters / np.maximum(self.letters.sum(axis=1, keepdims=True), 1))

    def select(self, labels: Any) -> FineSums:
        """Keep some clusters, by label."""
        wanted = np.atleast_1d(np.asarray(labels))
        unknown = np.setdiff1d(wanted, self.labels)
        if len(unknown):
            raise problem("FineSums.select", "labels", got=unknown.tolist()[:5], need="labels of clusters that there are",
                          do="choose from .labels")  # fmt: skip
        return self.merge(np.where(np.isin(self.labels, wanted), self.labels, -1))

    def union(self, labels: Any = None) -> FineSums:
        """Add some clusters up (all by default) to a single one, labelled 0."""
        chosen = self if labels is None else self.select(labels)
        return chosen.merge(np.zeros(len(chosen), np.int64))

    def merge(self, groups: Any) -> FineSums:
        """Add clusters up by group.

        Parameters
        ----------
        groups : sequence of int, (K,)
            The new label of each cluster; clusters of -1 are left out.

        Returns
        -------
        FineSums
            One cluster a group, ascending.

        Raises
        ------
        NbinterpError
            When there is not one group a cluster, or all are -1.

        Examples
        --------
        >>> maps, X = np.ones((3, 4, 2), np.float32), ["AC", "AG", "TT"]
        >>> three = fine_sums(maps, X, [0, 1, 2])
        >>> two = three.merge([5, 5, 7])
        >>> two.labels.tolist(), two.n.tolist(), two.letters[0, :, 0].tolist()
        ([5, 7], [2, 1], [2, 0, 0, 0])
        """
        groups = np.asarray(groups)
        if groups.shape != self.labels.shape or groups.dtype.kind not in "iu":
            raise problem("FineSums.merge", "groups", got=f"{groups.dtype} of shape {groups.shape}",
                          need=f"{len(self)} integers", do="give one group a cluster")  # fmt: skip
        kept = groups >= 0
        labels, which = np.unique(groups[kept], return_inverse=True)
        if not len(labels):
            raise problem("FineSums.merge", "groups", got="only -1", need="at least one group", do="keep some clusters")
        order = np.argsort(which, kind="stable")
        first = np.searchsorted(which[order], np.arange(len(labels)))
        added: dict[str, Any] = {}
        for name in _NAMES:
            value = getattr(self, name)
            added[name] = None if value is None else np.add.reduceat(value[kept][order], first, axis=0)
        return FineSums(labels=labels.astype(np.int64), start=self.start, y_edges=self.y_edges, **added)


def fine_sums(
    maps: Any,
    X: Any,
    labels: Any,
    y: Any = None,
    *,
    start: int = 0,
    batch_size: int = 1024,
    device: torch.device | str | None = None,
    verbose: bool = False,
) -> FineSums:
    """Sum maps, letters and activities by cluster, in one pass.

    Parameters
    ----------
    maps : array, memory map or tensor, shape (N, 4, W)
        Attribution maps over a window; ``(N, W, 4)``, as SEAM has them, is accepted, and read as such where only the last
        axis is 4.
    X : Library, uint8 codes (N, L), one-hot (N, 4, L) or (N, L, 4), container, or sequence of str
        The sequences; only positions under the window are counted.
    labels : sequence of int, (N,)
        The cluster of each row; rows of -1 (noise, in density clustering) are left out.
    y : sequence of float, (N,), optional
        Activities.
    start : int
        Where the window of the maps begins in the sequences.
    batch_size : int
        Rows summed at a time.
    device : optional
        Where maps are summed; that of a tensor of maps, else the CPU, by default.
    verbose : bool
        Show progress.

    Returns
    -------
    FineSums

    Raises
    ------
    NbinterpError
        When rows do not match, a map or an activity is NaN or infinite (the row is named), the window leaves the
        sequences, or every row is noise.

    Notes
    -----
    Sums are in float64, so that results do not depend on the batch size beyond rounding.

    Examples
    --------
    >>> maps = np.arange(16, dtype=np.float32).reshape(2, 4, 2)
    >>> sums = fine_sums(maps, ["AC", "AT"], [3, 3], y=[1.0, 2.0])
    >>> sums
    FineSums(1 clusters of 2 sequences, positions [0, 2))
    >>> sums.means[0, 0].tolist(), sums.frequencies[0, 1].tolist(), float(sums.y[0])
    ([4.0, 5.0], [0.0, 0.5], 3.0)
    """
    where = "fine_sums"
    array = maps if isinstance(maps, torch.Tensor) else np.asanyarray(maps)
    if array.ndim != 3 or 4 not in array.shape[1:] or not len(array):
        raise problem(where, "maps", got=f"shape {tuple(array.shape)}", need="(N, 4, W), or (N, W, 4), N at least 1",
                      do="check the axes")  # fmt: skip
    last = array.shape[1] != 4
    n, width = len(array), int(array.shape[1] if last else array.shape[2])
    codes = read_window(where, X, n, start, width)
    present, cluster = read_labels(where, labels, n)
    home = array.device if isinstance(array, torch.Tensor) else torch.device("cpu")
    total = _Total(len(present), width, torch.device(device) if device is not None else home)

    def step(begin: int, stop: int) -> None:
        kept = np.flatnonzero(cluster[begin:stop] >= 0)
        rows = array[begin:stop]
        rows = rows[kept] if len(kept) < stop - begin else rows
        if not isinstance(rows, torch.Tensor):  # copied, since a memory map is not to be written
            rows = torch.from_numpy(np.array(rows, np.float64 if total.device.type == "cpu" else None))
        rows = rows.transpose(1, 2) if last else rows
        rows = rows.detach().to(total.device, torch.float64).reshape(len(kept), 4 * width)
        bad = ~torch.isfinite(rows.sum(dim=1))  # of a sum, which is quicker to look at
        if bool(bad.any()):
            row = begin + int(kept[int(bad.nonzero()[0, 0])])
            raise problem(where, "maps", got=f"NaN or infinite values in row {row}", need="finite attributions",
                          do="drop such rows, or label them -1")  # fmt: skip
        total.add(rows, cluster[begin:stop][kept], codes[begin:stop][kept])

    run_batches(n, batch_size, step, desc=where, verbose=verbose)
    sizes = np.bincount(cluster[cluster >= 0], minlength=len(present)).astype(np.int64)
    shape = (len(present), 4, width)
    maps_sum, squares = (one.cpu().numpy().reshape(shape) for one in (total.maps, total.squares))
    activity = {} if y is None else _activity(where, y, cluster, len(present))
    return FineSums(present, sizes, maps_sum, squares, total.letters.reshape(shape), start, **activity)


def nested(fine: Any, coarse: Any) -> np.ndarray:
    """Give the coarse cluster of each fine one, ascending, as `FineSums.merge` takes it.

    Parameters
    ----------
    fine, coarse : sequences of int, (N,)
        Labels of the rows in two cuts of one tree.

    Raises
    ------
    NbinterpError
        When a fine cluster lies in two coarse ones.

    Examples
    --------
    >>> nested([0, 1, 1, 2, -1], [4, 4, 4, 5, -1]).tolist()
    [4, 4, 5]
    >>> nested([0, 0], [4, 5])
    Traceback (most recent call last):
    ...
    nbinterp.errors.NbinterpError: nested(coarse): got fine cluster 0 in 4 and 5; need ...
    """
    small, large = np.asarray(fine), np.asarray(coarse)
    if small.shape != large.shape or small.ndim != 1:
        raise problem("nested", "coarse", got=f"shape {large.shape} for {small.shape}", need="one label a row of each",
                      do="pass labels of the same rows")  # fmt: skip
    small, large = small[small >= 0], large[small >= 0]
    labels, first, which = np.unique(small, return_index=True, return_inverse=True)
    groups: np.ndarray = large[first]
    wrong = np.flatnonzero(groups[which] != large)
    if len(wrong):
        at = which[wrong[0]]
        raise problem("nested", "coarse", got=f"fine cluster {labels[at]} in {groups[at]} and {large[wrong[0]]}",
                      need="every fine cluster within one", do="cut the same tree twice")  # fmt: skip
    return groups


class _Total:
    """Running sums; on the CPU by a sparse product, which is several times faster than adding rows by index."""

    def __init__(self, n_clusters: int, width: int, device: torch.device) -> None:
        self.device, self.width = device, width
        self.maps = torch.zeros(n_clusters, 4 * width, dtype=torch.float64, device=device)
        self.squares = torch.zeros_like(self.maps)
        self.letters = np.zeros(n_clusters * 4 * width, np.int64)

    def add(self, rows: torch.Tensor, cluster: np.ndarray, codes: np.ndarray) -> None:
        if not len(cluster):
            return
        squares = rows * rows
        if self.device.type == "cpu":
            import scipy.sparse

            found, which = np.unique(cluster, return_inverse=True)
            each = np.arange(len(cluster) + 1)
            member = scipy.sparse.csr_matrix((np.ones(len(cluster)), which, each), shape=(len(cluster), len(found)))
            for total, part in ((self.maps, rows), (self.squares, squares)):
                total.numpy()[found] += member.T.tocsr() @ part.numpy()
        else:
            at = torch.from_numpy(cluster).to(self.device)
            self.maps.index_add_(0, at, rows)
            self.squares.index_add_(0, at, squares)
        cell = (cluster[:, None] * 4 + codes) * self.width + np.arange(self.width)
        self.letters += np.bincount(cell[codes < 4], minlength=len(self.letters))


def _activity(where: str, y: Any, cluster: np.ndarray, n_clusters: int) -> dict[str, Any]:
    values = read_activity(where, y, len(cluster))[cluster >= 0]
    kept = cluster[cluster >= 0]
    edges = np.histogram_bin_edges(values, bins=_BINS)
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, _BINS - 1)
    counts = np.bincount(kept * _BINS + place, minlength=n_clusters * _BINS).reshape(n_clusters, _BINS)
    y_sum, y_squares = (np.bincount(kept, part, n_clusters) for part in (values, values**2))
    return {"y": y_sum, "y_squares": y_squares, "y_counts": counts, "y_edges": edges}
