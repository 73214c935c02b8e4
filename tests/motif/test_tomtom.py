"""TOMTOM against brute force, its laws, and memelite."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nbinterp.errors import NbinterpError, NbinterpWarning
from nbinterp.motif import MotifSet, read_meme, tomtom_columns
from nbinterp.motif.fdr import q_values
from nbinterp.motif.tomtom import tomtom
from nbinterp.motif.tomtom_align import align_motifs, motif_similarity
from nbinterp.motif.tomtom_pvalues import null_of_best
from nbinterp.motif.tomtom_scratch import Scratch
from nbinterp.motif.tomtom_targets import lay_targets


@pytest.fixture(autouse=True)
def both_ways(loops: str) -> None:
    """Every test runs with the compiled loops and with NumPy."""


def some(n: int, seed: int = 0, widths: tuple[int, int] = (5, 14)) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.dirichlet([0.4] * 4, int(rng.integers(*widths))).T for _ in range(n)]


def test_the_tails_are_those_of_all_draws() -> None:
    """Enumerate every draw of three column scores; alignments are independent draws of their spans."""
    rng = np.random.default_rng(1)
    distribution = rng.dirichlet([0.5] * 5, 3)
    zero, lowest = 2, -6
    null = null_of_best(distribution[None], np.array([zero]), np.array([lowest]), 1, Scratch())
    for length in (1, 2, 3, 5):
        spans = [range(max(0, -k), min(3, length - k)) for k in range(1 - 3, length)]
        for score in range(lowest, int(null.top[0]) + 1):
            missed = 1.0
            for span in spans:
                reached = 0.0
                for bins in itertools.product(range(5), repeat=len(span)):
                    if sum(bins) - zero * len(span) >= score:
                        reached += float(np.prod([distribution[c, b] for c, b in zip(span, bins, strict=True)]))
                missed *= 1 - reached
            p = null.p_values(np.array([[score]]), np.array([length]))[0, 0]
            assert p == pytest.approx(1 - missed, abs=1e-13)


def test_the_best_alignment_is_the_best_of_all() -> None:
    """Distances of all alignments, computed plainly: the score never falls with a better alignment of the same overlap."""
    queries, targets = some(3, 1), some(30, 2)
    found = tomtom(queries, targets, reverse_complement=False)
    for q, t in itertools.product(range(3), range(30)):
        offset, overlap = int(found[2, q, t]), int(found[3, q, t])
        pair = align_motifs(queries[q], targets[t], offset)
        shared = (pair.query.sum(axis=0) > 0) & (pair.target.sum(axis=0) > 0)
        assert shared.sum() == overlap


def test_a_motif_finds_itself_turned_and_cut() -> None:
    targets = {f"m{i}": one for i, one in enumerate(some(60, 3, (9, 14)))}
    queries = {name: one[::-1, ::-1][:, 2:].copy() for name, one in list(targets.items())[:10]}
    best = tomtom(MotifSet(queries), MotifSet(targets), n_nearest=1, as_table=True)
    assert best["target"].tolist() == list(queries)
    assert set(best["strand"]) == {"-"}
    assert set(best["offset"]) == {2}
    pair = align_motifs(queries["m0"], targets["m0"], 2, "-")
    assert np.abs(pair.query - pair.target)[:, 2:].max() == 0


def test_what_is_near_does_not_depend_on_threads_or_company() -> None:
    queries, targets = some(9, 4), some(40, 5)
    whole = tomtom(queries, targets, q_values=True)
    alone = tomtom(queries, targets, n_jobs=1, q_values=True)
    assert np.array_equal(whole[1:5], alone[1:5])
    np.testing.assert_allclose(whole, alone, rtol=1e-12)
    np.testing.assert_allclose(tomtom(queries[3:4], targets), whole[:5, 3:4], atol=1e-14, rtol=1e-12)
    near = tomtom(queries, targets, n_nearest=4, q_values=True)
    assert near.shape == (7, 9, 4)
    picked = near[5].astype(int)
    for plane, mine in zip(whole, near[[0, 1, 2, 3, 4, 6]], strict=True):
        assert np.array_equal(np.take_along_axis(plane, picked, axis=1), mine)
    assert (np.diff(near[0], axis=1) >= 0).all()
    assert tomtom(queries, targets, n_nearest=99).shape == (6, 9, 40)
    table = tomtom(queries, targets, as_table=True)
    assert np.array_equal(table["p-value"].to_numpy().reshape(9, 40), np.sort(whole[0], axis=1))


def test_motifs_on_a_device(second_device: str) -> None:
    queries, targets = some(3, 13), some(30, 14)
    there = [torch.from_numpy(one).float().to(second_device) for one in queries]
    here = [torch.from_numpy(one).float() for one in queries]
    assert np.array_equal(tomtom(there, targets), tomtom(here, targets))
    assert np.array_equal(motif_similarity(there).similarity, motif_similarity(here).similarity)


def test_tails_keep_their_precision() -> None:
    """A long perfect match is far below what one minus a sum could say."""
    rng = np.random.default_rng(0)
    targets = [np.eye(4)[:, rng.integers(0, 4, 20)] for _ in range(60)]
    p = tomtom(targets[:1], targets)[0, 0]
    assert 0 < p.min() == p[0] < 1e-11


def test_q_values_by_definition() -> None:
    p = np.random.default_rng(0).random(50) ** 3
    least = [min(1, *(larger * 50 / (p <= larger).sum() for larger in p[p >= x])) for x in p]
    np.testing.assert_allclose(q_values(p), least)
    np.testing.assert_allclose(q_values(p[:10], n_tests=50), q_values(np.concatenate([p[:10], np.ones(40)]))[:10])


def test_similarity_by_brute_force() -> None:
    queries, targets = some(4, 6), some(6, 7)
    for method in ("pearson", "euclidean"):
        found = motif_similarity(queries, targets, method=method)  # type: ignore[arg-type]
        for q, t in itertools.product(range(4), range(6)):
            best = -np.inf
            for strand, offset in itertools.product("+-", range(-queries[q].shape[1] + 1, targets[t].shape[1])):
                one, other, *_ = align_motifs(queries[q] - 0.25, targets[t] - 0.25, offset, strand)
                if method == "pearson":
                    value = (one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum())
                else:
                    value = -np.sqrt(((one - other) ** 2).sum())
                best = max(best, value)
            assert found.similarity[q, t] == pytest.approx(best, abs=1e-12)
            one, other, *_ = align_motifs(
                queries[q] - 0.25, targets[t] - 0.25, found.offset[q, t], int(found.strand[q, t])
            )
            assert ((one != 0).any(axis=0) & (other != 0).any(axis=0)).sum() == found.overlap[q, t]
    alone = motif_similarity(queries)
    np.testing.assert_allclose(np.diag(alone.similarity), 1)
    assert motif_similarity(queries, targets, min_overlap=4).overlap.min() >= 4
    flat = motif_similarity([np.full((4, 3), 0.25)], queries)
    assert (flat.similarity == 0).all()


@pytest.mark.parametrize(
    ("argument", "options"),
    [
        ("Qs", {"Qs": []}),
        ("Qs", {"Qs": [np.zeros((4, 0))]}),
        ("Qs", {"Qs": [np.ones((4, 3)), np.ones((3, 4))]}),
        ("Qs", {"Qs": [np.zeros((4, 3))]}),
        ("Ts", {"Ts": [np.full((4, 3), np.nan)]}),
        ("Ts", {"Ts": [np.ones((5, 3))]}),
        ("n_nearest", {"n_nearest": 0}),
        ("n_jobs", {"n_jobs": 0}),
        ("n_score_bins", {"n_score_bins": 1}),
    ],
)
def test_errors_name_the_argument(argument: str, options: dict[str, Any]) -> None:
    with pytest.raises(NbinterpError, match=rf"tomtom\({argument}\)"):
        tomtom(**{"Qs": some(2), "Ts": some(30), **options})


def test_few_targets_warn_and_other_errors() -> None:
    with pytest.warns(NbinterpWarning, match="24 targets"):
        tomtom(some(1), some(24))
    with pytest.raises(NbinterpError, match="strand"):
        align_motifs(some(1)[0], some(1)[0], 0, "x")
    with pytest.raises(NbinterpError, match="method"):
        motif_similarity(some(1), method="cosine")  # type: ignore[arg-type]


def test_merged_columns_count() -> None:
    targets = lay_targets([np.eye(4)[:, [0, 1, 0]], np.eye(4)[:, [0, 3]]], 100)
    assert sorted(targets.counts.tolist()) == [1, 1, 3]
    layout = targets.layout(3)
    assert layout.n_alignments.tolist() == [5, 4]
    assert (layout.columns == targets.columns.shape[1]).sum() == 6  # two blanks before, between and after


@pytest.mark.parametrize("spread", [1e-6, 1e-4, 0.2, 0.9])
def test_wherever_the_median_is_looked_for_first_it_is_found(spread: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where most target columns are one, which is the query's; and where the sample says nothing of it."""
    rng = np.random.default_rng(5)
    alike = [np.eye(4)[:, rng.choice(4, 8, p=[0.7, 0.1, 0.1, 0.1])] for _ in range(30)]
    cases = [(some(6, 24), some(40, 25)), (alike[:3], alike), (alike[:3], some(40, 26)), (some(3, 27), alike)]
    expected = [tomtom(*case) for case in cases]
    monkeypatch.setattr(tomtom_columns, "_SPREAD", spread)
    for case, one in zip(cases, expected, strict=True):
        assert np.array_equal(tomtom(*case), one)


