"""The table of a library: its columns against loops, its lazy sequences, its errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from nbinterp.errors import NbinterpError
from nbinterp.mechanism.compile import compile_library
from nbinterp.mechanism.compile_profile import profile_component
from nbinterp.mechanism.compile_sequence import LazySequences
from nbinterp.mechanism.library import Library, library_of
from nbinterp.mechanism.library_global import backgrounds_of, global_library
from nbinterp.mechanism.library_random import random_library
from nbinterp.model import predict

REFERENCE = "ACGTTGCATGCCATTAGACA"


@pytest.fixture
def model() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 2)).eval()


def test_columns_equal_loops(model: torch.nn.Module) -> None:
    library = random_library(REFERENCE, 50, 0.2, random_state=1)
    y = predict(model, library, device="cpu")
    table = compile_library(library, y, target=1)
    assert list(table) == ["prediction", "hamming", "sequence"]
    for i, row in table.iterrows():
        assert row.prediction == y[i, 1].item()
        assert row.hamming == sum(a != b for a, b in zip(row.sequence, REFERENCE, strict=True))
        torch.testing.assert_close(library.to_one_hot()[i], library_of([row.sequence]).to_one_hot()[0])


def test_global_importance_is_what_the_motif_adds(model: torch.nn.Module) -> None:
    library = global_library(REFERENCE, 30, (5, 12), random_state=1)
    contexts = backgrounds_of(library)
    y, y_background = (predict(model, one, device="cpu")[:, :1] for one in (library, contexts))
    table = compile_library(library, y, y_background)
    assert list(table) == ["prediction", "global_importance", "sequence"]
    np.testing.assert_array_equal(table.global_importance, (y - y_background)[:, 0])
    weight = model[1].weight.detach()[0].reshape(4, 20)  # a linear model: only the motif's columns differ
    added = ((library.to_one_hot() - contexts.to_one_hot())[:, :, 5:12] * weight[:, 5:12]).sum((1, 2))
    np.testing.assert_allclose(table.global_importance, added.numpy(), atol=1e-6)


def test_seams_names_in_seams_order() -> None:
    local, y = random_library(REFERENCE, 4), np.arange(4.0)
    assert list(compile_library(local, y, names="seam")) == ["DNN", "Hamming", "Sequence"]
    wide = global_library(REFERENCE, 4, (5, 12))
    assert list(compile_library(wide, y[:, None], y, names="seam")) == ["DNN", "GIA", "Sequence"]
    assert "hamming" in compile_library(wide, y)
    assert list(compile_library(local, y, y)) == ["prediction", "hamming", "global_importance", "sequence"]


class Counting:
    """A source that counts the rows it makes."""

    def __init__(self) -> None:
        self.made = 0

    def codes(self, reference: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        self.made += len(rows)
        return reference.expand(len(rows), -1)


def test_sequences_are_written_when_they_are_looked_at() -> None:
    source = Counting()
    library = Library(np.zeros(9, np.uint8), "given", (0, 9), None, source, range(10**6))
    column = LazySequences(library)
    table = pd.DataFrame({"prediction": np.arange(10**6), "sequence": pd.Series(column)})
    some = table[table.prediction % 2 == 0].sort_values("prediction", ascending=False).iloc[10:20]
    assert source.made == 0
    assert some.sequence.iloc[3] == "A" * 9
    assert source.made == 1
    assert some.sequence.tolist() == ["A" * 9] * 10
    assert source.made == 11
    assert column.nbytes == 0


def test_the_column_does_what_columns_do(tmp_path: Any) -> None:
    library = random_library(REFERENCE, 40, 0.1, random_state=2)
    rows = library.sequences()
    table = compile_library(library, np.arange(40.0))
    assert table.sequence.str[:4].tolist() == [row[:4] for row in rows]
    assert (table.sequence == REFERENCE).tolist() == [row == REFERENCE for row in rows]
    assert (table.sequence.array == LazySequences(library)).all()
    assert table.sequence.nunique() == len(set(rows))
    assert table.groupby("sequence").size().sum() == 40
    assert pd.concat([table[:3], table[5:7]]).sequence.tolist() == rows[:3] + rows[5:7]
    assert table[:2].reindex([1, 99]).sequence.isna().tolist() == [False, True]
    assert table.merge(table[3:5], on="prediction").sequence_x.tolist() == rows[3:5]
    assert rows[39][:10] in repr(table)
    table.to_csv(tmp_path / "table.csv", index=False)
    assert pd.read_csv(tmp_path / "table.csv").sequence.tolist() == rows
    assert table.copy().sequence.tolist() == rows


def test_a_table_of_one() -> None:
    table = compile_library(library_of([REFERENCE]), torch.ones(1, 1))
    assert table.to_numpy().tolist() == [[1.0, 0, REFERENCE]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros(4),), r"compile_library\(predictions\): got shape \(4,\); need \(5,\) or \(5, T\)"),
        ((np.zeros((5, 2)),), r"target\): got None; need one of 2 outputs"),
        ((np.zeros((5, 2)), None, 3), r"target\): got 3; need an index into 2 outputs"),
        ((np.array([0, 1, np.nan, 2, 3]),), r"predictions\): got nan in row 2; need finite numbers"),
        ((np.zeros(5), np.full(5, np.inf)), r"backgrounds\): got inf in row 0"),
    ],
)
def test_errors_say_what_to_do(arguments: tuple[Any, ...], message: str) -> None:
    y, backgrounds, target = (*arguments, None, None)[:3]
    with pytest.raises(NbinterpError, match=message):
        compile_library(random_library(REFERENCE, 5), y, backgrounds, target=target)


# ---- one number of each profile


@pytest.mark.parity
@pytest.mark.parametrize("shape", [(30, 12), (9, 5, 4)])
def test_profiles_are_projected_as_squid_projects_them(shape: tuple[int, ...]) -> None:
    profiles = np.random.RandomState(0).standard_normal(shape) * np.linspace(1, 3, shape[-1]) + 2
    flat = profiles.reshape(len(profiles), -1)
    centred = flat - flat.mean(0)
    vectors = np.linalg.svd(centred.T, full_matrices=False)[0]
    along = centred @ vectors[:, 0]
    along *= np.sign(np.corrcoef(flat.sum(1), along)[0, 1])
    np.testing.assert_allclose(profile_component(profiles), along, atol=1e-9)
    np.testing.assert_allclose(profile_component(torch.from_numpy(-profiles)), -along, atol=1e-9)


def test_profiles_that_say_nothing_are_refused() -> None:
    for profiles, message in [
        (np.ones((3, 4)), "got one and the same"),
        (np.ones((1, 4)), r"got shape \(1, 4\)"),
        (np.full((3, 4), np.nan), "got NaN"),
    ]:
        with pytest.raises(NbinterpError, match=r"profile_component\(profiles\): " + message):
            profile_component(profiles)
