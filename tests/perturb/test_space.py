"""Spacing: where motifs go, against one spacing at a time, against the peer, its errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nbinterp.attribution import deep_lift_shap
from nbinterp.core.results import SpaceResult
from nbinterp.errors import NbinterpError, OptionError
from nbinterp.model import predict
from nbinterp.perturb import space
from nbinterp.sequence import PackedSequence, characters, multisubstitute, one_hot_encode

from .shared import Counting, Gated, TwoHeads, at, dense, further, mixing, model, one_hot, same

MOTIFS = ["TGANTCA", "GATAA"]
GAPS = [[0], [3], [48], [10]]  # the third fills the sequence
CPU = {"device": "cpu"}


def test_motifs_go_where_they_are_told() -> None:
    X = one_hot_encode("AAAAAAAAAA")[None]
    _, y_afters = space(None, X, ["CC", "G"], [[0], [2], [7]], func=lambda _, X: X)
    assert [characters(one) for one in y_afters[0]] == ["AAAACCGAAA", "AAACCAAGAA", "CCAAAAAAAG"]
    _, y_afters = space(None, X, ["CC", "G"], [[0], [2]], start=1, func=lambda _, X: X)
    assert [characters(one) for one in y_afters[0]] == ["ACCGAAAAAA", "ACCAAGAAAA"]


@pytest.mark.parametrize("make", [dense, mixing, TwoHeads])
def test_spacings_together_are_one_by_one(make: object) -> None:
    net, X = model(make), one_hot(20, unknown=True)
    result = space(net, X, MOTIFS, GAPS, **CPU)
    assert isinstance(result, SpaceResult)
    same(result.y_before, predict(net, X, **CPU))
    for s, gaps in enumerate(GAPS):
        same(at(result.y_afters, slice(None), s), predict(net, multisubstitute(X, MOTIFS, gaps), **CPU))


def test_edits_recompute_only_what_they_reach() -> None:
    X, gaps = one_hot(3), [[i] for i in range(3)] * 20
    whole, parts = Counting(model(dense)), Counting(model(dense))
    expected = space(whole, X, MOTIFS, gaps, reuse=False, **CPU)
    same(space(parts, X, MOTIFS, gaps, **CPU), expected)
    assert (whole.rows, parts.rows < 40) == (183, True)


def test_compact_sequences_arrays_and_kinds_of_spacing() -> None:
    X = one_hot(4, unknown=True)
    expected = space(model(dense), X, MOTIFS, GAPS, **CPU)
    for rows in (PackedSequence.from_one_hot(X), X.numpy(), X.to(torch.int8)):
        same(space(model(dense), rows, MOTIFS, GAPS, **CPU), expected)
    for gaps in (np.array(GAPS), torch.tensor(GAPS), torch.tensor(GAPS, dtype=torch.int32)):
        same(space(model(dense), X, MOTIFS, gaps, **CPU), expected)


def test_progress_is_by_spacing_and_not_the_functions(capsys: pytest.CaptureFixture[str]) -> None:
    seen = []

    def func(model: object, X: torch.Tensor, verbose: bool = False) -> torch.Tensor:
        seen.append(verbose)
        return X

    space(None, one_hot(2), MOTIFS, GAPS, func=func, verbose=True)
    assert seen == [False, False]
    assert "4/4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"spacing": [[3], [-1]]}, r"space\(spacing\): got -1; need 0 or more"),
        ({"spacing": [[3], [49]]}, r"space\(motifs, spacing\): got 61 bases; need at most the sequences' length, 60"),
        ({"spacing": 3}, r"space\(spacing\): got shape \(\); need shape \(S, 1\)"),
        ({"spacing": [3, 4]}, r"space\(spacing\): got shape \(2,\)"),
        ({"spacing": [[3, 4]]}, r"space\(spacing\): got shape \(1, 2\)"),
        ({"spacing": torch.zeros(0, 1)}, r"space\(spacing\): got shape \(0, 1\)"),
        ({"spacing": [[0.5]]}, r"space\(spacing\): got float"),
        ({"start": 50}, r"space\(start\): got 50; need 0 to 45 for 15 bases in 60"),
        ({"motifs": ["A" * 61, "C"]}, r"space\(motifs, spacing\): got 65 bases"),
        ({"motifs": ["ACG"]}, r"space\(motifs\): got 1 motifs"),
        ({"X": one_hot(2)[0]}, r"space\(X\): got shape \(4, 60\)"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(NbinterpError, match=message):
        space(**{"model": model(dense), "X": one_hot(2), "motifs": MOTIFS, "spacing": [[3]], **arguments})


def test_unknown_options_are_named() -> None:
    with pytest.raises(OptionError, match=r"space\(target\): got an option that predict does not accept"):
        space(model(dense), one_hot(2), MOTIFS, [[3]], target=1)


@pytest.mark.parity
@pytest.mark.parametrize("make", [dense, TwoHeads, mixing])
@pytest.mark.parametrize("start", [None, 0])
def test_spacings_are_the_peers(make: object, start: int | None) -> None:
    peer = pytest.importorskip("tangermeme.space")
    net, X = model(make), one_hot(20, unknown=True)
    for motifs, gaps in (
        (MOTIFS, GAPS),
        ([one_hot(1, 3, seed=5), one_hot(20, 6, seed=6), "ACNGT"], [[0, 2], [10, 0], [4, 4]]),
        (["G", "C"], [[0]]),
    ):
        theirs = peer.space(net, X, motifs, torch.tensor(gaps), start=start, **CPU)
        same(space(net, X, motifs, torch.tensor(gaps), start, **CPU), theirs)


@pytest.mark.parity
def test_further_inputs_and_attributions_are_the_peers() -> None:
    peer = pytest.importorskip("tangermeme.space")
    dls = pytest.importorskip("tangermeme.deep_lift_shap").deep_lift_shap
    net, X, options = model(Gated), one_hot(12), {"args": further(12), "batch_size": 5, **CPU}
    same(space(net, X, MOTIFS, GAPS, **options), peer.space(net, X, MOTIFS, GAPS, **options))
    net, X, options = model(dense), one_hot(2), {"n_shuffles": 2, "random_state": 1, "target": 1, **CPU}
    theirs = peer.space(net, X, MOTIFS, GAPS, func=dls, **options)
    same(space(net, X, MOTIFS, GAPS, func=deep_lift_shap, **options), theirs)
    options["additional_func_kwargs"] = {"references": torch.stack([one_hot(2, seed=i) for i in range(2)])}
    theirs = peer.space(net, X, MOTIFS, GAPS, func=dls, **options)
    same(space(net, X, MOTIFS, GAPS, func=deep_lift_shap, **options), theirs)


def test_a_second_device_agrees_with_the_cpu(second_device: str) -> None:
    net, X = model(dense), one_hot(20)
    expected = space(net, X, MOTIFS, GAPS, **CPU)
    for reuse in (True, False):
        for rows in (X, X.to(second_device)):
            same(space(net, rows, MOTIFS, GAPS, reuse=reuse, device=second_device), expected, 1e-10)
    with pytest.raises(NbinterpError, match=r"space\(motifs\[1\]\): got a motif on cpu; need one on"):
        space(net, X.to(second_device), ["A", one_hot(1, 3)], [[1]], device=second_device)
