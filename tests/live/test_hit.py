"""Hits called again and again: as `call_hits` calls them, whatever was asked before; and the words of both halves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbinterp.errors import NbinterpError
from nbinterp.hit import call_hits, hit_motifs
from nbinterp.hit.session import HitSession
from nbinterp.live import Packed, unpack_blocks
from nbinterp.live.hit import HitAnswer, HitAsk, HitEngine, decode_hits, encode_hits, weights_of
from tests.hit.naive import dense
from tests.hit.synthetic import regions

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "protocol" / "hits.json"
DATA = regions(4)
KEY = ["example_idx", "start", "name", "strand"]
PENALTIES = (0.8, 0.6, 0.65, 0.3, 0.62, 0.9)


def session(mode: str = "pp", device: str = "cpu", **options: Any) -> HitSession:
    ready = hit_motifs(DATA.motifs, **options)
    given = DATA.projected if mode[1] == "p" else DATA.hypothetical
    return HitSession(DATA.X, given, ready, mode, device=device)


def called(penalty: Any, mode: str = "pp", **options: Any) -> pd.DataFrame:
    given = DATA.projected if mode[1] == "p" else DATA.hypothetical
    hits = call_hits(DATA.X, given, DATA.motifs, mode=mode, lambdas=penalty, post_filter=False, device="cpu", **options)
    return hits.table


def same(a: pd.DataFrame, b: pd.DataFrame, rtol: float = 1e-6) -> None:
    shared = [column for column in b if column in a]
    a, b = (one[shared].reset_index(drop=True) for one in (a, b))
    pd.testing.assert_frame_equal(a, b, check_dtype=False, check_exact=False, rtol=rtol, atol=1e-9)


@pytest.mark.parametrize("mode", ["pp", "hh", "ph"])
def test_whatever_was_asked_before_the_optimum_is_the_same(mode: str) -> None:
    """Warm from the hits of another penalty, against `call_hits`, which begins with nothing."""
    one = session(mode)
    for penalty in PENALTIES:
        want = called(penalty, mode)
        for example in (0, 2):
            table, facts = one.region(example, np.full(len(one.motifs), penalty))
            same(table, want[want["example_idx"] == example])
            assert facts["relative_gap"][0] < 1e-6
            assert facts["example_idx"].tolist() == [example]


def test_all_regions_at_once_are_as_each_alone() -> None:
    one = session()
    lambdas = np.full(len(one.motifs), 0.6)
    table, facts = one.regions(0, len(one), lambdas)
    same(table, called(0.6))
    alone = [one.region(i, lambdas) for i in range(len(one))]
    same(pd.concat([part[0] for part in alone]), table)
    same(
        pd.concat([part[1] for part in alone])[["relative_gap", "global_scale"]],
        facts[["relative_gap", "global_scale"]],
    )


def test_a_motif_that_is_left_out_does_not_compete() -> None:
    engine = HitEngine(session(), 0.7)
    others = [name for name in DATA.motifs if name != "m1"]
    for penalty in (0.6, 0.5):
        engine.call(0, penalty)
        table = engine.call(0, penalty, [1]).table
        want = called(penalty, include=others)
        same(table, want[want["example_idx"] == 0])
        assert "m1" in set(engine.call(None, penalty).table["name"])
    assert engine.call(None, 0.6, range(len(DATA.motifs))).table.empty


def test_twins_are_told_apart_as_before() -> None:
    """Of two equal motifs the first one is called: also after it was left out for a while."""
    twins = {"a": DATA.motifs["m2"], **DATA.motifs}
    engine = HitEngine(HitSession(DATA.X, DATA.projected, hit_motifs(twins)), 0.7)
    first = engine.call(0, 0.6).table
    assert set(first["name"]) == {"a"}
    assert "m2" in set(engine.call(0, 0.6, [0]).table["name"])
    same(engine.call(0, 0.6).table, first)
    same(engine.call(0, 0.55).table, call_of(twins, 0.55))


def call_of(motifs: Any, penalty: float) -> pd.DataFrame:
    return call_hits(DATA.X[:1], DATA.projected[:1], motifs, lambdas=penalty, post_filter=False, device="cpu").table


def test_penalties_of_their_own_change_in_proportion() -> None:
    own = {"m0": 0.9, "*": 0.6}
    engine = HitEngine(session(lambdas=own), 0.6)
    same(engine.call(None, 0.6).table, called(own))
    same(engine.call(None, 0.5).table, called({"m0": 0.75, "*": 0.5}))
    same(engine.call(None, 0.9).table, called({"m0": 0.999, "*": 0.9}))  # never 1


@pytest.mark.parametrize("mode", ["pp", "hh"])
def test_weights_put_hits_together_as_the_solver_did(mode: str) -> None:
    """Against the columns of the dense problem: sum of weights x motif = scale x A c."""
    engine = HitEngine(session(mode), 0.7)
    found = engine.call(1, 0.5)
    given = DATA.projected[1] if mode == "pp" else DATA.hypothetical[1]
    problem, motifs = dense(DATA.X[1], given, hit_motifs(DATA.motifs)), hit_motifs(DATA.motifs)
    names = list(motifs.names)
    total = np.zeros(DATA.X.shape[1:])
    keys = {}
    for row, weight in zip(found.table.itertuples(), weights_of(found), strict=True):
        m = names.index(row.name) + (row.strand == "-")
        keys[m, row.start] = row.coefficient
        part = motifs.weights[m, :, motifs.starts[m] : motifs.ends[m]] * weight
        total[:, row.start : row.end] += part * (DATA.X[1][:, row.start : row.end] if mode == "pp" else 1)
    scale = found.facts["global_scale"][0]
    np.testing.assert_allclose(total.ravel(), scale * problem.A @ problem.coefficients(keys), atol=1e-9)
    assert np.abs(total).max() > 0.1


def test_unshrunk_coefficients_explain_most() -> None:
    """Against SciPy's non-negative least squares on the same windows."""
    nnls = pytest.importorskip("scipy.optimize").nnls
    motifs = hit_motifs(DATA.motifs)
    names = list(motifs.names)
    for example in range(4):
        table = HitEngine(session(), 0.7).call(example, 0.4).table
        problem = dense(DATA.X[example], DATA.projected[example], motifs)
        places = [problem.place.index((names.index(r.name) + (r.strand == "-"), r.start)) for r in table.itertuples()]
        want, _ = nnls(problem.A[:, places], problem.y)
        np.testing.assert_allclose(table["unshrunk"], want, atol=1e-6 * want.max())
        assert (table["unshrunk"] > table["coefficient"]).mean() > 0.8


