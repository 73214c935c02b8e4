"""Checks, batches, files, cache and tables hold to what they say."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from nbinterp.core.batches import on_device, resolve_dtype, run_batches, take_rows
from nbinterp.core.cache import ModelCache, content_hash
from nbinterp.core.check import check_one_hot, check_options, validate_input
from nbinterp.core.files import writing
from nbinterp.core.tables import SEQLETS, check_table
from nbinterp.errors import FormatError, Interrupted, NbinterpError, NbinterpWarning, OptionError


def one_hot() -> torch.Tensor:
    return torch.eye(4)[None].repeat(2, 1, 1)


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (one_hot() * 0.5, "got an entry of 0.5"),
        (one_hot().fill_(float("nan")), "got NaN"),
        (one_hot()[0], r"got shape \(4, 4\)"),
        ([1, 2], "got a list"),
        (torch.ones(1, 4, 3), "more than one base"),
    ],
)
def test_check_one_hot_names_the_fault(X: object, words: str) -> None:
    with pytest.raises(NbinterpError, match=rf"^f\(X\): .*{words}.*; need .*; do "):
        check_one_hot("f", "X", X)


def test_check_one_hot_and_unknown_bases() -> None:
    X = one_hot()
    X[0, :, 1] = 0
    check_one_hot("f", "X", X)
    with pytest.raises(NbinterpError, match="without a base"):
        check_one_hot("f", "X", X, allow_N=False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shape": (-1, 5, -1)}, "shape"),
        ({"dtype": torch.int8}, "dtype"),
        ({"min_value": 1}, "minimum"),
        ({"max_value": 0}, "maximum"),
        ({"shape": (2, 4)}, "shape"),
    ],
)
def test_validate_input_checks_each_thing(options: dict, words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        validate_input(one_hot(), **options)
    with pytest.warns(NbinterpWarning, match=words):
        validate_input(one_hot(), only_warn=True, **options)


def test_options_are_refused_at_the_door() -> None:
    def func(model, X, n_shuffles=20):
        return X

    check_options("ablate", func, {"n_shuffles": 3})
    with pytest.raises(OptionError, match="did you mean 'n_shuffles'"):
        check_options("ablate", func, {"n_shufles": 3})
    with pytest.raises(TypeError):
        check_options("ablate", func, {"other": 3})


def test_batches_cover_every_row_once_and_in_order() -> None:
    for size in (1, 3, 7, 100):
        seen: list[int] = []
        run_batches(7, size, lambda a, b: seen.extend(range(a, b)))
        assert seen == list(range(7))


def test_out_of_memory_halves_the_batch() -> None:
    sizes: list[int] = []

    def step(start: int, end: int) -> None:
        if end - start > 3:
            raise torch.OutOfMemoryError("too big")
        sizes.append(end - start)

    run_batches(10, 8, step)
    assert sum(sizes) == 10
    assert max(sizes) <= 3
    with pytest.raises(torch.OutOfMemoryError):
        run_batches(4, 4, lambda a, b: (_ for _ in ()).throw(torch.OutOfMemoryError("always")))


def test_an_interrupt_keeps_what_was_finished() -> None:
    rows: list[int] = []

    def step(start: int, end: int) -> None:
        if start >= 4:
            raise KeyboardInterrupt
        rows.extend(range(start, end))

    with pytest.raises(Interrupted) as caught:
        run_batches(10, 2, step, partial=lambda n: rows[:n])
    assert caught.value.partial == [0, 1, 2, 3]
    assert caught.value.n_done == 4


def test_bad_batch_size() -> None:
    with pytest.raises(NbinterpError, match="batch_size"):
        run_batches(3, 0, lambda a, b: None)


def test_rows_of_arrays_and_tensors_are_the_same() -> None:
    X = np.arange(24).reshape(2, 3, 4).astype(np.int8)
    a = take_rows(X, 1, 2, device="cpu", dtype=torch.float64)
    b = take_rows(torch.from_numpy(X), 1, 2, device="cpu", dtype=torch.float64)
    assert a.dtype is torch.float64
    assert torch.equal(a, b)


def test_the_model_comes_back_as_it_was() -> None:
    model = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Linear(2, 2))
    model.train()
    model[1].eval()
    with pytest.raises(RuntimeError, match="inside"), on_device(model, torch.device("cpu")):
        assert not model[0].training
        raise RuntimeError("inside")
    assert model[0].training
    assert not model[1].training
    assert resolve_dtype(None, model.double()) is torch.float64
    assert resolve_dtype("float16", model) is torch.float16


def test_a_file_is_whole_or_absent(tmp_path: Path) -> None:
    target = tmp_path / "out" / "table.tsv"
    with pytest.raises(RuntimeError), writing(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert list(target.parent.iterdir()) == []
    with pytest.raises(FormatError, match="full disk"), writing(target) as temporary:
        temporary.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(target.parent.iterdir()) == []
    with writing(target) as temporary:
        assert temporary.suffix == ".tsv"
        temporary.write_text("whole")
    assert target.read_text() == "whole"


def test_content_hash_tells_content_apart() -> None:
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 2)
    items = [
        model,
        torch.nn.BatchNorm1d(2),
        torch.tensor(5),
        torch.zeros(3),
        np.zeros(3),
        pd.DataFrame({"a": [1]}),
        b"x",
        "x",
        1,
        [1, 2],
        {"a": 1},
        None,
    ]
    assert len({content_hash(item) for item in items}) == len(items)
    before = content_hash(model)
    assert before == content_hash(model)
    with torch.no_grad():
        model.weight[0, 0] += 1
    assert before != content_hash(model)


def test_the_cache_dies_with_its_model() -> None:
    cache = ModelCache()
    model = torch.nn.Linear(1, 1)
    assert cache.get(model, "a", lambda: 1) == cache.get(model, "a", lambda: 2) == 1
    cache.forget(model)
    assert cache.get(model, "a", lambda: 2) == 2
    del model
    assert len(cache._values) == 0


def test_tables_are_held_to_their_schema() -> None:
    good = pd.DataFrame({"example_idx": [0], "start": [1], "end": [5], "attribution": [0.5], "more": ["x"]})
    assert check_table("f", "seqlets", good, SEQLETS) is good
    with pytest.raises(NbinterpError, match="columns attribution too"):
        check_table("f", "seqlets", good.drop(columns="attribution"), SEQLETS)
    with pytest.raises(NbinterpError, match="column start of float64"):
        check_table("f", "seqlets", good.assign(start=[1.5]), SEQLETS)
    with pytest.raises(NbinterpError, match="a list"):
        check_table("f", "seqlets", [], SEQLETS)
