"""HitView in Python: settings, hits under them, errors, what is stored, the still picture."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import traitlets

import nbinterp as nb
from nbinterp.errors import NbinterpError
from nbinterp.hit import call_hits, hit_motifs
from nbinterp.live import Packed, unpack_blocks
from nbinterp.widget.hit import HitView
from tests.hit.synthetic import regions

DATA = regions(3)


def hits(**options: Any) -> HitView:
    return HitView(DATA.X, DATA.projected, DATA.motifs, device="cpu", **options)


def called(**options: Any) -> pd.DataFrame:
    return call_hits(DATA.X, DATA.projected, DATA.motifs, device="cpu", **options).table


def same(found: pd.DataFrame, want: pd.DataFrame) -> None:
    want = want.reset_index(drop=True)
    pd.testing.assert_frame_equal(found[want.columns], want, check_dtype=False, rtol=1e-6, atol=1e-9)


def test_hits_are_those_of_call_hits_under_the_settings() -> None:
    view = hits()
    same(view.all(), called())
    view.lambda_, view.example = 0.6, 2
    want = called(lambdas=0.6)
    same(view.hits, want[want["example_idx"] == 2])
    assert "unshrunk" in view.hits
    assert "lambda" not in view.hits
    view.motifs = ["m3", "m0"]
    assert view.motifs == ["m0", "m3"]
    assert view.hidden == ["m1", "m2"]
    same(view.all(), called(lambdas=0.6, include=["m0", "m3"]))
    want = called(lambdas=0.2, include=["m0", "m3"], post_filter=False)
    view.lambda_ = 0.2
    rule, counts = want[want["similarity"] >= 0.2], []
    for least, kept in ((None, rule), (0.9, want[want["similarity"] >= 0.9]), (0.0, want[want["similarity"] >= 0])):
        view.similarity = least
        same(view.all(), kept)
        counts.append(len(kept))
    assert 0 < counts[1] < counts[0] <= counts[2] <= len(want)


def test_called_hits_bring_their_motifs_and_mode() -> None:
    given = call_hits(DATA.X, DATA.hypothetical, DATA.motifs, mode="hh", lambdas={"m0": 0.8, "*": 0.65}, device="cpu")
    view = HitView(DATA.X, DATA.hypothetical, hits=given, device="cpu")
    assert view.lambda_ == 0.65
    same(view.all(), given.table)
    assert json.loads(view.meta)["mode"] == "hh"


def test_motifs_in_any_form() -> None:
    ready = hit_motifs(DATA.motifs, lambdas=0.6)
    same(
        HitView(torch.from_numpy(DATA.X), torch.from_numpy(DATA.projected), ready, device="cpu").all(),
        called(lambdas=0.6),
    )
    pwms = nb.demo.motifs()
    view = HitView(DATA.X, DATA.projected, pwms, device="cpu")
    assert view.motifs == list(pwms)


def test_signed_roots_are_drawn_where_they_are_explained() -> None:
    view = hits(sqrt_transform=True)
    same(view.all(), called(sqrt_transform=True))
    drawn = view._rows["contributions"]
    np.testing.assert_allclose(np.sign(drawn) * drawn**2, DATA.projected)


def blocks(view: HitView) -> dict[str, np.ndarray]:
    return unpack_blocks(Packed(view.data, json.loads(view.meta)["blocks"]))


def test_what_is_stored_for_where_no_kernel_is() -> None:
    view = hits()
    meta, arrays = json.loads(view.meta), blocks(view)
    assert meta["stored"] == [0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    want = called(post_filter=False)
    np.testing.assert_array_equal(arrays["hits3.start"], want["start"])
    np.testing.assert_array_equal(arrays["hits3.region"], want["example_idx"])
    assert arrays["hits3.regions"].tolist() == [0, 1, 2]
    assert json.loads(hits(stored=[0.55]).meta)["stored"] == [0.55, 0.7]
    several = [np.repeat(one, 20, axis=0) for one in (DATA.X, DATA.projected)]
    assert json.loads(HitView(*several, DATA.motifs, device="cpu").meta)["stored"] == [0.7]
    many = [np.repeat(one, 70, axis=0) for one in (DATA.X, DATA.projected)]
    view = HitView(*many, DATA.motifs, example=5, device="cpu")
    assert blocks(view)["hits0.regions"].tolist() == [5]


def test_the_hypothetical_are_a_row_of_their_own() -> None:
    view = HitView(DATA.X, DATA.hypothetical, DATA.motifs, device="cpu")
    same(view.all(), called())
    assert list(view._rows) == ["contributions", "hypothetical"]
    np.testing.assert_allclose(view._rows["contributions"], DATA.projected)


def test_a_message_is_answered() -> None:
    view = hits()
    view._receive({"kind": "hits", "number": 5, "key": "0.6|", "example": 1, "lambda": 0.6, "off": []})
    assert view._answers.wait(10)
    words = json.loads(view.answer)
    assert (words["number"], words["key"], words["last"], words["words"]) == (5, "0.6|", True, "")
    arrays = unpack_blocks(Packed(view.answer_data, words["blocks"]))
    want = called(lambdas=0.6, post_filter=False)
    np.testing.assert_array_equal(arrays["start"], want.loc[want["example_idx"] == 1, "start"])


def test_the_still_picture_follows() -> None:
    view = hits(view=(0, 60))
    first = view.to_png()
    assert first[:4] == b"\x89PNG"
    assert view.to_png() is first
    view.lambda_ = 0.4
    assert view.to_png() != first


def test_errors_name_what_is_wrong() -> None:
    def wrong(words: str, **options: Any) -> None:
        given = {"X": DATA.X, "contributions": DATA.projected, "motifs": DATA.motifs, **options}
        with pytest.raises(NbinterpError, match=words):
            HitView(given.pop("X"), given.pop("contributions"), given.pop("motifs"), device="cpu", **given)

    wrong(r"HitView\(contributions\): got shape \(2, 120\)", contributions=DATA.projected[:2])
    wrong(r"HitView\(contributions\): got shape \(3, 120\)", mode="hh")
    wrong(r"HitView\(motifs\): got none, and no hits", motifs=None)
    wrong(r"HitView\(mode\)", mode="pq")
    wrong(r"HitView\(colors\)", colors="loud")
    wrong(r"HitView\(height\): got 3", height=3)
    wrong(r"HitView\(example\): got 3; need 0 to 2", example=3)
    wrong(r"HitView\(names\): got 1 rows", names=["a"])
    wrong(r"HitView\(X\): got shape", X=DATA.projected)
    wrong(r"lambda_\): got 1.5; need between 0 and 1", stored=[1.5])
    values = DATA.projected.copy()
    values[1, 3] = np.inf
    wrong("NaN or infinity in region 1", contributions=values)
    view = hits()
    with pytest.raises(NbinterpError, match=r"HitView\(motifs\): got 'm9'.*m"):
        view.motifs = ["m9"]
    with pytest.raises((NbinterpError, traitlets.TraitError), match=r"HitView\(lambda_\): got 0"):
        view.lambda_ = 0


def test_edges() -> None:
    X, motifs = DATA.X[:1], {"m0": DATA.motifs["m0"]}
    assert HitView(X, 0 * DATA.projected[:1], motifs, device="cpu").hits.empty
    unknown = HitView(0 * X, DATA.projected[:1], motifs, device="cpu")
    assert unknown.hits.empty
    assert unknown.to_png()[:4] == b"\x89PNG"
    rng = np.random.default_rng(0)
    many = {f"motif {i}": rng.normal(size=(4, int(rng.integers(4, 20)))) for i in range(400)}
    view = HitView(X, DATA.projected[:1], many, device="cpu", stored=[0.9])
    assert len(view.motifs) == 400
