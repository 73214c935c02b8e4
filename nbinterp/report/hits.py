"""What the hits report reads: regions, a call in them, patterns and known motifs; and the call itself, where there is none.

In: a checked record of parameters, and a folder for a call.  Out: `Called`.  A call of Fi-NeMo's is solved again to the
optimum, for what its files do not say, and to say how far it is from there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .parameters.hits import HitsParameters

if TYPE_CHECKING:
    from ..hit import HitMotifs, Regions
    from ..motif import MotifSet, PatternSet

__all__ = ["Called", "read_called"]

_FLANK = 3  # bases on either side of the demo's planted sites: less than what is between the two of a pair
_CHUNK = 512
_KEY = ["example_idx", "name", "strand", "start_untrimmed"]
_DETAILS = ["cosine", "explained", "leave_one_out", "rival", "tied"]


@dataclass(frozen=True)
class Called:
    """A call and what goes with it.

    Attributes
    ----------
    regions : Regions
    folder : Path
        Of the call.
    files : DataFrame
        ``hits.tsv``.
    table : DataFrame
        The same as annotations, with every column of `call_hits`.
    motifs : HitMotifs
        As they were called; `ready` to call again.
    ready : HitMotifs
    quality : DataFrame
        ``peaks_qc.tsv`` by region, and explained: the part of each region's squares that its hits explain at best.
    options : dict
        mode, sqrt_transform and post_filter of the call.
    solver : {"exact", "fista", "Fi-NeMo"}
    agreement : DataFrame or None
        Of Fi-NeMo's calls: both coefficients of each hit that it or the optimum has, 0 where there is none.
    patterns : PatternSet or None
    known : MotifSet
    planted : bool
        Whether seqlets are the demo's planted sites.
    """

    regions: Regions
    folder: Path
    files: pd.DataFrame
    table: pd.DataFrame
    motifs: HitMotifs
    ready: HitMotifs
    quality: pd.DataFrame
    options: dict[str, Any]
    solver: str
    agreement: pd.DataFrame | None
    patterns: PatternSet | None
    known: MotifSet
    planted: bool

    @property
    def names(self) -> list[str]:
        """Of the motifs, one for both strands."""
        return list(self.motifs.names[::2])

    def rows(self, chosen: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Sequences and projected or hypothetical contributions of some regions, in rising order."""
        return tuple(_taken(one, np.asarray(chosen)) for one in (self.regions.sequences, self.regions.contributions))  # type: ignore[return-value]

    def drawn(self, n: int, random_state: int) -> np.ndarray:
        """Numbers of `n` regions at random, or of all; in order."""
        total = len(self.regions)
        if not n or n >= total:
            return np.arange(total)
        return np.sort(np.random.default_rng(random_state).choice(total, n, replace=False))


def read_called(asked: HitsParameters, folder: Path) -> Called:
    """Read the call, or make it in `folder`.

    Examples
    --------
    >>> import tempfile
    >>> from nbinterp.report import check_parameters
    >>> with tempfile.TemporaryDirectory() as out:
    ...     found = read_called(check_parameters("hits", {"demo": True, "n_demo": 20}), Path(out))
    >>> sorted(found.names), found.solver
    (['AP1', 'ETS', 'GATA', 'NRF1', 'REP', 'TEAD'], 'exact')
    """
    from ..hit import call_to_folder, hit_motifs, read_hit_motifs, read_hits, read_regions
    from ..hit.folder import read_call
    from ..motif import load_jaspar, read_modisco, read_motifs

    known = read_motifs(asked.motifs) if asked.motifs else load_jaspar(tax_group=asked.tax_group or None)
    names: dict[str, str] = {}
    patterns: PatternSet | None
    if asked.demo:
        regions, patterns, names = _demo(asked)
    else:
        regions = read_regions(asked.regions)
        patterns = read_modisco(asked.modisco, arrays=False) if asked.modisco else None
    if asked.hits:
        folder = Path(asked.hits)
    else:
        assert patterns is not None  # the parameters see to it
        made = hit_motifs(
            patterns, hypothetical=asked.mode[0] == "h", lambdas=asked.global_lambda, trim=asked.trim, rename=names
        )
        said = {"mode": asked.mode, "global_lambda": asked.global_lambda, "trim": asked.trim, "solver": "exact"}
        call_to_folder(folder, regions, made, mode=asked.mode, device=asked.device or None, parameters=said)
    motifs, files, table = read_hit_motifs(folder), read_hits(folder), read_call(folder, regions)
    starts, ends, lambdas = (
        np.array(one) for one in (motifs.starts, motifs.ends, motifs.lambdas)
    )  # that may be written
    motifs = replace(motifs, starts=starts, ends=ends, lambdas=lambdas)
    options, solver = _asked_of(folder)
    ready = motifs
    if solver == "Fi-NeMo" and options["sqrt_transform"]:  # its file holds the weights as they were before
        ready = _again(motifs)
    agreement = None
    if "cosine" not in table:
        table, agreement = _with_optimum(table, regions, ready, options, asked.device)
    return Called(
        regions,
        folder,
        files,
        table,
        motifs,
        ready,
        _quality(folder, regions, table),
        options,
        solver,
        agreement,
        patterns,
        known,
        asked.demo,
    )


