"""A space of mechanisms as tables and arrays.

In: a `MechanismSpace`.  Out: ``library``, ``clusters``, ``summary``, ``sites``, ``configurations`` and ``effects`` as tables, and
``logos.npz``.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.files import writing
from ..errors import NbinterpError, NbinterpWarning
from .libraries import write_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["write_space_tables"]

_OF_SITES = ("sites.tsv", "configurations.tsv", "effects.tsv")


def write_space_tables(
    space: Any,
    out: Path,
    *,
    parquet: bool,
    multiplier: float,
    site_multiplier: float,
    adaptive: bool,
    motifs: Any,
) -> int:
    """Write all of them, with sites named by a `MotifSet` where there is one; give the number of sites."""
    table = space.table.copy()
    table.insert(len(table.columns) - 1, "cluster", space.labels)
    write_table(table, out / f"library.{'parquet' if parquet else 'tsv'}")
    write_table(space.summary(), out / "summary.tsv.gz")
    _write_logos(space, out / "logos.npz", multiplier, adaptive)
    sites = _sites(space)
    clusters = space.statistics().join(space.clusters.stability.table().rename_axis("Cluster"))
    for name in _OF_SITES:
        (out / name).unlink(missing_ok=True)  # of an earlier run, which may have found some
    if len(sites):
        clusters = clusters.join(_write_sites(space, sites, out, site_multiplier, motifs))
    write_table(clusters.reset_index(), out / "clusters.tsv")
    return len(sites)


def _write_logos(space: Any, path: Path, multiplier: float, adaptive: bool) -> None:
    apart = space.background(multiplier=multiplier, adaptive=adaptive)
    logos = {kind: space.logos(kind).astype(np.float32) for kind in ("average", "pwm", "enrichment")}
    with writing(path) as temporary, temporary.open("wb") as opened:
        np.savez(
            opened, **logos, foreground=apart.foreground.astype(np.float32), background=apart.background.astype(np.float32),
            scale=apart.scale, start=space.start,
        )  # fmt: skip


def _sites(space: Any) -> Any:
    """Sites; none where clusters are too few to correlate."""
    import pandas as pd

    try:
        return space.sites()
    except NbinterpError as error:
        warnings.warn(f"no sites: {error}", NbinterpWarning, stacklevel=2)
        return pd.DataFrame()


def _write_sites(space: Any, sites: pd.DataFrame, out: Path, multiplier: float, motifs: Any) -> Any:
    """What sites there are, which clusters keep them, and what they add; give each cluster's."""
    from ..mechanism import name_sites

    kept = space.configurations(sites, multiplier=multiplier)
    effects = space.effects(sites)
    if motifs is not None:
        sums = space.sums_for_sites()
        finer = space.configurations(sites, multiplier=multiplier, sums=sums)
        sites = name_sites(sites, sums, finer, motifs)
    positions = [",".join(map(str, own)) for own in sites["positions"]]
    write_table(sites.assign(positions=positions), out / "sites.tsv")
    write_table(kept.activity.reset_index(), out / "configurations.tsv")
    write_table(effects.assign(sites=["+".join(own) for own in effects["sites"]]), out / "effects.tsv")
    return kept.names.rename("sites")
