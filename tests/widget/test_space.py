"""What the page computes of clusters, held to nbinterp.mechanism: js/test/space.test.ts reads the same fixture.

`python -m tests.widget.test_space` writes it anew.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage

from nbinterp.mechanism.background import separate_background
from nbinterp.mechanism.cluster_tree import cut_tree
from nbinterp.mechanism.summary import cluster_order, summary_matrix
from nbinterp.mechanism.summary_logos import cluster_logos, difference_logo
from nbinterp.mechanism.summary_sums import FineSums, fine_sums
from nbinterp.widget.mechanism_clusters import Leaves, clusters_of

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "protocol" / "space.json"
N, F, W, START, K = 120, 14, 5, 100, 4
REFERENCE = "GACNT"
BACKGROUNDS = [
    {"rate": 0.1, "multiplier": 0.5, "adaptive": False},
    {"rate": 0.1, "multiplier": 1.5, "adaptive": True},
    {"rate": 0.3, "multiplier": 1.1, "adaptive": True},
    {"rate": 0.1, "multiplier": 0.0, "adaptive": True},
    {"rate": 0.75, "multiplier": 1.0, "adaptive": True},  # nothing is so entropic
]


def library() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Maps in whole 64ths, codes with a few unknown bases, fine labels that each occur, and activities."""
    rng = np.random.default_rng(7)
    fine = np.concatenate([np.arange(F), rng.integers(0, F, N - F)])
    codes = np.where(rng.random((N, W)) < 0.15 + 0.03 * fine[:, None], rng.integers(0, 4, (N, W)), fine[:, None] % 4)
    codes[rng.random((N, W)) < 0.03] = 4
    maps = np.round(64 * (rng.normal(size=(N, 4, W)) + 0.2 * fine[:, None, None])) / 64
    maps[fine < 4, :, 3] = 0  # nothing is attributed there, in one cluster alone
    return maps, codes.astype(np.uint8), fine, np.round(8 * (fine + rng.normal(size=N))) / 8


def trees(sums: FineSums) -> list[np.ndarray]:
    """Ward of the fine clusters; with heights that tie; with a long chain; the smallest; and a larger one."""
    rng = np.random.default_rng(1)
    ward = np.round(linkage(sums.means.reshape(F, -1), "ward"), 6)
    tied = ward.copy()
    tied[:, 2] = np.round(tied[:, 2])
    chain = linkage(np.cumsum(np.arange(9.0))[:, None], "single")
    return [
        ward,
        tied,
        chain,
        np.array([[0, 1, 0.0, 2]]),
        linkage(rng.integers(0, 5, (40, 2)) * 1.0, "complete").round(6),
    ]


def cuts(tree: np.ndarray) -> list[dict[str, Any]]:
    """Every number, one too many, and every height, between them too."""
    heights = np.unique(tree[:, 2])
    wanted: list[dict[str, Any]] = [{"k": k} for k in range(1, len(tree) + 3)]
    wanted += [{"height": float(h)} for h in [-1.0, 0.0, *heights, *(heights + 0.25)]]
    found = []
    for where in wanted:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of numbers that ties skip
            cut = cut_tree(tree, where.get("k"), height=where.get("height"))
        below = cut.below if np.isfinite(cut.below) else None
        found.append({"cut": where, "labels": cut.labels.tolist(), "k": cut.k, "height": cut.height, "below": below})
    return found


def edited(counts: np.ndarray, groups: np.ndarray, tree: np.ndarray) -> list[dict[str, Any]]:
    """Cuts and edits, some of which name clusters that are not there, and the clusters after them."""
    rng, found = np.random.default_rng(9), []
    for case in range(24):
        with_tree = case % 4 > 0
        cut = [None, {"k": 4}, {"k": 9}, {"height": float(tree[-4, 2])}][case % 3 + (case % 2 if with_tree else 0)]
        edits: list[list[Any]] = []
        for _ in range(case % 6):
            ids = rng.permutation(7)[: rng.integers(2, 4)].tolist()
            edits.append(["merge", *ids] if rng.random() < 0.5 else ["split", ids[0]])
        now = clusters_of(Leaves(counts, groups, tree if with_tree else None), cut, edits)
        found.append({"tree": with_tree, "cut": cut, "edits": edits,
                      "clusters": [[one.id, one.key, list(one.leaves)] for one in now]})  # fmt: skip
    return found


def of(sums: FineSums, every: FineSums) -> dict[str, Any]:
    """What is shown of clusters."""
    table = summary_matrix(sums, codes_of(REFERENCE))
    shown = {name: table[name].to_numpy().reshape(len(sums), W) for name in ("Entropy", "Consensus", "Reference")}
    logos = {kind: cluster_logos(sums, kind, library=every) for kind in ("frequency", "pwm", "enrichment")}
    centred = cluster_logos(sums, centre=True)
    return {"n": sums.n, "mean": sums.means, "error": sums.standard_errors, "centred": centred, **shown, **logos}


