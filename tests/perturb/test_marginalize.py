"""Marginalization: against edits by hand, against the peer, its calls of the function, its errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from nbinterp.attribution import deep_lift_shap, saturation_mutagenesis
from nbinterp.core.results import AttributionReferencesResult, PerturbationAnnotationsResult, PerturbationResult
from nbinterp.errors import Interrupted, NbinterpError, OptionError
from nbinterp.model import predict
from nbinterp.perturb import marginalize, marginalize_annotations
from nbinterp.sequence import PackedSequence, one_hot_encode, substitute

from .shared import Counting, Gated, TwoHeads, at, dense, further, mixing, model, one_hot, same

SPANS = [[0, 3, 10], [2, 50, 60], [1, 0, 1], [0, 20, 55], [2, 7, 12]]  # ragged, at both ends
CPU = {"device": "cpu"}


def test_the_motif_goes_into_the_middle_and_unknown_letters_keep_the_background() -> None:
    X = one_hot(3, 9)
    y_before, y_after = marginalize(None, X, "ANC", func=lambda _, X: X)
    assert torch.equal(y_before, X)
    expected = X.clone()
    expected[:, :, 3] = torch.tensor([1.0, 0, 0, 0], dtype=X.dtype)[:, None].T
    expected[:, :, 5] = torch.tensor([0, 1.0, 0, 0], dtype=X.dtype)[:, None].T
    assert torch.equal(y_after, expected)


def test_compact_sequences_and_arrays_give_the_same() -> None:
    X = one_hot(4, unknown=True)
    expected = marginalize(model(dense), X, "TGACTCA", **CPU)
    assert isinstance(expected, PerturbationResult)
    for rows in (PackedSequence.from_one_hot(X), X.numpy(), X.to(torch.int8)):
        same(marginalize(model(dense), rows, "TGACTCA", **CPU), expected, 1e-13)
    packed = PackedSequence.from_one_hot(X)
    expected = marginalize_annotations(model(dense), X, X, SPANS, **CPU)
    same(marginalize_annotations(model(dense), packed, packed, SPANS, **CPU), expected, 1e-13)


@pytest.mark.parametrize("make", [dense, mixing, TwoHeads])
def test_annotations_together_are_annotations_one_by_one(make: object) -> None:
    net, X, X0 = model(make), one_hot(3), one_hot(10, seed=1, unknown=True)
    together = marginalize_annotations(net, X, X0, SPANS, **CPU)
    alone = [marginalize(net, X0, X[i : i + 1, :, a:b], **CPU) for i, a, b in SPANS]
    assert isinstance(together, PerturbationAnnotationsResult)
    for j, one in enumerate(alone):
        same((at(together.y_befores, j), at(together.y_afters, j)), one)


def test_a_frame_of_annotations_is_read_by_its_columns() -> None:
    X = one_hot(3)
    frame = pd.DataFrame(SPANS, columns=["example_idx", "start", "end"])[["end", "start", "example_idx"]]
    frame["name"] = "x"
    expected = marginalize_annotations(model(dense), X, X, SPANS, **CPU)
    for given in (frame, np.array(SPANS), torch.tensor(SPANS)):
        same(marginalize_annotations(model(dense), X, X, given, **CPU), expected)


def test_backgrounds_are_predicted_once_and_edits_recompute_only_what_they_reach() -> None:
    X, X0 = one_hot(3), one_hot(8, seed=1)
    spans = [[i % 3, i % 40, i % 40 + 5 + i % 4] for i in range(30)]
    whole, parts = Counting(model(dense)), Counting(model(dense))
    expected = marginalize_annotations(whole, X, X0, spans, reuse=False, **CPU)
    found = marginalize_annotations(parts, X, X0, spans, **CPU)
    same(found, expected)
    assert whole.rows == 8 + 30 * 8
    assert parts.rows < 8 + 30 * 8 / 4  # the backgrounds, and the capture of the model
    post = {"additional_func_kwargs": {"func": lambda y: y[:, 1:]}}
    same(
        marginalize_annotations(parts, X, X0, spans, **post, **CPU).y_afters,
        expected.y_afters[..., 1:],
    )


def test_a_function_is_called_once_before_and_once_for_many_annotations() -> None:
    sizes = []

    def func(model: object, X: torch.Tensor, scale: float = 1.0) -> torch.Tensor:
        sizes.append(len(X))
        return X.sum((1, 2)) * scale

    X = one_hot(3)
    y_befores, y_afters = marginalize_annotations(None, X, X, SPANS, func=func, scale=2.0)
    assert sizes == [3, 15]
    assert y_befores.shape == y_afters.shape == (5, 3)


def test_groups_are_bounded_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def func(model: object, X: torch.Tensor) -> torch.Tensor:
        sizes.append(len(X))
        return X

    X = one_hot(3)
    expected = marginalize_annotations(None, X, X, SPANS, func=func)
    monkeypatch.setattr("nbinterp.perturb.run.GROUP_BYTES", 2 * X.numel() * X.element_size())
    sizes.clear()
    same(marginalize_annotations(None, X, X, SPANS, func=func), expected)
    assert sizes == [3, 6, 6, 3]


def test_named_tuples_stay_named_tuples() -> None:
    X = one_hot(4)
    options = {"func": deep_lift_shap, "n_shuffles": 2, "random_state": 0, "return_references": True, **CPU}
    found = marginalize_annotations(model(dense), X, X, SPANS, **options)
    assert isinstance(found.y_befores, AttributionReferencesResult)
    assert isinstance(found.y_afters, AttributionReferencesResult)
    assert found.y_afters.references.shape == (5, 4, 2, 4, 60)


def test_an_interrupt_keeps_finished_annotations(monkeypatch: pytest.MonkeyPatch) -> None:
    X, calls = one_hot(3), []

    def func(model: object, X: torch.Tensor) -> torch.Tensor:
        calls.append(len(X))
        if len(calls) == 3:
            raise Interrupted(X[:1], 1)
        return X

    expected = marginalize_annotations(None, X, X, SPANS, func=lambda _, X: X)
    monkeypatch.setattr("nbinterp.perturb.run.GROUP_BYTES", 2 * X.numel() * X.element_size())
    with pytest.raises(Interrupted) as stopped:
        marginalize_annotations(None, X, X, SPANS, func=func)
    assert stopped.value.n_done == 2
    same(stopped.value.partial, [y[:2] for y in expected])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"motif": "A" * 61}, r"marginalize\(motif\): got 61 bases; need at most the sequences' length, 60"),
        ({"motif": "ACG", "start": 58}, r"marginalize\(start\): got 58; need 0 to 57 for 3 bases in 60"),
        ({"motif": "ACG", "start": -1}, r"marginalize\(start\): got -1"),
        ({"motif": "ACG", "alphabet": "ACGTU"}, r"marginalize\(alphabet\): got 5 letters"),
        ({"motif": "ACG", "func": 3}, r"marginalize\(func\): got a int"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(NbinterpError, match=message):
        marginalize(model(dense), one_hot(2), **arguments)


def test_unknown_and_repeated_options_are_named() -> None:
    X = one_hot(2)
    with pytest.raises(OptionError, match=r"marginalize\(batch_sise\): got an option that predict does not accept "
                       r"\(did you mean 'batch_size'\?\); need one of model, X, args, func, batch_size"):  # fmt: skip
        marginalize(model(dense), X, "ACG", batch_sise=3)
    with pytest.raises(TypeError, match=r"marginalize_annotations\(target\): got an option that predict"):
        marginalize_annotations(model(dense), X, X, [[0, 1, 2]], target=3)
    with pytest.raises(OptionError, match=r"marginalize\(batch_size\): got the option twice"):
        marginalize(model(dense), X, "ACG", batch_size=3, additional_func_kwargs={"batch_size": 4})


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ([], r"\(annotations\): got no annotations; need at least one"),
        (torch.zeros(0, 3, dtype=torch.long), r"\(annotations\): got no annotations"),
        ([[0, 1, 5], [3, 1, 5]], r"got \(3, 1, 5\) in row 1; need example_idx of 0 to 2"),
        ([[0, 1, 5], [0, 50, 61]], r"got \(0, 50, 61\) in row 1; need 0 <= start < end <= 60"),
        ([[0, 5, 5]], r"got \(0, 5, 5\) in row 0"),
        ([[0, -5, 5]], r"got \(0, -5, 5\) in row 0"),
        ([[0, 1]], r"got int64 of shape \(1, 2\); need integers \(n, 3\)"),
        ([[0, 1.5, 3]], r"got float64 of shape"),
    ],
)
def test_bad_annotations(annotations: object, message: str) -> None:
    with pytest.raises(NbinterpError, match=message):
        marginalize_annotations(model(dense), one_hot(3), one_hot(3), annotations)


def test_an_annotation_longer_than_the_backgrounds() -> None:
    with pytest.raises(NbinterpError, match=r"marginalize_annotations\(annotations\): got 35 bases; need at most"):
        marginalize_annotations(model(dense), one_hot(3), one_hot(3, 20), SPANS)
    with pytest.raises(NbinterpError, match=r"marginalize_annotations\(X0\): got no sequences"):
        marginalize_annotations(model(dense), one_hot(3), one_hot(3)[:0], SPANS)


def test_functions_that_give_no_rows() -> None:
    X = one_hot(3)
    with pytest.raises(NbinterpError, match=r"\(func\): got an output that holds a float without rows"):
        marginalize_annotations(None, X, X, SPANS, func=lambda _, X: 0.0)
    with pytest.raises(NbinterpError, match=r"\(func\): got 1 rows for 15 sequences"):
        marginalize_annotations(None, X, X, SPANS, func=lambda _, X: X.mean(0, keepdim=True))


@pytest.mark.parity
@pytest.mark.parametrize("make", [dense, TwoHeads, mixing])
@pytest.mark.parametrize(
    ("motif", "start"),
    [("TGANTCA", None), ("G", 59), ("CTCAGTGATG", 0), ("A" * 60, None), ("one-hot", 7), ("each", None)],
)
def test_marginalize_is_the_peers(make: object, motif: str, start: int | None) -> None:
    peer = pytest.importorskip("tangermeme.marginalize")
    net, X = model(make), one_hot(5, unknown=True)
    given = {"one-hot": one_hot(1, 6, seed=3), "each": one_hot(5, 6, seed=3, unknown=True)}.get(motif, motif)
    theirs = peer.marginalize(net, X, given, start=start, **CPU)
    same(marginalize(net, X, given, start, **CPU), theirs)


@pytest.mark.parity
@pytest.mark.parametrize("make", [dense, TwoHeads, mixing])
def test_marginalize_annotations_is_the_peers(make: object) -> None:
    peer = pytest.importorskip("tangermeme.marginalize")
    net, X, X0 = model(make), one_hot(3, unknown=True), one_hot(20, seed=1, unknown=True)
    for spans, start in ((SPANS, None), (SPANS[:3], 5), (SPANS[:1], None)):
        theirs = peer.marginalize_annotations(net, X, X0, torch.tensor(spans), start=start, **CPU)
        same(marginalize_annotations(net, X, X0, torch.tensor(spans), start=start, **CPU), theirs)


@pytest.mark.parity
def test_further_inputs_are_the_peers() -> None:
    peer = pytest.importorskip("tangermeme.marginalize")
    net, X, X0 = model(Gated), one_hot(3), one_hot(20, seed=1)
    options = {"args": further(20), "batch_size": 7, **CPU}
    same(marginalize(net, X0, "TGACTCA", **options), peer.marginalize(net, X0, "TGACTCA", **options))
    theirs = peer.marginalize_annotations(net, X, X0, torch.tensor(SPANS), **options)
    for reuse in (True, False):
        same(marginalize_annotations(net, X, X0, torch.tensor(SPANS), reuse=reuse, **options), theirs)


@pytest.mark.parity
def test_attributions_are_the_peers() -> None:
    peer = pytest.importorskip("tangermeme.marginalize")
    dls = pytest.importorskip("tangermeme.deep_lift_shap").deep_lift_shap
    ism = pytest.importorskip("tangermeme.saturation_mutagenesis").saturation_mutagenesis
    net, X, X0, spans = model(dense), one_hot(3), one_hot(3, seed=1), torch.tensor(SPANS)
    for ours, theirs, options in (
        (deep_lift_shap, dls, {"target": 1, "n_shuffles": 3, "random_state": 4}),
        (saturation_mutagenesis, ism, {"target": 2, "start": 10, "end": 20}),
    ):
        inner, place = dict(options), {}
        if "start" in inner:  # taken by marginalize itself
            place = {"additional_func_kwargs": {"start": inner.pop("start")}}
        same(
            marginalize(net, X0, "TGACTCA", func=ours, **inner, **place, **CPU),
            peer.marginalize(net, X0, "TGACTCA", func=theirs, **inner, **place, **CPU),
        )
        same(
            marginalize_annotations(net, X, X0, spans, func=ours, **inner, **place, **CPU),
            peer.marginalize_annotations(net, X, X0, spans, func=theirs, **inner, **place, **CPU),
        )


@pytest.mark.parity
def test_an_option_that_holds_rows_is_given_as_it_is() -> None:
    peer = pytest.importorskip("tangermeme.marginalize")
    dls = pytest.importorskip("tangermeme.deep_lift_shap").deep_lift_shap
    net, X, X0, spans = model(dense), one_hot(3), one_hot(3, seed=1), torch.tensor(SPANS[:3])
    references = torch.stack([one_hot(2, seed=i) for i in range(3)])
    options = {"references": references, **CPU}
    same(
        marginalize_annotations(net, X, X0, spans, func=deep_lift_shap, **options),
        peer.marginalize_annotations(net, X, X0, spans, func=dls, **options),
    )


def test_a_second_device_agrees_with_the_cpu(second_device: str) -> None:
    net, X, X0 = model(dense), one_hot(3), one_hot(20, seed=1)
    expected = marginalize_annotations(net, X, X0, SPANS, **CPU)
    for reuse in (True, False):
        same(marginalize_annotations(net, X, X0, SPANS, reuse=reuse, device=second_device), expected, 1e-10)
    far = X0.to(second_device)
    same(marginalize(net, far, "TGACTCA", device=second_device), marginalize(net, X0, "TGACTCA", **CPU), 1e-10)
    same(marginalize_annotations(net, X.to(second_device), far, SPANS, device=second_device), expected, 1e-10)
    with pytest.raises(NbinterpError, match=r"marginalize\(motif\): got a motif on cpu; need one on"):
        marginalize(net, far, one_hot_encode("ACG")[None], device=second_device)


def test_substitute_by_hand_and_predict_give_what_marginalize_gives() -> None:
    net, X = model(dense), one_hot(4)
    after = predict(net, substitute(X, "TGACTCA", start=3), **CPU)
    same(marginalize(net, X, "TGACTCA", 3, **CPU), (predict(net, X, **CPU), after))
