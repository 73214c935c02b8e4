"""The still picture of profiles: what it draws, where, and on which scale."""

from __future__ import annotations

import io

import matplotlib as mpl
import numpy as np
import pytest

from nbinterp.chart.profile import ProfileRow, _columns, _extent, _runs, profile_png
from nbinterp.errors import NbinterpError

mpl.use("agg")


def pixels(png: bytes) -> np.ndarray:
    import matplotlib.image

    return matplotlib.image.imread(io.BytesIO(png))[..., :3]


def blue(png: bytes) -> np.ndarray:
    """Where the picture is of the profile's colour."""
    image = pixels(png)
    return image[..., 2] - image[..., 0] > 0.25


def test_columns_hold_lowest_highest_and_mean() -> None:
    values = np.random.RandomState(0).normal(size=5003)
    values[10:30] = np.nan
    values[77] = np.inf
    step, low, high, mean = _columns(values)
    assert len(mean) <= 1200
    for i in range(0, len(mean), 37):
        part = values[i * step : (i + 1) * step]
        part = part[np.isfinite(part)]
        expected = (part.min(), part.max(), part.mean()) if len(part) else (np.nan,) * 3
        np.testing.assert_allclose((low[i], high[i], mean[i]), expected)


def test_each_position_is_a_column_where_there_are_few() -> None:
    step, low, high, mean = _columns(np.arange(7.0))
    assert step == 1
    assert low.tolist() == high.tolist() == mean.tolist() == list(range(7))


def test_the_range_holds_all_that_is_drawn() -> None:
    ones = np.ones((2, 5))
    assert _extent(ProfileRow("a", ones)) == (-1, 1)
    assert _extent(ProfileRow("a", ones, ghost=3 * ones)) == (-3, 3)
    assert _extent(ProfileRow("a", ones[:1], band=(0.5 * ones[:1], 2 * ones[:1]))) == (0, 2)
    assert _extent(ProfileRow("a", np.full((1, 5), np.nan))) == (0, 0)


def test_runs() -> None:
    assert list(_runs(np.array([True, False, True, True]))) == [(0, 1), (2, 4)]


def test_the_profile_stands_where_it_begins() -> None:
    row = ProfileRow("a", np.ones((1, 50)))
    left, right = (np.flatnonzero(blue(profile_png([row], 100, first)).any(axis=0)) for first in (0, 50))
    assert abs(left.max() - right.min()) <= 2
    assert abs((left.max() - left.min()) - (right.max() - right.min())) <= 2


def test_two_strands_fill_up_and_down() -> None:
    half, whole = (blue(profile_png([ProfileRow("a", v)])).sum() for v in (np.ones((1, 50)), np.ones((2, 50))))
    assert whole == pytest.approx(half, rel=0.1)  # the same row, once above the axis and once on both sides of it
    empty = blue(profile_png([ProfileRow("a", np.stack([np.ones(50), np.zeros(50)]))])).sum()
    assert empty == pytest.approx(half, rel=0.1)


def test_a_shared_scale_makes_the_smaller_row_smaller() -> None:
    rows = [ProfileRow("a", np.ones((1, 50))), ProfileRow("b", np.full((1, 50), 4.0))]
    own, shared = (blue(profile_png(rows, scale=scale)).sum() for scale in ("row", "shared"))
    assert shared == pytest.approx(own * 1.25 / 2, rel=0.1)


@pytest.mark.parametrize("length", [1, 40, 3000])
@pytest.mark.parametrize("strands", [1, 2])
def test_everything_at_once(length: int, strands: int) -> None:
    values = np.random.RandomState(0).rand(strands, length)
    values[:, : length // 3] = np.nan
    rows = [
        ProfileRow("a", values, ghost=values + 1, band=(values - 1, values + 1)),
        ProfileRow("zero", np.zeros((strands, length))),
        ProfileRow("none", np.full((strands, length), np.nan)),
    ]
    spans = [(i, i + 5, "ETS") for i in range(9)]
    png = profile_png(rows, length + 10, 5, title="peak", offset=1_000_000, spans=spans, scale="shared")
    assert png[:4] == b"\x89PNG"


def test_nothing_in_view_is_a_picture_too() -> None:
    assert profile_png([ProfileRow("a", np.ones((1, 0)))], 20)[:4] == b"\x89PNG"


def test_a_scale_that_is_not_there() -> None:
    with pytest.raises(NbinterpError, match="did you mean 'shared'"):
        profile_png([ProfileRow("a", np.ones((1, 5)))], scale="share")
