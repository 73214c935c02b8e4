"""Ablation: its seeds and shapes, against one annotation at a time, against the peer, its errors."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from nbinterp.attribution import deep_lift_shap, saturation_mutagenesis
from nbinterp.core.results import AttributionReferencesResult
from nbinterp.errors import Interrupted, NbinterpError, OptionError
from nbinterp.model import predict
from nbinterp.perturb import ablate, ablate_annotations
from nbinterp.sequence import PackedSequence, dinucleotide_shuffle, randomize, shuffle

from .shared import Counting, Gated, TwoHeads, at, dense, further, mixing, model, one_hot, same

SPANS = [[0, 3, 12], [2, 50, 60], [1, 0, 8], [0, 20, 55], [2, 7, 18]]  # ragged, at both ends
WIDE = [[0, 3, 30], [2, 30, 60], [1, 0, 28], [0, 20, 55], [2, 7, 38]]  # a dinucleotide shuffle needs room
CPU = {"device": "cpu"}


def many_spans(n: int, sequences: int, least: int = 6) -> torch.Tensor:
    """n spans of `least` and up to 8 more bases, all over the sequences."""
    generator = torch.Generator().manual_seed(0)
    width = torch.randint(least, least + 9, (n,), generator=generator)
    start = (torch.rand(n, generator=generator) * (61 - width)).long()
    return torch.stack([torch.arange(n) * 7 % sequences, start, start + width], dim=1)


def test_the_output_is_that_of_shuffles_by_hand() -> None:
    net, X = model(dense), one_hot(3, unknown=True)
    y_before, y_after = ablate(net, X, 20, 40, n=4, random_state=3, **CPU)
    shuffled = shuffle(X, 20, 40, n=4, random_state=3)
    same(y_before, predict(net, X, **CPU))
    same(y_after, predict(net, shuffled.flatten(0, 1), **CPU).reshape(3, 4, 3))


@pytest.mark.parametrize("shuffle_fn", [shuffle, dinucleotide_shuffle, partial(dinucleotide_shuffle, method="uniform"),
                                        partial(randomize, probs=[[0.1, 0.4, 0.4, 0.1]])])  # fmt: skip
def test_any_shuffle_changes_the_span_alone(shuffle_fn: object) -> None:
    X = one_hot(3)
    _, y_after = ablate(None, X, 10, -11, 5, shuffle_fn, random_state=0, func=lambda _, X: X)
    expected = shuffle_fn(X, start=10, end=50, n=5, random_state=0)  # type: ignore[operator]
    assert torch.equal(y_after, expected)
    assert torch.equal(y_after[..., :10], X[:, None, :, :10].expand(-1, 5, -1, -1))
    assert not torch.equal(y_after[:, 0], y_after[:, 1])


def test_a_shuffle_that_moves_nothing() -> None:
    X = one_hot(2)
    _, y_after = ablate(None, X, 0, 60, 2, lambda X, **_: X[:, None].repeat(1, 2, 1, 1), func=lambda _, X: X)
    assert torch.equal(y_after[:, 1], X)


def test_compact_sequences_and_arrays_give_the_same() -> None:
    X, options = one_hot(4, unknown=True), {"random_state": 1, **CPU}
    expected = ablate(model(dense), X, 20, 30, **options)
    annotated = ablate_annotations(model(dense), X, SPANS, **options)
    for rows in (PackedSequence.from_one_hot(X), X.numpy(), X.to(torch.int8)):
        same(ablate(model(dense), rows, 20, 30, **options), expected)
        same(ablate_annotations(model(dense), rows, SPANS, **options), annotated)


@pytest.mark.parametrize("make", [dense, mixing, TwoHeads])
@pytest.mark.parametrize(("shuffle_fn", "least"), [(shuffle, 6), (dinucleotide_shuffle, 30)])
def test_a_hundred_annotations_together_are_one_by_one(make: object, shuffle_fn: object, least: int) -> None:
    net, X, spans = model(make), one_hot(5), many_spans(100, 5, least)
    options = {"n": 2, "shuffle_fn": shuffle_fn, "random_state": 0, **CPU}
    together = ablate_annotations(net, X, spans, **options)
    for j, (i, start, end) in enumerate(spans.tolist()):
        same((at(together.y_befores, j), at(together.y_afters, j)), ablate(net, X[i : i + 1], start, end, **options))


def test_sequences_are_predicted_once_and_edits_recompute_only_what_they_reach() -> None:
    X, spans = one_hot(5), many_spans(40, 3)
    whole, parts = Counting(model(dense)), Counting(model(dense))
    expected = ablate_annotations(whole, X, spans, n=10, random_state=0, reuse=False, **CPU)
    assert whole.rows == 3 + 40 * 10  # two of the five sequences are not annotated
    same(ablate_annotations(parts, X, spans, n=10, random_state=0, **CPU), expected)
    assert parts.rows < 40
    same(
        ablate(parts, X, 20, 30, n=10, random_state=0, **CPU),
        ablate(whole, X, 20, 30, n=10, random_state=0, reuse=False, **CPU),
    )


def test_a_function_sees_each_sequence_once_and_many_annotations_together(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def func(model: object, X: torch.Tensor) -> torch.Tensor:
        sizes.append(len(X))
        return X

    X = one_hot(3)
    expected = ablate_annotations(None, X, SPANS, n=4, random_state=0, func=func)
    assert sizes == [3, 20]
    assert expected.y_befores.shape == (5, 1, 4, 60)
    assert expected.y_afters.shape == (5, 1, 4, 4, 60)
    monkeypatch.setattr("nbinterp.perturb.run.GROUP_BYTES", 9 * X[0].numel() * X.element_size())
    sizes.clear()
    same(ablate_annotations(None, X, SPANS, n=4, random_state=0, func=func), expected)
    assert sizes == [3, 8, 8, 4]
    sizes.clear()
    same(ablate(None, X, 5, 25, n=4, random_state=0, func=func).y_after, shuffle(X, 5, 25, 4, 0))
    assert sizes == [3, 8, 4]


def test_a_seed_reaches_a_function_that_takes_one() -> None:
    seen = []

    def func(model: object, X: torch.Tensor, random_state: object = None) -> torch.Tensor:
        seen.append(random_state)
        return X

    X = one_hot(3)
    ablate(None, X, 5, 25, random_state=7, func=func)
    ablate_annotations(None, X, SPANS, random_state=8, func=func)
    ablate(None, X, 5, 25, random_state=7, func=func, additional_func_kwargs={"random_state": 1})
    assert seen == [7, 7, 8, 8, 1, 1]


def test_one_row_of_further_inputs_is_for_all_and_others_go_with_their_sequence() -> None:
    net, X, args = model(Gated), one_hot(3), further(3)
    options = {"n": 20, "random_state": 0, **CPU}
    for reuse in (True, False):
        together = ablate_annotations(net, X, SPANS, args=args, reuse=reuse, **options)
        for j, (i, start, end) in enumerate(SPANS):
            own = tuple(a[i : i + 1] for a in args)
            same(at(together, j), ablate(net, X[i : i + 1], start, end, args=own, **options))
        shared = tuple(a[:1] for a in args)
        together = ablate_annotations(net, X, SPANS, args=shared, reuse=reuse, **options)
        same(at(together, 1), ablate(net, X[2:], 50, 60, args=shared, **options))


def test_an_interrupt_keeps_finished_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    X, calls = one_hot(3), []

    def func(model: object, X: torch.Tensor) -> torch.Tensor:
        calls.append(len(X))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return X

    monkeypatch.setattr("nbinterp.perturb.run.GROUP_BYTES", 4 * X[0].numel() * X.element_size())
    with pytest.raises(Interrupted) as stopped:
        ablate(None, X, 5, 25, n=4, random_state=0, func=func)
    assert stopped.value.n_done == 1
    same(stopped.value.partial, (X[:1], shuffle(X[:1], 5, 25, 4, 0)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": 50, "end": 61}, r"ablate\(start, end\): got 50, 61; need 0 <= start < end <= 60"),
        ({"start": 5, "end": 5}, r"ablate\(start, end\): got 5, 5"),
        ({"start": -5, "end": 5}, r"ablate\(start, end\): got -5, 5"),
        ({"start": 5, "end": 15, "n": 0}, r"ablate\(n\): got 0; need at least 1"),
        ({"start": 5, "end": 15, "shuffle_fn": lambda X, **_: X}, r"ablate\(shuffle_fn\): got Tensor of shape \(2, 4"),
        (
            {"start": 5, "end": 15, "args": (torch.zeros(3, 3),)},
            r"ablate\(args\[0\]\): got \(3, 3\); need a tensor of 2 row",
        ),
    ],
)
def test_bad_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(NbinterpError, match=message):
        ablate(model(Gated), one_hot(2), **arguments)


def test_bad_annotations_and_options() -> None:
    net, X = model(dense), one_hot(3)
    with pytest.raises(NbinterpError, match=r"ablate_annotations\(annotations\): got no annotations"):
        ablate_annotations(net, X, torch.zeros(0, 3))
    with pytest.raises(NbinterpError, match=r"ablate_annotations\(annotations\): got \(0, 50, 61\) in row 1"):
        ablate_annotations(net, X, [[0, 1, 5], [0, 50, 61]])
    with pytest.raises(OptionError, match=r"ablate_annotations\(n_shuffles\): got an option that predict does not"):
        ablate_annotations(net, X, SPANS, n_shuffles=3)
    with pytest.raises(NbinterpError, match=r"ablate_annotations\(args\[0\]\): got \(2, 3\); need a tensor of 3 rows"):
        ablate_annotations(model(Gated), X, SPANS, args=further(2))
    with pytest.raises(NbinterpError, match=r"ablate\(X\): got an entry of 0.25"):
        ablate(net, torch.full((1, 4, 60), 0.25), 5, 10)


def theirs_of(shuffle_fn: object) -> object:
    peer = pytest.importorskip("tangermeme.ersatz")
    return {shuffle: peer.shuffle, dinucleotide_shuffle: peer.dinucleotide_shuffle}[shuffle_fn]


@pytest.mark.parity
@pytest.mark.parametrize("make", [dense, TwoHeads, mixing])
@pytest.mark.parametrize("shuffle_fn", [shuffle, dinucleotide_shuffle])
def test_ablations_are_the_peers(make: object, shuffle_fn: object) -> None:
    peer = pytest.importorskip("tangermeme.ablate")
    net, X = model(make), one_hot(4, unknown=shuffle_fn is shuffle)
    options = {"n": 9, "random_state": 5, **CPU}
    theirs = peer.ablate(net, X, 20, 45, shuffle_fn=theirs_of(shuffle_fn), **options)
    same(ablate(net, X, 20, 45, shuffle_fn=shuffle_fn, **options), theirs)
    spans = torch.tensor(SPANS if shuffle_fn is shuffle else WIDE)
    theirs = peer.ablate_annotations(net, X, spans, shuffle_fn=theirs_of(shuffle_fn), **options)
    for reuse in (True, False):
        ours = ablate_annotations(net, X, spans, shuffle_fn=shuffle_fn, reuse=reuse, **options)
        same(ours, theirs)


@pytest.mark.parity
def test_a_random_stream_goes_through_annotations_as_the_peers() -> None:
    peer = pytest.importorskip("tangermeme.ablate")
    net, X = model(dense), one_hot(4)

    def drawing(model: object, X: torch.Tensor, args: object = None, random_state: object = None) -> torch.Tensor:
        assert isinstance(random_state, np.random.RandomState)
        return X.sum((1, 2)) + torch.from_numpy(random_state.rand(len(X)))

    for func, options in ((predict, CPU), (drawing, {})):
        calls = [
            (f(net, X, torch.tensor(SPANS), n=3, random_state=np.random.RandomState(2), func=func, **options))
            for f in (ablate_annotations, peer.ablate_annotations)
        ]
        same(*calls)
        calls = [
            f(net, X, 5, 25, n=3, random_state=np.random.RandomState(2), func=func, **options)
            for f in (ablate, peer.ablate)
        ]
        same(*calls)


@pytest.mark.parity
def test_further_inputs_are_the_peers() -> None:
    peer = pytest.importorskip("tangermeme.ablate")
    net, X, args = model(Gated), one_hot(4), further(4)
    options = {"n": 10, "random_state": 5, **CPU}
    same(ablate(net, X, 20, 45, args=args, **options), peer.ablate(net, X, 20, 45, args=args, **options))
    one = tuple(a[:1] for a in args)
    theirs = peer.ablate_annotations(net, X, torch.tensor(SPANS), args=one, **options)
    same(ablate_annotations(net, X, torch.tensor(SPANS), args=one, **options), theirs)


@pytest.mark.parity
def test_attributions_are_the_peers() -> None:
    peer = pytest.importorskip("tangermeme.ablate")
    dls = pytest.importorskip("tangermeme.deep_lift_shap").deep_lift_shap
    ism = pytest.importorskip("tangermeme.saturation_mutagenesis").saturation_mutagenesis
    net, X, spans = model(dense), one_hot(3), torch.tensor(SPANS)
    seeded = {"n": 2, "random_state": 3, **CPU}
    for ours, theirs, options in (
        (deep_lift_shap, dls, {"target": 1, "n_shuffles": 3}),
        (
            deep_lift_shap,
            dls,
            {"n_shuffles": 2, "return_references": True, "additional_func_kwargs": {"random_state": 9}},
        ),
        (saturation_mutagenesis, ism, {"target": 2, "additional_func_kwargs": {"start": 10, "end": 14}}),
    ):
        found = ablate_annotations(net, X, spans, func=ours, **options, **seeded)
        same(found, peer.ablate_annotations(net, X, spans, func=theirs, **options, **seeded))
        assert isinstance(found.y_afters, AttributionReferencesResult) == ("return_references" in options)
        found = ablate(net, X, 20, 45, func=ours, **options, **seeded)
        same(found, peer.ablate(net, X, 20, 45, func=theirs, **options, **seeded))


def test_a_second_device_agrees_with_the_cpu(second_device: str) -> None:
    net, X, options = model(dense), one_hot(4), {"n": 10, "random_state": 5}
    expected = ablate_annotations(net, X, SPANS, **options, **CPU)
    for reuse in (True, False):
        for rows in (X, X.to(second_device)):
            found = ablate_annotations(net, rows, SPANS, reuse=reuse, device=second_device, **options)
            same(found, expected, 1e-10)
    expected = ablate(net, X, 20, 30, **options, **CPU)
    same(ablate(net, X.to(second_device), 20, 30, device=second_device, **options), expected, 1e-10)
