"""Which hits chance alone would not give, and the penalty at which it would give few.

Chance is the same regions with their positions permuted: what is called there is false.  The rate of false discoveries at a
similarity is how many such hits there are at it and above, a permutation, over how many there are in truth.

In: regions, motifs.  Out: q-values of hits; a penalty a motif.  Source: the estimate is that of decoys, Elias and Gygi 2007.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..core.batches import n_rows
from ..core.check import check_choice
from ..errors import problem
from .arrays import device_of
from .call import HitCaller, call_hits
from .motifs import HitMotifs
from .null import permute_regions

__all__ = ["Calibration", "calibrate_lambdas", "hit_q_values"]

_SCORES = ("similarity", "cosine", "coefficient", "coefficient_global", "importance", "explained", "leave_one_out")
_CHUNK = 256  # regions


def hit_q_values(
    hits: pd.DataFrame, null: pd.DataFrame, n_permutations: float, *, score: str = "similarity", by_motif: bool = True
) -> np.ndarray:
    """The rate of false discoveries among hits at least as strong, for each hit.

    Parameters
    ----------
    hits, null : DataFrame
        Tables of `call_hits`: of the regions, and of all their permutations together.
    n_permutations : float
        How often each region was permuted; below 1 where only part of the regions were.
    score : str
        What strong means: similarity, cosine, coefficient, coefficient_global, importance, explained or leave_one_out.
    by_motif : bool
        Motifs apart: some are more often found by chance than others.

    Returns
    -------
    array, one entry a hit
        Between 0 and 1.  One false hit is added to each count, so that nothing is ever certain.

    Raises
    ------
    NbinterpError
        For tables without names or this score, another score, or no permutations.

    Examples
    --------
    >>> hits = pd.DataFrame({"name": "a", "similarity": [0.95, 0.9, 0.7]})
    >>> null = pd.DataFrame({"name": "a", "similarity": [0.75, 0.72, 0.71]})
    >>> hit_q_values(hits, null, 4).round(2).tolist()
    [0.12, 0.12, 0.33]
    """
    where = "hit_q_values"
    check_choice(where, "score", score, _SCORES)
    if not n_permutations > 0:
        raise problem(where, "n_permutations", got=n_permutations, need="above 0", do="permute the regions")
    for argument, table in (("hits", hits), ("null", null)):
        missing = [name for name in ("name", score) if name not in table]
        if missing:
            raise problem(
                where, argument, got=f"no {', '.join(missing)}", need="name and the score", do="pass Hits.table"
            )
    kinds = [hits["name"], null["name"]] if by_motif else [pd.Series("", t.index) for t in (hits, null)]
    out, values, false = np.ones(len(hits)), hits[score].to_numpy(), null[score].to_numpy()
    for rows in hits.groupby(kinds[0].to_numpy()).indices.values():
        own = false[(kinds[1] == kinds[0].iloc[rows[0]]).to_numpy()]
        out[rows] = _rates(values[rows], np.sort(own), n_permutations)
    return out


def _rates(values: np.ndarray, false: np.ndarray, n_permutations: float) -> np.ndarray:
    order = np.argsort(-values, kind="stable")
    ranked = values[order]
    true = np.searchsorted(-ranked, -ranked, side="right")  # hits as strong and stronger; equals share
    by_chance = (1 + len(false) - np.searchsorted(false, ranked, side="left")) / n_permutations
    rate = np.minimum.accumulate((by_chance / true)[::-1])[::-1]
    out = np.empty(len(values))
    out[order] = np.minimum(rate, 1)
    return out


class Calibration(NamedTuple):
    """What `calibrate_lambdas` gives.

    ``lambdas`` maps each motif to its penalty; ``table`` has a row a motif: name, lambda, expected_fdr, n_hits and n_false
    (a permutation) at that penalty, reached (whether the rate could be met at all).
    """

    lambdas: Mapping[str, float]
    table: pd.DataFrame


def calibrate_lambdas(
    X: Any,
    contributions: Any,
    motifs: Any,
    *,
    fdr: float = 0.05,
    lowest: float = 0.4,
    n_permutations: int = 5,
    block: int = 1,
    random_state: int | None = None,
    **options: Any,
) -> Calibration:
    """Choose each motif's penalty such that few of its hits are false.

    Regions and their permutations are called at the lowest penalty; a motif's own is the least similarity above which the
    rate of false discoveries is at most `fdr`.

    Parameters
    ----------
    X, contributions, motifs
        Of `call_hits`.
    fdr : float
        Rate of false discoveries, between 0 and 1.
    lowest : float
        The least penalty that is considered.
    n_permutations : int
        Of each region.
    block : int
        Of `permute_regions`.
    random_state : int, optional
        Seed.
    **options
        Of `call_hits`: mode, trim, device, ...; not lambdas.

    Returns
    -------
    Calibration
        Where no similarity meets the rate, the penalty is that of the strongest false hit, at which none of them is called,
        and reached is False.

    Raises
    ------
    NbinterpError
        For rates and penalties out of range, or what `call_hits` refuses.

    Notes
    -----
    Calls at a penalty compete otherwise than those at another, so the rate at the chosen penalties is estimated, not given.

    Examples
    --------
    See `call_hits`; ``call_hits(X, contributions, motifs, lambdas=calibrate_lambdas(X, contributions, motifs).lambdas)``.
    """
    where = "calibrate_lambdas"
    for argument, value in (("fdr", fdr), ("lowest", lowest)):
        if not 0 < value < 1:
            raise problem(where, argument, got=value, need="between 0 and 1", do="0.05 and 0.4 are usual")
    if n_permutations < 1:
        raise problem(where, "n_permutations", got=n_permutations, need="at least 1", do="5 is usual")
    if "lambdas" in options or isinstance(motifs, HitMotifs):
        need = "motifs without penalties of their own"
        raise problem(
            where, "lambdas", got="penalties", need=need, do="leave them out, or pass the patterns themselves"
        )
    options = {"lambdas": lowest, **options}
    hits = call_hits(X, contributions, motifs, **options)
    null = call_null(X, contributions, hits.motifs, n_permutations, block, random_state, options)
    rows = [
        _calibrated(name, hits.table, null, n_permutations, fdr, lowest) for name in dict.fromkeys(hits.motifs.names)
    ]
    table = pd.DataFrame(rows)
    return Calibration(dict(zip(table["name"], table["lambda"], strict=True)), table)


def call_null(
    X: Any,
    contributions: Any,
    motifs: HitMotifs,
    n_permutations: int,
    block: int,
    random_state: int | None,
    options: Mapping[str, Any],
) -> pd.DataFrame:
    """Hits in permutations of the regions, of all permutations together; column permutation tells them apart.

    Few regions are permuted at a time, so that none but the given ones are held.
    """
    seeds = np.random.default_rng(random_state).integers(2**31, size=n_permutations)
    given = ("mode", "sqrt_transform", "post_filter", "solver", "fista")
    kept = {key: options[key] for key in given if key in options}
    caller = HitCaller(motifs, int(X.shape[2]), device=device_of(options.get("device")), **kept)
    tables, n = [], n_rows(X)
    for i, seed in enumerate(seeds.tolist()):
        rng = np.random.default_rng(seed)
        for start in range(0, n, _CHUNK):
            rows = slice(start, min(start + _CHUNK, n))
            permuted = permute_regions(X[rows], contributions[rows], rng, block=block)
            table, _ = caller(*permuted, first=start, batch_size=options.get("batch_size", 64))
            tables.append(table.assign(permutation=i))
    return pd.concat(tables, ignore_index=True)


def _calibrated(
    name: str, hits: pd.DataFrame, null: pd.DataFrame, n_permutations: int, fdr: float, lowest: float
) -> dict[str, Any]:
    mine, false = hits[hits["name"] == name], null.loc[null["name"] == name, "similarity"].to_numpy()
    rates = hit_q_values(mine, null[null["name"] == name], n_permutations) if len(mine) else np.zeros(0)
    met = mine["similarity"].to_numpy()[rates <= fdr]
    reached = bool(len(met))
    chosen = float(met.min()) if reached else float(max(false.max(initial=lowest), lowest))
    if reached and len(met) == len(mine):
        chosen = lowest
    chosen = min(chosen, 0.999)
    n_false = float((false >= chosen).sum()) / n_permutations
    return {
        "name": name,
        "lambda": chosen,
        "expected_fdr": float(rates[rates <= fdr].max()) if reached else float("nan"),
        "n_hits": int((mine["similarity"] >= chosen).sum()),
        "n_false": n_false,
        "reached": reached,
    }
