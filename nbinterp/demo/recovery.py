"""Seqlets and named hits against the planted truth.

In: a table of spans and the table of planted sites.  Out: recall and precision.  A site is found when a span covers at
least half of its bases; a span is right when at least half of its bases, or half of a site's, are shared with a site
that acts in the task.  Where names count, only a span of the site's own name finds it or is right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..core.check import check_choice
from ..core.tables import ANNOTATIONS, check_table
from .grammar import EFFECTS, TASKS

__all__ = ["Recovery", "recovery"]


@dataclass(frozen=True)
class Recovery:
    """How much of the truth was found.

    Attributes
    ----------
    recall, precision : float
        Sites found of those that act; spans right of those called.
    n_sites, n_seqlets : int
        How many sites and spans there were.
    by_motif : DataFrame
        name, role, n, found, recall.
    """

    recall: float
    precision: float
    n_sites: int
    n_seqlets: int
    by_motif: pd.DataFrame

    def __str__(self) -> str:
        return (
            f"recall {self.recall:.1%} of {self.n_sites} planted sites, "
            f"precision {self.precision:.1%} of {self.n_seqlets} spans"
        )


def recovery(
    seqlets: pd.DataFrame,
    truth: pd.DataFrame,
    task: str = "enhancer",
    min_overlap: float = 0.5,
    *,
    by_name: bool = False,
) -> Recovery:
    """Score seqlets or hits against planted sites.

    Parameters
    ----------
    seqlets : DataFrame
        example_idx, start, end; and name, where names count.
    truth : DataFrame
        As `sequences` gives it.
    task : str
        Sites that act in this task count: those with an effect, and pairs in "cooperative".
    min_overlap : float
        Fraction of the site's bases that a span must cover, and of the span's or site's that must be shared.  With 1, a
        hit of a motif must lie exactly where the motif was planted.
    by_name : bool
        Let spans match only sites of their own name.

    Returns
    -------
    Recovery
        Recall is NaN where no site acts, and precision where there is no span.

    Raises
    ------
    NbinterpError
        For tables without these columns, or another task.

    Examples
    --------
    >>> truth = pd.DataFrame({"example_idx": [0], "start": [10], "end": [20], "name": ["ETS"], "role": ["activator"]})
    >>> print(recovery(pd.DataFrame({"example_idx": [0, 0], "start": [12, 90], "end": [20, 99]}), truth))
    recall 100.0% of 1 planted sites, precision 50.0% of 2 spans
    """
    check_table("recovery", "seqlets", seqlets, {**ANNOTATIONS, "name": "str"} if by_name else ANNOTATIONS)
    check_table("recovery", "truth", truth, ANNOTATIONS)
    check_choice("recovery", "task", task, TASKS)
    column = TASKS.index(task)
    acts = np.array([EFFECTS[name][column] != 0 for name in truth["name"]], bool)
    sites = truth[acts].reset_index(drop=True)
    shared = _shared(seqlets, sites)
    if by_name:
        shared = shared * (seqlets["name"].to_numpy()[:, None] == sites["name"].to_numpy()[None])
    widths = (sites["end"] - sites["start"]).to_numpy()
    lengths = (seqlets["end"] - seqlets["start"]).to_numpy()
    found = np.asarray((shared >= min_overlap * widths[None]).any(axis=0))
    right = (shared >= min_overlap * np.minimum(widths[None], lengths[:, None])).any(axis=1)
    groups = sites.assign(found=found).groupby(["name", "role"], sort=True)["found"]
    table = groups.agg(n="size", found="sum").reset_index()
    table["recall"] = table["found"] / table["n"]
    return Recovery(
        float(found.mean()) if len(sites) else float("nan"),
        float(right.mean()) if len(seqlets) else float("nan"),
        len(sites),
        len(seqlets),
        table,
    )


def _shared(a: pd.DataFrame, b: pd.DataFrame) -> np.ndarray:
    """Bases shared by each row of `a` and each of `b`."""
    low = np.maximum(a["start"].to_numpy()[:, None], b["start"].to_numpy()[None])
    high = np.minimum(a["end"].to_numpy()[:, None], b["end"].to_numpy()[None])
    same = a["example_idx"].to_numpy()[:, None] == b["example_idx"].to_numpy()[None]
    overlap: np.ndarray = np.clip(high - low, 0, None) * same
    return overlap
