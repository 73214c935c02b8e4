"""How far clusters can be trusted: do they come back, are they apart, do their members stay together.

Clusters of attribution maps are a noisy partition: of real ones, refits on nine tenths of the maps agree by half.  So
every clustering carries these numbers.

In: labels, and labels of refits on part of the maps.  Out: `Stability`.
Sources: Hubert and Arabie 1985 (adjusted Rand index); Rousseeuw 1987 (silhouette); Monti et al. 2003 (consensus).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from ..errors import problem
from .neighbours_bounds import tile_rows
from .neighbours_maps import as_points

__all__ = ["Stability", "adjusted_rand", "silhouette", "stability_of"]


@dataclass(frozen=True)
class Stability:
    """What refits on part of the maps, and distances, say of K clusters of N maps.

    Attributes
    ----------
    agreement : array (R,)
        Adjusted Rand index of each refit with the clusters: 1 the same, 0 no better than chance.
    consensus : array (K,)
        Mean over pairs of members, drawn together, of how often a refit keeps them together; NaN where none was.
    map_consensus : array (N,)
        The same of one map with the other members of its cluster; NaN where it was never drawn with one.
    silhouette : array (K,)
        Mean silhouette of the members; NaN with a single cluster.
    map_silhouette : array (N,)
        Of the maps it was computed for; else NaN.
    n_maps : int
        Maps of a refit.
    """

    agreement: np.ndarray
    consensus: np.ndarray
    map_consensus: np.ndarray
    silhouette: np.ndarray
    map_silhouette: np.ndarray
    n_maps: int

    def __str__(self) -> str:
        """One sentence for a report."""
        apart = "undefined" if np.isnan(self.map_silhouette).all() else f"{np.nanmean(self.map_silhouette):.2f}"
        if not len(self.agreement):
            return f"no refits; silhouette {apart}"
        low, high = self.agreement.min(), self.agreement.max()
        return (
            f"adjusted Rand index {self.agreement.mean():.2f} ({low:.2f} to {high:.2f}) over {len(self.agreement)} refits "
            f"on {self.n_maps:,} maps; silhouette {apart}"
        )

    def table(self) -> pd.DataFrame:
        """A row a cluster: consensus and silhouette."""
        rows = pd.RangeIndex(len(self.consensus), name="cluster")
        return pd.DataFrame({"consensus": self.consensus, "silhouette": self.silhouette}, index=rows)


def adjusted_rand(a: Any, b: Any) -> float:
    """Agreement of two labellings of the same maps, corrected for chance.

    Examples
    --------
    >>> adjusted_rand([0, 0, 1, 1], [5, 5, 3, 3])
    1.0
    """
    table = _together(np.asarray(a), np.asarray(b)).astype(np.float64)
    pairs = [(counts * (counts - 1) / 2).sum() for counts in (table, table.sum(1), table.sum(0))]
    n = table.sum()
    expected = pairs[1] * pairs[2] / max(n * (n - 1) / 2, 1)
    most = (pairs[1] + pairs[2]) / 2
    return float((pairs[0] - expected) / (most - expected)) if most != expected else 1.0


def _together(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Count the maps of each label of one and of the other."""
    one, two = np.unique(a, return_inverse=True)[1], np.unique(b, return_inverse=True)[1]
    width = int(two.max(initial=-1)) + 1
    counts = np.bincount(one * width + two, minlength=(int(one.max(initial=-1)) + 1) * width)
    return counts.reshape(-1, max(width, 1))


def silhouette(
    maps: Any,
    labels: Any,
    *,
    at_most: int = 4000,
    random_state: int = 0,
    gauge: str = "none",
    reference: Any = None,
    device: torch.device | str | None = None,
) -> np.ndarray:
    """How much nearer a map is to its own cluster than to the next.

    Parameters
    ----------
    maps : array or tensor (N, 4, L)
    labels : array (N,)
        -1 is noise, which belongs to no cluster.
    at_most : int
        Maps it is computed for, drawn with `random_state`; always against all maps.
    gauge, reference, device
        As in `ward_linkage`.

    Returns
    -------
    array (N,)
        Between -1 and 1; 0 for the only member of a cluster; NaN for noise, for maps that were not drawn, and where there
        is one cluster.

    Examples
    --------
    >>> silhouette(np.array([[0.0], [1.0], [9.0], [10.0]]), [0, 0, 1, 1]).round(3).tolist()
    [0.895, 0.882, 0.882, 0.895]
    """
    where, labels = "silhouette", np.asarray(labels)
    if labels.shape != (len(maps),):
        raise problem(
            where, "labels", got=f"shape {labels.shape}", need=f"one for each of {len(maps)} maps", do="align"
        )
    kinds, member = np.unique(labels, return_inverse=True)
    out = np.full(len(labels), np.nan)
    if (kinds >= 0).sum() < 2:
        return out
    rows = np.flatnonzero(labels >= 0)
    if len(rows) > at_most:
        rows = np.sort(np.random.RandomState(random_state).choice(rows, at_most, replace=False))
    points = as_points(where, maps, device, gauge=gauge, reference=reference)
    out[rows] = _silhouette(points - points.mean(0), kinds, member, rows)
    return out


