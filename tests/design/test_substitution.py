"""Greedy and beam search: against a search over strings, against the peer, and what their steps say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp.design import Design, beam_substitution, greedy_substitution
from nbinterp.errors import Interrupted, ModelError, NbinterpError
from tests.design.common import (
    LENGTH,
    StopsAt,
    TwoHeads,
    WithArgs,
    backgrounds,
    encode,
    other_strand,
    put,
    small_model,
    strings,
)

Tensor = torch.Tensor
MOTIFS = ["GATAAG", "TGA", "CCGGAAGT", "AC"]


def naive_greedy(
    model: nn.Module, bases: str, judge: Callable[[Tensor], Tensor], motifs: list[str], rounds: int
) -> str:
    """Try everything, one round after the other, on strings."""
    both = [*motifs, *map(other_strand, motifs)]
    with torch.no_grad():
        best = float(judge(model(encode([bases]).double()))[0])
        for _ in range(rounds):
            tried = [put(bases, m, p) for m in both for p in range(len(bases) - len(m) + 1)]
            losses = judge(model(encode(tried).double()))
            if float(losses.min()) >= best:
                break
            before, best, bases = best, float(losses.min()), tried[int(losses.argmin())]
            if before - best <= 1e-3:
                break
    return bases


@pytest.mark.parametrize("y", [None, [0.7, -0.4]])
@pytest.mark.parametrize("rounds", [1, 3])
def test_greedy_equals_a_search_over_strings(y: list[float] | None, rounds: int) -> None:
    model, X = small_model(), backgrounds()
    wanted = None if y is None else torch.tensor([y], dtype=torch.float64)

    def judge(y_hat: Tensor) -> Tensor:
        return -y_hat.mean(dim=1) if wanted is None else (y_hat - wanted).square().mean(dim=1)

    found = greedy_substitution(model, X, y=wanted, motifs=MOTIFS, max_iter=rounds)
    assert found.dtype == X.dtype
    assert strings(found) == [naive_greedy(model, strings(X)[0], judge, MOTIFS, rounds)]


def test_no_limit_goes_on_until_nothing_helps() -> None:
    model, X = small_model(), backgrounds()
    design = greedy_substitution(model, X, motifs=MOTIFS, tol=0, return_steps=True)
    again = greedy_substitution(model, design.X, motifs=MOTIFS, tol=0, return_steps=True)
    assert len(design.steps) > 2
    assert len(again.steps) == 1
    assert torch.equal(again.X, design.X)


def test_single_letters_are_the_motifs_by_default() -> None:
    model, X = small_model(), backgrounds()
    with torch.no_grad():
        every = encode([put(strings(X)[0], b, p) for b in "ACGT" for p in range(LENGTH)])
        best = every[int(model(every.double()).mean(dim=1).argmax())]
    assert torch.equal(greedy_substitution(model, X, max_iter=1)[0], best)


@pytest.mark.parametrize("search", [greedy_substitution, beam_substitution])
def test_steps_are_what_happened(search: Callable[..., Design]) -> None:
    model, X = small_model(), backgrounds()
    names = {"gata": "GATAAG", "short": "TNA"}
    wanted = torch.tensor([[0.5, 0.5]])
    design = search(model, X, y=wanted, motifs=names, max_iter=3, return_steps=True)
    assert list(design.steps.columns) == [
        *("example_idx", "step", "motif", "strand", "start", "end", "before", "after", "loss", "prediction")
    ]
    assert design.steps["step"].tolist() == list(range(len(design.steps)))
    assert torch.equal(design.replay(0), X)
    assert torch.equal(design.replay(), design.X)
    assert torch.equal(design.replay(99), design.X)
    for row in design.steps.itertuples():
        now, then = strings(design.replay(row.step))[0], strings(design.replay(max(0, row.step - 1)))[0]
        y_hat = nb.predict(model, design.replay(row.step))
        assert row.loss == pytest.approx(float((y_hat - wanted).square().mean()), abs=1e-12)
        assert row.prediction == pytest.approx(float(y_hat.mean()), abs=1e-12)
        if row.step:
            written = names[row.motif] if row.strand == "+" else nb.reverse_complement(names[row.motif])
            assert now == put(then, written, row.start)
            assert (then[row.start : row.end], now[row.start : row.end]) == (row.before, row.after)


def test_replay_on_other_sequences() -> None:
    design = greedy_substitution(small_model(), backgrounds(), motifs=MOTIFS, max_iter=2, return_steps=True)
    others = backgrounds(3, seed=5)
    replayed = design.replay(1, others)
    (row,) = design.steps[design.steps["step"] == 1].itertuples()
    assert strings(replayed) == [put(one, row.after, row.start) for one in strings(others)]
    with pytest.raises(NbinterpError, match=r"replay\(X\): got shape \(3, 4, 39\); need \(any number, 4, 40\)"):
        design.replay(1, others[:, :, 1:])
    with pytest.raises(NbinterpError, match=r"replay\(n\): got -1"):
        design.replay(-1)


@pytest.mark.parametrize("search", [greedy_substitution, beam_substitution])
def test_a_mask_holds_where_motifs_may_start(search: Callable[..., Design]) -> None:
    model, X = small_model(), backgrounds()
    mask = torch.zeros(LENGTH, dtype=torch.bool)
    mask[[4, 5, 30]] = True
    design = search(model, X, motifs=MOTIFS, input_mask=mask, max_iter=4, tol=0, return_steps=True)
    assert set(design.steps["start"][1:]) <= {4, 5, 30}
    untouched = [p for p in range(LENGTH) if not any(s <= p < s + 8 for s in (4, 5, 30))]
    assert torch.equal(design.X[:, :, untouched], X[:, :, untouched])


def test_wide_and_narrow_motifs_are_tried_together() -> None:
    """Wide ones are predicted in full, narrow ones in part; where the mask leaves no room for the wide, they stay out."""
    model, X = small_model(), backgrounds(seed=3)
    motifs = ["TGA", "GATAAGCCGGAAGT", "AC"]  # the second is more than a quarter of the sequence
    expected = naive_greedy(model, strings(X)[0], lambda y: -y.mean(dim=1), motifs, 2)
    assert strings(greedy_substitution(model, X, motifs=motifs, max_iter=2, device="cpu")) == [expected]
    mask = torch.arange(LENGTH) >= LENGTH - 3
    made = greedy_substitution(model, X, motifs=motifs, input_mask=mask, max_iter=1, device="cpu", return_steps=True)
    assert set(made.steps["start"][1:]) <= {LENGTH - 3, LENGTH - 2}
    assert not made.steps["motif"].isin([motifs[1], other_strand(motifs[1])]).any()


def test_unknown_bases_and_compact_sequences() -> None:
    model, X = small_model(), backgrounds()
    X[0, :, 3:20] = 0
    found = greedy_substitution(model, X, motifs=MOTIFS, max_iter=2)
    packed = greedy_substitution(model, nb.PackedSequence.from_one_hot(X), motifs=MOTIFS, max_iter=2)
    assert isinstance(packed, nb.PackedSequence)
    assert torch.equal(packed.to_one_hot(), found)
    floats = greedy_substitution(model, X.double(), motifs=MOTIFS, max_iter=2)
    assert floats.dtype == torch.float64


def test_a_set_of_motifs_goes_by_its_names() -> None:
    columns = torch.zeros(4, 3)
    columns[[2, 0, 3], range(3)] = 1.0
    motifs = nb.MotifSet({"mine": columns})
    design = greedy_substitution(small_model(), backgrounds(), motifs=motifs, max_iter=1, return_steps=True)
    plain = greedy_substitution(small_model(), backgrounds(), motifs=["GAT"], max_iter=1)
    assert design.steps["motif"].tolist() == ["", "mine"]
    assert torch.equal(design.X, plain)


def test_further_inputs_are_those_of_the_sequence() -> None:
    model, X = WithArgs().double(), backgrounds()
    offset = torch.tensor([[1.0, -1.0]]).double()
    found = greedy_substitution(model, X, motifs=MOTIFS, args=(offset,), max_iter=2, return_steps=True)
    with torch.no_grad():
        expected = float((small_model()(found.X.double()) * offset).mean())
    assert found.steps["prediction"].iloc[-1] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("batch_size", [1, 7, 500])
def test_the_batch_changes_nothing(batch_size: int) -> None:
    model, X = small_model(), backgrounds()
    expected = greedy_substitution(model, X, motifs=MOTIFS, max_iter=3)
    assert torch.equal(greedy_substitution(model, X, motifs=MOTIFS, max_iter=3, batch_size=batch_size), expected)


def test_a_beam_of_one_is_greedy_and_a_wider_one_no_worse() -> None:
    model, X = small_model(), backgrounds()
    greedy = greedy_substitution(model, X, motifs=MOTIFS, max_iter=4, return_steps=True)
    one = beam_substitution(model, X, motifs=MOTIFS, beam_size=1, max_iter=4)
    wide = beam_substitution(model, X, motifs=MOTIFS, beam_size=6, n_best=6, max_iter=4, return_steps=True)
    assert torch.equal(one, greedy.X)
    last = wide.steps.groupby("example_idx")["loss"].last()
    assert last.is_monotonic_increasing
    assert last[0] <= greedy.steps["loss"].iloc[-1]
    assert len({one.tobytes() for one in wide.X.numpy()}) == len(wide.X)
    assert torch.equal(wide.replay(), wide.X)


@pytest.mark.parametrize("search", [greedy_substitution, beam_substitution])
def test_an_interrupt_keeps_the_steps(search: Callable[..., Design]) -> None:
    model, X = small_model(), backgrounds()
    whole = search(model, X, motifs=["GATAAG", "TGA"], max_iter=3, return_steps=True)
    counts = StopsAt(model, -1)
    search(counts, X, motifs=["GATAAG", "TGA"], max_iter=2)
    with pytest.raises(Interrupted) as stopped:
        search(StopsAt(model, -1 - counts.left), X, motifs=["GATAAG", "TGA"], max_iter=3)
    design, done = stopped.value.partial, stopped.value.n_done
    assert isinstance(design, Design)
    assert 1 <= done < whole.steps["step"].max() + 1
    assert torch.equal(design.X, design.replay(done))
    if search is greedy_substitution:
        assert torch.equal(design.X, whole.replay(done))


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"motifs": []}, NbinterpError, r"\(motifs\): got none"),
        ({"motifs": ["A" * 41]}, NbinterpError, r"\(motifs\): got .* of 41 bases; need strings of 1 to 40 bases"),
        ({"motifs": [torch.zeros(4, 2)]}, NbinterpError, r"\(motifs\): got a Tensor"),
        ({"motifs": ["AXA"], "reverse_complement": False}, NbinterpError, "'X'"),
        ({"y": [1.0]}, NbinterpError, r"\(y\): got shape \(1, 1\); need \(1, 2\)"),
        ({"output_mask": torch.zeros(2, dtype=torch.bool)}, NbinterpError, r"\(output_mask\): got no output"),
        ({"output_mask": torch.ones(2)}, NbinterpError, r"\(output_mask\): got torch.float32"),
        ({"input_mask": torch.ones(3, dtype=torch.bool)}, NbinterpError, r"\(input_mask\): got torch.bool, shape \(3,"),
        ({"input_mask": torch.zeros(40, dtype=torch.bool)}, NbinterpError, r"\(input_mask\): got no start"),
        ({"max_iter": -2}, NbinterpError, r"\(max_iter\): got -2"),
        ({"y": [1.0, 1.0], "loss": nn.MSELoss()}, NbinterpError, r"\(loss\): got \(\) for"),
        ({"X": backgrounds(2)}, NbinterpError, r"\(X\): got 2 sequences; need one"),
        ({"model": TwoHeads()}, ModelError, r"\(model\): got a list; need one tensor"),
    ],
)
@pytest.mark.parametrize("search", [greedy_substitution, beam_substitution])
def test_bad_arguments(search: Callable[..., Design], options: dict[str, object], kind: type, message: str) -> None:
    given = {"model": small_model(), "X": backgrounds(), "motifs": MOTIFS, "max_iter": 1, **options}
    with pytest.raises(kind, match=message):
        search(**given)


def test_bad_beams() -> None:
    for name in ("beam_size", "n_best"):
        with pytest.raises(NbinterpError, match=rf"beam_substitution\({name}\): got 0"):
            beam_substitution(small_model(), backgrounds(), motifs=MOTIFS, **{name: 0})


CASES = [
    {},
    {"y": torch.tensor([[0.8, -0.3]])},
    {"y": [0.8, -0.3], "output_mask": torch.tensor([False, True])},
    {"motifs": None, "tol": 0.0},
    {"reverse_complement": False, "input_mask": torch.arange(LENGTH) % 3 == 0},
    {"loss": nn.L1Loss(reduction="none"), "y": [0.1, 0.2], "tol": 0.05},
]


@pytest.mark.parity
@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("options", CASES)
def test_greedy_choices_are_the_peers(options: dict[str, object], unknown: bool) -> None:
    peer = pytest.importorskip("tangermeme.design")
    model, X = small_model(), backgrounds()
    if unknown:
        X[0, :, 10:13] = 0
    given = {"motifs": MOTIFS, "max_iter": 4, "device": "cpu", **options}
    assert torch.equal(greedy_substitution(model, X, **given), peer.greedy_substitution(model, X, **given))


@pytest.mark.parity
@pytest.mark.parametrize("beam", [{"beam_size": 1}, {}, {"beam_size": 5, "n_best": 3}])
@pytest.mark.parametrize("options", CASES)
def test_beams_are_the_peers(options: dict[str, object], beam: dict[str, int]) -> None:
    peer = pytest.importorskip("tangermeme.design")
    model, X = small_model(), backgrounds()
    given = {"motifs": MOTIFS[:2], "max_iter": 2, "device": "cpu", **beam, **options}
    assert torch.equal(beam_substitution(model, X, **given), peer.beam_substitution(model, X, **given))


@pytest.mark.parametrize("search", [greedy_substitution, beam_substitution])
def test_a_second_device_agrees_with_the_cpu(search: Callable[..., Design], second_device: str) -> None:
    model, X = small_model(), backgrounds()
    expected = search(model, X, motifs=MOTIFS, max_iter=2, device="cpu", return_steps=True)
    found = search(model, X, motifs=MOTIFS, max_iter=2, device=second_device, return_steps=True)
    assert torch.equal(found.X, expected.X)
    assert found.steps["loss"].to_numpy() == pytest.approx(expected.steps["loss"].to_numpy(), abs=1e-10)