def _asked_of(folder: Path) -> tuple[dict[str, Any], str]:
    """What a call was asked, and who solved it."""
    path = folder / "parameters.json"
    said = json.loads(path.read_text()) if path.is_file() else {}
    options = {
        "mode": said.get("mode", "pp"),
        "sqrt_transform": bool(said.get("sqrt_transform", False)),
        "post_filter": not said.get("no_post_filter", False),
    }
    ours = (folder / "hits_details.tsv").is_file()
    return options, str(said.get("solver", "exact")) if ours else "Fi-NeMo"


def _again(motifs: HitMotifs) -> HitMotifs:
    from ..hit import hit_motifs

    names = motifs.names[::2]
    return hit_motifs(
        {name: motifs.weights[2 * i] for i, name in enumerate(names)},
        spans={name: (int(motifs.starts[2 * i]), int(motifs.ends[2 * i])) for i, name in enumerate(names)},
        lambdas={name: float(motifs.lambdas[2 * i]) for i, name in enumerate(names)},
        sqrt_transform=True,
    )


def _quality(folder: Path, regions: Regions, hits: pd.DataFrame) -> pd.DataFrame:
    from ..hit.seqlets import places_of

    table = pd.read_csv(folder / "peaks_qc.tsv", sep="\t")
    table = table.set_index("peak_id").reindex(places_of(regions)["peak_id"].to_numpy()).reset_index()
    parts = (hits["explained"] * hits["importance_sq"]).groupby(hits["example_idx"]).sum()
    whole = table["global_scale"] ** 2 * regions.length
    explained = (parts.reindex(range(len(table)), fill_value=0) / whole.where(whole > 0)).clip(upper=1)
    return table.assign(explained=explained.to_numpy())


def _with_optimum(
    table: pd.DataFrame, regions: Regions, motifs: HitMotifs, options: dict[str, Any], device: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table with what the optimum says of its hits, and how the two agree."""
    from ..core.batches import resolve_device
    from ..hit import HitCaller

    caller = HitCaller(motifs, regions.length, **options, device=resolve_device(device or None))
    parts = []
    for start in range(0, len(regions), _CHUNK):
        rows = slice(start, min(start + _CHUNK, len(regions)))
        parts.append(caller(regions.sequences[rows], regions.contributions[rows], first=start)[0])
    best = pd.concat(parts, ignore_index=True)
    agreement = table[[*_KEY, "coefficient"]].merge(
        best[[*_KEY, "coefficient"]], on=_KEY, how="outer", suffixes=("", "_optimum")
    )
    filled = table.merge(best[[*_KEY, *_DETAILS]], on=_KEY, how="left")
    filled["rival"] = filled["rival"].fillna("")
    filled["tied"] = filled["tied"].eq(True)
    return filled, agreement.fillna({"coefficient": 0.0, "coefficient_optimum": 0.0})


def _taken(rows: Any, chosen: np.ndarray) -> np.ndarray:
    """Some rows of what is read from its beginning to its end."""
    parts = []
    for start in range(0, int(rows.shape[0]), _CHUNK):
        here = chosen[(chosen >= start) & (chosen < start + _CHUNK)] - start
        if len(here):
            parts.append(np.asarray(rows[start : min(start + _CHUNK, int(rows.shape[0]))])[here])
    return np.concatenate(parts) if parts else np.asarray(rows[0:0])


def _demo(asked: HitsParameters) -> tuple[Regions, PatternSet, dict[str, str]]:
    """Contributions to both of the embedded model's outputs together, and patterns of the sites that act."""
    from .. import demo
    from ..attribution import deep_lift_shap
    from ..hit import Regions
    from ..motif import patterns_from_seqlets

    X, truth = demo.sequences(asked.n_demo, random_state=asked.random_state)
    model = demo.load_model()
    scores = sum(
        deep_lift_shap(
            model, X, target=task, n_shuffles=5, hypothetical=True, random_state=asked.random_state, device="cpu"
        )
        for task in range(len(demo.TASKS))
    )
    acting = truth[truth["role"] != "decoy"]
    sites = acting.assign(start=acting["start"] - _FLANK, end=acting["end"] + _FLANK)
    missing = (sites["end"] - sites["start"]).max() - (sites["end"] - sites["start"])  # one width for all
    turned = sites["strand"] == "-"
    sites = sites.assign(start=sites["start"] - missing.where(turned, 0), end=sites["end"] + missing.where(~turned, 0))
    sites = sites[(sites["start"] >= 0) & (sites["end"] <= demo.LENGTH)]
    patterns = patterns_from_seqlets(X, scores, sites)
    keys = ["example_idx", "start", "end", "strand"]
    named = patterns.seqlets().merge(sites, on=keys, suffixes=("", "_planted")).drop_duplicates("name")
    names = dict(zip(named["name"], named["name_planted"], strict=True))
    regions = Regions(
        X.numpy(), np.asarray(scores, np.float32), None, pd.DataFrame(columns=["region", "peak_name", "note"])
    )
    return regions, patterns, names
