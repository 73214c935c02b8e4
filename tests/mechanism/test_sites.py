"""Sites, configurations, parameters and effects: against SEAM's formulas, exact answers and planted sites."""

from __future__ import annotations

from itertools import chain, combinations

import numpy as np
import pandas as pd
import pytest
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist

from nbinterp.errors import NbinterpError
from nbinterp.mechanism.background import separate_background
from nbinterp.mechanism.sites import covariance_sites, find_sites, site_names
from nbinterp.mechanism.sites_configurations import (
    Configurations,
    additive_parameters,
    assign_configurations,
    site_configurations,
)
from nbinterp.mechanism.sites_effects import (
    bootstrap_medians,
    configuration_activity,
    moebius,
    site_effects,
    site_states,
)
from nbinterp.mechanism.sites_motifs import name_sites, site_motifs
from nbinterp.mechanism.summary import background_entropy, entropy_matrix
from nbinterp.mechanism.summary_sums import FineSums, fine_sums

SPANS = {"A": (5, 13), "B": (18, 25), "C": (40, 49)}
LENGTH = 60


def planted(n_clusters: int = 60, n: int = 30, seed: int = 0, start: int = 0) -> tuple[FineSums, np.ndarray]:
    """Clusters of sequences that each keep or have lost three sites; and which keep which."""
    rng = np.random.default_rng(seed)
    kept = rng.random((n_clusters, 3)) < 0.5
    mutated = rng.random((n_clusters, n, LENGTH)) < 0.1
    for k, s in np.argwhere(kept):
        first, last = list(SPANS.values())[s]
        mutated[k, :, first:last] &= rng.random((n, last - first)) < 0.05
    for k, s in np.argwhere(~kept):
        first, last = list(SPANS.values())[s]
        mutated[k, :, first:last] |= rng.random((n, last - first)) < 0.1
    codes = np.where(mutated, rng.integers(1, 4, mutated.shape), 0).reshape(-1, LENGTH)
    codes = np.pad(codes, ((0, 0), (start, 0)))
    return fine_sums(np.ones((len(codes), 4, LENGTH)), codes, np.repeat(np.arange(n_clusters), n), start=start), kept


@pytest.fixture(scope="module")
def sums() -> FineSums:
    return planted()[0]


def table(**spans: tuple[int, int]) -> pd.DataFrame:
    start, end = zip(*spans.values(), strict=True)
    return pd.DataFrame({"example_idx": 0, "start": start, "end": end, "name": list(spans)})


def spans_of(sites: pd.DataFrame) -> list[tuple[int, int]]:
    return list(zip(sites["start"], sites["end"], strict=True))


@pytest.mark.parametrize("seed", range(5))
def test_planted_sites_are_found(seed: int) -> None:
    sites = find_sites(planted(seed=seed)[0])
    assert len(sites) == 3
    for (a, b), (c, d) in zip(spans_of(sites), SPANS.values(), strict=True):
        assert abs(a - c) <= 1
        assert abs(b - d) <= 1
    assert sites["name"].tolist() == ["A", "B", "C"]
    assert sites["n_positions"].tolist() == [len(p) for p in sites["positions"]]


def test_positions_are_those_of_the_sequence() -> None:
    here, there = (find_sites(planted(start=start)[0]) for start in (0, 7))
    assert [(a + 7, b + 7) for a, b in spans_of(here)] == spans_of(there)


def test_chance_finds_nothing() -> None:
    rng = np.random.default_rng(0)
    found = [len(find_sites(pd.DataFrame(rng.normal(size=(60, 200))))) for _ in range(20)]
    assert sum(found) == 0
    assert list(find_sites(pd.DataFrame(np.ones((9, 30)))).columns) == list(find_sites(planted()[0]).columns)


def test_two_sites_that_act_together_stay_two() -> None:
    rng = np.random.default_rng(0)
    entropy = rng.normal(size=(60, 40)) * 0.3
    shared = rng.normal(size=(60, 1))
    entropy[:, 5:12] += shared
    entropy[:, 15:24] += shared  # 3 bases between them: as correlated as bases of one site
    assert spans_of(find_sites(pd.DataFrame(entropy))) == [(5, 12), (15, 24)]
    assert spans_of(find_sites(pd.DataFrame(entropy), max_gap=4)) == [(5, 24)]
    assert spans_of(covariance_sites(pd.DataFrame(entropy), n_sites=1)) == [(5, 24)]


