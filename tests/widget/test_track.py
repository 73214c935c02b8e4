"""TrackView from the Python side: shapes, what is sent, traits, pictures, errors, and no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from nbinterp.chart.profile import profile_png
from nbinterp.errors import NbinterpError
from nbinterp.live import Packed, unpack_blocks
from nbinterp.widget.track import TrackView

RNG = np.random.RandomState(0)
TWO = RNG.rand(3, 2, 40).astype(np.float32)


def meta_of(view: TrackView) -> dict[str, Any]:
    return json.loads(view.meta)


def sent(view: TrackView) -> dict[str, np.ndarray]:
    """What the browser reads, as numbers."""
    arrays = unpack_blocks(Packed(view.data, meta_of(view)["blocks"]))
    names = [name for name in arrays if not name.endswith(".scale") and not name.startswith("spans")]
    found = {}
    for name in names:
        codes, scale = arrays[name], arrays[f"{name}.scale"]
        found[name] = np.where(codes == -32768, np.nan, codes * scale[:, None, None])
    return found


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        (TWO, (3, 2, 40)),
        (TWO[:, 0], (3, 1, 40)),
        (TWO[0, 0], (1, 1, 40)),
        (torch.tensor(TWO), (3, 2, 40)),
        (TWO[0, 0].tolist(), (1, 1, 40)),
        (np.arange(6).reshape(2, 3), (2, 1, 3)),
    ],
)
def test_shapes(values: Any, shape: tuple[int, ...]) -> None:
    view = TrackView(values)
    assert sent(view)["profile0"].shape == shape
    assert (meta_of(view)["n"], meta_of(view)["size"]) == (shape[0], shape[2])
    expected = np.asarray(values, np.float32).reshape(shape)
    np.testing.assert_allclose(sent(view)["profile0"], expected, atol=2e-5 * expected.max())  # 16 bits a value


def test_missing_values_arrive_as_missing() -> None:
    values = np.array([1, np.nan, np.inf, 2.0])
    assert np.isnan(sent(TrackView(values))["profile0"]).ravel().tolist() == [False, True, True, False]


def test_what_is_sent_of_bands_and_ghosts() -> None:
    low, high = TWO - 0.1, TWO + 0.1
    low[0, 0, 3] = np.nan
    view = TrackView(
        {"before": TWO, "after": TWO * 2, "other": TWO[:, 0]}, band={"after": (low, high)}, overlay={"after": "before"}
    )
    assert meta_of(view)["rows"] == [
        {"label": "after", "source": 1, "strands": 2, "ghost": ["before", 0], "band": True},
        {"label": "other", "source": 2, "strands": 1, "ghost": None, "band": False},
    ]
    arrays = sent(view)
    assert set(arrays) == {"profile0", "profile1", "profile2", "low1", "high1"}
    assert np.isnan(arrays["high1"][0, 0, 3])  # NaN in one is NaN in both
    assert np.isnan(arrays["high1"]).sum() == 1


def test_places() -> None:
    view = TrackView(TWO, offset=30)
    assert (meta_of(view)["length"], meta_of(view)["offset"], view.view) == (100, 30, [0.0, 100.0])
    loci = pd.DataFrame({"chrom": ["chr1"] * 3, "start": [5, 6, 7], "end": [85, 86, 87]})
    view = TrackView(TWO, offset=30, length=80, loci=loci, view=np.array([10, 20]), predictions=[1, np.nan, 3])
    assert (meta_of(view)["loci"][2], view.view) == (["chr1", 7], [10.0, 20.0])
    assert meta_of(view)["predictions"] == [1.0, None, 3.0]


def test_traits() -> None:
    view = TrackView(TWO, example=2, link="pair")
    assert (view.example, view.selection, view.link) == (2, [], "pair")
    view.view = [-4, 400]
    view.selection = [3, 9]
    assert (view.view, view.selection) == ([0.0, 40.0], [3, 9])
    synced = view.get_state()
    assert {"data", "meta", "example", "view", "selection", "link", "uid"} <= set(synced)


@pytest.mark.parametrize(
    ("trait", "value"),
    [
        ("example", 3),
        ("example", -1),
        ("selection", [3]),
        ("selection", [4, 2]),
        ("selection", [0, 41]),
        ("view", [3, 3]),
        ("view", [3, float("nan")]),
    ],
)
def test_traits_refuse_what_is_not_there(trait: str, value: object) -> None:
    view = TrackView(TWO)
    with pytest.raises(NbinterpError, match=rf"TrackView\({trait}\)"):
        setattr(view, trait, value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TrackView({}), r"TrackView\(profiles\): got no profile"),
        (lambda: TrackView(np.zeros((2, 3, 4))), r"TrackView\(profiles\): .*S = 1 or 2 strands"),
        (lambda: TrackView({"a": np.zeros((1, 2, 0))}), r"TrackView\(profiles\['a'\]\)"),
        (lambda: TrackView({"a": np.zeros(())}), r"TrackView\(profiles\['a'\]\)"),
        (lambda: TrackView({"a": ["x", "y"]}), r"TrackView\(profiles\['a'\]\): got values that are no numbers"),
        (lambda: TrackView({"a": TWO, "b": TWO[:2]}), r"profiles\['b'\]\): got 2 sequences of 40 positions; need 3"),
        (lambda: TrackView({"a": TWO, "b": TWO[..., :9]}), r"profiles\['b'\]\): got 3 sequences of 9 positions"),
        (lambda: TrackView(TWO, offset=-1), r"TrackView\(offset\)"),
        (lambda: TrackView(TWO, offset=10, length=49), r"TrackView\(length\): got 49; need 50 or more"),
        (lambda: TrackView(TWO, height=10), r"TrackView\(height\)"),
        (lambda: TrackView(TWO, scale="rows"), "did you mean 'row'"),
        (lambda: TrackView(TWO, names=["a"]), r"TrackView\(names\): got 1 rows"),
        (lambda: TrackView(TWO, predictions=[1]), r"TrackView\(predictions\)"),
        (lambda: TrackView(TWO, loci=pd.DataFrame({"chrom": ["a"], "start": [0]})), "need columns end"),
        (
            lambda: TrackView(TWO[:1], offset=3, loci=pd.DataFrame({"chrom": ["a"], "start": [0], "end": [40]})),
            "got 40 bp in row 0; need 46 bp",
        ),
        (lambda: TrackView(TWO, annotations=pd.DataFrame({"start": [1]})), "example_idx"),
        (
            lambda: TrackView(TWO, annotations=pd.DataFrame({"example_idx": [3], "start": [1], "end": [2]})),
            "need spans within 3 sequences",
        ),
        (
            lambda: TrackView(TWO, annotations=pd.DataFrame({"example_idx": [0], "start": [1], "end": [41]})),
            "need spans within 3 sequences",
        ),
        (lambda: TrackView(TWO, band=(TWO, TWO)), r"TrackView\(band\): got a tuple"),
        (lambda: TrackView({"pred": TWO}, band={"prd": (TWO, TWO)}), "did you mean 'pred'"),
        (lambda: TrackView({"a": TWO}, band={"a": (TWO, TWO[:, :1])}), r"band\['a'\]\): got shapes"),
        (lambda: TrackView({"a": TWO}, band={"a": (TWO,)}), r"band\['a'\]\)"),
        (lambda: TrackView({"a": TWO}, band={"a": (TWO + 1, TWO)}), r"got low above high at \(0, 0, 0\)"),
        (lambda: TrackView({"a": TWO}, overlay={"a": "before"}), "need one of a"),
        (lambda: TrackView({"a": TWO, "b": TWO[:, :1]}, overlay={"a": "b"}), "need the same strands"),
        (lambda: TrackView({"a": TWO, "b": TWO}, overlay={"a": "b", "b": "a"}), "in front and behind"),
        (lambda: TrackView({"a": TWO}, overlay={"a": "a"}), "in front and behind"),
    ],
)
def test_bad_input_is_refused(make: Any, words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        make()


def test_annotations_may_lack_what_is_optional() -> None:
    spans = pd.DataFrame({"example_idx": [1], "start": [2], "end": [4], "attribution": [np.nan], "name": [None]})
    told = {"label": "annotations", "names": [""], "scores": ["attribution"]}
    assert meta_of(TrackView(TWO, annotations=spans))["annotations"] == [told]


def test_the_picture_is_kept_until_something_changes() -> None:
    band = {"a": (TWO - 1, TWO + 1)}
    spans = pd.DataFrame({"example_idx": [0], "start": [10], "end": [50], "name": ["ETS"]})
    view = TrackView({"a": TWO, "b": TWO}, offset=20, band=band, overlay={"a": "b"}, annotations=spans)
    first = view.to_png()
    assert first[:4] == b"\x89PNG"
    assert view.to_png() is first
    view.example = 1
    second = view.to_png()
    assert second != first
    view.view = [30, 50]
    assert view.to_png() != second
    data, _ = view._repr_mimebundle_()
    assert "image/png" in data


@pytest.mark.parametrize(
    ("view", "first", "positions"),
    [
        ([0, 15], 20, (0, 0)),
        ([0, 80], 20, (0, 40)),
        ([62, 80], 0, (40, 40)),
        ([19, 21], 1, (0, 1)),
        ([25.5, 30], 0, (5, 10)),
    ],
)
def test_a_picture_holds_what_is_in_view(
    view: list[float], first: int, positions: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def draw(*args: Any, **options: Any) -> bytes:
        asked.append(args)
        return profile_png(*args, **options)

    monkeypatch.setattr("nbinterp.widget.track.profile_png", draw)
    assert TrackView(TWO, offset=20, view=view, example=1).to_png()[:4] == b"\x89PNG"
    [([row], _, begins)] = asked
    np.testing.assert_array_equal(row.values, TWO[1, :, slice(*positions)])
    assert begins == first or positions[0] == positions[1]


def test_a_message_is_answered() -> None:
    view, answers = TrackView(TWO), []
    view.send = lambda message, buffers=None: answers.append(message)
    view._answer(view, {"kind": "hello"}, [])
    assert answers == [{"kind": "hello"}]


def test_it_needs_no_torch() -> None:
    code = (
        "import sys, numpy; from nbinterp.widget.track import TrackView; "
        "TrackView(numpy.ones(5)).to_png(); print('torch' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert out.strip() == "False"


# --- with a model ---------------------------------------------------------------------------------------------------------

X = torch.eye(4)[torch.from_numpy(np.random.RandomState(0).randint(0, 4, (3, 40)))].mT


def widened(size: int = 36, strands: int = 2) -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Conv1d(4, strands, 41 - size)


def test_a_model_has_the_first_row_in_the_middle_of_the_sequences() -> None:
    model = widened()
    view = TrackView({"observed": TWO[..., :36]}, X=X, model=model, device="cpu")
    meta = meta_of(view)
    assert [row["label"] for row in meta["rows"]] == ["predicted", "observed"]
    assert (meta["live"], meta["offset"], meta["length"], view.view) == (0, 2, 40, [0.0, 40.0])
    with torch.no_grad():
        np.testing.assert_allclose(sent(view)["profile0"], model(X).numpy(), atol=1e-4)
    alone = meta_of(TrackView(X=X, model=model, offset=4, device="cpu"))
    assert ([row["label"] for row in alone["rows"]], alone["offset"]) == (["predicted"], 4)
    assert meta_of(TrackView(TWO))["live"] is None


def test_a_question_is_answered_in_the_traits() -> None:
    model = widened()
    view = TrackView(X=X, model=model, device="cpu")
    view._receive({"kind": "ask", "number": 5, "example": 1, "changes": [[7, 8, "N"]], "target": "", "method": ""})
    assert view._answers is not None
    assert view._answers.wait(5)
    words = json.loads(view.answer)
    assert (words["number"], words["stage"]) == (5, "profile")
    arrays = unpack_blocks(Packed(view.answer_data, words["blocks"]))
    edited = X[1:2].clone()
    edited[..., 7] = 0
    with torch.no_grad():
        expected = model(edited).numpy()
    np.testing.assert_allclose(arrays["profile"] * arrays["profile_scale"], expected, atol=1e-4)
    quiet = TrackView(TWO)
    quiet._receive({"kind": "ask"})
    assert quiet.answer == "{}"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"X": X}, "model"),
        ({"model": widened()}, "X"),
        ({"head": 0}, "model"),
        ({"X": X, "model": widened(), "length": 50}, "length"),
        ({"X": X, "model": widened(), "profiles": TWO}, "3 sequences of 40 positions"),
        ({"X": X, "model": widened(strands=3)}, "strands"),
        ({"X": X * 0.5, "model": widened()}, "one-hot"),
        ({}, "a model"),
    ],
)
def test_what_a_model_needs_is_said(options: dict[str, Any], words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        TrackView(**{"device": "cpu", **options})
