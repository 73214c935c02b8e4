"""Effects of variants: against naive loops, against saturation mutagenesis, against the peer; nulls, files, errors."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp.attribution.ism import saturation_mutagenesis
from nbinterp.errors import Interrupted, NbinterpError, NbinterpWarning, OptionError
from nbinterp.perturb.variants import Variants, read_variants, variant_effects
from nbinterp.perturb.variants.score import jensen_shannon
from nbinterp.sequence.vcf import read_vcf, write_vcf

LENGTH = 40


class Heads(nn.Module):
    """A profile and two tasks, exact in double."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.deep = nn.Conv1d(4, 6, 5, padding=2), nn.Conv1d(6, 6, 3, padding=2, dilation=2)
        self.profile, self.tasks = nn.Conv1d(6, 2, 5), nn.Linear(6, 2)
        self.double().eval()

    def forward(self, X: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = torch.relu(self.conv(X))
        hidden = hidden + torch.relu(self.deep(hidden))
        return self.profile(hidden)[..., 4:-4], self.tasks(hidden.mean(dim=2))


class Tasks(Heads):
    """The tasks alone."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return super().forward(X)[1]


class WithArgs(Tasks):
    """The tasks, and a further input."""

    def forward(self, X: torch.Tensor, more: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return super().forward(X) * more


@pytest.fixture(scope="module")
def genome() -> dict[str, np.ndarray]:
    X = nb.random_one_hot((2, 4, 400), random_state=0).numpy()
    X[0, :, 150:153] = 0
    return {"chr1": X[0], "chr2": X[1]}


def rows(genome: dict[str, np.ndarray], n: int = 30, seed: int = 0) -> pd.DataFrame:
    """Substitutions, insertions and deletions, some of them near each other, some in haplotypes."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(n):
        chrom, start = f"chr{1 + i % 2}", int(rng.integers(60, 130))
        text = nb.characters(torch.from_numpy(genome[chrom]), allow_N=True)
        ref = text[start : start + (1, 1, 1, 3)[i % 4]]
        alt = "ACGT"[("ACGT".index(ref[0]) + 1) % 4] + ("GATTACA"[: rng.integers(0, 7)] if i % 5 == 0 else "")
        made.append((chrom, start, ref, alt, f"h{i % 6}" if i in (4, 10) else ""))
    return pd.DataFrame(made, columns=["chrom", "start", "ref", "alt", "haplotype"])


@pytest.fixture(scope="module")
def variants(genome: dict[str, np.ndarray]) -> Variants:
    return read_variants(rows(genome), genome, in_window=LENGTH, max_shift=4)


def substitutions(genome: dict[str, np.ndarray]) -> pd.DataFrame:
    """Every substitution of chr2."""
    text = nb.characters(torch.from_numpy(genome["chr2"]))
    made = [("chr2", i, text[i], b) for i in range(len(text)) for b in "ACGT" if b != text[i]]
    return pd.DataFrame(made, columns=["chrom", "start", "ref", "alt"])


def window(variants: Variants, codes: np.ndarray, shift: int) -> torch.Tensor:
    eye = torch.eye(5, dtype=torch.float64)[:, :4]
    cut = codes[variants.max_shift + shift :][: variants.in_window]
    return eye[torch.from_numpy(cut.astype(np.int64))].t()[None]


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("shifts", [(0,), (-3, 0, 4)])
def test_predictions_equal_a_naive_loop(variants: Variants, fast: bool, shifts: tuple[int, ...]) -> None:
    model = Heads()
    found = variant_effects(model, variants, shifts=shifts, fast=fast, device="cpu")
    for i in range(len(variants)):
        for codes, y in (
            (variants.windows[variants.window_idx[i]], found.y_ref),
            (variants.alternatives([i])[0], found.y_alt),
        ):
            profiles, tasks = [], []
            for shift in shifts:
                X = window(variants, codes, shift)
                for strand in (0, 1):
                    with torch.no_grad():
                        profile, task = model(X.flip(1, 2) if strand else X)
                    profile = profile.flip(2) if strand else profile
                    place = torch.full((2, LENGTH + 20), math.nan, dtype=torch.float64)
                    place[:, 10 + shift : 10 + shift + profile.shape[2]] = profile[0]
                    profiles.append(place)
                    tasks.append(task[0])
            whole = torch.stack(profiles).mean(dim=0)
            torch.testing.assert_close(y[0][i], whole[:, ~whole.isnan()[0]], rtol=0, atol=1e-12)
            torch.testing.assert_close(y[1][i], torch.stack(tasks).mean(dim=0), rtol=0, atol=1e-12)
    table = found.table
    for t in (0, 1):
        difference = (found.y_alt[1] - found.y_ref[1])[:, t].numpy()
        np.testing.assert_allclose(table[f"difference_{t}"], difference, rtol=0, atol=1e-12)
        np.testing.assert_allclose(table[f"alternative_{t}"] - table[f"reference_{t}"], difference, atol=1e-12)
    assert (table["jsd_1"] > 0).all()
    assert (table["difference_0_view_sd"] > 0).all()


def test_the_divergence_of_an_indel_compares_each_base_with_itself(variants: Variants) -> None:
    """A profile that copies its input differs at the changed bases alone, however far the others were moved."""

    def copying(X: torch.Tensor) -> torch.Tensor:
        return (X * torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=X.dtype)[:, None]).sum(dim=1, keepdim=True)

    options: dict[str, Any] = {"profile": "signal", "reverse_complement": False, "fast": False, "device": "cpu"}
    found = variant_effects(copying, variants, **options)
    unaligned = variant_effects(copying, variants, bin_size=None, **options)
    for i in range(len(variants)):
        places = torch.from_numpy(variants.alignment(i))
        kept = torch.where(places >= 0)[0]
        ref, alt = found.y_ref[i, 0][kept], found.y_alt[i, 0][places[kept]]
        assert found.table["jsd"][i] == pytest.approx(float(jensen_shannon(ref, alt)), abs=1e-9)
        p, q = (y.double() / y.sum() for y in (ref, alt))
        m = (p + q) / 2
        by_hand = sum(float((a * (a / m).log2()).nan_to_num().sum()) / 2 for a in (p, q))
        assert found.table["jsd"][i] == pytest.approx(math.sqrt(max(by_hand, 0)), abs=1e-6)
    longer = [any(change.growth for change in changes) for changes in variants.changes]
    assert (unaligned.table["jsd"][longer] > found.table["jsd"][longer] + 0.02).all()
    np.testing.assert_allclose(unaligned.table["jsd"][np.invert(longer)], found.table["jsd"][np.invert(longer)])