def test_larger_clusters_weigh_more() -> None:
    """Merged copies of a cluster weigh as the copies do."""
    given, _ = planted()
    groups = np.minimum(given.labels, 49)
    some = given.merge(groups)
    weights = np.repeat(entropy_matrix(some).to_numpy(), some.n, axis=0)
    from nbinterp.mechanism.sites import _correlation

    np.testing.assert_allclose(
        _correlation(entropy_matrix(some).to_numpy(), some.n / some.n.sum()), np.corrcoef(weights.T), atol=1e-9
    )


@pytest.mark.parity
@pytest.mark.parametrize("n_sites", [1, 2, 3, 5, 8])
def test_parity_10_groups_are_not_permuted_and_the_largest_is_dropped(sums: FineSums, n_sites: int) -> None:
    """SEAM's steps, with its labels paired with positions rather than with the leaves of the tree."""
    covariance = entropy_matrix(sums).cov()
    tree = hierarchy.linkage(pdist(covariance), method="average")
    labels = hierarchy.fcluster(tree, n_sites + 1, criterion="maxclust")
    groups = {g: [int(p) for p in np.flatnonzero(labels == g)] for g in set(labels)}
    del groups[max(groups, key=lambda g: len(groups[g]))]
    expected = sorted(groups.values(), key=lambda p: (p[0], p[-1]))
    found = covariance_sites(sums, n_sites=n_sites)
    assert [list(p) for p in found["positions"]] == expected
    assert spans_of(found) == [(p[0], p[-1] + 1) for p in expected]
    leaves = hierarchy.leaves_list(tree).tolist()
    permuted = [sorted(leaves[p] for p in group) for group in expected]
    assert leaves != sorted(leaves)  # what SEAM's dictionary of positions holds is something else
    assert permuted != expected
    height = np.sort(tree[:, 2])[-n_sites] - 1e-12
    pd.testing.assert_frame_equal(covariance_sites(sums, cut_height=height), found)


@pytest.mark.parity
def test_parity_10_spans_from_the_tree_are_the_planted_ones(sums: FineSums) -> None:
    assert spans_of(covariance_sites(sums, n_sites=3)) == list(SPANS.values())


@pytest.mark.parity
def test_parity_16_the_tree_is_cut_within_the_gap() -> None:
    """SEAM cuts at the merge above the gap, and so joins what the gap parts: of one site, nothing is left."""
    rng = np.random.default_rng(0)
    entropy = rng.normal(size=(60, 30)) * 0.1
    entropy[:, 12:18] += rng.normal(size=(60, 1))
    tree = hierarchy.linkage(pdist(np.cov(entropy.T)), "average")
    heights = np.sort(tree[:, 2])
    gaps = np.diff(heights)
    last = np.flatnonzero(gaps > gaps.mean() + gaps.std())[-1]
    assert len(set(hierarchy.fcluster(tree, heights[last + 1], "distance"))) == 1
    assert spans_of(covariance_sites(pd.DataFrame(entropy))) == [(12, 18)]
    even = pd.DataFrame(np.eye(3))
    with pytest.raises(NbinterpError, match=r"\(cut_height\): got no gap that stands out"):
        covariance_sites(even)


def test_a_tree_that_skips_a_number_says_so() -> None:
    ties = pd.DataFrame(np.repeat([[0.0], [1.0]], 8, axis=1))
    with pytest.raises(NbinterpError, match=r"\(n_sites\): got 2, and ties that leave 0"):
        covariance_sites(ties, n_sites=2)


def test_more_sites_than_letters() -> None:
    names = site_names(702 + 2)
    assert [names[i] for i in (0, 25, 26, 701, 702, 703)] == ["A", "Z", "AA", "ZZ", "AAA", "AAB"]


@pytest.mark.parity
def test_parity_10_configurations(sums: FineSums) -> None:
    sites = table(**SPANS)
    found = site_configurations(sums, sites, rate=0.1, multiplier=0.5)
    entropy = entropy_matrix(sums).to_numpy()
    h0 = background_entropy(0.1)
    for name, (first, last) in SPANS.items():
        mean = entropy[:, first:last].mean(1)
        np.testing.assert_array_equal(found.active[name], mean < 0.5 * h0)
        np.testing.assert_allclose(found.activity[name], np.clip(1 - mean / h0, 0, 1))


