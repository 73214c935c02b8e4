"""Variants for a view: alleles in columns, what is read of effects and tables, and the engine that answers for both alleles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp import demo
from nbinterp.errors import ModelError, NbinterpError
from nbinterp.live import Ask, Change, Engine, decode_ask, targets_of
from nbinterp.live.variant import PROFILE, VariantEngine, variant_engine
from nbinterp.live.variant_alleles import align, alleles_of
from nbinterp.model.networks import BPNet
from nbinterp.perturb.variants import read_variants, variant_effects
from nbinterp.perturb.variants.haplotype import Change as Coded
from nbinterp.perturb.variants.haplotype import alignment, apply_changes
from nbinterp.widget.axis import codes_of

FIXTURE = json.loads((Path(__file__).parents[1] / "fixtures" / "protocol" / "variant.json").read_text())
LENGTH = 20


@pytest.mark.parametrize("case", FIXTURE["alignments"], ids=lambda case: case["name"])
def test_alleles_are_aligned_as_the_browser_aligns_them(case: dict[str, Any]) -> None:
    ref, alt = align([Change(*change) for change in case["changes"]], case["length"])
    assert (ref.tolist(), alt.tolist()) == (case["ref"], case["alt"])


def test_columns_spell_both_alleles_and_agree_with_the_scores_alignment() -> None:
    rng = np.random.RandomState(0)
    for _ in range(300):
        starts = np.sort(rng.choice(np.arange(2, 40, 6), rng.randint(1, 4), replace=False)).tolist()
        coded = [Coded(s, s + rng.randint(0, 5), tuple(rng.randint(0, 4, rng.randint(0, 5)).tolist())) for s in starts]
        codes = rng.randint(0, 4, 80).astype(np.uint8)
        made = apply_changes(codes, coded, 50)
        changes = [Change(s, e, "".join("ACGT"[c] for c in new)) for s, e, new in reversed(coded)]
        ref, alt = align(changes, 50)
        assert len(ref) == len(alt) == 50
        assert ref[ref >= 0].tolist() == list(range((ref >= 0).sum()))
        assert alt[alt >= 0].tolist() == list(range((alt >= 0).sum()))
        both = (ref >= 0) & (alt >= 0)
        unchanged = both & ~np.isin(ref, [i for s, e, _ in coded for i in range(s, e)])
        assert (codes[ref[unchanged]] == made[alt[unchanged]]).all()
        places = alignment(coded, 50)
        if places is not None:
            assert (places[ref[both]] == alt[both]).all()
            assert (places[ref[(ref >= 0) & (alt < 0)]] == -1).all()


@pytest.fixture(scope="module")
def genome() -> dict[str, np.ndarray]:
    return {"chr1": nb.random_one_hot((1, 4, 300), random_state=0)[0].numpy()}


def variants_of(genome: dict[str, np.ndarray], **options: Any) -> Any:
    letters = nb.characters(torch.from_numpy(genome["chr1"]))
    other = {"A": "C", "C": "G", "G": "T", "T": "A"}
    table = pd.DataFrame(
        {
            "chrom": ["chr1"] * 4 + ["chrX"],
            "start": [100, 150, 200, 206, 9],
            "ref": [letters[100], letters[150:154], letters[200], letters[206], "A"],
            "alt": [other[letters[100]], letters[150], letters[200] + "ACG", other[letters[206]], "C"],
            "haplotype": ["", "", "h", "h", ""],
        }
    )
    return read_variants(table, genome, in_window=LENGTH, **options)


def test_effects_are_read_with_their_changes_and_what_was_left_out(genome: dict[str, np.ndarray]) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(4 * LENGTH, 1))
    effects = variant_effects(model, variants_of(genome, max_shift=3), device="cpu")
    found = alleles_of("VariantView", effects, None, None, codes_of)
    assert len(found) == 3
    assert found.places == (("chr1", 90), ("chr1", 142), ("chr1", 193))
    assert [[change[:2] for change in one] for one in found.changes] == [[(10, 11)], [(9, 12)], [(13, 14), (8, 8)]]
    assert found.changes[2][1].bases == "ACG"
    assert sum(found.dropped.values()) == 1
    assert "chrX" in next(iter(found.dropped))
    for i, changes in enumerate(found.changes):
        ref, alt = align(changes, LENGTH)
        same = (ref >= 0) & (alt >= 0)
        same &= ~np.isin(ref, [c.start for c in changes if len(c.bases) == c.end - c.start])
        assert (found.ref[i][ref[same]] == found.alt[i][alt[same]]).all()


def test_a_table_and_its_windows_say_the_same(genome: dict[str, np.ndarray]) -> None:
    variants = variants_of(genome)
    table = variants.examples.iloc[:2]
    whole = alleles_of("VariantView", table, variants.X_ref, variants.X_alt, codes_of)
    bare = table[["start", "ref", "alt", "example_idx"]]
    short = alleles_of("VariantView", bare, variants.X_ref.to_one_hot(), variants.X_alt.to_one_hot(), codes_of)
    assert whole.changes == short.changes == ((Change(10, 11, table["alt"][0]),), (Change(9, 12, ""),))
    assert short.places == (None, None)
    assert (whole.ref == short.ref).all()


def test_what_does_not_fit_is_said(genome: dict[str, np.ndarray]) -> None:
    variants = variants_of(genome)
    table = variants.examples
    X, Y = codes_of("", variants.X_ref), codes_of("", variants.X_alt)

    def read(table: Any, X: Any = X, Y: Any = Y) -> None:
        alleles_of("VariantView", table, X, Y, lambda _where, codes: codes)

    with pytest.raises(NbinterpError, match=r"VariantView\(effects\): got a list"):
        read([1])
    with pytest.raises(NbinterpError, match="got no row"):
        read(table[:0])
    with pytest.raises(NbinterpError, match=r"X_ref, X_alt\): got none"):
        read(table, None)
    with pytest.raises(NbinterpError, match=r"shapes \(3, 20\) and \(2, 20\)"):
        read(table, X, Y[:2])
    with pytest.raises(NbinterpError, match="1 windows for 3 variants"):
        read(table, X[:1], Y[:1])
    with pytest.raises(NbinterpError, match="several variants in a table"):
        read(table)
    with pytest.raises(NbinterpError, match="no column alt"):
        read(table[:2].drop(columns="alt"))
    with pytest.raises(NbinterpError, match="inside the window"):
        read(table[:2].assign(alt="N"))
    with pytest.raises(NbinterpError, match=r"X_ref\): got .* where row 0 has"):
        read(table[:2].assign(window_start=lambda t: t["window_start"] - 1))


def engine_codes(length: int = 400) -> np.ndarray:
    return np.random.RandomState(0).randint(0, 4, (2, length)).astype(np.uint8)


def test_scores_are_those_of_a_logo() -> None:
    codes = engine_codes()
    targets = targets_of(demo.load_model(), torch.zeros(1, 4, 400))
    one = VariantEngine(targets, codes, n_shuffles=4, device="cpu").whole(1, "enhancer", "deep_lift_shap")
    *_, other = Engine(targets, codes, n_shuffles=4, device="cpu").answer(Ask(1, 1, (), "enhancer", "deep_lift_shap"))
    assert one.scores is not None
    assert other.scores is not None
    assert (one.scores == other.scores).all()
    assert one.n_references == 4


def test_the_profile_is_the_models() -> None:
    torch.manual_seed(0)
    model = BPNet(8, 2).eval()
    codes = engine_codes(200)
    engine, target = variant_engine(codes, model, device="cpu")
    assert engine.profile_shape == (2, 94)
    assert target in engine.targets
    (answer,) = engine.answer(decode_ask(FIXTURE["asks"][1] | {"example": 1}))
    assert (answer.stage, answer.last) == ("profile", True)
    with torch.no_grad():
        logits, counts = model(nn.functional.one_hot(torch.from_numpy(codes[1:]).long(), 4).mT.float())
    wanted = logits.flatten(1).softmax(-1).reshape(2, 94) * counts.exp().sum()
    assert answer.profile is not None
    assert np.allclose(answer.profile, wanted.numpy(), rtol=1e-5)
    assert answer.prediction == pytest.approx(float(wanted.sum()), rel=1e-5)


def test_profiles_of_many_tracks_are_added_up_and_can_be_left_out() -> None:
    targets = {"sum": nn.Sequential(nn.Flatten(), nn.Linear(40, 1))}
    many = nn.Conv1d(4, 5, 3)
    engine = VariantEngine(targets, engine_codes(10), profile=many, device="cpu")
    assert engine.profile_shape == (1, 8)
    assert variant_engine(engine_codes(200), BPNet(4, 2), profile=False, device="cpu")[0].profile_shape is None


def test_errors_are_answers_and_the_engine_goes_on() -> None:
    engine, _ = variant_engine(engine_codes(), demo.load_model(), device="cpu")
    stages = [(a.stage, a.words) for a in engine.answer(Ask(1, 0, (), "", PROFILE))]
    assert stages[0][0] == "error"
    assert "VariantView(profile): got no tensor" in stages[0][1]
    with pytest.raises(ModelError, match="need one of enhancer"):
        engine.whole(0, "nothing", "saliency")
    with pytest.raises(ModelError, match="need 0 to 1"):
        engine.whole(2, "enhancer", "saliency")
    assert engine.whole(0, "enhancer", "saliency").stage == "scores"


def test_what_cannot_be_asked_is_said_at_the_door() -> None:
    with pytest.raises(NbinterpError, match=r"VariantView\(method\): got 'magic'"):
        variant_engine(engine_codes(), demo.load_model(), method="magic", device="cpu")
    with pytest.raises(NbinterpError, match="got 'nothing'"):
        variant_engine(engine_codes(), demo.load_model(), target="nothing", device="cpu")
    with pytest.raises(NbinterpError, match=r"VariantView\(profile\): got shape \(1, 3, 1\)"):
        VariantEngine({}, engine_codes(10), profile=lambda X: X.float()[:, :3, :1], device="cpu")


def test_another_device_gives_the_same(second_device: str) -> None:
    found = []
    for device in ("cpu", second_device):
        torch.manual_seed(0)
        engine, target = variant_engine(engine_codes(200), BPNet(4, 2), device=device)
        found.append([engine.whole(1, target, "saliency").scores, engine.whole(1, "", PROFILE).profile])
    for one, other in zip(*found, strict=True):
        assert one is not None
        assert np.allclose(one, other, atol=1e-5)