def _silhouette(points: torch.Tensor, kinds: np.ndarray, member: np.ndarray, rows: np.ndarray) -> np.ndarray:
    own = torch.from_numpy(member).to(points.device)
    sizes = torch.bincount(own, minlength=len(kinds)).double()
    noise = torch.from_numpy(kinds < 0).to(points.device)
    which = torch.nn.functional.one_hot(own, len(kinds)).double()
    norms, out = points.square().sum(1), []
    for some in torch.from_numpy(rows).to(points.device).split(tile_rows(len(points), points.device)):
        squared = torch.addmm(norms, points[some], points.T, alpha=-2).add_(norms[some][:, None]).clamp_(min=0)
        squared[torch.arange(len(some), device=points.device), some] = 0
        sums, mine = squared.sqrt_() @ which, own[some][:, None]
        inside = (sums.gather(1, mine) / (sizes[mine] - 1).clamp(min=1))[:, 0]
        means = torch.where(noise, float("inf"), sums / sizes).scatter(1, mine, float("inf"))
        outside = means.amin(1)
        value = (outside - inside) / torch.maximum(outside, inside).clamp(min=torch.finfo(inside.dtype).tiny)
        out.append(torch.where(sizes[own[some]] > 1, value, 0))
    return torch.cat(out).cpu().numpy()


def stability_of(
    maps: Any,
    labels: np.ndarray,
    refit: Callable[[Any], np.ndarray],
    *,
    n_refits: int = 5,
    fraction: float = 0.9,
    at_most: int = 4000,
    random_state: int = 0,
    gauge: str = "none",
    reference: Any = None,
    device: torch.device | str | None = None,
) -> Stability:
    """Cluster parts of the maps again, and compare.

    Parameters
    ----------
    maps : array or tensor (N, 4, L)
    labels : array (N,)
        The clusters 0..K-1 in question; -1 is noise.
    refit : callable
        ``refit(maps[rows])`` gives labels of these rows.
    n_refits, fraction, at_most : int, float, int
        Each refit takes this fraction of the maps, and at most so many, drawn without replacement.  `at_most` holds for
        the silhouette, too.
    random_state : int
    gauge, reference, device
        As in `ward_linkage`, for the silhouette.

    Returns
    -------
    Stability
    """
    where, n = "stability_of", len(labels)
    if not 0 < fraction <= 1:
        raise problem(where, "fraction", got=fraction, need="above 0, at most 1", do="0.9 is usual")
    random = np.random.RandomState(random_state)
    size = min(max(2, round(fraction * n)), at_most, n)
    agreement, kept, drawn = [], np.zeros(n), np.zeros(n)
    for _ in range(n_refits):
        rows = np.sort(random.choice(n, size, replace=False))
        index = torch.from_numpy(rows).to(maps.device) if isinstance(maps, torch.Tensor) else rows
        new = np.asarray(refit(maps[index]))
        agreement.append(adjusted_rand(labels[rows], new))
        one, two = np.unique(labels[rows], return_inverse=True)[1], np.unique(new, return_inverse=True)[1]
        counts = _together(one, two)
        kept[rows] += counts[one, two] - 1
        drawn[rows] += counts.sum(1)[one] - 1
    drawn[labels < 0] = 0
    apart = silhouette(
        maps, labels, at_most=at_most, random_state=random_state, gauge=gauge, reference=reference, device=device
    )
    k, inside = int(labels.max(initial=-1)) + 1, labels >= 0
    pairs = [np.bincount(labels[inside], values[inside], minlength=k) for values in (kept, drawn)]
    found = ~np.isnan(apart)
    sums = np.bincount(labels[found], apart[found], minlength=k), np.bincount(labels[found], minlength=k)
    return Stability(
        np.array(agreement), _ratio(*pairs), _ratio(kept, drawn), _ratio(*sums), apart, size if n_refits else 0
    )


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    return np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1), np.nan)
