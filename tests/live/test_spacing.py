"""Two motifs for a view: the table as arrays, sequences with both written in, attributions, what both halves read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp.errors import NbinterpError
from nbinterp.live import Newest, Packed, unpack_blocks
from nbinterp.live.spacing import (
    ARRANGEMENTS,
    ORDERS,
    SpacingAnswer,
    SpacingAsk,
    SpacingEngine,
    decode_spacing,
    encode_spacing,
    read_pairs,
    sites,
    strands_of,
    written,
)

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "protocol" / "spacing.json"
MOTIFS = {"one": "TGACT", "two": "GATA", "gap": "CNNG"}
X = nb.random_one_hot((3, 4, 60), random_state=0)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv1d(4, 5, 7), nn.ReLU(), nn.Flatten(), nn.Linear(5 * 54, 2)).eval()


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return nb.interaction_map(network(), X, MOTIFS, [1, 4, 9], device="cpu").table


def test_every_number_of_the_table_has_its_place(table: pd.DataFrame) -> None:
    grid = read_pairs("here", table.sample(frac=1, random_state=0), 1)
    rows = table[table["output"] == 1]
    assert sorted(grid.names) == sorted(MOTIFS)
    assert dict(zip(grid.names, grid.widths, strict=True)) == {"one": 5, "two": 4, "gap": 4}
    keys = {(grid.names[a], grid.names[b]): i for i, (a, b, _) in enumerate(grid.pairs)}
    for row in rows.itertuples():
        at = (
            keys[row.motif_a, row.motif_b], ARRANGEMENTS.index(row.arrangement), ORDERS.index(row.order),
            grid.distances.index(row.distance),
        )  # fmt: skip
        for name, numbers in grid.numbers.items():
            assert numbers[at] == np.float32(getattr(row, name))
        assert grid.n[at] == row.n
        assert strands_of(row.arrangement, row.order) == row.strand_a + row.strand_b
        a, b = sites(grid, grid.widths, at[0], row.arrangement, row.order, row.distance)
        assert (a.start, b.start, a.strand, b.strand) == (row.start_a, row.start_b, row.strand_a, row.strand_b)
    assert int((grid.n > 0).sum()) == len(rows)
    assert np.isnan(grid.numbers["effect"][grid.n == 0]).all()


def test_what_is_written_is_what_was_measured(table: pd.DataFrame) -> None:
    """Predictions of the sequences that a view shows are those the table is made of."""
    grid = read_pairs("here", table, 0)
    letters = [MOTIFS[name] for name in grid.names]
    codes = X.argmax(dim=1).numpy().astype(np.uint8)
    before = nb.predict(network(), X, device="cpu")[:, 0]
    for row in table[table["output"] == 0].iloc[::7].itertuples():
        pair = next(
            i for i, (a, b, _) in enumerate(grid.pairs) if (grid.names[a], grid.names[b]) == (row.motif_a, row.motif_b)
        )
        places = sites(grid, grid.widths, pair, row.arrangement, row.order, row.distance)
        put = np.stack([written(one, letters, places) for one in codes])
        one_hot = torch.eye(4)[torch.from_numpy(put.astype(np.int64))].transpose(1, 2)
        effect = (nb.predict(network(), one_hot, device="cpu")[:, 0] - before).mean()
        assert float(effect) == pytest.approx(row.effect, abs=1e-5)


@pytest.mark.parametrize(
    ("change", "output", "words"),
    [
        (lambda t: t.drop(columns=["low", "n"]), 0, "no column n, low"),
        (lambda t: t, 2, r"output\): got 2; need 0 to 1"),
        (lambda t: t.iloc[:0], 0, "an empty table"),
    ],
)
def test_what_is_no_such_table_is_said(table: pd.DataFrame, change: Any, output: int, words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        read_pairs("here", change(table), output)


def engine(model: Any = None, **options: Any) -> SpacingEngine:
    codes = X.argmax(dim=1).numpy().astype(np.uint8)
    return SpacingEngine(
        network() if model is None else model,
        lambda ask: codes[ask.background],
        **{"device": "cpu", "n_shuffles": 3, **options},
    )


ASK = SpacingAsk(3, "0 facing ba 4 1", 0, "facing", "ba", 4, 1)


@pytest.mark.parametrize("output", [0, 1])
def test_scores_are_deep_lift_shap_of_the_sequence(output: int) -> None:
    expected = nb.deep_lift_shap(network(), X[1:2].float(), target=output, n_shuffles=3, device="cpu", random_state=0)
    [told] = engine(output=output).answer(ASK)
    assert (told.number, told.key, told.words) == (3, ASK.key, "")
    np.testing.assert_allclose(told.attributions, expected[0].sum(dim=0), atol=1e-6)


def test_one_device_and_another_agree(second_device: str) -> None:
    np.testing.assert_allclose(engine(device=second_device).scores(ASK), engine().scores(ASK), atol=1e-5)


def test_errors_are_answers_and_what_is_stale_is_not_begun() -> None:
    class Odd(nn.Module):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("the kettle is empty")

    [told] = engine(Odd()).answer(ASK)
    assert "the kettle is empty" in told.words
    assert told.attributions is None
    assert not list(engine().answer(ASK, stale=lambda: True))


def test_the_newest_request_wins() -> None:
    import threading

    begun, go = threading.Event(), threading.Event()
    codes, asked, told = X.argmax(dim=1).numpy().astype(np.uint8), [], []

    def construct(ask: SpacingAsk) -> np.ndarray:
        asked.append(ask.number)
        begun.set()
        assert go.wait(5)
        return codes[0]

    one = SpacingEngine(network(), construct, device="cpu", n_shuffles=2)
    worker: Newest[SpacingAsk, SpacingAnswer] = Newest(one.answer, told.append)
    worker.submit(ASK._replace(number=1))
    assert begun.wait(5)
    for number in (2, 3, 4):
        worker.submit(ASK._replace(number=number))
    go.set()
    assert worker.wait(10)
    assert asked == [1, 4]
    assert [answer.number for answer in told] == [4]


# --- the wire -------------------------------------------------------------------------------------------------------


def fixture() -> dict[str, Any]:
    scores = np.array([0.5, -1.0, 0.25, 2.0], np.float32)
    words, data = encode_spacing(SpacingAnswer(3, ASK.key, scores, 0.25))
    failed, _ = encode_spacing(SpacingAnswer(4, "0 facing ba 2 1", None, 0.5, "the kettle is empty"))
    return {
        "ask": {"kind": "spacing", **ASK._asdict()},
        "answer": {"words": words, "hex": data.hex()},
        "failed": failed,
        "attributions": scores.tolist(),
    }


def test_both_halves_read_the_fixture() -> None:
    """js/test/spacing.test.ts reads the same file."""
    stored = json.loads(FIXTURE.read_text())
    assert stored == json.loads(json.dumps(fixture()))
    assert decode_spacing(stored["ask"]) == ASK
    said = stored["answer"]
    arrays = unpack_blocks(Packed(bytes.fromhex(said["hex"]), said["words"]["blocks"]))
    assert arrays["attributions"].tolist() == stored["attributions"]


@pytest.mark.parametrize("key", ["number", "key", "pair", "arrangement", "order", "distance", "background"])
def test_a_request_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(NbinterpError, match=key):
        decode_spacing({**ASK._asdict(), key: None})
    with pytest.raises(NbinterpError, match="sideways"):
        decode_spacing({**ASK._asdict(), "arrangement": "sideways"})
