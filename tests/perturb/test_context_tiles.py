"""Necessity, context dependence, context swap and sufficiency: naive loops, closed forms, the peer, the grammar, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp import demo
from nbinterp.demo.grammar import CONSENSUS, EFFECTS
from nbinterp.perturb.context import context_dependence, context_swap, necessity, sufficiency

TILES = [(0, 7), (5, 20), (33, 40)]  # at both ends, and overlapping


class Gated(nn.Module):
    """A convolution, gated by a second input; two columns."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.gate, self.out = nn.Conv1d(4, 6, 5, padding=2), nn.Linear(3, 6), nn.Linear(6, 2)

    def forward(self, X: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        hidden = torch.relu(self.conv(X))
        if condition is not None:
            hidden = hidden * torch.sigmoid(self.gate(condition))[:, :, None]
        return self.out(hidden.amax(dim=2))


class Additive(nn.Module):
    """The sum of a weight for each base at each position."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, length, dtype=torch.float64))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return (X * self.weight).sum(dim=(1, 2))[:, None]


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return Gated().double().eval()


@pytest.fixture
def X() -> torch.Tensor:
    one_hot = nb.random_one_hot((3, 4, 40), random_state=0).double()
    one_hot[1, :, 8:11] = 0  # unknown bases
    return one_hot


def shuffles(X: torch.Tensor, n: int, seed: int = 0) -> list[torch.Tensor]:
    """Background j of every sequence: its shuffle with seed + j."""
    seeds = [[seed + j] * len(X) for j in range(n)]
    return [nb.dinucleotide_shuffle(X, n=1, random_state=s, allow_N=True)[:, 0] for s in seeds]


def ask(model: nn.Module, x: torch.Tensor) -> float:
    with torch.no_grad():
        return float(model(x[None])[0, 1])


def naive(kind: str, model: nn.Module, X: torch.Tensor, n: int, keep: tuple[int, int] = (0, 0)) -> np.ndarray:
    """One call a sequence, tile and background: (n, rows)."""
    found = np.zeros((n, len(X) * len(TILES)))
    for j, backgrounds in enumerate(shuffles(X, n)):
        for i, x in enumerate(X):
            for t, (a, b) in enumerate(TILES):
                background = backgrounds[i].clone()
                if kind == "necessity":
                    made = x.clone()
                    made[:, a:b] = background[:, a:b]
                    effect = ask(model, x) - ask(model, made)
                else:
                    background[:, slice(*keep)] = x[:, slice(*keep)]
                    made = background.clone()
                    made[:, a:b] = x[:, a:b]
                    base = ask(model, background) if kind == "sufficiency" else ask(model, x)
                    effect = ask(model, made) - base
                    effect = effect if kind == "sufficiency" else -effect
                found[j, i * len(TILES) + t] = effect
    return found


@pytest.mark.parametrize("kind", ["necessity", "sufficiency", "context_dependence"])
def test_naive_loops(kind: str, model: nn.Module, X: torch.Tensor) -> None:
    test = {"necessity": necessity, "sufficiency": sufficiency, "context_dependence": context_dependence}[kind]
    keep = {"keep": (22, 30)} if kind == "sufficiency" else {}
    rows = test(model, X, TILES, n=6, target=1, device="cpu", **keep)
    values = naive(kind, model, X, 6, **keep)
    np.testing.assert_allclose(rows["effect"], values.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(rows["sd"], values.std(axis=0, ddof=1), atol=1e-12)
    np.testing.assert_allclose(rows["se"], rows["sd"] / 6**0.5, atol=1e-12)
    np.testing.assert_allclose(rows["high"] - rows["effect"], 2.570582 * rows["se"], atol=1e-6)  # t of 5 degrees
    np.testing.assert_allclose(rows["low"] + rows["high"], 2 * rows["effect"], atol=1e-12)
    whole = np.repeat([ask(model, x) for x in X], len(TILES))
    np.testing.assert_allclose(rows["prediction"], whole, atol=1e-12)
    np.testing.assert_allclose(rows["normalised"], rows["effect"] / whole, atol=1e-9)
    assert (rows["n"] == 6).all()
    assert rows[["example_idx", "start", "end"]].to_numpy().tolist() == [[i, a, b] for i in range(3) for a, b in TILES]


def test_a_swap_is_the_tile_in_every_context(model: nn.Module, X: torch.Tensor) -> None:
    others = nb.random_one_hot((5, 4, 40), random_state=7).double()
    rows = context_swap(model, X, others, TILES, target=1, device="cpu")
    row = 0
    for x in X:
        for a, b in TILES:
            made = others.clone()
            made[:, :, a:b] = x[:, a:b]
            gains = [ask(model, m) - ask(model, o) for m, o in zip(made, others, strict=True)]
            assert rows["effect"][row] == pytest.approx(np.mean(gains), abs=1e-12)
            assert rows["sd"][row] == pytest.approx(np.std(gains, ddof=1), abs=1e-12)
            row += 1
    assert (rows["n"] == 5).all()
    assert rows["control"].tolist() == pytest.approx([np.mean([ask(model, o) for o in others])] * 9)


def test_closed_forms_of_an_additive_model() -> None:
    """What is lost and what is gained is the tile's contribution less its background's; all other bases cancel."""
    torch.manual_seed(1)
    model, X = Additive(60), nb.random_one_hot((2, 4, 60), random_state=3).double()
    tile = torch.zeros(60, dtype=torch.float64)
    tile[10:30] = 1
    part = lambda x: (x * model.weight.detach() * tile).sum(dim=(-2, -1))  # noqa: E731
    gain = torch.stack([part(X) - part(b) for b in shuffles(X, 5, seed=4)]).numpy()
    other = nb.random_one_hot((5, 4, 60), random_state=9).double()
    options: dict[str, Any] = {"n": 5, "random_state": 4, "device": "cpu"}
    for rows in (necessity(model, X, (10, 30), **options), sufficiency(model, X, (10, 30), keep=(40, 50), **options)):
        np.testing.assert_allclose(rows["effect"], gain.mean(axis=0), atol=1e-12)
        np.testing.assert_allclose(rows["sd"], gain.std(axis=0, ddof=1), atol=1e-12)
    swapped = context_swap(model, X, other, (10, 30), device="cpu")["effect"]
    np.testing.assert_allclose(swapped, [float((part(x) - part(other)).mean()) for x in X], atol=1e-12)
    both = necessity(model, X, [(0, 10), (30, 60)], **options).groupby("example_idx")["effect"].sum()
    np.testing.assert_allclose(context_dependence(model, X, (10, 30), **options)["effect"], both, atol=1e-12)


def test_tiles_shuffled_by_themselves(model: nn.Module, X: torch.Tensor) -> None:
    rows = necessity(model, X, [(2, 18), (15, 40)], fill="shuffle", n=4, target=1, random_state=3, device="cpu")
    row = 0
    for x in X:
        for a, b in ((2, 18), (15, 40)):
            made = [
                nb.dinucleotide_shuffle(x[None], a, b, n=1, random_state=3 + j, allow_N=True)[0, 0] for j in range(4)
            ]
            losses = [ask(model, x) - ask(model, m) for m in made]
            assert rows["effect"][row] == pytest.approx(np.mean(losses), abs=1e-12)
            row += 1


@pytest.mark.parity
def test_the_peer_given_the_same_shuffles(monkeypatch: pytest.MonkeyPatch) -> None:
    """CREME's own functions on a `(L, 4)` model; its shuffles are replaced by ours, in the order in which it asks."""
    peer = pytest.importorskip("creme.creme")
    torch.manual_seed(0)
    model, X = Gated().double().eval(), nb.random_one_hot((1, 4, 60), random_state=2).double()

    class Keras:
        seq_length = 60

        def predict(self, x: np.ndarray) -> np.ndarray:
            batch = torch.from_numpy(np.ascontiguousarray(x)).reshape(-1, 60, 4)  # it passes one sequence now and then
            with torch.no_grad():
                return model(batch.transpose(1, 2)).numpy()[:, :1]

    x, n, tiles = X[0].T.numpy(), 5, [[0, 10], [25, 40], [50, 60]]

    def hand_out(sequences: list[torch.Tensor]) -> None:
        queue = [s.T.numpy().copy() for s in sequences]
        monkeypatch.setattr(peer.shuffle, "dinuc_shuffle", lambda *_, **__: queue.pop(0))

    whole = [b[0] for b in shuffles(X, n)]
    own = [nb.dinucleotide_shuffle(X[:, :, a:b], n=1, random_state=j)[0, 0] for a, b in tiles for j in range(n)]
    common: dict[str, Any] = {"n": n, "device": "cpu"}

    hand_out(own)
    wild, mean, sd = peer.necessity_test(Keras(), x, tiles, n)
    rows = necessity(model, X, tiles, fill="shuffle", **common)
    np.testing.assert_allclose(rows["prediction"] - rows["effect"], mean[:, 0], atol=1e-12)
    np.testing.assert_allclose(rows["sd"] * ((n - 1) / n) ** 0.5, sd[:, 0], atol=1e-12)
    np.testing.assert_allclose(rows["normalised"], peer.context_effect_on_tss(wild[0], mean)[:, 0], atol=1e-9)

    hand_out(whole)
    wild, mean, sd = peer.context_dependence_test(Keras(), x, [25, 40], n)
    rows = context_dependence(model, X, (25, 40), **common)
    np.testing.assert_allclose(rows["prediction"] - rows["effect"], mean, atol=1e-12)
    np.testing.assert_allclose(rows["sd"] * ((n - 1) / n) ** 0.5, sd, atol=1e-12)

    hand_out(whole * len(tiles))
    tiles[1] = [42, 50]
    wild, mean, _, control, _ = peer.sufficiency_test(Keras(), x, [25, 40], tiles, n)
    rows = sufficiency(model, X, tiles, keep=(25, 40), **common)
    np.testing.assert_allclose(rows["control"], control[:, 0], atol=1e-12)
    np.testing.assert_allclose(rows["normalised"], peer.normalized_tile_effect(wild, mean, control, 0), atol=1e-9)

    other = nb.random_one_hot((2, 4, 60), random_state=8).double()
    mutants = peer.context_swap_test(Keras(), x, other.transpose(1, 2).numpy(), [25, 40])
    rows = context_swap(model, X, other, (25, 40), device="cpu")
    np.testing.assert_allclose(rows["control"] + rows["effect"], mutants.mean(), atol=1e-12)


def test_the_grammar_of_the_demo_model() -> None:
    """Every planted activator is necessary and sufficient, every repressor the other way round, decoys neither."""
    X, truth = demo.sequences(12, random_state=3)
    model = demo.load_model()
    sites = truth[~truth["name"].isin(["GATA", "TEAD"])].reset_index(drop=True)
    letters = [nb.characters(X[i])[a:b] for i, a, b in sites[["example_idx", "start", "end"]].to_numpy()]
    both = [(word, nb.reverse_complement(word)) for word in letters]
    sites = sites[[CONSENSUS[name] in either for name, either in zip(sites["name"], both, strict=True)]].reset_index(
        drop=True
    )
    # the others were planted with a letter changed
    planted = np.array([EFFECTS[name][0] for name in sites["name"]])
    assert len(np.unique(sites["name"])) == 5
    for test in (necessity, sufficiency):
        rows = test(model, X, sites, n=8, device="cpu")
        assert ((rows["low"] > 0.2) == (planted > 0)).all()
        assert ((rows["high"] < -0.2) == (planted < 0)).all()
        assert np.corrcoef(rows["effect"], planted)[0, 1] > 0.95


def test_a_pair_needs_its_partner() -> None:
    """Half of the cooperative pair is necessary, but not sufficient; both together are."""
    X, truth = demo.sequences(12, random_state=3)
    pair = truth[truth["role"] == "pair"]
    spans = pair.groupby("example_idx").agg(start=("start", "min"), end=("end", "max")).reset_index()
    options: dict[str, Any] = {"target": 1, "n": 8, "device": "cpu"}
    model = demo.load_model()
    assert (necessity(model, X, pair, **options)["low"] > 0.8).mean() > 0.9
    assert (sufficiency(model, X, pair, **options)["high"] < 0.6).all()
    assert (sufficiency(model, X, spans, **options)["low"] > 1.2).mean() > 0.9
    partner = pair.iloc[[0]]
    added = sufficiency(model, X, pair.iloc[[1]], keep=partner, **options)
    assert added["low"][0] > 0.8


def test_what_a_result_does_not_depend_on(model: nn.Module, X: torch.Tensor) -> None:
    options: dict[str, Any] = {"n": 4, "device": "cpu"}
    expected = sufficiency(model, X, TILES, **options)
    for same in (
        sufficiency(model, X, TILES, batch_size=1, **options),
        sufficiency(model, X, TILES, batch_size=1000, **options),
        sufficiency(model, nb.PackedSequence.from_one_hot(X.to(torch.int8)), np.array(TILES), **options),
        sufficiency(model, X.numpy(), torch.tensor(TILES), **options),
        sufficiency(model, X, pd.concat([expected[["example_idx", "start", "end"]]]), **options),
        sufficiency(model, X, TILES, backgrounds=torch.stack(shuffles(X, 4), dim=1), device="cpu"),
    ):
        pd.testing.assert_frame_equal(same, expected, rtol=0, atol=1e-12)
    # a sequence by itself has the backgrounds that it has among others
    alone = sufficiency(model, X[2:], TILES, **options)
    np.testing.assert_allclose(alone["effect"], expected["effect"][6:], atol=1e-12)
    other = sufficiency(model, X, TILES, random_state=50, **options)
    assert (other["effect"] != expected["effect"]).any()


def test_stopping_early_gives_the_first_rows_of_the_full_run(model: nn.Module, X: torch.Tensor) -> None:
    rough = context_dependence(model, X, TILES, n=200, precision=1e3, step=5, device="cpu")
    assert (rough["n"] == 5).all()
    exact = context_dependence(model, X, TILES, n=5, device="cpu")
    pd.testing.assert_frame_equal(rough, exact, rtol=0, atol=1e-12)
    wanted = float((exact["high"] - exact["effect"]).max()) / 2
    fine = context_dependence(model, X, TILES, n=400, precision=wanted, step=5, device="cpu")
    assert 5 < fine["n"][0] < 400
    assert (fine["high"] - fine["effect"] <= wanted).all()


def test_further_inputs_go_with_their_sequence(model: nn.Module, X: torch.Tensor) -> None:
    condition = torch.randn(3, 3, generator=torch.Generator().manual_seed(0)).double()
    rows = sufficiency(model, X, TILES, n=4, args=[condition], device="cpu")
    for i in range(3):
        one = sufficiency(model, X[i : i + 1], TILES, n=4, args=[condition[i : i + 1]], device="cpu")
        np.testing.assert_allclose(one["effect"], rows["effect"][3 * i : 3 * i + 3], atol=1e-12)
    assert not np.allclose(rows["effect"], sufficiency(model, X, TILES, n=4, device="cpu")["effect"])


def test_a_width_tiles_every_sequence(model: nn.Module, X: torch.Tensor) -> None:
    rows = necessity(model, X, 15, n=2, device="cpu")
    assert rows[["start", "end"]].to_numpy().tolist() == [[0, 15], [15, 30], [30, 40]] * 3


def test_heads_are_chosen_by_target_or_func(X: torch.Tensor) -> None:
    class Heads(Gated):
        def forward(self, X: torch.Tensor, condition: torch.Tensor | None = None) -> Any:
            y = super().forward(X, condition)
            return [y, y[:, :1] * 3]

    torch.manual_seed(0)
    heads = Heads().double().eval()
    torch.manual_seed(0)
    plain = Gated().double().eval()
    expected = necessity(plain, X, TILES, n=3, device="cpu")["effect"] * 3
    by_target = necessity(nb.target(heads, head=1), X, TILES, n=3, device="cpu")
    by_func = necessity(heads, X, TILES, n=3, func=lambda y: y[1][:, 0], device="cpu")
    np.testing.assert_allclose(by_target["effect"], expected, atol=1e-12)
    np.testing.assert_allclose(by_func["effect"], expected, atol=1e-12)
    with pytest.raises(nb.ModelError, match=r"necessity\(model\): got a list; need outputs \(N, T\)"):
        necessity(heads, X, TILES, n=3, device="cpu")


def test_a_second_device_agrees_with_the_cpu(model: nn.Module, X: torch.Tensor, second_device: str) -> None:
    others = nb.random_one_hot((4, 4, 40), random_state=7).double()
    for test, more in ((necessity, ()), (sufficiency, ()), (context_dependence, ()), (context_swap, (others,))):
        options: dict[str, Any] = {} if more else {"n": 3}
        here = test(model, X, *more, TILES, device="cpu", **options)
        there = test(model, X, *more, TILES, device=second_device, **options)
        pd.testing.assert_frame_equal(here, there, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("tiles", "words"),
    [
        ([], "got no spans"),
        ((5, 5), r"the empty span \[5, 5\) of sequence 0"),
        ([(0, 4), (30, 41)], r"\[30, 41\) of sequence 0; need 0 <= start < end <= 40"),
        ((-3, 4), r"\[-3, 4\)"),
        (np.array([[3, 0, 5]]), r"\[0, 5\) of sequence 3; need .* sequences 0 to 2"),
        (0, "tiles of 0 bases"),
        ([(0.5, 3)], "need a width"),
        ([(1, 2), (3,)], "need a width"),
        ("12", "need a width"),
        (pd.DataFrame({"start": [1], "end": [2]}), "columns example_idx"),
    ],
)
def test_tiles_that_cannot_be(tiles: Any, words: str, model: nn.Module, X: torch.Tensor) -> None:
    with pytest.raises(nb.NbinterpError, match=rf"necessity\(tiles\): .*{words}"):
        necessity(model, X, tiles, device="cpu")


def test_settings_that_cannot_be(model: nn.Module, X: torch.Tensor) -> None:
    same = torch.zeros(1, 4, 40)
    same[:, 0] = 1
    cases: list[tuple[str, Any, type[Exception]]] = [
        (r"necessity\(fil\): .*did you mean|necessity\(n_shufles\)", lambda: necessity(model, X, 9, n_shufles=3), TypeError),
        (r"fill\): got 'suffle' \(did you mean 'shuffle'", lambda: necessity(model, X, 9, fill="suffle"), ValueError),
        (r"necessity\(n\): got 0", lambda: necessity(model, X, 9, n=0), ValueError),
        (r"necessity\(target\): got 2; need 0 to 1", lambda: necessity(model, X, 9, n=2, target=2), ValueError),
        (r"necessity\(X\): got shape \(4, 40\)", lambda: necessity(model, X[0], 9), ValueError),
        (r"necessity\(X\): got no sequences", lambda: necessity(model, X[:0], 9), ValueError),
        (r"args\[0\]\): got \(2, 3\); need a tensor of 3 rows", lambda: necessity(model, X, 9, args=[torch.zeros(2, 3)]), ValueError),
        (r"backgrounds\): got shape \(3, 4, 40\)", lambda: necessity(model, X, 9, backgrounds=X), ValueError),
        (r"which no shuffle changes", lambda: necessity(model, same, (2, 9), fill="shuffle"), ValueError),
        (r"sufficiency\(tiles\): got \[5, 20\) of sequence 0, which overlaps keep", lambda: sufficiency(model, X, TILES, keep=(18, 22)), ValueError),
        (r"sufficiency\(keep\): .*\[30, 41\)", lambda: sufficiency(model, X, TILES, keep=(30, 41)), ValueError),
        (r"context_swap\(n\): ", lambda: context_swap(model, X, X, TILES, n=3), ValueError),
        (r"context_swap\(X_other\): ", lambda: context_swap(model, X, X[:, :, 1:], TILES), ValueError),
        (r"until_precise\(precision\)", lambda: necessity(model, X, 9, precision=-1.0), ValueError),
    ]  # fmt: skip
    for words, call, kind in cases:
        with pytest.raises(kind, match=words) as caught:
            call()
        assert isinstance(caught.value, nb.NbinterpError)