@pytest.mark.parametrize("mode", ["pp", "hh"])
def test_another_device(second_device: str, mode: str) -> None:
    here, there = session(mode), session(mode, second_device)
    for penalty in (0.7, 0.5, 0.6):
        lambdas = np.full(len(here.motifs), penalty)
        lambdas[2:4] = np.inf
        same(there.region(1, lambdas)[0], here.region(1, lambdas)[0])
    same(there.regions(0, 4, lambdas)[0], here.regions(0, 4, lambdas)[0])


def test_regions_of_any_kind() -> None:
    rng = np.random.default_rng(0)
    for length, one_motif in ((200, True), (200, False), (10_000, False)):
        X = np.eye(4)[rng.integers(0, 4, (2, length))].transpose(0, 2, 1)
        X[:, :, 50:60] = 0  # unknown
        values = rng.normal(size=(2, length)) * 0.1
        values[1] = 0
        names = ["m0"] if one_motif else list(DATA.motifs)
        ready = hit_motifs({name: DATA.motifs[name] for name in names})
        engine = HitEngine(HitSession(X, values, ready), 0.7)
        for penalty in (0.98, 0.6, 0.7):
            found = engine.call(0, penalty)
            assert found.facts["relative_gap"][0] < 1e-6
            zero = engine.call(1, penalty)
            assert zero.table.empty
            assert zero.facts["global_scale"].tolist() == [0]


# --- answers ---------------------------------------------------------------------------------------------------------