def test_configurations_are_the_planted_ones() -> None:
    given, kept = planted()
    found = site_configurations(given, find_sites(given))
    np.testing.assert_array_equal(found.active.to_numpy(), kept)
    words = ["+".join(np.array(list("ABC"))[row]) or "none" for row in kept]
    assert found.names.tolist() == words
    states = found.states(np.array([3, -1, 0, 3]))
    assert states.index.tolist() == [0, 2, 3]
    np.testing.assert_array_equal(states.to_numpy(), kept[[3, 0, 3]])


def test_a_sites_own_positions_may_count_alone() -> None:
    entropy = pd.DataFrame([[0.0, 0.9, 0.0]])
    sites = table(A=(0, 3)).assign(positions=[(0, 2)])
    assert not site_configurations(entropy, sites, multiplier=0.4).active["A"].item()
    assert site_configurations(entropy, sites, multiplier=0.4, over="positions").active["A"].item()
    assert site_configurations(entropy, sites).activity["A"].item() == 1


@pytest.mark.parity
@pytest.mark.parametrize("n_sites", [1, 2, 3, 4])
def test_parity_11_assignment_rule(n_sites: int) -> None:
    rng = np.random.default_rng(n_sites)
    names = list("ABCD")[:n_sites]
    activity = pd.DataFrame(rng.random((20, n_sites)), columns=names, index=np.arange(20) + 5)
    found = assign_configurations(Configurations(activity > 0.5, activity))
    every = list(chain.from_iterable(combinations(names, r) for r in range(n_sites + 1)))
    assert found["configuration"].tolist() == every
    for chosen, cluster, supported in found.itertuples(index=False):
        if not chosen:
            expected = activity.max(axis=1).idxmin()
        elif len(chosen) == n_sites:
            expected = activity.min(axis=1).idxmax()
        else:
            ideal = pd.Series(0.0, index=names)
            others = [name for name in names if name not in chosen]
            ideal[list(chosen)] = activity[list(chosen)].max().max()
            ideal[others] = activity[others].min().min()
            expected = (activity - ideal).abs().mean(axis=1).idxmin()
        assert cluster == expected
        assert supported == (set(activity.columns[activity.loc[cluster] > 0.5]) == set(chosen))


def seam_epistasis(y: dict[tuple[str, ...], float]) -> dict[tuple[str, ...], float]:
    """SEAM's code: the sign is that of the subset's size."""
    return {
        s: sum((-1) ** len(t) * y[t] for t in chain.from_iterable(combinations(s, r) for r in range(len(s) + 1)))
        for s in y
    }


@pytest.mark.parity
def test_parity_12_moebius_sign() -> None:
    rng = np.random.default_rng(0)
    names = "ABCD"
    y = {s: float(rng.normal()) for s in chain.from_iterable(combinations(names, r) for r in range(5))}
    ours, theirs = moebius(y), seam_epistasis(y)
    for s in y:
        assert ours[s] == pytest.approx((-1) ** len(s) * theirs[s])
    for s, value in y.items():  # and only ours adds up to the activities again
        parts = chain.from_iterable(combinations(s, r) for r in range(len(s) + 1))
        assert sum(ours[t] for t in parts) == pytest.approx(value)
    del y["A",]
    assert np.isnan(moebius(y)["A", "B"])


@pytest.mark.parity
def test_parity_12_all_orders_of_medians_are_moebius_inversion() -> None:
    rng = np.random.default_rng(0)
    states = pd.DataFrame(rng.random((400, 3)) < 0.5, columns=list("ABC"))
    y = rng.normal(size=400)
    typical = configuration_activity(y, states).set_index("configuration")["median"].to_dict()
    found = site_effects(y, states, order=None, statistic="median").set_index("sites")["effect"]
    for s, value in moebius(typical).items():
        assert found[s] == pytest.approx(value)


@pytest.mark.parity
@pytest.mark.parametrize("own", [False, True])
def test_parity_additive_parameters(own: bool) -> None:
    rng = np.random.default_rng(0)
    given, kept = planted()
    codes = rng.integers(0, 4, (600, LENGTH))
    sums = fine_sums(rng.normal(size=(600, 4, LENGTH)), codes, np.repeat(np.arange(60), 10))
    background = separate_background(sums)
    sites = table(**SPANS).assign(positions=[(5, 7, 12), (18, 24), tuple(range(40, 49))])
    configurations = Configurations(*[pd.DataFrame(kept, columns=list("ABC"), index=sums.labels)] * 2)
    found = additive_parameters(background, sites, configurations, positions_only=own, clusters={"B": 7})
    for column, (name, (first, last)) in enumerate(SPANS.items()):
        rows = [7] if name == "B" else np.flatnonzero(kept[:, column])
        expected = background.foreground[rows].mean(0)[:, first:last].copy()
        if own:
            inside = np.isin(range(first, last), sites["positions"][column])
            expected[:, ~inside] = 0
        np.testing.assert_allclose(found[name], expected)
    assert given.labels.tolist() == sums.labels.tolist()


