"""The exact solver: conditions by brute force, a naive descent, laws, and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp.errors import NbinterpError
from nbinterp.hit import Hits, call_hits, hit_motifs
from tests.hit.naive import dense, descend
from tests.hit.synthetic import regions

DATA = regions()
MODES = [("pp", "projected"), ("hh", "hypothetical")]
KEY = ["example_idx", "start", "end", "name", "strand"]


def call(mode: str = "pp", data: Any = DATA, **options: Any) -> Hits:
    values = data.projected if mode[1] == "p" else data.hypothetical
    return call_hits(data.X, values, data.motifs, **{"mode": mode, "device": "cpu", "lambdas": 0.6} | options)


def coefficients(hits: Hits, region: int) -> dict[tuple[int, int], float]:
    number = {
        (name, strand): m for m, (name, strand) in enumerate(zip(hits.motifs.names, hits.motifs.strands, strict=True))
    }
    rows = hits.table[hits.table["example_idx"] == region]
    return {
        (number[r.name_, r.strand], r.start): r.coefficient for r in rows.rename(columns={"name": "name_"}).itertuples()
    }


@pytest.mark.parametrize(("mode", "kind"), MODES)
@pytest.mark.parametrize("lambda_", [0.2, 0.5, 0.8])
def test_karush_kuhn_tucker(mode: str, kind: str, lambda_: float) -> None:
    """No window, called or not, could lower the objective: checked over all of them."""
    hits = call(mode, lambdas=lambda_, post_filter=False)
    for region in range(4):
        values = getattr(DATA, kind)[region]
        problem = dense(DATA.X[region], values, hits.motifs)
        c = problem.coefficients(coefficients(hits, region))
        slope = problem.A.T @ (problem.y - problem.A @ c) - problem.penalty
        assert slope.max() < 1e-7
        assert np.abs(slope[c > 0]).max(initial=0) < 1e-7
        gap = problem.relative_gap(c)
        assert gap < 1e-6
        assert hits.regions["relative_gap"][region] == pytest.approx(gap, abs=1e-9)


@pytest.mark.parametrize(("mode", "kind"), MODES)
def test_equals_a_plain_descent(mode: str, kind: str) -> None:
    """Coordinate descent over every window ends in the same place."""
    hits = call(mode, post_filter=False)
    for region in range(3):
        problem = dense(DATA.X[region], getattr(DATA, kind)[region], hits.motifs)
        c = problem.coefficients(coefficients(hits, region))
        expected = descend(problem)
        assert problem.objective(c) <= problem.objective(expected) * (1 + 1e-12)
        np.testing.assert_allclose(c, expected, atol=1e-4)


def test_many_windows_join_in_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same optimum when few windows may join at once."""
    whole = call(lambdas=0.2, post_filter=False)
    monkeypatch.setattr("nbinterp.hit.exact._MOST_NEW", 1)
    part = call(lambdas=0.2, post_filter=False)
    assert part.regions["num_steps"].max() > whole.regions["num_steps"].max()
    assert part.regions["relative_gap"].max() < 1e-6
    pd.testing.assert_frame_equal(part.table[KEY], whole.table[KEY])
    np.testing.assert_allclose(part.table["coefficient"], whole.table["coefficient"], rtol=1e-5)


def test_finds_what_was_planted() -> None:
    found = {tuple(row) for row in call().table[["example_idx", "start", "name", "strand"]].itertuples(index=False)}
    planted = {(r, s + int(DATA.motifs[n].shape[1] and _start(n, strand)), n, strand) for r, s, n, strand in DATA.truth}
    recall = len(found & planted) / len(planted)
    precision = len(found & planted) / len(found)
    print(f"recall {recall:.3f}, precision {precision:.3f} of {len(planted)} planted")
    assert recall > 0.9
    assert precision > 0.9


def _start(name: str, strand: str) -> int:
    ready = hit_motifs({name: DATA.motifs[name]})
    return int(ready.starts["+-".index(strand)])


def test_batches_do_not_matter() -> None:
    whole, parts = call(), call(batch_size=5)
    pd.testing.assert_frame_equal(whole.table, parts.table, check_exact=False, rtol=1e-9)
    pd.testing.assert_frame_equal(whole.regions, parts.regions, check_exact=False, atol=1e-9)


def test_the_other_strand() -> None:
    """Turned sequences have turned hits."""
    turned = call_hits(
        DATA.X[:, ::-1, ::-1].copy(), DATA.projected[:, ::-1].copy(), DATA.motifs, lambdas=0.6, device="cpu"
    ).table
    length = DATA.X.shape[2]
    back = turned.assign(start=length - turned["end"], end=length - turned["start"])
    back["strand"] = back["strand"].map({"+": "-", "-": "+"})
    columns = [*KEY, "coefficient", "similarity", "explained"]
    left, right = (t.sort_values(KEY)[columns].reset_index(drop=True) for t in (back, call().table))
    pd.testing.assert_frame_equal(left, right, check_exact=False, rtol=1e-6)


