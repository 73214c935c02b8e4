"""VariantView from the Python side: what is sent, what is ranked and chosen, traits, stored answers, pictures, no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp import demo
from nbinterp.chart.variant import variant_png
from nbinterp.errors import NbinterpError
from nbinterp.live import Packed, unpack_blocks
from nbinterp.perturb.variants import read_variants, variant_effects
from nbinterp.widget import VariantView

RNG = np.random.RandomState(0)
N, L = 4, 60
CODES = RNG.randint(0, 4, (N, L))
CODES[1] = CODES[0]
ALT = CODES.copy()
ALT[:, 30] = (CODES[:, 30] + 1) % 4


def one_hot(codes: np.ndarray) -> np.ndarray:
    return np.eye(4, dtype=np.int8)[codes].transpose(0, 2, 1)


def table_of(**more: Any) -> pd.DataFrame:
    letters = np.array(list("ACGT"))
    columns = {
        "chrom": ["chr1", "chr1", "chr2", "chr2"],
        "start": [1030, 1030, 2030, 3030],
        "id": ["rs1", ".", "", "rs4"],
        "ref": letters[CODES[:, 30]],
        "alt": letters[ALT[:, 30]],
        "window_start": [1000, 1000, 2000, 3000],
        "reference": [1.0, 1.0, 2.0, 3.0],
        "alternative": [1.5, 0.2, 2.0, np.nan],
        "difference": [0.5, -0.8, 0.0, np.nan],
        "difference_view_sd": [0.1, 0.1, 0.1, 0.1],
        "jsd": [0.1, 0.2, 0.3, 0.4],
        "n_matched": [5, 5, 5, 5],
        "gene": "x",
        **more,
    }
    return pd.DataFrame(columns)


def view_of(**options: Any) -> VariantView:
    return VariantView(table_of(), one_hot(CODES), one_hot(ALT), **options)


def meta_of(view: VariantView) -> dict[str, Any]:
    return json.loads(view.meta)


def sent(view: VariantView) -> dict[str, np.ndarray]:
    return unpack_blocks(Packed(view.data, meta_of(view)["blocks"]))


def test_each_window_is_sent_once_with_what_is_changed_in_it() -> None:
    view = view_of()
    meta, arrays = meta_of(view), sent(view)
    assert arrays["sequence"].shape == (3, L // 4)
    assert arrays["window"].tolist() == [0, 0, 1, 2]
    assert meta["references"] == 3
    assert meta["changes"][0] == [[30, 31, "ACGT"[ALT[0, 30]]]]
    assert meta["loci"][3] == ["chr2", 3000]
    assert "attributions" not in arrays
    assert meta["live"] is meta["profile"] is None


def test_what_is_listed_and_what_is_ranked_by() -> None:
    meta = meta_of(view_of())
    names = [column["name"] for column in meta["columns"]]
    assert names[:6] == ["chrom", "start", "ref", "alt", "difference", "jsd"]
    assert [c["name"] for c in meta["columns"] if c["hidden"]] == ["window_start"]
    assert [(s["name"], names[s["column"]]) for s in meta["scores"]] == [("difference", "difference"), ("jsd", "jsd")]
    assert [names[i] for i in meta["scores"][0]["alleles"]] == ["reference", "alternative"]
    assert meta["rows"][3][names.index("difference")] is None
    bare = table_of().drop(columns=["alternative"])
    assert meta_of(VariantView(bare, one_hot(CODES), one_hot(ALT)))["scores"][0]["alleles"] is None


def test_tasks_have_their_own_predictions() -> None:
    table = table_of(reference_K562=1.0, alternative_K562=2.0, difference_K562=1.0)
    meta = meta_of(VariantView(table, one_hot(CODES), one_hot(ALT), score="difference_K562"))
    assert meta["scores"][0]["name"] == "difference_K562"
    assert [meta["columns"][i]["name"] for i in meta["scores"][0]["alleles"]] == ["reference_K562", "alternative_K562"]


def test_names_are_ids_or_places() -> None:
    place = f"chr1:1,030 {'ACGT'[CODES[1, 30]]}>{'ACGT'[ALT[1, 30]]}"
    assert meta_of(view_of())["names"][:2] == ["rs1", place]
    assert meta_of(view_of(names=list("abcd")))["names"] == list("abcd")
    with pytest.raises(NbinterpError, match=r"VariantView\(names\)"):
        view_of(names=["a"])


def test_the_strongest_comes_first_and_the_threshold_chooses() -> None:
    view = view_of()
    assert (view.selected, view.example, view.score, view.threshold) == (1, 1, "difference", 0.0)
    assert view.view == [0.0, 60.0]
    assert view.chosen.index.tolist() == [1, 0, 2, 3]
    view.threshold = 0.5
    assert view.chosen.index.tolist() == [1, 0]
    view.threshold = 0.9
    assert len(view.chosen) == 0
    view.score, view.threshold = "jsd", 0.25
    assert view.chosen.index.tolist() == [3, 2]
    view.selected = 2
    assert view.example == 2
    view.example = 0
    assert view.selected == 0


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("score", "jd", "jsd"), ("threshold", -1, "leave out the sign"), ("threshold", np.nan, "0 or more"), ("example", 4, "0 to 3")],
)  # fmt: skip
def test_traits_are_checked(name: str, value: Any, words: str) -> None:
    view = view_of()
    with pytest.raises(NbinterpError, match=words):
        setattr(view, name, value)


@pytest.mark.parametrize("channels", [False, True])
def test_attributions_are_of_the_bases_that_are_there(channels: bool) -> None:
    ref, alt = RNG.normal(size=(2, N, 4, L))
    observed = np.stack([(ref * one_hot(CODES)).sum(axis=1), (alt * one_hot(ALT)).sum(axis=1)], axis=1)
    given = (torch.tensor(ref), torch.tensor(alt)) if channels else (observed[:, 0].copy(), observed[:, 1].copy())
    given[0][2] = np.nan
    view = view_of(attributions=given)
    arrays = sent(view)
    assert arrays["attributions.rows"].tolist() == [0, 1, 3]
    found = arrays["attributions"] * arrays["attributions.scale"][:, None, None]
    assert np.abs(found - observed[[0, 1, 3]]).max() < 1e-4


def test_profiles_of_one_and_two_strands() -> None:
    up = RNG.rand(N, 20)
    meta = meta_of(view_of(profiles=(up, up * 2)))
    assert meta["profile"] == [1, 20]
    two = np.stack([up, up], axis=1)
    view = view_of(profiles=(two, two))
    assert meta_of(view)["profile"] == [2, 20]
    assert sent(view)["profiles"].shape == (N, 2, 2, 20)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"attributions": np.zeros((N, L))}, r"attributions\): got 4 of them; need \(reference, alternative\)"),
        ({"attributions": {"ref": 0, "alt": 1}}, r"need \(reference, alternative\)"),
        ({"attributions": (np.zeros((N, 9)),) * 2}, r"attributions\): got shape \(4, 9\)"),
        ({"profiles": (np.zeros((N, 99)),) * 2}, r"profiles\): got shape"),
        ({"profiles": (np.zeros((N, 20)), np.zeros((N, 22)))}, "need the same"),
        ({"score": "jd"}, "score"),
        ({"colors": "loud"}, "colors"),
        ({"height": 3}, "24 to 600"),
        ({"store": 3}, r"store\): got 3, and no model"),
    ],
)
def test_what_does_not_fit_is_said(options: dict[str, Any], words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        view_of(**options)


def test_there_must_be_a_number_to_rank_by() -> None:
    with pytest.raises(NbinterpError, match=r"VariantView\(effects\).*a number to rank by"):
        VariantView(table_of()[["start", "ref", "alt"]], one_hot(CODES), one_hot(ALT))


@pytest.fixture(scope="module")
def effects() -> Any:
    genome = {"chr1": nb.random_one_hot((1, 4, 900), random_state=0)[0].numpy()}
    letters = nb.characters(torch.from_numpy(genome["chr1"]))
    other = {"A": "C", "C": "G", "G": "T", "T": "A"}
    rows = [(s, letters[s], other[letters[s]]) for s in range(400, 406)]
    rows += [(450, letters[450:453], letters[450]), (460, letters[460], letters[460] + "TT"), (3, "A", "C")]
    table = pd.DataFrame(rows, columns=["start", "ref", "alt"]).assign(chrom="chr1")
    variants = read_variants(table, genome, in_window=400)
    return variant_effects(nb.target(demo.load_model(), task=0), variants, reverse_complement=False, device="cpu")


def test_effects_bring_all_that_is_needed(effects: Any) -> None:
    view = VariantView(effects, store=2, model=demo.load_model(), method="saliency", device="cpu")
    meta, arrays = meta_of(view), sent(view)
    assert meta["n"] == 8
    assert sum(n for _, n in meta["dropped"]) == 1
    assert meta["live"] == {"target": "enhancer", "method": "saliency", "profile": False}
    strongest = view.chosen.index[:2]
    assert sorted(arrays["attributions.rows"].tolist()) == sorted(strongest)
    assert view.selected == strongest[0]
    i = arrays["attributions.rows"].tolist().index(view.selected)
    X = effects.variants.X_alt[view.selected : view.selected + 1]
    wanted = nb.attribute(nb.target(demo.load_model(), task=0), X, "saliency", device="cpu")[0].numpy()
    codes = X.to_codes()[0].long()
    found = arrays["attributions"][i, 1] * arrays["attributions.scale"][i]
    assert np.abs(found - wanted[codes, np.arange(400)]).max() < 1e-4 * np.abs(wanted).max()


def test_an_answer_goes_out_as_a_trait(effects: Any) -> None:
    view = VariantView(effects, model=demo.load_model(), method="saliency", device="cpu")
    windows = meta_of(view)["references"]
    assert view._answers is not None
    for number, example in ((2, int(sent(view)["window"][2])), (3, windows + 2)):
        assert view.kept == "[]"  # until both alleles are known
        ask = {"kind": "ask", "number": number, "example": example, "changes": []}
        view._answer(view, ask | {"target": "enhancer", "method": "saliency"}, [])
        assert view._answers.wait(20)
    answer = json.loads(view.answer)
    assert (answer["number"], answer["stage"], answer["last"]) == (3, "scores", True)
    assert answer["prediction"] == pytest.approx(float(effects.table["alternative"][2]), abs=1e-4)
    kept = unpack_blocks(Packed(view.kept_data, json.loads(view.kept)))
    assert kept["attributions.rows"].tolist() == [2]
    assert kept["attributions"].shape == (1, 2, 400)
    assert sent(view).keys() == {"window", "sequence", "unknown"}


def test_pictures(effects: Any) -> None:
    view = VariantView(effects, store=8, model=demo.load_model(), method="saliency", device="cpu")
    seen = set()
    for row in (0, 6, 7):  # a substitution, a deletion, an insertion
        view.selected = row
        seen.add(view.to_png())
    assert len(seen) == 3
    assert view.to_png() is view.to_png()
    assert view_of().to_png()[:4] == b"\x89PNG"
    assert variant_png([("a", np.full((4, 3), np.nan))], np.full(3, -1))[:4] == b"\x89PNG"
    data, _ = view._repr_mimebundle_()
    assert "image/png" in data


def test_ten_thousand_variants_are_small_enough_to_send() -> None:
    n, length = 10_000, 2114
    codes = RNG.randint(0, 4, (n, length)).astype(np.uint8)
    table = pd.DataFrame({"start": np.arange(n), "ref": "ACGT", "alt": "A", "difference": RNG.laplace(size=n)})
    table["ref"] = np.array(list("ACGT"))[codes[:, length // 2]]
    table["alt"] = np.array(list("ACGT"))[(codes[:, length // 2] + 1) % 4]

    class Codes:
        def __init__(self, codes: np.ndarray) -> None:
            self.codes = codes

        def to_codes(self) -> np.ndarray:
            return self.codes

    view = VariantView(table, Codes(codes), Codes(codes))
    assert len(view.data) < n * (length / 4 + 8)
    assert len(view.meta) < 200 * n


def test_no_torch_is_loaded() -> None:
    code = (
        "import sys, numpy as np, pandas as pd\n"
        "from nbinterp.widget import VariantView\n"
        "X = np.eye(4)[[np.arange(20) % 4]].transpose(0, 2, 1)\n"
        "table = pd.DataFrame({'start': [10], 'ref': 'G', 'alt': 'GA', 'difference': [0.1]})\n"
        "VariantView(table, X, X).to_png()\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