def codes_of(reference: str) -> np.ndarray:
    """Codes of a sequence of which the window is the end."""
    return np.concatenate([np.zeros(START, np.uint8), ["ACGTN".index(base) for base in reference]]).astype(np.uint8)


def weighted(sums: FineSums, weights: np.ndarray) -> FineSums:
    """The sums of parts of fine clusters."""
    part = {name: np.tensordot(weights, getattr(sums, name), (0, 0))[None] for name in
            ("n", "maps", "squares", "letters", "y", "y_squares", "y_counts")}  # fmt: skip
    return FineSums(labels=np.zeros(1, np.int64), start=START, y_edges=sums.y_edges, **part)


def packed(codes: np.ndarray) -> np.ndarray:
    """Two bits a base, the first in the highest bits."""
    filled = np.pad(np.where(codes < 4, codes, 0), ((0, 0), (0, -W % 4))).reshape(N, -1, 4)
    return (filled * np.array([64, 16, 4, 1])).sum(axis=2).astype(np.uint8)


def fixture() -> dict[str, Any]:
    """Fine clusters, and what follows from them."""
    maps, codes, fine, y = library()
    sums = fine_sums(maps, codes_wide(codes), fine, y, start=START)
    assert sums.y_edges is not None
    tree = trees(sums)[0]
    groups = cut_tree(tree, K).labels
    clusters, every = sums.merge(groups), sums.union()
    picked = np.random.default_rng(3).random(N) < 0.4
    assert set(groups[:4]) - set(groups[4:])
    unknown_at = np.argwhere([(codes[groups[fine] == k] == 4).any(axis=0) for k in range(K)])
    cluster, position = map(int, unknown_at[0])
    weights = np.bincount(fine[picked], minlength=F) / sums.n
    unknown = [[int(row), int(at), int(at) + 1] for row, at in np.argwhere(codes == 4)]
    difference, error = difference_logo(clusters, [0, 2], [1, 3])
    named = {"Entropy": cluster_order(clusters, "entropy"), "size": cluster_order(clusters, "size")}
    rows = np.random.default_rng(5).random((40, 3)).round(6)
    found = {
        "reference": REFERENCE,
        "blocks": {"leaf": fine, "labels": groups, "counts": sums.n, "maps": sums.maps, "squares": sums.squares,
                   "letters": sums.letters, "y": sums.y, "y_squares": sums.y_squares, "y_counts": sums.y_counts,
                   "children": tree[:, :2].astype(int), "heights": tree[:, 2], "codes": packed(codes),
                   "unknown": unknown},
        "range": sums.y_edges[[0, -1]],
        "trees": [{"children": one[:, :2].astype(int), "heights": one[:, 2], "cuts": cuts(one)} for one in trees(sums)],
        "clusters": of(clusters, every),
        "order": named,
        "edited": edited(sums.n, groups, tree),
        "rows": {"values": rows, "order": leaves_list(linkage(rows, "ward"))},
        "bitmap": np.packbits(picked, bitorder="little"),
        "weights": weights,
        "selection": of(weighted(sums, weights), every),
        "behind": {"cluster": cluster, "position": position, "base": 0,
                   "points": np.flatnonzero((groups[fine] == cluster) & (codes[:, position] == 0))},
        "difference": {"a": [0, 2], "b": [1, 3], "values": difference, "errors": error},
        "backgrounds": [background(clusters, options) for options in BACKGROUNDS],
    }  # fmt: skip
    return json.loads(json.dumps(found, default=plain))


def background(clusters: FineSums, options: dict[str, Any]) -> dict[str, Any]:
    """A background, by the names of its parts."""
    made = separate_background(clusters, **options)
    parts = ("threshold", "entropic", "background", "scale", "foreground")
    return {**options, **{name: getattr(made, name) for name in parts}}


def codes_wide(codes: np.ndarray) -> np.ndarray:
    """The sequences of which the window is the end."""
    return np.concatenate([np.zeros((len(codes), START), np.uint8), codes], axis=1)


def plain(value: Any) -> Any:
    """Numbers of arrays, to twelve digits."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return [plain(one) for one in value] if value.ndim > 1 else [float(f"{v:.12g}") for v in value]
    return value.tolist()


def same(known: Any, now: Any) -> None:
    """Hold two fixtures to each other: numbers to nine digits, all else exactly."""
    if isinstance(known, dict):
        assert known.keys() == now.keys()
        for key in known:
            same(known[key], now[key])
    elif isinstance(known, list) and known and isinstance(known[0], (dict, list)):
        assert len(known) == len(now)
        for one, other in zip(known, now, strict=True):
            same(one, other)
    elif isinstance(known, list) and known and isinstance(known[0], float):
        np.testing.assert_allclose(now, known, rtol=1e-9, atol=1e-9)
    elif isinstance(known, float):
        assert abs(now - known) < 1e-9
    else:
        assert known == now


def test_the_fixture_of_both_halves() -> None:
    same(json.loads(FIXTURE.read_text()), fixture())


if __name__ == "__main__":
    FIXTURE.write_text(json.dumps(fixture(), separators=(",", ":")).replace('],"', '],\n"') + "\n")