def test_scale_of_a_region_does_not_matter() -> None:
    larger = call_hits(DATA.X, DATA.projected * 1e-3, DATA.motifs, lambdas=0.6, device="cpu").table
    table = call().table
    pd.testing.assert_frame_equal(larger[KEY], table[KEY])
    np.testing.assert_allclose(larger["coefficient"], table["coefficient"], rtol=1e-6)
    np.testing.assert_allclose(larger["score"], table["score"] * 1e-6, rtol=1e-6)


def test_twins_go_to_the_first() -> None:
    """Of two equal motifs the one that comes first is called, and the other one is named."""
    names = list(DATA.motifs)
    twins = {names[0]: DATA.motifs[names[0]], "twin": DATA.motifs[names[0]], **{n: DATA.motifs[n] for n in names[1:]}}
    hits = call_hits(DATA.X, DATA.projected, twins, lambdas=0.6, device="cpu").table
    assert "twin" not in set(hits["name"])
    mine = hits[hits["name"] == names[0]]
    assert len(mine)
    assert mine["tied"].all()
    assert set(mine["rival"]) == {"twin"}
    pd.testing.assert_frame_equal(hits[KEY], call().table[KEY])
    assert not call().table["tied"].any()


def test_quantities() -> None:
    """What is said of a hit, from its definition."""
    hits = call(post_filter=False)
    region = 1
    problem = dense(DATA.X[region], DATA.projected[region], hits.motifs)
    rows = hits.table[hits.table["example_idx"] == region]
    c = problem.coefficients(coefficients(hits, region))
    residual, length = problem.y - problem.A @ c, DATA.X.shape[2]
    values = DATA.projected[region]
    g = np.sqrt(np.square(values).sum() / length)
    assert hits.regions["global_scale"][region] == pytest.approx(g)
    assert hits.regions["nll"][region] == pytest.approx(0.5 * np.square(residual).sum() / length)
    for (m, start), row in zip(coefficients(hits, region), rows.itertuples(index=False), strict=True):
        atom = problem.A[:, problem.place.index((m, start))]
        window = values[row.start : row.end]
        energy = np.square(window / g).sum()
        rest = residual + row.coefficient * atom
        assert row.importance == pytest.approx(np.abs(window).sum())
        assert row.importance_sq == pytest.approx(np.square(window).sum())
        assert row.coefficient_global == row.score == pytest.approx(row.coefficient * g**2)
        assert row.similarity == pytest.approx(problem.y @ atom * np.sqrt(energy + 1) / np.sqrt(energy))
        assert row.cosine == pytest.approx(problem.y @ atom / np.linalg.norm(atom) / np.sqrt(energy))
        assert row.explained == pytest.approx((rest @ atom) ** 2 / (atom @ atom) / energy)
        assert row.leave_one_out == pytest.approx((rest @ rest - residual @ residual) / length)


def test_rivals_from_their_definition() -> None:
    """The gain of every motif of like form in the hit's place, computed by the dense matrix."""
    like = {
        name: one + np.random.default_rng(k).normal(0, 0.12, one.shape)
        for k, (name, one) in enumerate(DATA.motifs.items())
    }
    motifs = {**DATA.motifs, **{f"{name} like": one for name, one in like.items()}}
    hits = call_hits(DATA.X, DATA.projected, motifs, lambdas=0.6, post_filter=False, device="cpu")
    seen = 0
    for region in range(3):
        problem = dense(DATA.X[region], DATA.projected[region], hits.motifs)
        found = coefficients(hits, region)
        c = problem.coefficients(found)
        squares = np.square(problem.A).sum(axis=0)
        rows = hits.table[hits.table["example_idx"] == region]
        for (m, start), row in zip(found, rows.itertuples(index=False), strict=True):
            at = problem.place.index((m, start))
            rest = problem.y - problem.A @ c + problem.A[:, at] * c[at]
            gain = 0.5 * np.clip(problem.A.T @ rest - problem.penalty, 0, None) ** 2 / np.maximum(squares, 1e-300)
            name = hits.motifs.names[m]
            other = name.removesuffix(" like") if name.endswith("like") else f"{name} like"
            best = max((gain[k], hits.motifs.names[p[0]]) for k, p in enumerate(problem.place)
                       if hits.motifs.names[p[0]] == other and abs(p[1] - start) < 3)  # fmt: skip
            if row.rival == other:
                seen += 1
                assert row.tied == (best[0] >= 0.98 * gain[at])
    assert seen > 3


