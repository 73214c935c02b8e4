"""What the mechanisms report says of sites: where they are, what they may be, what they look like to the model.

In: a space, and what was asked.  Out: `Sited`, matrices and tables.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from ..errors import NbinterpError, NbinterpWarning
from .logos import information
from .parameters.mechanisms import MechanismsParameters

if TYPE_CHECKING:
    from ..mechanism import Background, Configurations, FineSums, MechanismSpace
    from ..motif import MotifSet

__all__ = ["Shares", "Sited", "against_truth", "background_shares", "find_named_sites", "site_looks", "site_table"]

_COLUMNS: Final = ("example_idx", "start", "end", "name", "positions", "n_positions", "correlation")


@dataclass(frozen=True)
class Sited:
    """Sites, named where they can be.

    Attributes
    ----------
    table : DataFrame
        As of `find_sites`, with motif, strand, p-value, q-value, motif_start, motif_end.
    sums : FineSums
        Of the clusters by which they were found.
    configurations : Configurations or None
        Which of those clusters keep which sites.
    motifs : MotifSet or None
        Of the sites that some cluster keeps.
    why : str
        Why there are none, or no names.
    """

    table: pd.DataFrame
    sums: FineSums
    configurations: Configurations | None
    motifs: MotifSet | None
    why: str


def find_named_sites(asked: MechanismsParameters, space: MechanismSpace, known: MotifSet) -> Sited:
    """Find sites, and say what they may be."""
    from ..mechanism import find_sites, name_sites, site_configurations, site_motifs

    most = len(space.fine)
    sums = space.sums_for_sites(min(asked.n_for_sites, most) if space.clusters.linkage is not None else None)
    try:
        table = find_sites(sums, max_gap=asked.max_gap, min_positions=asked.min_positions)
    except NbinterpError as error:  # clusters that are too few, or one that holds nearly all
        return Sited(_unnamed(pd.DataFrame(columns=_COLUMNS)), sums, None, None, str(error))
    if not len(table):
        why = "no positions vary together over clusters more than chance allows"
        return Sited(_unnamed(table), sums, None, None, why)
    kept = site_configurations(sums, table, rate=space.rate, multiplier=asked.site_multiplier)
    if not kept.active.to_numpy(bool).any():
        why = "no cluster keeps a site as a whole; a larger multiplier asks for less"
        return Sited(_unnamed(table), sums, kept, None, why)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NbinterpWarning)  # of few motifs: p-values are shown as they are
        named = name_sites(table, sums, kept, known)
    return Sited(named, sums, kept, site_motifs(sums, table, kept), "")


def _unnamed(table: pd.DataFrame) -> pd.DataFrame:
    made = table.copy()
    for name in ("motif", "strand"):
        made[name] = None
    for name in ("p-value", "q-value", "motif_start", "motif_end"):
        made[name] = np.nan
    return made


class Shares(NamedTuple):
    """How much of what is attributed is background (`part`), and how much of that lies in sites (`inside`, NaN without any)."""

    part: float
    inside: float
    hides: bool
    """Whether sites have more than twice the background that their positions' share would be."""

    def __str__(self) -> str:
        said = f"is {self.part:.0%} of what is attributed"
        if np.isnan(self.inside):
            return said
        if not self.hides:
            return f"{said}; {self.inside:.0%} of it lies in the sites"
        return (
            f"{said}, and {self.inside:.0%} of it lies in the sites: clusters of this cut hold sequences with and without "
            "them, and what acts is taken for background. More clusters, or a higher multiplier, take less away"
        )


def background_shares(background: Background, sums: FineSums, sites: pd.DataFrame) -> Shares:
    """Measure a background, by sums of magnitudes; maps are centred at each position, as they are drawn.

    Examples
    --------
    >>> from nbinterp.mechanism import fine_sums, separate_background
    >>> maps = np.zeros((4, 4, 2))
    >>> maps[:, 0] = [1.0, 2.0]
    >>> sums = fine_sums(maps, ["AA", "CA", "GA", "TA"], [0, 0, 0, 0])  # the first position is free
    >>> print(background_shares(separate_background(sums), sums, pd.DataFrame({"start": [1], "end": [2]})))
    is 33% of what is attributed; 0% of it lies in the sites
    """
    shared = np.abs(_centred(background.background[None])).sum(axis=1)[0]
    whole = np.abs(_centred(sums.means)).sum(axis=(1, 2))
    part = float(background.scale @ sums.n * shared.sum() / max(whole @ sums.n, 1e-30))
    inside = np.zeros(len(shared), bool)
    for start, end in sites[["start", "end"]].itertuples(index=False):
        inside[start - background.start : end - background.start] = True
    if not inside.any():
        return Shares(part, float("nan"), False)
    within = float(shared[inside].sum() / max(shared.sum(), 1e-30))
    return Shares(part, within, within > 2 * inside.mean())


def _centred(maps: np.ndarray) -> np.ndarray:
    return np.asarray(maps - maps.mean(axis=1, keepdims=True))


def site_looks(sited: Sited, background: Background, kept: Configurations) -> dict[str, list[Any]]:
    """What each site looks like to the model: matrices (4, width) by heading, None where there is nothing to show."""
    from ..mechanism import additive_parameters

    assert sited.configurations is not None
    sums, motifs = sited.sums, sited.motifs
    left = additive_parameters(background, sited.table, kept)
    headings = "where it is kept", "where it is lost", "kept, without background", "letters kept"
    looks: dict[str, list[Any]] = {heading: [] for heading in headings}
    for name, start, end in sited.table[["name", "start", "end"]].itertuples(index=False):
        holds = sited.configurations.active[name].to_numpy(bool)
        for heading, chosen in zip(headings, (holds, ~holds), strict=False):
            mean = sums.maps[chosen].sum(axis=0)[None, :, start - sums.start : end - sums.start]
            looks[heading].append(_centred(mean)[0] / sums.n[chosen].sum() if chosen.any() else None)
        looks[headings[2]].append(_centred(left[name][None])[0])
        written = motifs is not None and name in motifs
        looks[headings[3]].append(information(motifs[name].numpy()) if motifs is not None and written else None)
    return looks


def site_table(sited: Sited, effects: pd.DataFrame, states: pd.DataFrame, reference: np.ndarray) -> pd.DataFrame:
    """Sites with their letters in the reference, what each adds alone, and the part of the library that keeps it."""
    table = sited.table
    alone = effects[effects["order"] == 1].set_index("term").reindex(table["name"])
    letters = ["".join("ACGTN"[code] for code in reference[row.start : row.end]) for row in table.itertuples()]
    measured = {column: alone[column].to_numpy() for column in ("effect", "low", "high")}
    return table.assign(letters=letters, **measured, kept=states.mean().reindex(table["name"]).to_numpy())


def against_truth(sites: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """The site over each planted one, the name that it got, and by how many bases an end is off."""
    starts, ends = (sites[name].to_numpy(np.int64) for name in ("start", "end"))
    called = sites["motif"].fillna("").tolist()
    rows = []
    for start, end in truth[["start", "end"]].itertuples(index=False):
        shared = np.minimum(ends, end) - np.maximum(starts, start)
        if shared.max(initial=0) <= 0:
            rows.append(("", "", float("nan")))
            continue
        best = int(shared.argmax())
        off = max(abs(starts[best] - start), abs(ends[best] - end))
        rows.append((str(sites["name"].iloc[best]), called[best], float(off)))
    found = pd.DataFrame(rows, columns=["site", "called", "off"], index=truth.index)
    return truth[["name", "strand", "role", "start", "end"]].join(found)