def test_a_region_is_one_answer_and_all_of_them_come_in_parts() -> None:
    X, values = np.repeat(DATA.X, 30, axis=0), np.repeat(DATA.projected, 30, axis=0)
    engine = HitEngine(HitSession(X, values, hit_motifs(DATA.motifs)), 0.7)
    (one,) = engine.answer(HitAsk(3, "k", 5, 0.6))
    assert (one.number, one.key, one.last, one.words) == (3, "k", True, "")
    parts = list(engine.answer(HitAsk(4, "k", None, 0.6)))
    assert [part.last for part in parts] == [False, False, True]
    facts = pd.concat([part.called.facts for part in parts])
    assert facts["example_idx"].tolist() == list(range(120))
    stale = iter([False, True])
    assert len(list(engine.answer(HitAsk(5, "k", None, 0.6), lambda: next(stale)))) == 1


def test_what_goes_wrong_is_an_answer() -> None:
    values = DATA.projected.copy()
    values[2, 7] = np.nan
    engine = HitEngine(HitSession(DATA.X, values, hit_motifs(DATA.motifs)), 0.7)
    (answer,) = engine.answer(HitAsk(1, "", 2, 0.6))
    assert answer.last
    assert "NaN or infinity in region 2" in answer.words
    (answer,) = engine.answer(HitAsk(1, "", 0, 1.0))
    assert answer.words == "HitView(lambda_): got 1.0; need between 0 and 1; do pass 0.7, the usual one"


def test_requests_are_checked() -> None:
    good = {"kind": "hits", "number": 1, "key": "a", "example": None, "lambda": 1, "off": [2]}
    assert decode_hits(good) == HitAsk(1, "a", None, 1.0, (2,))
    for name in ("number", "key", "lambda", "off"):
        with pytest.raises(NbinterpError, match=rf"decode_hits\({name}\): got None"):
            decode_hits({**good, name: None})


def fixture() -> dict[str, Any]:
    """One region of two motifs; what the browser reads is beside what was written."""
    X = np.eye(4)[[[1, 1, 2, 0, 3, 0, 1, 1, 2, 2, 0, 0]]].transpose(0, 2, 1)
    values = np.array([[0, 0, 1, 1, 1, 0.9, 0, 0, 0.5, 0.4, 0, 0.1]])
    ready = hit_motifs({"GATA": np.eye(4)[:, [2, 0, 3, 0]], "GG": np.eye(4)[:, [2, 2, 2]] * [1, 1, 0.5]}, trim=0.0)
    found = HitEngine(HitSession(X, values, ready), 0.7).call(0, 0.4)
    words, data = encode_hits(HitAnswer(7, "0.4|", True, found), ready.names[::2])
    kernels = [kernel[:, :size] for kernel, size in zip(ready.kernels[::2], (4, 3), strict=True)]
    parts = np.zeros(12)
    for row, weight in zip(found.table.itertuples(), weights_of(found), strict=True):
        kernel = kernels[row.name == "GG"]
        kernel = kernel if row.strand == "+" else kernel[::-1, ::-1]
        parts[row.start : row.end] += weight * (kernel * X[0, :, row.start : row.end]).sum(axis=0)
    return {
        "ask": {"kind": "hits", "number": 7, "key": "0.4|", "example": 0, "lambda": 0.4, "off": []},
        "answer": {"words": words, "hex": data.hex()},
        "codes": X[0].argmax(axis=0).tolist(),
        "contributions": values[0].tolist(),
        "kernels": [kernel.ravel().round(6).tolist() for kernel in kernels],
        "hits": found.table[["start", "end", "name", "strand"]].to_numpy().tolist(),
        "similarity": found.table["similarity"].round(5).tolist(),
        "reconstruction": parts.round(5).tolist(),
    }


def test_both_halves_read_the_fixture() -> None:
    """The browser's half reads the same file in js/test/hit.test.ts."""
    stored, now = json.loads(FIXTURE.read_text()), json.loads(json.dumps(fixture()))
    assert decode_hits(stored["ask"]) == HitAsk(7, "0.4|", 0, 0.4)
    there, here = stored.pop("answer"), now.pop("answer")
    assert here["words"] == there["words"]
    blocks = [
        unpack_blocks(Packed(bytes.fromhex(one["hex"]), there["words"]["blocks"]))
        | {"gap": np.zeros(1)}  # the gap itself is rounding
        for one in (there, here)
    ]
    for name in blocks[0]:
        if name != "known":
            np.testing.assert_allclose(blocks[0][name], blocks[1][name], rtol=1e-5)
    assert now == stored
