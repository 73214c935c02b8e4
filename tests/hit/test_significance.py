"""Hits against chance: permuted regions, rates of false discoveries, penalties chosen for a rate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp.errors import NbinterpError
from nbinterp.hit import call_hits, hit_motifs
from nbinterp.hit.null import permute_regions
from nbinterp.hit.significance import calibrate_lambdas, call_null, hit_q_values
from tests.hit.synthetic import regions

DATA = regions(12, noise=0.12)


def pairs(X: Any, values: Any) -> list[tuple[int, float]]:
    """Base and contribution of each position of a region."""
    return [(int(base), float(value)) for base, value in zip(X.argmax(0), values, strict=True)]


# ---- regions in another order ----------------------------------------------------------------------------------------


def test_bases_and_contributions_move_together() -> None:
    X, values = permute_regions(DATA.X, DATA.projected, 0)
    for i in range(len(DATA.X)):
        before, after = pairs(DATA.X[i], DATA.projected[i]), pairs(X[i], values[i])
        assert sorted(before) == sorted(after)
        assert before != after
    whole = permute_regions(DATA.X, DATA.hypothetical, 0)[1]
    torch.testing.assert_close((whole * X).sum(dim=1), values)  # the same order whatever the shape


@pytest.mark.parametrize("block", [3, 7, 120])
def test_blocks_stay_whole(block: int) -> None:
    X, values = permute_regions(DATA.X, DATA.projected, 1, block=block)
    parts = {tuple(pairs(DATA.X[0][:, a : a + block], DATA.projected[0][a : a + block])) for a in range(0, 120, block)}
    rest, found = pairs(X[0], values[0]), set()
    while rest:  # the last block of a region is the shorter one, wherever it went
        size = block if tuple(rest[:block]) in parts else 120 % block
        assert tuple(rest[:size]) in parts
        found.add(tuple(rest[:size]))
        rest = rest[size:]
    assert found == parts


def test_a_region_is_permuted_alike_in_any_company() -> None:
    whole, few = (permute_regions(DATA.X[:n], DATA.projected[:n], 5)[1] for n in (12, 3))
    torch.testing.assert_close(whole[:3], few)
    packed = nb.PackedSequence.from_one_hot(torch.from_numpy(DATA.X).float())
    X, values = permute_regions(packed, DATA.projected, 5)
    torch.testing.assert_close(values, whole)
    assert np.array_equal(X.argmax(1), permute_regions(DATA.X, DATA.projected, 5)[0].argmax(1))
    state = [permute_regions(DATA.X, DATA.projected, np.random.RandomState(3))[1] for _ in range(2)]
    torch.testing.assert_close(*state)


def test_a_generator_goes_on() -> None:
    """Regions a few at a time are permuted as all at once, and so are the regions that are called."""
    rng = np.random.default_rng(5)
    parts = [permute_regions(DATA.X[a : a + 5], DATA.projected[a : a + 5], rng)[1] for a in (0, 5, 10)]
    torch.testing.assert_close(torch.cat(parts), permute_regions(DATA.X, DATA.projected, 5)[1])


def test_chance_is_the_same_few_regions_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    motifs = hit_motifs(DATA.motifs, lambdas=0.4)
    options = {"device": "cpu", "post_filter": False}
    whole = call_null(DATA.X, DATA.projected, motifs, 2, 1, 0, options)
    monkeypatch.setattr("nbinterp.hit.significance._CHUNK", 5)
    parts = call_null(DATA.X, DATA.projected, motifs, 2, 1, 0, options)
    assert len(whole) > 5
    pd.testing.assert_frame_equal(whole, parts, check_exact=False, rtol=1e-9)


def test_permuted_on_another_device(second_device: str) -> None:
    X, values = (torch.from_numpy(v) for v in (DATA.X, DATA.projected))
    here, there = (permute_regions(X.to(d), values.to(d), 2) for d in ("cpu", second_device))
    for one, other in zip(here, there, strict=True):
        torch.testing.assert_close(one, other.cpu())


@pytest.mark.parametrize(
    ("X", "values", "block", "words"),
    [
        (DATA.X[0], DATA.projected, 1, r"permute_regions\(X\): got shape \(4, 120\)"),
        (DATA.X, DATA.projected[:3], 1, r"permute_regions\(contributions\): got shape \(3, 120\)"),
        (DATA.X, DATA.projected, 0, r"permute_regions\(block\): got 0; need 1 to 120"),
        (DATA.X, DATA.projected, 121, "got 121"),
    ],
)
def test_what_cannot_be_permuted(X: Any, values: Any, block: int, words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        permute_regions(X, values, block=block)


# ---- rates of false discoveries --------------------------------------------------------------------------------------


def naive_q(hits: pd.DataFrame, null: pd.DataFrame, n: float, score: str, by_motif: bool) -> list[float]:
    """By the definition: the least rate at any threshold that still calls the hit."""
    out = []
    for _, hit in hits.iterrows():
        mine = hits[hits["name"] == hit["name"]] if by_motif else hits
        false = null[null["name"] == hit["name"]] if by_motif else null
        rates = [(1 + (false[score] >= t).sum()) / n / (mine[score] >= t).sum() for t in mine[score] if t <= hit[score]]
        out.append(min(1.0, *rates))
    return out


@pytest.mark.parametrize("by_motif", [True, False])
@pytest.mark.parametrize("n", [4, 0.5])
def test_q_values_equal_their_definition(by_motif: bool, n: float) -> None:
    rng = np.random.default_rng(0)
    hits, null = (
        pd.DataFrame({"name": rng.choice(["a", "b"], k), "cosine": (rng.beta(a, 2, k) * 20).round() / 20})
        for k, a in ((60, 6), (30, 3))
    )
    hits.index = rng.permutation(60)  # rows by place, whatever they are called
    found = hit_q_values(hits, null, n, score="cosine", by_motif=by_motif)
    np.testing.assert_allclose(found, naive_q(hits, null, n, "cosine", by_motif), rtol=1e-12)
    order = np.argsort(hits["cosine"].to_numpy())
    if not by_motif:
        assert (np.diff(found[order]) <= 1e-15).all()  # a stronger hit is no less certain


def test_none_are_no_trouble() -> None:
    none = pd.DataFrame({"name": pd.Series([], dtype=object), "similarity": pd.Series([], dtype=float)})
    one = pd.DataFrame({"name": ["a"], "similarity": [0.9]})
    assert hit_q_values(none, one, 1).shape == (0,)
    assert hit_q_values(one, none, 4).tolist() == [0.25]
    assert hit_q_values(one, one.assign(name="b"), 4).tolist() == [0.25]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"score": "beauty"}, "score"),
        ({"n_permutations": 0}, r"n_permutations\): got 0; need above 0"),
        ({"null": pd.DataFrame({"name": ["a"]})}, r"null\): got no similarity"),
    ],
)
def test_what_has_no_rate(given: dict[str, Any], words: str) -> None:
    one = pd.DataFrame({"name": ["a"], "similarity": [0.9]})
    with pytest.raises(NbinterpError, match=words):
        hit_q_values(**{"hits": one, "null": one, "n_permutations": 1, **given})


def test_the_estimate_is_about_right() -> None:
    """Among hits with a q-value of at most 0.2 the truly false are few; among noise nothing is certain."""
    data = regions(60, noise=0.35, seed=4)
    hits = call_hits(data.X, data.projected, data.motifs, lambdas=0.5, device="cpu")
    null = call_null(data.X, data.projected, hits.motifs, 4, 1, 0, {"device": "cpu"})
    assert set(null["permutation"]) == {0, 1, 2, 3}
    table = hits.table.assign(q=hit_q_values(hits.table, null, 4, by_motif=False))
    truth = {(region, start, name) for region, start, name, _ in data.truth}
    table["true"] = [
        any((e, s + shift, n) in truth for shift in range(-3, 4))
        for e, s, n in table[["example_idx", "start", "name"]].itertuples(index=False)
    ]
    called = table[table["q"] <= 0.2]
    assert len(called) > 60
    assert 1 - called["true"].mean() < 0.25
    noise = np.random.default_rng(0).normal(size=(60, 120))
    nothing = call_hits(data.X, noise, hits.motifs, device="cpu")
    false = call_null(data.X, noise, hits.motifs, 4, 1, 0, {"device": "cpu"})
    assert len(nothing.table) > 30
    assert (hit_q_values(nothing.table, false, 4, by_motif=False) > 0.2).all()


# ---- penalties for a rate --------------------------------------------------------------------------------------------


def test_penalties_are_the_least_that_hold_the_rate() -> None:
    data = regions(40, noise=0.35, seed=4)
    found = calibrate_lambdas(data.X, data.projected, data.motifs, fdr=0.2, lowest=0.5, random_state=0, device="cpu")
    table = found.table.set_index("name")
    assert set(found.lambdas) == set(data.motifs) == set(table.index)
    hits = call_hits(data.X, data.projected, data.motifs, lambdas=0.5, device="cpu")
    null = call_null(data.X, data.projected, hits.motifs, 5, 1, 0, {"device": "cpu"})
    q = hit_q_values(hits.table, null, 5)
    for name, row in table.iterrows():
        mine = (hits.table["name"] == name).to_numpy()
        good = hits.table["similarity"].to_numpy()[mine & (q <= 0.2)]
        assert row["reached"] == (len(good) > 0)
        if not row["reached"]:
            continue
        assert row["lambda"] == pytest.approx(0.5 if len(good) == mine.sum() else good.min())
        assert row["n_hits"] == len(good)
        assert row["expected_fdr"] <= 0.2
        assert row["n_false"] == ((null["name"] == name) & (null["similarity"] >= row["lambda"])).sum() / 5
    assert table["reached"].any()
    stricter = calibrate_lambdas(
        data.X, data.projected, data.motifs, fdr=0.02, lowest=0.5, random_state=0, device="cpu"
    )
    both = stricter.table["reached"] & found.table["reached"]
    assert (stricter.table["lambda"] >= found.table["lambda"])[both].all()


def test_a_motif_of_chance_is_called_nowhere() -> None:
    """Where no penalty holds the rate, none of the permutations' hits is called at the one that is given."""
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(20, 120))
    found = calibrate_lambdas(DATA.X[:1].repeat(20, 0), noise, DATA.motifs, fdr=0.01, lowest=0.5, device="cpu")
    assert not found.table["reached"].any()
    assert found.table["expected_fdr"].isna().all()
    again, once = (
        calibrate_lambdas(DATA.X, DATA.projected, DATA.motifs, lowest=0.5, random_state=3, device="cpu")
        for _ in range(2)
    )
    pd.testing.assert_frame_equal(again.table, once.table)


def test_calibrated_on_another_device(second_device: str) -> None:
    same = {name: np.pad(one, ((0, 0), (0, 12 - one.shape[1]))) for name, one in DATA.motifs.items()}
    one, other = (
        calibrate_lambdas(DATA.X, DATA.projected, same, n_permutations=2, random_state=0, device=device)
        for device in ("cpu", second_device)
    )
    pd.testing.assert_frame_equal(one.table, other.table)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"fdr": 0}, r"calibrate_lambdas\(fdr\)"),
        ({"lowest": 1}, r"calibrate_lambdas\(lowest\)"),
        ({"n_permutations": 0}, r"calibrate_lambdas\(n_permutations\)"),
        ({"lambdas": 0.7}, r"calibrate_lambdas\(lambdas\)"),
        ({"motifs": nb.hit.hit_motifs({"a": np.eye(4)})}, r"calibrate_lambdas\(lambdas\)"),
    ],
)
def test_wrong_questions(given: dict[str, Any], words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        calibrate_lambdas(**{"X": DATA.X, "contributions": DATA.projected, "motifs": DATA.motifs, **given})
