"""Hits of two calls side by side."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from nbinterp.errors import NbinterpError
from nbinterp.hit import Regions, call_hits, hit_motifs, hits_table
from nbinterp.hit.differential import differential_hits
from tests.hit.synthetic import regions


def hits(seed: int, n: int = 30) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 30, n)
    return pd.DataFrame(
        {
            "example_idx": rng.integers(0, 3, n), "start": start, "end": start + 8, "name": rng.choice(["a", "b"], n),
            "strand": rng.choice(["+", "-"], n), "score": rng.uniform(1, 2, n),
        }
    )  # fmt: skip


def naive(first: pd.DataFrame, second: pd.DataFrame, tolerance: int) -> list[tuple[int, int]]:
    """Nearest first, over every two hits."""
    keys = ["example_idx", "name", "strand"]
    near = sorted(
        (abs(first["start"][i] - second["start"][j]), i, j)
        for i, j in product(range(len(first)), range(len(second)))
        if (first.loc[i, keys] == second.loc[j, keys]).all()
    )
    used: set[tuple[str, int]] = set()
    pairs = []
    for apart, i, j in near:
        if apart <= tolerance and ("a", i) not in used and ("b", j) not in used:
            used |= {("a", i), ("b", j)}
            pairs.append((i, j))
    return pairs


@pytest.mark.parametrize("tolerance", [0, 3])
def test_pairs_are_the_nearest(tolerance: int) -> None:
    first, second = hits(0), hits(1)
    found = differential_hits(first, second, tolerance=tolerance)
    pairs = naive(first, second, tolerance)
    both = found[found["change"] == "both"]
    assert sorted(zip(both["first"], both["second"], strict=True)) == sorted(
        (first["score"][i], second["score"][j]) for i, j in pairs
    )
    counts = found["change"].value_counts()
    assert (counts["lost"], counts["gained"]) == (len(first) - len(pairs), len(second) - len(pairs))
    assert found["first"].sum() == pytest.approx(first["score"].sum())
    assert found["second"].sum() == pytest.approx(second["score"].sum())
    np.testing.assert_allclose(found["difference"], found["second"] - found["first"])
    assert np.isposinf(found.loc[found["change"] == "gained", "log2_ratio"]).all()
    assert np.isneginf(found.loc[found["change"] == "lost", "log2_ratio"]).all()


def test_turned_round() -> None:
    """What is gained one way is lost the other."""
    one, other = differential_hits(hits(0), hits(1)), differential_hits(hits(1), hits(0))
    assert one["change"].replace({"gained": "lost", "lost": "gained"}).value_counts().to_dict() == (
        other["change"].value_counts().to_dict()
    )
    assert one["difference"].sum() == pytest.approx(-other["difference"].sum())


def test_of_two_attributions() -> None:
    """A site whose contributions are gone is lost; one that is doubled is four times as strong."""
    data = regions(8, noise=0.01)
    motifs = hit_motifs(data.motifs)
    second = data.projected.copy()
    second[0] = 0
    second[1:] *= 2
    tables = [call_hits(data.X, values, motifs, device="cpu").table for values in (data.projected, second)]
    found = differential_hits(*tables)
    assert (found["example_idx"] == 0).sum() == (found["change"] == "lost").sum() > 0
    np.testing.assert_allclose(found.loc[found["change"] == "both", "log2_ratio"], 2, atol=1e-4)
    where = Regions(data.X, data.projected, None, pd.DataFrame())
    files = [hits_table(call_hits(data.X, v, motifs, device="cpu"), where) for v in (data.projected, second)]
    stored = differential_hits(*files)
    assert stored["change"].tolist() == found["change"].tolist()
    np.testing.assert_allclose(stored["first"], found["first"], rtol=1e-6)
    by_size = differential_hits(*files, score="importance")
    np.testing.assert_allclose(by_size.loc[by_size["change"] == "both", "log2_ratio"], 1, atol=1e-4)


def test_edges() -> None:
    none, some = hits(0).iloc[:0], hits(0)
    assert len(differential_hits(none, none)) == 0
    assert (differential_hits(none, some)["change"] == "gained").all()
    assert (differential_hits(some, none)["change"] == "lost").all()
    zero = some.iloc[:1].assign(score=0.0)
    assert differential_hits(zero, zero)["log2_ratio"].isna().all()


def test_what_cannot_be_compared() -> None:
    with pytest.raises(NbinterpError, match=r"differential_hits\(tolerance\): got -1"):
        differential_hits(hits(0), hits(1), tolerance=-1)
    with pytest.raises(NbinterpError, match=r"differential_hits\(second\): got no strand, beauty"):
        differential_hits(hits(0).assign(beauty=1), hits(1).drop(columns="strand"), score="beauty")