def held_to_memelite(queries: list[Any], targets: list[Any], **options: Any) -> None:
    """Equal in score, offset, overlap and strand; p within 1e-12, and within 1e-10 of its size."""
    memelite = pytest.importorskip("memelite")
    theirs, ours = memelite.tomtom(queries, targets, **options), tomtom(queries, targets, **options)
    assert np.abs(ours[0] - theirs[0]).max() < 1e-12
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-10, atol=1e-290)
    assert np.array_equal(ours[1:5], theirs[1:5])


@pytest.mark.parity
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"reverse_complement": False},
        {"n_target_bins": None},
        {"n_score_bins": 37, "n_median_bins": 100, "n_target_bins": 20},
        {"n_score_bins": 200},
    ],
)
def test_generated_motifs_equal_memelite(options: dict[str, Any]) -> None:
    rng = np.random.default_rng(2)
    queries = [
        *some(12, 8, (1, 30)),
        *[np.eye(4)[:, rng.integers(0, 4, int(rng.integers(1, 26)))] for _ in range(12)],
        *[one - 0.25 for one in some(3, 9)],  # contributions, some negative
        np.pad(np.eye(4)[:, [0, 2, 1]], ((0, 0), (1, 2))),  # N in front and behind
    ]
    targets = [*some(40, 10, (1, 22)), *[np.eye(4)[:, rng.integers(0, 4, 8)] for _ in range(10)]]
    held_to_memelite(queries, targets, **options)


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:tomtom")
def test_awkward_motifs_equal_memelite() -> None:
    """Values on bin boundaries, ties, flat columns, one target, and a query far wider than its targets."""
    rng = np.random.default_rng(3)
    halves = np.array([[0.5, 0.5, 0, 0], [0, 0.5, 0.5, 0], [0.75, 0.25, 0, 0], [0.25] * 4, [0, 0, 0, 1]]).T
    held_to_memelite([halves, halves[:, ::-1]], [halves[:, rng.integers(0, 5, 7)] for _ in range(30)])
    palindromes = [np.eye(4)[:, [2, 0, 3, 1]], np.eye(4)[:, [0, 0, 3, 3, 0]]]
    held_to_memelite([*palindromes, np.eye(4)[:, [0, 0, 0, 0]]], palindromes * 15)
    held_to_memelite([np.full((4, 5), 0.25), *some(1)], [np.full((4, 6), 0.25)] * 3)
    held_to_memelite(some(1, 15), some(1, 16))
    held_to_memelite(some(1, 17, (40, 41)), some(30, 18))


