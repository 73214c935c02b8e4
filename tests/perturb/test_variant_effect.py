"""Variant effects: against sequences edited as text, against the peer, their errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nbinterp.attribution import deep_lift_shap
from nbinterp.errors import NbinterpError, OptionError
from nbinterp.perturb import deletion_effect, insertion_effect, substitution_effect
from nbinterp.sequence import PackedSequence, characters, one_hot_encode

from .shared import LENGTH, Gated, TwoHeads, dense, further, mixing, model, one_hot, same

CPU = {"device": "cpu"}
EFFECTS = {"substitution": substitution_effect, "deletion": deletion_effect, "insertion": insertion_effect}
ROWS = {
    "substitution": [[0, 0, 1], [0, 59, 2], [2, 30, 0], [2, 31, 3], [3, 5, 1]],
    "deletion": [[0, 0], [0, 1], [0, 61], [2, 30], [2, 31], [2, 31], [3, 5]],
    "insertion": [[0, 0, 1], [0, 59, 2], [2, 30, 0], [2, 30, 3], [2, 31, 1], [0, 0, 2], [3, 5, 1], [2, 30, 1]],
}


def letters(effect: object, text: str, rows: object, **options: object) -> str:
    """What becomes of a sequence, as text."""
    result = effect(None, one_hot_encode(text)[None], rows, func=lambda _, X: X, **options)  # type: ignore[operator]
    return characters(result.y_after[0], allow_N=True)


def sequences_for(kind: str, n: int = 5) -> torch.Tensor:
    return one_hot(n, LENGTH + 3 if kind == "deletion" else LENGTH, unknown=True)


def test_substitutions_of_a_sequence_are_made_together() -> None:
    assert letters(substitution_effect, "AAAA", [[0, 1, 1], [0, 3, 2]]) == "ACAG"
    assert letters(substitution_effect, "AANA", [[0, 2, 3]]) == "AATA"


def test_deletions_pull_in_what_is_beside() -> None:
    assert letters(deletion_effect, "ACGTN", [[0, 1], [0, 1]]) == "AGTN"
    X = torch.stack([one_hot_encode("ACGTA"), one_hot_encode("CCGGT")])
    before, after = deletion_effect(None, X, [[0, 1], [0, 2], [1, 4]], func=lambda _, X: X)
    assert [characters(one) for one in (*before, *after)] == ["ACG", "CCG", "ATA", "CCG"]
    before, after = deletion_effect(None, X, [[0, 1], [0, 2], [1, 4]], left=True, func=lambda _, X: X)
    assert [characters(one) for one in (*before, *after)] == ["GTA", "GGT", "ATA", "CGG"]


def test_insertions_push_out_what_is_at_the_end() -> None:
    assert letters(insertion_effect, "AAAA", [[0, 1, 1], [0, 1, 2], [0, 3, 3]]) == "AGCA"
    assert letters(insertion_effect, "AAAA", [[0, 1, 1], [0, 1, 2], [0, 3, 3]], left=True) == "AATA"  # of AGCAATA
    assert letters(insertion_effect, "ACGT", [[0, 3, 1], [0, 0, 2]]) == "GACG"
    assert letters(insertion_effect, "ANGT", np.zeros((0, 3), int)) == "ANGT"


@pytest.mark.parametrize("kind", EFFECTS)
def test_compact_sequences_and_arrays_give_the_same(kind: str) -> None:
    X = sequences_for(kind)
    expected = EFFECTS[kind](model(dense), X, ROWS[kind], **CPU)
    for rows in (PackedSequence.from_one_hot(X), X.numpy(), X.to(torch.int8)):
        same(EFFECTS[kind](model(dense), rows, torch.tensor(ROWS[kind]), **CPU), expected)
    untouched = X.clone()
    EFFECTS[kind](model(dense), X, ROWS[kind], **CPU)
    assert torch.equal(X, untouched)


@pytest.mark.parametrize(
    ("kind", "rows", "message"),
    [
        ("substitution", [[0, 3, 1], [0, 3, 2]], r"\(substitutions\): got two rows for position 3 of sequence 0"),
        ("substitution", [[5, 3, 1]], r"\(substitutions\): got example_idx 5 in row 0; need 0 to 4"),
        ("substitution", [[0, 3, 1], [0, 60, 2]], r"\(substitutions\): got position 60 in row 1; need 0 to 59"),
        ("substitution", [[0, 3, 4]], r"\(substitutions\): got base 4 in row 0; need 0 to 3"),
        ("substitution", [[0, 3]], r"got int64 of shape \(1, 2\); need integers \(n, 3\): example_idx, position, base"),
        ("deletion", [[0, -1]], r"\(deletions\): got position -1 in row 0; need 0 to 62"),
        ("deletion", [[1, i] for i in range(63)], r"\(deletions\): got a sequence with all of its 63 bases deleted"),
        ("insertion", [[0, 60, 1]], r"\(insertions\): got position 60 in row 0; need 0 to 59"),
        ("insertion", [[7, 6, 1]], r"\(insertions\): got example_idx 7 in row 0; need 0 to 4"),
    ],
)
def test_bad_rows(kind: str, rows: object, message: str) -> None:
    with pytest.raises(NbinterpError, match=f"{kind}_effect{message}" if message[0] == "\\" else message):
        EFFECTS[kind](model(dense), sequences_for(kind), rows, **CPU)


@pytest.mark.parametrize("kind", EFFECTS)
def test_bad_sequences_and_options(kind: str) -> None:
    with pytest.raises(NbinterpError, match=rf"{kind}_effect\(X\): got no sequences; need at least one"):
        EFFECTS[kind](model(dense), one_hot(2)[:0], ROWS[kind])
    with pytest.raises(NbinterpError, match=rf"{kind}_effect\(X\): got shape \(4, 60\)"):
        EFFECTS[kind](model(dense), one_hot(2)[0], ROWS[kind])
    with pytest.raises(OptionError, match=rf"{kind}_effect\(target\): got an option that predict does not accept"):
        EFFECTS[kind](model(dense), sequences_for(kind), ROWS[kind], target=1)


@pytest.mark.parity
@pytest.mark.parametrize("make", [dense, TwoHeads, mixing])
@pytest.mark.parametrize(
    ("kind", "options"),
    [("substitution", {}), *((k, {"left": left}) for k in ("deletion", "insertion") for left in (False, True))],
)
def test_effects_are_the_peers(make: object, kind: str, options: dict[str, bool]) -> None:
    peer = pytest.importorskip("tangermeme.variant_effect")
    net, X = model(make), sequences_for(kind)
    for some in (ROWS[kind], ROWS[kind][:2], ROWS[kind][-1:]):
        X_ = X if kind != "deletion" else X[:, :, : LENGTH + most(some)]
        rows = [row for row in some if row[1] < X_.shape[2]]
        theirs = getattr(peer, f"{kind}_effect")(net, X_, torch.tensor(rows), **options, **CPU)
        same(EFFECTS[kind](net, X_, torch.tensor(rows), **options, **CPU), theirs)


def most(rows: list[list[int]]) -> int:
    """The most deletions that a sequence has."""
    return int(np.unique([row[0] for row in {tuple(row) for row in rows}], return_counts=True)[1].max())


@pytest.mark.parity
@pytest.mark.parametrize("left", [False, True])
def test_layouts_are_the_peers_letter_by_letter(left: bool) -> None:
    peer = pytest.importorskip("tangermeme.variant_effect")
    generator, X = torch.Generator().manual_seed(0), one_hot(6, 20, unknown=True)
    for n in (0, 1, 7, 60):
        rows = torch.stack([torch.randint(0, size, (n,), generator=generator) for size in (6, 20, 4)], dim=1)
        seen = {"func": lambda model, X, args=None: X, "left": left}
        same(insertion_effect(None, X, rows, **seen), peer.insertion_effect(None, X, rows, **seen))
        if n:
            same(deletion_effect(None, X, rows, **seen), peer.deletion_effect(None, X, rows, **seen))


@pytest.mark.parity
@pytest.mark.parametrize("kind", EFFECTS)
def test_further_inputs_and_attributions_are_the_peers(kind: str) -> None:
    peer = getattr(pytest.importorskip("tangermeme.variant_effect"), f"{kind}_effect")
    dls = pytest.importorskip("tangermeme.deep_lift_shap").deep_lift_shap
    X, rows = sequences_for(kind), torch.tensor(ROWS[kind])
    options = {"args": further(5), "batch_size": 2, **CPU}
    same(EFFECTS[kind](model(Gated), X, rows, **options), peer(model(Gated), X, rows, **options))
    X = one_hot(5, X.shape[2])
    options = {"additional_func_kwargs": {"target": 1}, "n_shuffles": 2, "random_state": 1, **CPU}
    theirs = peer(model(dense), X, rows, func=dls, **options)
    same(EFFECTS[kind](model(dense), X, rows, func=deep_lift_shap, **options), theirs)


@pytest.mark.parametrize("kind", EFFECTS)
def test_a_second_device_agrees_with_the_cpu(kind: str, second_device: str) -> None:
    net, X = model(dense), sequences_for(kind)
    expected = EFFECTS[kind](net, X, ROWS[kind], **CPU)
    for rows in (X, X.to(second_device)):
        same(EFFECTS[kind](net, rows, torch.tensor(ROWS[kind]), device=second_device), expected, 1e-10)