def test_saturation_mutagenesis_says_the_same(genome: dict[str, np.ndarray]) -> None:
    model, whole = Tasks(), genome["chr2"][:, :LENGTH]
    table = substitutions({"chr2": whole})
    loci = pd.DataFrame({"chrom": ["chr2"], "start": [0], "end": [LENGTH]})
    found = read_variants(table, {"chr2": whole}, in_window=LENGTH, loci=loci)
    assert len(found) == 3 * LENGTH
    effects = variant_effects(model, found, reverse_complement=False, device="cpu")
    raw = saturation_mutagenesis(model, torch.from_numpy(whole)[None], raw_outputs=True, device="cpu")
    bases = torch.tensor(["ACGT".index(b) for b in effects.table["alt"]])
    expected = raw.y_hat[0, bases, torch.tensor(effects.table["start"].tolist())]
    torch.testing.assert_close(effects.y_alt, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(effects.y_ref[:1], raw.y0, rtol=0, atol=1e-12)


@pytest.mark.real
def test_saturation_of_a_real_enhancer_says_the_same(data_dir: Path) -> None:
    model = nb.load_model(data_dir / "deepstarr.model.h5")
    X = nb.read_sequences(data_dir / "deepstarr_example_sequences.fa").X[:1].to_one_hot()
    text = nb.characters(X[0])[100:130]
    made = [("e", 100 + i, text[i], b) for i in range(30) for b in "ACGT" if b != text[i]]
    table = pd.DataFrame(made, columns=["chrom", "start", "ref", "alt"])
    loci = pd.DataFrame({"chrom": ["e"], "start": [0], "end": [249]})
    found = read_variants(table, {"e": X[0].numpy()}, in_window=249, loci=loci)
    assert len(found) == 90
    options: dict[str, Any] = {"dtype": torch.float64, "device": "cpu"}
    model.double()
    effects = variant_effects(model, found, reverse_complement=False, **options)
    raw = saturation_mutagenesis(model, X, start=100, end=130, raw_outputs=True, **options)
    y0, y_hat = (raw.y0, raw.y_hat) if isinstance(raw.y0, list) else ([raw.y0], [raw.y_hat])
    y_alt = effects.y_alt if isinstance(effects.y_alt, list) else [effects.y_alt]
    bases = torch.tensor(["ACGT".index(b) for b in effects.table["alt"]])
    for alt, hat in zip(y_alt, y_hat, strict=True):
        expected = hat[0, bases, torch.tensor(effects.table["start"].tolist()) - 100]
        torch.testing.assert_close(alt, expected, rtol=0, atol=1e-9)
    assert float(y0[0][0].flatten()[0]) == pytest.approx(5.8252, abs=1e-3)


@pytest.mark.parity
def test_the_peer_says_the_same(genome: dict[str, np.ndarray]) -> None:
    peer = pytest.importorskip("tangermeme.variant_effect")
    model = Heads()
    table = substitutions(genome).iloc[200:260:7]
    found = read_variants(table, genome, in_window=LENGTH)
    X = found.X_ref.to_one_hot(torch.float64)
    edits = torch.tensor([[i, LENGTH // 2, "ACGT".index(b)] for i, b in enumerate(found.variants["alt"])])
    theirs = peer.substitution_effect(model, X, edits, device="cpu")
    ours = variant_effects(model, found, reverse_complement=False, device="cpu")
    for a, b in ((ours.y_ref, theirs.y_before), (ours.y_alt, theirs.y_after)):
        for x, y in zip(a, b, strict=True):
            torch.testing.assert_close(x, y, rtol=0, atol=1e-12)
    # deletions: the peer is given the bases to draw in
    text = nb.characters(torch.from_numpy(genome["chr2"]))
    made = [("chr2", s, text[s : s + 4], text[s]) for s in (200, 222, 271)]
    found = read_variants(pd.DataFrame(made, columns=["chrom", "start", "ref", "alt"]), genome, in_window=LENGTH)
    eye = torch.eye(5, dtype=torch.float64)[:, :4]
    wide = eye[torch.from_numpy(found.windows[found.window_idx].astype(np.int64))].transpose(1, 2)
    gone = torch.tensor([[i, LENGTH // 2 - 1 + k] for i in range(3) for k in (0, 1, 2)])
    theirs = peer.deletion_effect(model, wide, gone, device="cpu")
    ours = variant_effects(model, found, reverse_complement=False, device="cpu")
    torch.testing.assert_close(ours.y_alt[1], theirs.y_after[1], rtol=0, atol=1e-12)


def test_nothing_depends_on_the_batch_nor_on_the_other_rows(genome: dict[str, np.ndarray]) -> None:
    table = rows(genome)[:8].drop(columns="haplotype")  # substitutions, insertions and deletions
    options: dict[str, Any] = {"n_matched": 4, "n_backgrounds": 2, "random_state": 5, "device": "cpu", "shifts": (0, 2)}
    found = read_variants(table, genome, in_window=LENGTH, max_shift=4)
    whole = variant_effects(Heads(), found, **options).table
    for batch_size, fast in ((1, True), (700, False)):
        other = variant_effects(Heads(), found, batch_size=batch_size, fast=fast, **options).table
        pd.testing.assert_frame_equal(other, whole, check_exact=False, rtol=1e-7, atol=1e-9)
    few = variant_effects(Heads(), read_variants(table[:3], genome, in_window=LENGTH, max_shift=4), **options).table
    pd.testing.assert_frame_equal(few, whole[: len(few)], check_exact=False, rtol=1e-7, atol=1e-9)
    other_seed = variant_effects(Heads(), found, **{**options, "random_state": 6}).table
    assert not np.allclose(other_seed["difference_0_background_mean"], whole["difference_0_background_mean"])


def test_ranks_count_matched_variants_of_the_same_window(genome: dict[str, np.ndarray]) -> None:
    """Matched variants listed by hand, all of them: the rank is exact whatever the order of the draw."""
    model = Tasks()
    table = substitutions(genome).iloc[[601, 650]]
    found = read_variants(table, genome, in_window=LENGTH)
    table = variant_effects(model, found, n_matched=1000, device="cpu").table

    def effect(X: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return (model(X) + model(X.flip(1, 2))) / 2

    for i in range(2):
        X = found.X_ref[i : i + 1].to_one_hot(torch.float64)
        before, after = X[0, :, LENGTH // 2].argmax(), "ACGT".index(table["alt"][i])
        sizes = []
        for at in range(LENGTH):
            for one, new in ((before, after), (3 - before, 3 - after)):
                if at != LENGTH // 2 and X[0, one, at]:
                    Y = X.clone()
                    Y[0, :, at] = 0
                    Y[0, new, at] = 1
                    sizes.append(abs(float((effect(Y) - effect(X))[0, 1])))
        own = abs(table["difference_1"][i])
        assert table["n_matched"][i] == len(sizes) > 5
        assert table["difference_1_quantile"][i] == pytest.approx(np.mean(np.array(sizes) < own))
        assert table["difference_1_p"][i] == pytest.approx((1 + np.sum(np.array(sizes) >= own)) / (1 + len(sizes)))


def test_equal_effects_count_half_in_the_quantile_and_in_full_in_p(genome: dict[str, np.ndarray]) -> None:
    def count(model: Any, X: torch.Tensor) -> torch.Tensor:
        return X[:, 0].double().sum(dim=1, keepdim=True)

    text = nb.characters(torch.from_numpy(genome["chr2"]))
    table = pd.DataFrame({"chrom": "chr2", "start": [text.index("A", 200)], "ref": "A", "alt": "C"})
    found = read_variants(table, genome, in_window=LENGTH)
    # without the other strand a matched T>G counts no A: its effect is smaller
    ranks = variant_effects(None, found, func=count, n_matched=99, reverse_complement=False).table.iloc[0]
    window = text[int(found.variants["window_start"][0]) :][:LENGTH]
    alike, smaller = window.count("A") - 1, window.count("T")
    assert ranks["n_matched"] == alike + smaller
    assert ranks["difference_quantile"] == pytest.approx((smaller + alike / 2) / (alike + smaller))
    assert ranks["difference_p"] == pytest.approx((1 + alike) / (1 + alike + smaller))


def test_matched_variants_share_what_was_asked(variants: Variants) -> None:
    from nbinterp.perturb.variants.matched import matched_changes

    codes = np.random.default_rng(1).integers(0, 4, 300).astype(np.uint8)
    codes[7] = 4
    rng = np.random.default_rng(0)
    change = type(variants.changes[0][0])(100, 101, ((int(codes[100]) + 1) % 4,))
    three = codes[99:102].tolist()
    drawn = matched_changes(codes, [change], 500, (0, 300), "trinucleotide", rng)
    for ((start, _, (new,)),) in drawn:
        found = codes[start - 1 : start + 2].tolist()
        assert (found, new) in ((three, change.codes[0]), ([3 - b for b in three[::-1]], 3 - change.codes[0]))
    assert len(drawn) == len(set(drawn)) > 2
    deleted = matched_changes(codes, [change._replace(end=104, codes=())], 20, (50, 60), "substitution", rng)
    assert all(one.start >= 50 and one.end <= 60 and one.end - one.start == 4 for (one,) in deleted)
    assert len(deleted) == 7
    both = matched_changes(
        codes, [change, change.moved(0)._replace(start=120, end=121)], 30, (0, 300), "substitution", rng
    )
    assert all(a.end <= b.start for a, b in both)


def test_backgrounds_keep_the_variant_and_what_is_beside_it(variants: Variants) -> None:
    model, seen = Tasks(), []

    def watching(model: nn.Module, X: torch.Tensor) -> torch.Tensor:
        seen.append(X)
        with torch.no_grad():
            return model(X.double())

    options: dict[str, Any] = {"reverse_complement": False, "func": watching}
    found = variant_effects(model, variants, n_backgrounds=4, background_keep=3, **options)
    main, backgrounds = seen[0], seen[1]
    n = len(variants)
    assert len(backgrounds) == 8 * n
    shuffled = backgrounds[: 4 * n].reshape(n, 4, 4, LENGTH)
    first = [changes[0].start - variants.max_shift for changes in variants.changes]
    for i, example in enumerate(np.argsort(variants.window_idx, kind="stable")):
        kept = slice(first[example] - 3, first[example] + 1)
        own = variants.X_ref[int(example)].to_one_hot()
        assert all(torch.equal(one[:, kept], own[:, kept].to(one.dtype)) for one in shuffled[i])
        assert not torch.equal(shuffled[i, 0], shuffled[i, 1])
    with torch.no_grad():
        y = model(backgrounds.double())
    difference = (y[4 * n :] - y[: 4 * n]).reshape(n, 4, 2)
    order = np.argsort(variants.window_idx, kind="stable")
    mean = found.table["difference_0_background_mean"].to_numpy()[order]
    np.testing.assert_allclose(mean, difference[:, :, 0].mean(dim=1), atol=1e-12)
    assert (found.table["difference_0_background_low"] <= found.table["difference_0_background_mean"]).all()
    assert len(main) == n + len(variants.windows)


def test_further_inputs_go_with_their_rows(variants: Variants) -> None:
    more = torch.arange(2.0 * len(variants)).reshape(-1, 2).double() + 1
    plain = variant_effects(Tasks(), variants, device="cpu", n_backgrounds=2)
    for fast in (True, False):
        found = variant_effects(WithArgs(), variants, args=(more,), device="cpu", fast=fast, n_backgrounds=2)
        torch.testing.assert_close(found.y_alt, plain.y_alt * more, rtol=0, atol=1e-10)
        torch.testing.assert_close(found.y_ref, plain.y_ref * more, rtol=0, atol=1e-10)
        np.testing.assert_allclose(
            found.table["difference_1_background_mean"],
            plain.table["difference_1_background_mean"] * more[:, 1].numpy(),
        )


def test_fold_changes_odds_and_scores_of_ones_own(variants: Variants) -> None:
    model = nn.Sequential(Tasks(), nn.Sigmoid())

    def largest(y_ref: torch.Tensor, y_alt: torch.Tensor) -> torch.Tensor:
        return (y_alt - y_ref).abs().amax(dim=1)

    options: dict[str, Any] = {"device": "cpu", "task_names": ["dev", "hk"]}
    found = variant_effects(model, variants, scores=("log_fold_change", "log_odds", largest), scale="linear", **options)
    ref, alt = found.y_ref[:, 0].numpy(), found.y_alt[:, 0].numpy()
    np.testing.assert_allclose(found.table["log_fold_change_dev"], np.log2(alt / ref), atol=1e-12)
    np.testing.assert_allclose(
        found.table["log_odds_dev"], np.log(alt / (1 - alt)) - np.log(ref / (1 - ref)), atol=1e-12
    )
    np.testing.assert_allclose(found.table["largest"], (found.y_alt - found.y_ref).abs().amax(dim=1), atol=1e-12)
    logs = variant_effects(model, variants, scale="log", **options).table
    np.testing.assert_allclose(logs["log_fold_change_hk"], logs["difference_hk"] / np.log(2), atol=1e-12)


def test_attributions_come_back_to_the_forward_strand(variants: Variants) -> None:
    model = Tasks()
    options: dict[str, Any] = {"scores": (), "flip": lambda y: y.flip(1, 2), "device": "cpu", "target": 0}
    found = variant_effects(model, variants, func=saturation_mutagenesis, **options)
    assert found.y_ref.shape == (len(variants), 4, LENGTH)
    X = variants.X_alt[3:4].to_one_hot(torch.float64)
    both = [
        saturation_mutagenesis(model, X, target=0, device="cpu"),
        saturation_mutagenesis(model, X.flip(1, 2), target=0),
    ]
    torch.testing.assert_close(found.y_alt[3], ((both[0] + both[1].flip(1, 2)) / 2)[0], rtol=0, atol=1e-10)


def test_annotations_become_columns(variants: Variants) -> None:
    def count(X_ref: Any, X_alt: Any, table: pd.DataFrame) -> dict[str, Any]:
        gc = [(X.to_one_hot()[:, 1:3].sum(dim=(1, 2))).tolist() for X in (X_ref, X_alt)]
        return {"gc_ref": gc[0], "gc_alt": gc[1], "place": table["chrom"] + ":" + table["start"].astype(str)}

    table = variant_effects(Tasks(), variants, annotate=count, device="cpu").table
    assert table["gc_ref"].tolist() == variants.X_ref.to_one_hot()[:, 1:3].sum(dim=(1, 2)).tolist()
    assert table["place"][0] == f"{table['chrom'][0]}:{table['start'][0]}"


def test_a_substitution_does_not_run_the_model(genome: dict[str, np.ndarray]) -> None:
    class Counting(Tasks):
        rows = 0

        def forward(self, X: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
            self.rows += len(X)
            return super().forward(X)

    model = Counting()
    found = read_variants(substitutions(genome).iloc[300:360], genome, in_window=LENGTH)
    first = variant_effects(model, found, device="cpu")
    model.rows = 0
    again = variant_effects(model, found, device="cpu")
    assert model.rows <= 2  # the plan is compared with the model once a call
    pd.testing.assert_frame_equal(first.table, again.table)
    variant_effects(model, found, device="cpu", fast=False)
    assert model.rows >= 2 * 60


def test_a_model_without_a_plan_is_run_in_full(variants: Variants) -> None:
    class Global(nn.Module):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return torch.fft.rfft(X, dim=2).abs().mean(dim=(1, 2))[:, None]

    with pytest.warns(NbinterpWarning, match=r"variant_effects\(fast\).*in full"):
        found = variant_effects(Global(), variants, device="cpu")
    slow = variant_effects(Global(), variants, device="cpu", fast=False)
    torch.testing.assert_close(found.y_alt, slow.y_alt)


def test_tables_as_tsv_and_vcf_lose_nothing(genome: dict[str, np.ndarray], tmp_path: Path) -> None:
    table = rows(genome)
    table.loc[len(table)] = ["chr9", 5, "A", "C", ""]
    source = tmp_path / "in.vcf.gz"
    records = table.rename(columns={"chrom": "CHROM", "ref": "REF", "alt": "ALT"}).assign(POS=table["start"] + 1)
    records["ALT"] = [f"{alt},<DEL>" if i % 3 == 0 else alt for i, alt in enumerate(records["ALT"])]
    records = records.assign(INFO="AF=0.5", FORMAT="GT", sample="0|1")[
        ["CHROM", "POS", "REF", "ALT", "INFO", "FORMAT", "sample"]
    ]
    write_vcf(source, records)
    found = read_variants(source, genome, in_window=LENGTH, max_shift=4)
    effects = variant_effects(Heads(), found, device="cpu", n_matched=3)
    effects.to_tsv(tmp_path / "out.tsv")
    back = pd.read_csv(tmp_path / "out.tsv", sep="\t", keep_default_na=False)
    assert len(back) == len(found.variants) + len(found.dropped)
    assert (back["reason"] != "").sum() == len(found.dropped) > 5
    np.testing.assert_allclose(back["difference_0"][: len(effects)].astype(float), effects.table["difference_0"])
    out = tmp_path / "out.vcf"
    effects.to_vcf(out, source)
    again, before = read_vcf(out, samples=True), read_vcf(source, samples=True)
    pd.testing.assert_frame_equal(again.drop(columns="INFO"), before.drop(columns="INFO"))
    for i in range(len(before)):
        fields = dict(part.split("=") for part in again["INFO"][i].split(";"))
        assert fields["AF"] == "0.5"
        mine = found.variants[found.variants["record"] == i]
        if len(mine):
            value = effects.table.set_index("example_idx")["jsd_1"][mine["example_idx"].iloc[0]]
            assert float(fields["NB_jsd_1"].split(",")[0]) == pytest.approx(value, rel=1e-5)
        if len(mine) < len(before["ALT"][i].split(",")):
            assert "NB_DROPPED" in fields
    header = out.read_text().splitlines()
    assert any(line.startswith("##INFO=<ID=NB_jsd_1,Number=A,Type=Float") for line in header)
    # a table becomes records of its own, haplotypes by name
    effects = variant_effects(Heads(), read_variants(table, genome, in_window=LENGTH), device="cpu")
    effects.to_vcf(tmp_path / "own.vcf.gz")
    own = read_vcf(tmp_path / "own.vcf.gz")
    assert len(own) == len(table)
    assert own["INFO"].str.contains("NB_HAPLOTYPE=h4").sum() == 2
    assert own["INFO"].str.contains("NB_DROPPED=contig%20chr9").sum() == 1
    with pytest.raises(NbinterpError, match=r"to_vcf\(source\)"):
        effects.to_vcf(tmp_path / "no.vcf", source)


def test_a_second_device_agrees_with_the_cpu(variants: Variants, second_device: str) -> None:
    options: dict[str, Any] = {"n_matched": 4, "n_backgrounds": 2, "shifts": (0, 4)}
    model = Heads()
    here = variant_effects(model, variants, device="cpu", **options)
    there = variant_effects(model, variants, device=second_device, **options)
    pd.testing.assert_frame_equal(there.table, here.table, rtol=1e-6, atol=1e-9)
    assert there.y_alt[0].device.type == "cpu"
    assert next(model.parameters()).device.type == "cpu"


def test_a_stop_keeps_the_finished_examples(genome: dict[str, np.ndarray]) -> None:
    found = read_variants(substitutions(genome).iloc[100:1100], genome, in_window=LENGTH)
    calls = []

    def stopping(model: nn.Module, X: torch.Tensor) -> torch.Tensor:
        calls.append(len(X))
        if len(calls) > 2:
            raise KeyboardInterrupt
        return X.double().sum(dim=(1, 2))[:, None]

    with pytest.raises(Interrupted) as stopped:
        variant_effects(None, found, func=stopping)
    assert len(stopped.value.partial) == 512
    assert stopped.value.partial.table["difference"].notna().all()


def test_errors_say_what_to_do(variants: Variants) -> None:
    model = Tasks()
    for options, match in [
        ({"scores": ["diference"]}, "did you mean 'difference'"),
        ({"scores": ["log_fold_change"]}, r"variant_effects\(scale\).*'log' for the log counts"),
        ({"scores": ["jsd"]}, "need a profile for jsd"),
        ({"scale": "linear", "pseudocount": -9.0}, "positive outputs"),
        ({"scale": "ln"}, "one of 'linear'"),
        ({"shifts": (5,)}, "at most 4 bases; do read the variants with a larger max_shift"),
        ({"shifts": ()}, "at least one"),
        ({"shifts": (0, 3), "bin_size": 2}, "multiples of bin_size=2"),
        ({"n_matched": -1}, "n_matched"),
        ({"match": "codon"}, "one of 'substitution'"),
        ({"task_names": ["a"]}, "1 names; need 2"),
        ({"args": (torch.zeros(3, 2),)}, r"args\[0\]"),
        ({"annotate": lambda *_: {"a": [1]}}, "1 rows"),
        ({"scores": [lambda a, b: 3]}, r"need a tensor \(N,\)"),
    ]:
        with pytest.raises(NbinterpError, match=match):
            variant_effects(model, variants, device="cpu", **options)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="an option that predict does not accept"):
        variant_effects(model, variants, batchsize=3)
    with pytest.raises(NbinterpError, match="make them with read_variants"):
        variant_effects(model, torch.zeros(1, 4, 5))  # type: ignore[arg-type]