@pytest.mark.parametrize("mode", ["pp", "hh"])
@pytest.mark.parametrize("solver", ["exact", "fista"])
def test_another_device(second_device: str, mode: str, solver: str) -> None:
    same = {name: np.pad(one, ((0, 0), (0, 12 - one.shape[1]))) for name, one in DATA.motifs.items()}
    data = DATA._replace(motifs=same)
    here, there = (call(mode, data, solver=solver, device=device) for device in ("cpu", second_device))
    pd.testing.assert_frame_equal(here.table[KEY], there.table[KEY])
    np.testing.assert_allclose(
        here.table["coefficient"], there.table["coefficient"], rtol=1e-3 if solver == "fista" else 1e-7
    )


def test_compact_sequences_and_tensors() -> None:
    packed = nb.PackedSequence.from_one_hot(torch.from_numpy(DATA.X).float())
    pd.testing.assert_frame_equal(
        call_hits(packed, torch.from_numpy(DATA.projected), DATA.motifs, lambdas=0.6, device="cpu").table, call().table
    )


def test_hypothetical_contributions_are_projected() -> None:
    hits = call_hits(DATA.X, DATA.hypothetical, DATA.motifs, lambdas=0.6, device="cpu").table
    pd.testing.assert_frame_equal(hits, call().table, check_exact=False, rtol=1e-9)


def test_nothing_to_explain() -> None:
    """A region of zeros has no hits, and says so; its neighbours are as they were."""
    values = DATA.projected.copy()
    values[3] = 0
    hits = call_hits(DATA.X, values, DATA.motifs, lambdas=0.6, device="cpu")
    assert hits.regions.loc[3, ["n_hits", "dual_gap", "relative_gap", "nll", "global_scale"]].eq(0).all()
    other = call().table
    pd.testing.assert_frame_equal(hits.table, other[other["example_idx"] != 3].reset_index(drop=True))
    nothing = call_hits(DATA.X, 0 * values, DATA.motifs, device="cpu")
    assert nothing.table.empty
    assert list(nothing.table.columns) == list(hits.table.columns)


def test_unknown_bases_explain_nothing() -> None:
    X = DATA.X.copy()
    region, start, name, strand = DATA.truth[0]
    X[region, :, start : start + 12] = 0
    hits = call_hits(X, DATA.projected, DATA.motifs, lambdas=0.6, device="cpu").table
    mine = hits[(hits["example_idx"] == region) & (hits["start"] < start + 12) & (hits["end"] > start)]
    assert not ((mine["name"] == name) & (mine["strand"] == strand)).any()


def test_motif_wider_than_the_regions() -> None:
    """It is never called; the others are."""
    motifs = {"wide": np.ones((4, 500)), **DATA.motifs}
    hits = call_hits(DATA.X, DATA.projected, motifs, lambdas=0.6, device="cpu")
    pd.testing.assert_frame_equal(hits.table[KEY], call().table[KEY])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"X": DATA.X[0]}, r"call_hits\(X\): got shape"),
        ({"contributions": DATA.projected[:3]}, r"call_hits\(contributions\): got shape \(3, 120\); need"),
        ({"mode": "hh"}, "use mode 'pp' for projected ones"),
        ({"mode": "xx"}, r"call_hits\(mode\)"),
        ({"solver": "magic"}, r"call_hits\(solver\)"),
        ({"contributions": np.where(np.arange(120) == 3, np.nan, DATA.projected)}, "NaN or infinity in region 0"),
        ({"lambdas": {"m9": 0.5}}, r"hit_motifs\(lambdas\): got 'm9'"),
        ({"lambdas": 1.5}, r"hit_motifs\(lambdas\): got 1.5"),
        ({"trim": 3.0}, r"hit_motifs\(trim\): got 3.0"),
        ({"spans": {"m0": (4, 90)}}, r"hit_motifs\(spans\)"),
        ({"include": []}, r"hit_motifs\(include\): got none"),
        ({"rename": {"m0": "m1"}}, r"hit_motifs\(rename\): got two motifs of one name"),
        ({"motifs": {"a": np.zeros((4, 5))}}, r"hit_motifs\(motifs\)"),
        ({"motifs": {}}, r"hit_motifs\(motifs\): got none"),
        ({"motifs": 3}, r"hit_motifs\(motifs\): got a int"),
        ({"batch_size": 0}, r"call_hits\(batch_size\)"),
    ],
)
def test_bad_input(change: dict[str, Any], words: str) -> None:
    arguments: dict[str, Any] = {
        "X": DATA.X,
        "contributions": DATA.projected,
        "motifs": DATA.motifs,
        "device": "cpu",
    } | change
    with pytest.raises(NbinterpError, match=words):
        call_hits(arguments.pop("X"), arguments.pop("contributions"), arguments.pop("motifs"), **arguments)