@pytest.mark.parity
def test_what_single_precision_cannot_tell_equals_memelite() -> None:
    """Far from all targets, in tiny and vast units, in fine bins: where single precision is in doubt, or always is."""
    queries, targets = some(4, 20), some(40, 21)
    held_to_memelite([one + 1e4 for one in queries] + queries, targets)
    held_to_memelite([one * 1e-15 for one in queries], [one * 1e-15 for one in targets])
    held_to_memelite([one * 1e15 for one in queries], [one * 1e15 for one in targets])
    held_to_memelite(queries, targets, n_score_bins=1500)
    held_to_memelite(queries, targets, n_median_bins=2)
    held_to_memelite(queries, targets, n_median_bins=100_000)


@pytest.mark.parity
def test_many_alike_queries_equal_memelite() -> None:
    """One-hot columns are scored once for all queries; more queries than are taken together."""
    rng = np.random.default_rng(4)
    seqlets = [np.eye(4)[:, rng.integers(0, 4, int(rng.integers(4, 12)))] for _ in range(120)]
    held_to_memelite(seqlets, some(30, 22))


@pytest.mark.parity
def test_nearest_equal_memelite() -> None:
    memelite = pytest.importorskip("memelite")
    queries, targets = some(10, 11), some(40, 12)
    theirs, ours = memelite.tomtom(queries, targets, n_nearest=5), tomtom(queries, targets, n_nearest=5)
    assert np.abs(ours[0] - theirs[0]).max() < 1e-12
    assert np.array_equal(ours[1:], theirs[1:])


@pytest.mark.parity
@pytest.mark.real
def test_jaspar_equals_memelite(data_dir: Path) -> None:
    targets = [one.double().numpy() for one in read_meme(data_dir / "jaspar_core_vertebrates.meme").values()]
    held_to_memelite(targets[:200], targets)
    held_to_memelite(targets[::20], targets, n_target_bins=None)


@pytest.mark.real
def test_jaspar_families_are_found(data_dir: Path) -> None:
    motifs = read_meme(data_dir / "jaspar_core_vertebrates.meme")
    gata = torch.eye(4)[:, [0, 2, 0, 3, 0, 0, 2]]  # AGATAAG
    best = tomtom({"AGATAAG": gata}, motifs, n_nearest=4, as_table=True)
    assert all("gata" in name.lower() for name in best["target"])
