"""Widgets from the Python side: traits, pictures, errors, and no torch."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import nbinterp as nb
from nbinterp.errors import NbinterpError


def X() -> np.ndarray:
    return np.eye(4)[np.array([[0, 1, 2, 3, 0, 1], [3, 3, 2, 2, 1, 1]])].transpose(0, 2, 1)


def test_traits_and_meta() -> None:
    loci = pd.DataFrame({"chrom": ["chr1", "chr2"], "start": [5, 9], "end": [11, 15]})
    spans = pd.DataFrame({"example_idx": [1], "start": [2], "end": [4], "attribution": [np.nan], "name": [None]})
    view = nb.LogoView(X(), np.ones((2, 6)), loci=loci, annotations=spans, predictions=[1.5, np.nan], example=1)
    meta = json.loads(view.meta)
    assert meta["loci"] == [["chr1", 5], ["chr2", 9]]
    assert meta["annotations"] == [{"label": "annotations", "names": [""], "scores": ["attribution"]}]
    assert meta["predictions"] == [1.5, None]
    assert view.example == 1
    view.view = [-4, 400]
    assert view.view == [0.0, 6.0]


@pytest.mark.parametrize(
    ("trait", "value"),
    [
        ("example", 2),
        ("example", -1),
        ("selection", [3]),
        ("selection", [4, 2]),
        ("selection", [0, 7]),
        ("view", [3, 3]),
    ],
)
def test_traits_refuse_what_is_not_there(trait: str, value: object) -> None:
    view = nb.LogoView(X(), np.ones((2, 6)))
    with pytest.raises(NbinterpError, match=rf"LogoView\({trait}\)"):
        setattr(view, trait, value)


@pytest.mark.parametrize(
    ("argument", "options"),
    [
        ("loci", {"loci": pd.DataFrame({"chrom": ["a", "a"], "start": [0, 5], "end": [6, 9]})}),
        ("height", {"height": 0}),
        ("tracks", {"tracks": {"words": [["a"] * 6] * 2}}),
    ],
)
def test_arguments_that_do_not_fit_are_named(argument: str, options: dict[str, object]) -> None:
    with pytest.raises(NbinterpError, match=rf"LogoView\({argument}"):
        nb.LogoView(X(), **options)


def test_a_view_may_be_an_array() -> None:
    assert nb.LogoView(X(), view=np.array([1, 4])).view == [1.0, 4.0]


def test_it_answers_hello() -> None:
    view, sent = nb.LogoView(X()), []
    view.send = lambda message, buffers=None: sent.append(message)
    view._answer(view, {"kind": "hello"}, [])
    view._answer(view, {"kind": "other"}, [])
    view._answer(view, "noise", [])
    assert sent == [{"kind": "hello"}]


def test_the_mime_bundle_has_a_picture_that_is_kept() -> None:
    view = nb.LogoView(X(), np.ones((2, 4, 6)))
    first = view.to_png()
    assert first[:4] == b"\x89PNG"
    assert view.to_png() is first
    view.example = 1
    second = view.to_png()
    assert second is not first
    view.hypothetical = True
    assert view.to_png() != second  # all four bases are in the picture too
    data, _ = view._repr_mimebundle_()
    assert "image/png" in data
    assert "application/vnd.jupyter.widget-view+json" in data


def test_size_of_two_hundred_sequences() -> None:
    rng = np.random.RandomState(0)
    codes = nb.CodedSequence(rng.randint(0, 4, (200, 2114)).astype(np.uint8))
    view = nb.LogoView(codes, rng.normal(size=(200, 4, 2114)).astype(np.float32))
    assert len(view.data) * 4 / 3 < 6e6


def test_what_can_be_linked_and_what_cannot() -> None:
    a, b = (nb.LogoView(np.eye(4)) for _ in "ab")
    browser = nb.MotifBrowser({"ACGT": np.eye(4)}, link="here")
    assert nb.link(a, b, browser) == a.link == b.link == browser.link == "here"
    with pytest.raises(NbinterpError, match=r"link\(views\): got 1 of them; need two or more"):
        nb.link(a)
    with pytest.raises(NbinterpError, match=r"got a str; need LogoViews, TrackViews, .* or MechanismViews; do leave"):
        nb.link(a, "here")
    with pytest.raises(NbinterpError, match=r"got a TableView; .*; do pass its logo= instead"):
        nb.link(a, nb.TableView(pd.DataFrame({"n": [1]})))


def test_table() -> None:
    table = pd.DataFrame({"name": ["a", None], "n": [1, 2], "p": [0.5, np.nan], "ok": [True, False]})
    view = nb.TableView(table)
    assert json.loads(view.rows) == [["a", 1, 0.5, "True"], [None, 2, None, "False"]]
    assert [c["kind"] for c in json.loads(view.columns)] == ["text", "number", "number", "number"]


def test_pictures_of_a_table_of_all_motifs_are_small() -> None:
    rng = np.random.RandomState(0)
    motifs = [rng.dirichlet(np.ones(4), rng.randint(6, 20)).T for _ in range(2000)]
    table = pd.DataFrame({"motif": [f"m{i}" for i in range(2000)], "effect": 0.0, "low": -1.0, "high": 1.0})
    view = nb.TableView(table, logos={"motif": motifs}, intervals={"effect": ("low", "high")})
    assert len(view.data) < 2000 * 20 * 4 + 2000 * 4 + 100
    columns = json.loads(view.columns)
    assert [c.get("hidden", False) for c in columns] == [False, False, True, True]
    assert columns[1]["picture"] == {"kind": "interval", "value": 1, "low": 2, "high": 3, "range": [-1.0, 1.0]}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nb.LogoView(X() * 0.5), "soft entries"),
        (lambda: nb.LogoView(np.zeros((2, 3, 5))), "one-hot"),
        (lambda: nb.LogoView(X(), np.ones((2, 7))), "same sequences"),
        (lambda: nb.LogoView(X(), names=["a"]), "1 rows"),
        (lambda: nb.LogoView(X(), colors="clasic"), "did you mean 'classic'"),
        (lambda: nb.LogoView(X(), annotations=pd.DataFrame({"start": [1]})), "example_idx"),
        (
            lambda: nb.LogoView(X(), annotations=pd.DataFrame({"example_idx": [2], "start": [1], "end": [2]})),
            "within 2 seq",
        ),
        (lambda: nb.LogoView(X(), view=(5,)), "start < end"),
        (lambda: nb.LogoView(X(), view=(3, float("nan"))), "start < end"),
        (lambda: nb.TableView([1]), "DataFrame"),
        (lambda: nb.TableView(pd.DataFrame({"a": [1]}), logos={"a": []}), "1 of shape"),
        (lambda: nb.TableView(pd.DataFrame({"a": [1]}), logos={"a": [np.ones((3, 4))]}), "probabilities"),
        (lambda: nb.TableView(pd.DataFrame({"a": [1]}), lines={"b": np.ones((2, 4))}), "one curve a row"),
        (lambda: nb.TableView(pd.DataFrame({"a": [1]}), intervals={"a": ("low", "high")}), "'low'"),
    ],
)
def test_bad_input_is_refused(make: object, words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        make()


def test_views_need_no_torch() -> None:
    code = "import sys, nbinterp.widget, nbinterp.chart, nbinterp.live, nbinterp.report; print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert out.strip() == "False"