def additive_pair(n: int = 4000, seed: int = 0, pair: float = 0.5) -> tuple[np.ndarray, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    states = pd.DataFrame(rng.random((n, 3)) < 0.4, columns=list("ABC"))
    a, b, c = states.to_numpy(float).T
    return 1 + 0.3 * a - 0.2 * b + 0.1 * c + pair * a * b + rng.normal(size=n) * 0.2, states


def test_effects_are_a_regressions() -> None:
    y, states = additive_pair()
    found = site_effects(y, states)
    a, b, c = states.to_numpy(float).T
    design = np.stack([np.ones_like(a), a, b, c, a * b, a * c, b * c], axis=1)
    solution, residual, *_ = np.linalg.lstsq(design, y, rcond=None)
    np.testing.assert_allclose(found["effect"], solution, atol=1e-10)
    truth = [1, 0.3, -0.2, 0.1, 0.5, 0, 0]
    error = np.sqrt(np.diag(np.linalg.inv(design.T @ design)) * residual / len(y))
    np.testing.assert_allclose(found["se"], error, rtol=0.15)
    assert (np.abs(found["effect"] - truth) < 4 * error).all()
    assert found["term"].tolist() == ["none", "A", "B", "C", "A:B", "A:C", "B:C"]
    assert found["n"].tolist() == design.sum(0).astype(int).tolist()


def test_intervals_cover_as_often_as_they_say() -> None:
    hits = []
    for seed in range(60):
        row = site_effects(*additive_pair(300, seed), level=0.8, n_bootstrap=200, random_state=seed).iloc[4]
        hits.append(row["low"] <= 0.5 <= row["high"])
    assert 0.65 < np.mean(hits) < 0.93


@pytest.mark.parametrize("m", [1, 2, 3, 10, 11])
def test_bootstrap_medians_are_those_of_drawn_samples(m: int) -> None:
    rng = np.random.default_rng(m)
    values = np.sort(rng.normal(size=m))
    drawn = np.sort(bootstrap_medians(values, 40_000, rng))
    naive = np.sort(np.median(values[rng.integers(0, m, (40_000, m))], axis=1))
    points, which = np.unique(np.concatenate([drawn, naive]), return_inverse=True)
    ours, theirs = (np.bincount(part, minlength=len(points)) / 40_000 for part in np.split(which, 2))
    assert np.abs(np.cumsum(ours) - np.cumsum(theirs)).max() < 0.015  # Kolmogorov-Smirnov at this many: 0.012 is 1 %


def test_seeds() -> None:
    y, states = additive_pair(200)
    for statistic in ("mean", "median"):
        a, b, c = (site_effects(y, states, statistic=statistic, random_state=seed) for seed in (1, 1, 2))
        pd.testing.assert_frame_equal(a, b)
        assert not a["low"].equals(c["low"])
        pd.testing.assert_series_equal(a["effect"], c["effect"])


def test_what_no_configuration_decides_is_said() -> None:
    states = (
        pd.DataFrame({"A": [False, True, True], "B": [False, False, True]}).loc[[0, 1, 2] * 5].reset_index(drop=True)
    )
    found = site_effects(np.arange(15.0), states, order=None)
    assert found["supported"].tolist() == [True, True, False, False]  # B is never without A
    assert found["effect"].isna().tolist() == [False, False, True, True]
    assert site_effects(np.arange(15.0), states, order=1)["supported"].all()
    assert (site_effects(np.ones(4), pd.DataFrame({"A": [True] * 4}))["supported"]).tolist() == [False, False]


def test_states_count_changes_at_a_sites_own_positions() -> None:
    sites = table(A=(1, 5)).assign(positions=[(1, 2, 4)])
    X = ["ACGTACGT", "ATGTACGT", "ATTTACGT", "ACGAACGT", "ATTTCCGT", "TCGTACTT"]
    changes = np.array([0, 1, 2, 0, 3, 0])
    for most in (0, 1, 2):
        found = site_states(X, sites, "ACGTACGT", max_mutations=most)
        assert found["A"].tolist() == (changes <= most).tolist()


def test_motifs_are_flat_where_mutation_is_free(sums: FineSums) -> None:
    sites = table(A=SPANS["A"], free=(28, 36))
    configurations = site_configurations(sums, sites, multiplier=0.5)
    configurations.active["free"] = configurations.active["A"]
    motifs = site_motifs(sums, sites, configurations)
    assert motifs.consensus("A") == "A" * 8
    assert float(motifs["A"][0].min()) > 0.6
    assert float((motifs["free"] - 0.25).abs().max()) < 0.12
    assert site_motifs(sums, sites, configurations, flank=2).widths == (12, 12)
    assert site_motifs(sums, table(A=(1, 13)), configurations, flank=3).widths == (16,)  # the window ends
    assert motifs.n_sites[0] == sums.n[configurations.active["A"]].sum()


def test_a_site_that_nothing_resembles_has_no_name(sums: FineSums) -> None:
    from nbinterp import demo

    sites = find_sites(sums)
    found = name_sites(sites, sums, site_configurations(sums, sites), demo.motifs(n_shuffled=4), max_p=1e-6)
    assert found["motif"].isna().all()
    assert found["motif_start"].isna().all()
    pd.testing.assert_frame_equal(found[sites.columns], sites)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: find_sites(s, max_gap=0), r"find_sites\(max_gap\): got 0; need at least 1"),
        (lambda s: find_sites(s, max_q=0), r"find_sites\(max_q\): got 0; need between 0 and 1"),
        (lambda s: find_sites(s.merge(s.labels % 3)), r"find_sites\(source\): got 3 clusters that weigh as 3.0"),
        (lambda s: find_sites(np.zeros((9, 9))), r"find_sites\(source\): got a ndarray; need FineSums, or a frame"),
        (lambda s: find_sites(pd.DataFrame(np.full((9, 9), np.nan))), r"find_sites\(source\): got NaN"),
        (lambda s: covariance_sites(s, n_sites=2, cut_height=1), r"covariance_sites\(cut_height\): got n_sites too"),
        (lambda s: covariance_sites(s, n_sites=60), r"covariance_sites\(n_sites\): got 60; need between 1 and 59"),
        (lambda s: covariance_sites(s.union()), r"covariance_sites\(source\): got 1 clusters by 60 positions"),
        (lambda s: covariance_sites(s, method="mean"), r"covariance_sites\(method\): got 'mean'"),
        (
            lambda s: site_configurations(s, table(A=(50, 61))),
            r"\(sites\): got site A at \[50, 61\); need .* \[0, 60\)",
        ),
        (lambda s: site_configurations(s, table(A=(5, 5))), r"\(sites\): got 1 sites"),
        (lambda s: site_configurations(s, table(A=(5, 7)), rate=0), r"\(rate\): got 0"),
        (lambda s: site_states(["ACGT"], table(A=(1, 3)), "ACGT", max_mutations=2), r"got 2 for site A of 2 bases"),
        (lambda s: site_states(["ACGT"], table(A=(1, 9)), "ACGT"), r"site_states\(sites\): got site A at \[1, 9\)"),
        (lambda s: site_effects([1.0], pd.DataFrame({"A": [1.0]})), r"site_effects\(states\): got a DataFrame; need"),
        (lambda s: site_effects([1.0, 2.0], pd.DataFrame({"A": [True]})), r"site_effects\(y\): got shape \(2,\)"),
        (lambda s: site_effects([1.0], pd.DataFrame({"A": [True]}), level=1), r"site_effects\(level\): got 1"),
        (lambda s: site_effects([1.0], pd.DataFrame({"A": [True]}), order=0), r"site_effects\(order\): got 0"),
    ],
)
def test_bad_arguments(sums: FineSums, call, message: str) -> None:
    with pytest.raises(NbinterpError, match=message):
        call(sums)


def test_a_cluster_without_a_configuration_is_named() -> None:
    given = Configurations(*[pd.DataFrame({"A": [True]}, index=[4])] * 2)
    with pytest.raises(NbinterpError, match=r"Configurations.states\(labels\): got clusters \[5\]"):
        given.states([4, 5])


def test_too_many_terms_are_refused() -> None:
    states = pd.DataFrame(np.ones((2, 14), bool), columns=site_names(14))
    with pytest.raises(NbinterpError, match=r"site_effects\(order\): got 16384 terms of 14 sites; need at most 2048"):
        site_effects([1.0, 2.0], states, order=None)
