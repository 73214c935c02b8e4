"""Effects with their uncertainty: against numpy and scipy, stopping early, and what cannot be summarized."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from nbinterp.errors import Interrupted, NbinterpError
from nbinterp.perturb.summary import summarize, t_quantile, until_precise


@pytest.mark.parametrize("df", [1, 2, 3, 4, 5, 19, 63, 64, 999, 10_000])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
def test_the_t_quantile_equals_scipys(level: float, df: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    assert t_quantile(level, df) == pytest.approx(stats.t.ppf((1 + level) / 2, df), rel=1e-9)


def test_a_summary_equals_numpys() -> None:
    values = torch.randn(20, 3, 2, generator=torch.Generator().manual_seed(0))
    effect, rows = summarize(values, level=0.9), values.double().numpy()
    se = rows.std(axis=0, ddof=1) / math.sqrt(20)
    half = 1.729132811521367 * se  # of 19 degrees of freedom, from a printed table
    for ours, known in (
        (effect.mean, rows.mean(axis=0)),
        (effect.sd, rows.std(axis=0, ddof=1)),
        (effect.se, se),
        (effect.low, rows.mean(axis=0) - half),
        (effect.high, rows.mean(axis=0) + half),
    ):
        assert ours.shape == (3, 2)
        np.testing.assert_allclose(ours.numpy(), known, rtol=1e-12)
    assert effect.n == 20


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    draws = torch.randn(5, 20_000, generator=torch.Generator().manual_seed(0))
    effect = summarize(draws, level=0.8)
    covered = ((effect.low <= 0) & (effect.high >= 0)).double().mean()
    assert float(covered) == pytest.approx(0.8, abs=0.01)


def test_one_row_has_a_mean_and_no_spread() -> None:
    effect = summarize(torch.tensor([[2.0, 3.0]]))
    assert effect.mean.tolist() == [2.0, 3.0]
    assert all(bool(part.isnan().all()) for part in (effect.sd, effect.se, effect.low, effect.high))


def test_nan_and_infinity_stay_in_their_cells_and_are_not_left_out() -> None:
    effect = summarize(torch.tensor([[1.0, math.nan, math.inf], [3.0, 1.0, 1.0]]))
    assert effect.mean[0] == 2.0
    assert effect.sd[0] == pytest.approx(math.sqrt(2))
    assert math.isnan(effect.mean[1])
    assert effect.mean[2] == math.inf
    assert effect.sd[1:].isnan().all()


def test_whole_numbers_are_summarized_as_numbers() -> None:
    assert summarize(torch.tensor([1, 2])).mean == 1.5


class Rows:
    """Noise whose rows depend on their index, with a count of what was asked for."""

    def __init__(self, sd: float) -> None:
        self.values = sd * torch.randn(500, 2, generator=torch.Generator().manual_seed(1))
        self.asked: list[tuple[int, int]] = []

    def __call__(self, start: int, end: int) -> torch.Tensor:
        self.asked.append((start, end))
        return self.values[start:end]


def test_without_a_precision_all_is_measured_in_one_call() -> None:
    rows = Rows(1.0)
    assert torch.equal(until_precise(rows, n=500), rows.values)
    assert rows.asked == [(0, 500)]


def test_it_stops_at_the_first_round_that_is_precise_with_the_rows_of_a_full_run() -> None:
    rows = Rows(1.0)
    got = until_precise(rows, n=500, precision=0.25, step=10)
    assert torch.equal(got, rows.values[: len(got)])

    def half(n: int) -> float:
        effect = summarize(rows.values[:n])
        return float((effect.high - effect.low).max() / 2)

    assert half(len(got)) <= 0.25 < min(half(n) for n in range(10, len(got), 10))
    assert rows.asked == [(i, i + 10) for i in range(0, len(got), 10)]


def test_what_never_gets_precise_ends_at_n() -> None:
    rows = Rows(1.0)
    rows.values[3, 1] = math.nan
    assert len(until_precise(rows, n=50, precision=1e9)) == 50
    assert rows.asked[-1] == (48, 50)


def test_an_interrupt_keeps_the_finished_rounds() -> None:
    def measure(start: int, end: int) -> torch.Tensor:
        if start == 20:
            raise KeyboardInterrupt
        return torch.arange(float(start), float(end))

    with pytest.raises(Interrupted) as stopped:
        until_precise(measure, n=100, precision=0.0, step=10)
    assert stopped.value.n_done == 20
    assert torch.equal(stopped.value.partial, torch.arange(20.0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: summarize(torch.zeros(0, 2)), r"summarize\(values\): got shape \(0, 2\)"),
        (lambda: summarize(torch.tensor(1.0)), r"summarize\(values\): got shape \(\)"),
        (lambda: summarize([1.0]), r"summarize\(values\): got a list"),
        (lambda: summarize(torch.zeros(2), level=95), r"summarize\(level\): got 95"),
        (lambda: until_precise(Rows(1), n=0), r"until_precise\(n\): got 0"),
        (lambda: until_precise(Rows(1), n=9, precision=-1), r"until_precise\(precision\): got -1"),
        (lambda: until_precise(Rows(1), n=9, precision=math.nan), r"until_precise\(precision\): got nan"),
        (lambda: until_precise(Rows(1), n=9, precision=1, step=1), r"until_precise\(step\): got 1"),
        (lambda: until_precise(Rows(1), n=9, level=0), r"until_precise\(level\): got 0"),
    ],
)
def test_messages(call, message: str) -> None:
    with pytest.raises(NbinterpError, match=message):
        call()
