"""Maps in Zarr folders: the same as in a file, resumed, refused, and taken by what takes maps."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from nbinterp.errors import FormatError, Interrupted, NbinterpError
from nbinterp.mechanism.cluster_embed import principal_components
from nbinterp.mechanism.library_random import random_library
from nbinterp.mechanism.maps import attribute_library
from nbinterp.mechanism.maps_store import MapStore
from nbinterp.mechanism.neighbours import nearest_neighbours
from nbinterp.mechanism.summary_sums import fine_sums
from nbinterp.mechanism.ward import ward_linkage

zarr = pytest.importorskip("zarr")
LIBRARY = random_library("ACGTACGTACGTACG", 40, 0.2, random_state=1)


class Stopped(nn.Module):
    """A model that is interrupted at a row."""

    def __init__(self, stop_at: int = 10**9) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.inner = nn.Sequential(nn.Conv1d(4, 3, 3), nn.Tanh(), nn.Flatten(), nn.Linear(39, 1))
        self.stop_at, self.seen = stop_at, 0

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        self.seen += len(X)
        if self.seen > self.stop_at:
            raise KeyboardInterrupt
        return self.inner(X)


def maps_of(path: Path | None, stop_at: int = 10**9, **more: Any) -> Any:
    return attribute_library(Stopped(stop_at), LIBRARY, path=path, batch_size=1, device="cpu", **more)


def test_a_folder_holds_what_memory_holds_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    expected, path = maps_of(None), tmp_path / "maps.zarr"
    with pytest.raises(Interrupted) as stopped:
        maps_of(path, stop_at=21)
    assert not path.exists()
    np.testing.assert_array_equal(stopped.value.partial, expected[: stopped.value.n_done])
    assert stopped.value.n_done
    maps = maps_of(path)
    assert isinstance(maps, zarr.Array)
    np.testing.assert_array_equal(maps[:], expected)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["maps.json", "maps.zarr"]
    np.testing.assert_array_equal(maps_of(path, stop_at=0)[:], expected)  # read, not made
    with pytest.raises((ValueError, PermissionError), match="read"):
        maps[0] = 0.0


def test_parts_that_end_within_a_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbinterp.mechanism.maps_zarr._PART", 3 * 4 * 5)
    values = np.random.default_rng(0).standard_normal((11, 4, 5)).astype(np.float32)
    store = MapStore("test", tmp_path / "a.zarr", values.shape, {}, False)
    assert store.maps.chunks == (3, 4, 5)
    for start, end in ((0, 4), (4, 5), (5, 11)):
        store.write(values[start:end])
    np.testing.assert_array_equal(store.finish()[:], values)


def test_other_maps_are_refused_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "maps.zarr"
    maps_of(path)
    with pytest.raises(FormatError, match=r"maps.zarr, made with other values of span; need .* do pass overwrite=True"):
        maps_of(path, span=(2, 9))
    assert maps_of(path, span=(2, 9), overwrite=True).shape == (40, 4, 7)
    next(path / name for name in ("zarr.json", ".zarray") if (path / name).exists()).unlink()
    with pytest.raises(FormatError, match=r"maps.zarr \("):
        maps_of(path, span=(2, 9))


def test_what_takes_maps_takes_a_folder(tmp_path: Path) -> None:
    here, there = maps_of(None), maps_of(tmp_path / "maps.zarr")
    assert np.array_equal(ward_linkage(there, device="cpu"), ward_linkage(here, device="cpu"))
    assert np.array_equal(nearest_neighbours(there, 3).indices, nearest_neighbours(here, 3).indices)
    np.testing.assert_allclose(principal_components(there)[0], principal_components(here)[0], atol=1e-9)
    labels, y = np.arange(40) % 3, np.arange(40.0)
    np.testing.assert_array_equal(fine_sums(there, LIBRARY, labels, y).maps, fine_sums(here, LIBRARY, labels, y).maps)


def test_where_zarr_is_not_installed_its_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(
        NbinterpError, match=r"path\): got .*maps.partial.zarr; need zarr, which is not installed; do pip install"
    ):
        maps_of(tmp_path / "maps.zarr")
    assert not any(tmp_path.iterdir())
