"""Sums of selections, new sequences and the words of both halves: against sums row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from nbinterp.errors import NbinterpError
from nbinterp.live import Packed, unpack_blocks
from nbinterp.live.mechanism import MechanismAsk, MechanismEngine, decode_mechanism, encode_mechanism
from nbinterp.live.mechanism_fresh import Newcomers, consensus_of
from nbinterp.live.mechanism_letters import holds_pattern
from nbinterp.live.mechanism_sums import SelectionSums, pack_selection, unpack_selection
from nbinterp.mechanism.summary_sums import FineSums, fine_sums
from tests.live.mechanisms import Sites, codes, shared


def library(n: int = 700, width: int = 9, kinds: int = 30, seed: int = 0) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    maps, letters = rng.normal(size=(n, 4, width)).astype(np.float32), rng.integers(0, 5, (n, width)).astype(np.uint8)
    y, labels = rng.normal(size=n), rng.integers(0, kinds, n)
    return maps, letters, y, labels, fine_sums(maps, np.pad(letters, ((0, 0), (3, 0))), labels, y, start=3)


def naive(maps: np.ndarray, letters: np.ndarray, y: np.ndarray, rows: np.ndarray, fine: FineSums) -> dict[str, Any]:
    chosen = maps[rows].astype(np.float64)
    assert fine.y_edges is not None
    counts = np.stack([(letters[rows] == base).sum(axis=0) for base in range(4)])
    histogram = np.histogram(y[rows], fine.y_edges)[0]
    return {"maps": chosen.sum(0), "squares": (chosen**2).sum(0), "letters": counts, "y": y[rows].sum(), "y_counts": histogram}  # fmt: skip


def selections(labels: np.ndarray) -> dict[str, np.ndarray]:
    rng, n = np.random.default_rng(1), len(labels)
    alone = np.zeros(n, bool)
    alone[17] = True
    kinds = np.unique(labels[labels >= 0])
    mostly = labels == kinds[3]
    mostly[np.flatnonzero(mostly)[0]] = False
    return {
        "one": alone,
        "few": rng.random(n) < 0.05,
        "half": rng.random(n) < 0.5,
        "most": rng.random(n) < 0.95,
        "clusters": np.isin(labels, kinds[[1, 2, 8]]),
        "a cluster less one": mostly,
        "all": np.ones(n, bool),
    }


@pytest.mark.parametrize("name", ["one", "few", "half", "most", "clusters", "a cluster less one", "all"])
def test_sums_are_those_of_the_rows(name: str) -> None:
    maps, letters, y, labels, fine = library()
    rows = selections(labels)[name]
    found, want = SelectionSums(maps, letters, y, labels, fine).of(rows), naive(maps, letters, y, rows, fine)
    assert int(found.n[0]) == rows.sum()
    assert (found.start, found.labels.tolist()) == (3, [0])
    np.testing.assert_allclose(found.maps[0], want["maps"], rtol=0, atol=2e-5)  # float32 within 256 rows
    np.testing.assert_allclose(found.squares[0], want["squares"], rtol=1e-5, atol=1e-4)
    np.testing.assert_array_equal(found.letters[0], want["letters"])
    np.testing.assert_array_equal(found.y_counts[0], want["y_counts"])
    np.testing.assert_allclose(found.y[0], want["y"])


def test_noise_and_gaps_in_labels_are_read_row_by_row() -> None:
    maps, letters, y, labels, _ = library()
    labels = np.where(labels % 7 == 0, -1, labels * 3)
    fine = fine_sums(maps, letters, labels, y)
    sums = SelectionSums(maps, letters, y, labels, fine)
    for rows in selections(labels).values():
        found, want = sums.of(rows), naive(maps, letters, y, rows, fine)
        np.testing.assert_allclose(found.maps[0], want["maps"], atol=2e-5)
        np.testing.assert_array_equal(found.letters[0], want["letters"])


def test_maps_may_be_a_file_of_half_precision(tmp_path: Any) -> None:
    maps, letters, y, labels, fine = library()
    stored = np.lib.format.open_memmap(tmp_path / "maps.npy", "w+", np.float16, maps.shape)
    stored[:] = maps
    rows = selections(labels)["few"]
    found = SelectionSums(stored, letters, y, labels, fine).of(rows)
    np.testing.assert_allclose(found.maps[0], naive(maps, letters, y, rows, fine)["maps"], atol=0.05)


def test_a_selection_travels_as_bits() -> None:
    rows = np.random.default_rng(0).random(101) < 0.3
    assert len(pack_selection(rows)) == 13
    np.testing.assert_array_equal(unpack_selection(pack_selection(rows), 101), rows)
    assert not unpack_selection(b"", 9).any()
    with pytest.raises(NbinterpError, match=r"unpack_selection\(data\): got 3 bytes; need 13"):
        unpack_selection(b"\x00\x01\x02", 101)
    maps, letters, y, labels, fine = library()
    with pytest.raises(NbinterpError, match=r"SelectionSums\(rows\): got none"):
        SelectionSums(maps, letters, y, labels, fine).of(np.zeros(len(y), bool))


# --- engine ---------------------------------------------------------------------------------------------------------


def engine() -> MechanismEngine:
    return MechanismEngine(shared(), Newcomers(shared(), Sites(), device="cpu"))


def said(ask: MechanismAsk, one: MechanismEngine | None = None) -> Any:
    [answer] = (one or engine()).answer(ask)
    return answer


def test_an_answer_has_the_blocks_of_one_leaf() -> None:
    rows = np.arange(len(shared())) % 3 == 0
    answer = said(MechanismAsk("sums", 4, "k", pack_selection(rows)))
    words, data = encode_mechanism(answer)
    assert (words["kind"], words["what"], words["number"], words["key"], words["words"]) == (
        "mechanism",
        "sums",
        4,
        "k",
        "",
    )
    arrays = unpack_blocks(Packed(data, words["blocks"]))
    np.testing.assert_allclose(arrays["maps"][0], shared().maps[rows].sum(axis=0), rtol=1e-5, atol=1e-5)
    assert arrays["counts"].tolist() == [rows.sum()]
    assert arrays["letters"].sum() == rows.sum() * 36


def test_a_variant_lands_where_its_own_map_would() -> None:
    row = int(np.flatnonzero(shared().table["hamming"] == 1)[0])
    changed = np.flatnonzero(shared().library.codes[row] != shared().reference)
    changes = tuple((int(at), int(shared().library.codes[row, at])) for at in changed)
    answer = said(MechanismAsk("variant", 1, "", source=-1, changes=changes))
    assert answer.words == ""
    found = answer.arrays
    assert found["row"].tolist() == [
        np.flatnonzero((shared().library.codes == shared().library.codes[row]).all(axis=1))[0]
    ]
    np.testing.assert_allclose(found["maps"][0], shared().maps[row], atol=1e-5)
    np.testing.assert_allclose(found["xy"][0], shared().embedding[row], atol=1e-4)
    np.testing.assert_allclose(found["y"], shared().y[row], rtol=1e-6)
    assert found["leaf"].tolist() == [shared().fine_labels[row]]
    other = said(MechanismAsk("variant", 1, "", source=row, changes=((0, 0), (1, 0), (2, 0))))
    assert other.fresh.codes[0, :3].tolist() == [0, 0, 0]


def test_where_the_embedding_has_no_axes_near_maps_say_where() -> None:
    from tests.live.mechanisms import space as make

    flat = make(embedding=shared().embedding[:, ::-1])
    assert flat.axes is None
    fresh = Newcomers(flat, Sites(), device="cpu").of(flat.library.codes[5:7])
    np.testing.assert_allclose(fresh.xy, flat.embedding[5:7], atol=1e-3)


def test_mutants_of_a_selection_begin_with_what_it_agrees_on() -> None:
    rows = np.zeros(len(shared()), bool)
    rows[40:60] = True
    answer = said(MechanismAsk("resample", 1, "", pack_selection(rows), count=30, rate=0.05, seed=3))
    fresh = answer.fresh
    np.testing.assert_array_equal(fresh.codes[0], consensus_of(shared().library.codes[rows]))
    assert fresh.codes.shape == (30, 36)
    assert 0 < (fresh.codes != fresh.codes[0]).sum(axis=1).mean() < 6
    with torch.no_grad():
        X = torch.from_numpy(np.eye(4, dtype=np.float32)[fresh.codes].transpose(0, 2, 1))
        np.testing.assert_allclose(fresh.y, Sites()(X).numpy()[:, 0], rtol=1e-5)
    assert answer.arrays["counts"].tolist() == [30]
    np.testing.assert_allclose(answer.arrays["activities"], fresh.y, rtol=1e-6)
    assert answer.arrays["y_counts"].sum() == 30
    assert answer.arrays["letters"].shape == (1, 4, 36)
    again = said(MechanismAsk("resample", 2, "", pack_selection(rows), count=30, rate=0.05, seed=3))
    np.testing.assert_array_equal(again.fresh.codes, fresh.codes)


def test_colours_are_told() -> None:
    one = engine()
    np.testing.assert_array_equal(
        said(MechanismAsk("colour", 1, "", colour="base:7"), one).arrays["colour"], codes()[:, 7]
    )
    words = ["".join("ACGT"[code] for code in row) for row in codes()]
    turned = ["".join({"A": "T", "C": "G", "G": "C", "T": "A"}[letter] for letter in word[::-1]) for word in words]
    want = ["TGACT" in word or "TGACT" in back for word, back in zip(words, turned, strict=True)]
    assert said(MechanismAsk("colour", 1, "", colour="motif:tgact"), one).arrays["colour"].tolist() == want
    assert 0 < sum(want) < len(want)
    assert holds_pattern(codes(), "N" * 40).sum() == 0
    assert holds_pattern(codes(), "N" * 36).all()


def test_errors_are_answers() -> None:
    other = Sites()
    other.kernel.data *= 2
    stranger = MechanismEngine(shared(), Newcomers(shared(), other, device="cpu"))
    asks = {
        "pass model= to the view": (MechanismAsk("variant", 1, ""), MechanismEngine(shared())),
        "got position 99; need positions 0 to 35": (MechanismAsk("variant", 1, "", changes=((99, 0),)), engine()),
        "got nothing selected": (MechanismAsk("resample", 1, "", count=5, rate=0.1), engine()),
        "need 1 to 10000": (MechanismAsk("resample", 1, "", count=0, rate=0.1), engine()),
        "maps by saliency of output 0 that differ by 300% from those of the space": (
            MechanismAsk("variant", 1, ""),
            stranger,
        ),
    }
    for words, (ask, one) in asks.items():
        assert words in said(ask, one).words


def test_requests_are_checked() -> None:
    base = {"kind": "mechanism", "what": "variant", "number": 1, "key": "", "source": 2, "changes": [[4, 1]]}
    assert decode_mechanism(base).changes == ((4, 1),)
    assert decode_mechanism({**base, "what": "sums"}, b"\x01").rows == b"\x01"
    with pytest.raises(NbinterpError, match=r"decode_mechanism\(what\): got 'other'"):
        decode_mechanism({**base, "what": "other"})
    with pytest.raises(NbinterpError, match=r"decode_mechanism\(source\): got None"):
        decode_mechanism({**base, "source": None})
