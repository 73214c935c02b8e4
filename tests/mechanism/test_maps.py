"""Maps of a library: against loops and formulas written out, their laws, their files, their errors."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from nbinterp.attribution import deep_lift_shap, saturation_mutagenesis
from nbinterp.errors import FormatError, Interrupted, ModelError, NbinterpError, NbinterpWarning, OptionError
from nbinterp.mechanism.library import Library, library_of
from nbinterp.mechanism.library_combinatorial import combinatorial_library
from nbinterp.mechanism.library_global import global_library
from nbinterp.mechanism.library_predict import predict_library
from nbinterp.mechanism.library_random import random_library, two_hot_library
from nbinterp.mechanism.maps import MAP_METHODS, attribute_library
from nbinterp.mechanism.maps_ism import SharedMutants, complete_ism
from nbinterp.model import predict
from nbinterp.sequence import dinucleotide_shuffle

REFERENCE = "ACGTTGCATGCCATTAGACA" * 2
LENGTH = len(REFERENCE)


def small_model() -> nn.Module:
    torch.manual_seed(0)
    layers = (nn.Conv1d(4, 6, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(6, 5, 3), nn.GELU(), nn.Flatten())
    return nn.Sequential(*layers, nn.Linear(5 * 18, 2)).double().eval()


class Watched(nn.Module):
    """A model that counts its sequences, and stops or goes wrong where it is told to."""

    def __init__(self, stop_at: int | None = None, wrong_at: int | None = None) -> None:
        super().__init__()
        self.inner, self.seen, self._stop_at, self._wrong_at = small_model(), 0, stop_at, wrong_at

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        self.seen += len(X)
        if self._stop_at is not None and self.seen >= self._stop_at:
            raise KeyboardInterrupt
        y = self.inner(X)
        return y * float("nan") if self._wrong_at is not None and self.seen > self._wrong_at else y


def naive_ism(library: Library, target: int, span: tuple[int, int], log2fc: bool) -> np.ndarray:
    """One sequence at a time, as SEAM writes it."""
    model, X = small_model(), library.to_one_hot(dtype=torch.float64)
    scores = np.zeros((len(X), 4, span[1] - span[0]))
    with torch.no_grad():
        for i, x in enumerate(X):
            wild = model(x[None])[0, target].item()
            mutants = {}
            for p in range(*span):
                for b in range(4):
                    if x[b, p] != 1:
                        edited = x.clone()
                        edited[:, p] = torch.eye(4, dtype=torch.float64)[b]
                        mutants[b, p - span[0]] = model(edited[None])[0, target].item()
            offset = abs(min(*mutants.values(), wild)) + 1
            for (b, p), y in mutants.items():
                scores[i, b, p] = np.log2(y + offset) - np.log2(wild + offset) if log2fc else y - wild
    return scores


# ---- saturation mutagenesis


def libraries() -> list[Library]:
    unknown = random_library(REFERENCE, 4, 0.05, random_state=3).sequences()
    return [
        random_library(REFERENCE, 8, 0.03, random_state=1),
        combinatorial_library(REFERENCE, 2, window=(3, 5)),
        global_library(REFERENCE, 4, (3, 9)),
        library_of([row[:5] + "N" + row[6:] for row in unknown]),
    ]


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("library", libraries(), ids=lambda library: library.kind)
def test_mutagenesis_equals_a_naive_loop(library: Library, fast: bool) -> None:
    """Parity checklist 5."""
    for span, log2fc in (((0, LENGTH), False), ((2, 9), True)):
        maps = attribute_library(
            small_model(),
            library,
            "saturation_mutagenesis",
            target=1,
            span=span,
            log2fc=log2fc,
            fast=fast,
            device="cpu",
        )
        np.testing.assert_allclose(maps, naive_ism(library, 1, span, log2fc), rtol=0, atol=1e-6)
        here = library.to_one_hot(*span).numpy() == 1
        assert (maps[here] == 0).all()


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("log2fc", [False, True])
def test_a_complete_library_needs_its_own_predictions_alone(log2fc: bool, fast: bool) -> None:
    """Parity checklist 5: the look-up equals the model's route."""
    library = combinatorial_library(REFERENCE, window=(6, 9))
    model = Watched()
    options = {"target": 1, "span": (6, 9), "log2fc": log2fc, "fast": fast, "device": "cpu"}
    maps = attribute_library(model, library, "saturation_mutagenesis", **options)
    assert model.seen < 20 if fast else model.seen == 64  # a plan is made and checked with a few sequences
    np.testing.assert_allclose(maps, naive_ism(library, 1, (6, 9), log2fc), rtol=0, atol=1e-6)
    order = np.random.RandomState(0).permutation(64)
    shuffled = library_of(library[order].sequences(), window=(6, 9))
    y = predict(small_model(), shuffled, device="cpu")
    np.testing.assert_allclose(complete_ism(shuffled, y, target=1, log2fc=log2fc), maps[order], rtol=0, atol=1e-6)


def test_each_sequence_is_predicted_once() -> None:
    library = combinatorial_library(REFERENCE, 2, window=(3, 9))
    rows = library.sequences()
    distinct = {row[:p] + b + row[p + 1 :] for row in rows for p in range(3, 9) for b in "ACGT"}
    for start in (0, 50):  # taken up again, the rest needs no more than it leads to
        model = Watched()
        shared = SharedMutants("test", model, library, (3, 9), 0, fast=False, device="cpu")
        for first in range(start, len(rows), 40):
            shared.maps(first, min(first + 40, len(rows)))
        assert model.seen == shared.n_predicted <= len(distinct)
        assert start or model.seen == len(distinct)
    assert len(distinct) < len(rows) * 19 / 3


def test_numbering_in_parts_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    library = random_library(REFERENCE, 30, 0.03, random_state=1)
    whole = SharedMutants("test", small_model(), library, (0, LENGTH), 0, device="cpu").maps(0, 30)
    monkeypatch.setattr("nbinterp.mechanism.maps_ism._NUMBERS", 7 * (4 * LENGTH + 1))
    shared = SharedMutants("test", small_model(), library, (0, LENGTH), 0, device="cpu")
    parts = np.concatenate([shared.maps(i, i + 5) for i in range(0, 30, 5)])
    np.testing.assert_allclose(parts, whole, rtol=0, atol=1e-6)


def test_mutagenesis_of_one_sequence_is_the_ordinary_one() -> None:
    library = library_of([REFERENCE])
    ours = attribute_library(small_model(), library, "saturation_mutagenesis", device="cpu")
    raw = saturation_mutagenesis(small_model(), library.to_one_hot(), raw_outputs=True, device="cpu")
    np.testing.assert_allclose(ours, (raw.y_hat - raw.y0[:, None, None])[..., 0], rtol=0, atol=1e-6)


def test_65536_sequences_in_a_fifth_of_a_second() -> None:
    y = np.random.RandomState(0).normal(size=4**8)
    taken = []
    for _ in range(5):  # another process may have the core
        started = time.perf_counter()
        maps = complete_ism(combinatorial_library("ACGTTGCA"), y)
        taken.append(time.perf_counter() - started)
    assert maps.shape == (4**8, 4, 8)
    assert min(taken) < 0.2
    # the single substitutions come after the reference: position 0 to C, G and T, then position 1 to A, ...
    np.testing.assert_allclose(maps[0, [1, 2, 3, 0], [0, 0, 0, 1]], y[1:5] - y[0], atol=1e-6)


# ---- predictions of a library


@pytest.mark.parametrize(
    "library",
    [
        combinatorial_library(REFERENCE, window=(6, 9)),
        combinatorial_library(REFERENCE[:39] + "N", 2, window=(29, 39)),
        random_library(REFERENCE, 50, 0.3, window=(0, 10)),
        random_library(REFERENCE, 50),
        random_library(REFERENCE, 2, window=(0, 10)),
        global_library(REFERENCE, 50, (3, 9)),
    ],
    ids=repr,
)
def test_predictions_of_a_window_are_the_models(library: Library) -> None:
    model = small_model()
    expected = model(library.to_one_hot(dtype=torch.float64)).detach()
    for fast in (True, False):
        y = predict_library(model, library, device="cpu", fast=fast)
        torch.testing.assert_close(y, expected, rtol=0, atol=1e-12)


def test_only_what_the_window_reaches_is_run() -> None:
    model = Watched()
    predict_library(model, combinatorial_library(REFERENCE, window=(6, 10)), device="cpu")
    assert model.seen < 20
    predict_library(model, combinatorial_library(REFERENCE, window=(6, 10)), device="cpu", fast=False)
    assert model.seen >= 256


def test_predictions_are_the_same_on_another_device(second_device: str) -> None:
    library, model = combinatorial_library(REFERENCE, 2, window=(6, 9)), small_model()
    expected = model(library.to_one_hot(dtype=torch.float64)).detach()
    y = predict_library(model, library, device=second_device)
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-10)


def test_a_model_without_a_plan_is_run_in_full_and_says_so() -> None:
    class Whole(nn.Module):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return X.softmax(-1)[:, :, 0]

    library = combinatorial_library(REFERENCE, window=(6, 9))
    with pytest.warns(NbinterpWarning, match=r"predict_library\(fast\): every sequence is predicted in full, since"):
        y = predict_library(Whole(), library, device="cpu")
    torch.testing.assert_close(y, Whole()(library.to_one_hot().float()))


# ---- gradients


def test_saliency_is_the_gradient_of_each_sequence_alone() -> None:
    """Parity checklist 4: the scale does not depend on the batch."""
    library, model = random_library(REFERENCE, 23, 0.1, random_state=1), small_model()
    naive = []
    for x in library.to_one_hot(dtype=torch.float64):
        leaf = x[None].requires_grad_()
        model(leaf)[0, 1].backward()
        naive.append(leaf.grad[0].numpy())
    for batch_size in (1, 2, 64):
        maps = attribute_library(model, library, "saliency", target=1, batch_size=batch_size, device="cpu")
        assert maps.dtype == np.float32
        np.testing.assert_allclose(maps, naive, rtol=0, atol=1e-7)


def test_integrated_gradients_are_complete_and_near_seams_trapezoid() -> None:
    """Parity checklist 4."""
    library, model = random_library(REFERENCE, 6, 0.1, random_state=1), small_model()
    maps = attribute_library(model, library, "integrated_gradients", n_steps=200, device="cpu")
    X = library.to_one_hot(dtype=torch.float64)
    with torch.no_grad():
        difference = model(X)[:, 0] - model(torch.zeros_like(X))[:, 0]
    np.testing.assert_allclose((maps * X.numpy()).sum((1, 2)), difference, rtol=0, atol=2e-4)
    gradients = []
    for j in range(201):
        leaf = (j / 200 * X).requires_grad_()
        model(leaf)[:, 0].sum().backward()
        gradients.append(leaf.grad)
    g = torch.stack(gradients)
    np.testing.assert_allclose(maps, ((g[1:] + g[:-1]) / 2).mean(0), rtol=0, atol=2e-3)


def test_all_rows_have_the_same_references() -> None:
    library, model = random_library(REFERENCE, 12, 0.1, random_state=1), small_model()
    references = dinucleotide_shuffle(torch.from_numpy(library.reference)[None], n=5, random_state=3)
    expected = deep_lift_shap(
        model, library.to_one_hot(), references=references.expand(12, -1, -1, -1), hypothetical=True, device="cpu"
    )
    maps = attribute_library(model, library, "deep_lift_shap", n_shuffles=5, random_state=3, batch_size=1, device="cpu")
    np.testing.assert_allclose(maps, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("method", MAP_METHODS)
def test_maps_depend_neither_on_the_batch_nor_on_the_start(method: str) -> None:
    library, model = random_library(REFERENCE, 20, 0.1, random_state=1), small_model()
    few = {"saliency": {}, "saturation_mutagenesis": {}, "smooth_grad": {"n_samples": 2}}
    options: dict[str, Any] = few.get(method, {"n_shuffles": 2} if method != "integrated_gradients" else {"n_steps": 5})
    whole = attribute_library(model, library, method, device="cpu", **options)
    parts = attribute_library(model, library, method, batch_size=1, span=(5, 30), device="cpu", **options)
    np.testing.assert_allclose(parts, whole[:, :, 5:30], rtol=0, atol=1e-6)
    assert np.ptp(whole, axis=0).max() > 1e-3


@pytest.mark.parametrize("method", ["saliency", "saturation_mutagenesis"])
def test_maps_are_the_same_on_another_device(method: str, second_device: str) -> None:
    library, model = random_library(REFERENCE, 3, 0.1, random_state=1), small_model()
    here = attribute_library(model, library, method, span=(3, 12), device="cpu")
    there = attribute_library(model, library, method, span=(3, 12), device=second_device)
    np.testing.assert_allclose(there, here, rtol=0, atol=1e-6)
    assert next(model.parameters()).device.type == "cpu"


def test_a_method_of_ones_own() -> None:
    def doubled(model: nn.Module, X: torch.Tensor, factor: float = 2.0) -> torch.Tensor:
        return X * factor

    library = random_library(REFERENCE, 7)
    maps = attribute_library(small_model(), library, doubled, factor=3.0)
    np.testing.assert_array_equal(maps, library.to_one_hot() * 3)
    with pytest.raises(OptionError, match="factr"):
        attribute_library(small_model(), library, doubled, factr=3.0)


def test_sequences_instead_of_a_library_and_two_hot() -> None:
    library = random_library(REFERENCE, 5)
    expected = attribute_library(small_model(), library, device="cpu")
    last = library.to_one_hot().transpose(1, 2)  # (N, L, 4)
    np.testing.assert_array_equal(attribute_library(small_model(), last, device="cpu"), expected)
    assert attribute_library(small_model(), two_hot_library(REFERENCE, 5), device="cpu").shape == (5, 4, LENGTH)


# ---- files and interruptions


def rowwise(model: nn.Module, X: torch.Tensor) -> torch.Tensor:
    """A map that calls the model once a row."""
    return torch.stack([model(x[None].double())[0, 0] * x for x in X])


@pytest.mark.parametrize("method", ["saliency", "saturation_mutagenesis", rowwise])
def test_an_interrupted_library_goes_on_where_it_stopped(method: str | Callable[..., Any], tmp_path: Path) -> None:
    library, path = random_library(REFERENCE, 40, 0.1, random_state=1), tmp_path / "maps.npy"
    once: dict[str, Any] = {"batch_size": 1, "device": "cpu"}
    each = 1
    if method == "saturation_mutagenesis":
        once, each = {**once, "fast": False, "span": (0, 9)}, 28
    expected = attribute_library(Watched(), library, method, **once)
    with pytest.raises(Interrupted) as stopped:
        attribute_library(Watched(stop_at=40 * each * 6 // 10), library, method, path=path, **once)
    done = stopped.value.n_done
    assert done in (16, 24)  # rows that have mutants in common need fewer sequences
    np.testing.assert_array_equal(stopped.value.partial, expected[:done])
    assert not path.exists()
    assert json.loads((tmp_path / "maps.json").read_text())["done"] == done
    model = Watched()
    maps = attribute_library(model, library, method, path=path, **once)
    assert 0 < model.seen <= each * (40 - done)
    np.testing.assert_array_equal(maps, expected)
    assert isinstance(maps, np.memmap)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["maps.json", "maps.npy"]
    model = Watched()
    np.testing.assert_array_equal(attribute_library(model, library, method, path=path, **once), expected)
    assert model.seen == 0
    np.testing.assert_array_equal(np.load(path), expected)


def test_an_interruption_before_the_first_map_holds_nothing(tmp_path: Path) -> None:
    library = random_library(REFERENCE, 4)
    complete = combinatorial_library(REFERENCE, window=(3, 5))
    for one, options in ((library, {}), (complete, {"method": "saturation_mutagenesis", "span": (3, 5)})):
        with pytest.raises(Interrupted) as stopped:
            attribute_library(Watched(stop_at=1), one, device="cpu", path=tmp_path / f"{one.kind}.npy", **options)
        assert (stopped.value.partial, stopped.value.n_done) == (None, 0)
        assert attribute_library(Watched(), one, device="cpu", path=tmp_path / f"{one.kind}.npy", **options).shape


@pytest.mark.parametrize("finished", [True, False])
def test_a_file_of_other_maps_is_not_taken_up(finished: bool, tmp_path: Path) -> None:
    library, path = random_library(REFERENCE, 24, random_state=1), tmp_path / "maps.npy"
    first: dict[str, Any] = {"path": path, "batch_size": 1, "device": "cpu"}
    if finished:
        attribute_library(Watched(), library, **first)
    else:
        with pytest.raises(Interrupted):
            attribute_library(Watched(stop_at=20), library, **first)
    other = Watched()
    nn.init.zeros_(other.inner[0].weight)
    for model, one, more, named in [
        (other, library, {}, "model"),
        (Watched(), random_library(REFERENCE, 24, random_state=2), {}, "library"),
        (Watched(), library, {"target": 1}, "target"),
        (Watched(), library, {"method": "integrated_gradients"}, "method"),
        (Watched(), library, {"random_state": 1}, "random_state"),
        (Watched(), library, {"span": (0, 9)}, "span"),
    ]:
        with pytest.raises(
            FormatError, match=rf"path\): got .*made with other values of {named}; need .* do pass overwrite=True"
        ):
            attribute_library(model, one, **{**first, **more})
    with pytest.raises(FormatError, match="made with other values of options; need"):
        attribute_library(Watched(), library, "saliency", func=torch.neg, **first)
    replaced = attribute_library(Watched(), library, target=1, overwrite=True, **first)
    np.testing.assert_array_equal(replaced, attribute_library(Watched(), library, target=1, device="cpu"))


def test_files_that_are_something_else(tmp_path: Path) -> None:
    library = random_library(REFERENCE, 3)
    foreign = tmp_path / "foreign.npy"
    np.save(foreign, np.zeros(3))
    with pytest.raises(FormatError, match=r"got .*foreign.npy without a readable foreign.json"):
        attribute_library(small_model(), library, path=foreign, device="cpu")
    with pytest.raises(NbinterpError, match=r"path\): got .*maps.npz; need a name that ends in .npy or .zarr"):
        attribute_library(small_model(), library, path=tmp_path / "maps.npz", device="cpu")
    path = tmp_path / "maps.npy"
    attribute_library(small_model(), library, path=path, device="cpu")
    np.save(path, np.zeros((3, 4, 2), np.float32))
    with pytest.raises(FormatError, match=r"maps.npy of shape \(3, 4, 2\)"):
        attribute_library(small_model(), library, path=path, device="cpu")


def test_maps_that_are_not_numbers_are_refused_by_row(tmp_path: Path) -> None:
    """The rows before them are kept."""
    library, path = random_library(REFERENCE, 20), tmp_path / "maps.npy"
    with pytest.raises(NbinterpError, match=r"model\): got a map with NaN or infinity in row 13; need numbers"):
        attribute_library(Watched(wrong_at=13), library, path=path, batch_size=1, device="cpu")
    assert json.loads((tmp_path / "maps.json").read_text())["done"] == 8


# ---- errors


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("salience",), {}, r"method\): got 'salience' \(did you mean 'saliency'\?\)"),
        (("saliency",), {"n_step": 3}, r"n_step\): got an option that .* does not accept"),
        (("saturation_mutagenesis",), {"n_steps": 3}, r"n_steps\): got an option that"),
        (("saturation_mutagenesis",), {"target": 2}, r"target\): got 2; need an index into 2 outputs"),
        (("saliency",), {"target": 2}, r"target\): got 2; need an index into 2 outputs"),
        (("saliency",), {"span": (5, 5)}, r"span\): got \[5, 5\); need 0 <= start < end <= 40"),
        ((lambda model, X: X[:, 0],), {}, r"method\): got shape \(3, 40\); need maps of shape \(3, 4, 40\)"),
    ],
)
def test_errors_say_what_to_do(arguments: tuple[Any, ...], options: dict[str, Any], message: str) -> None:
    with pytest.raises((NbinterpError, OptionError), match=message):
        attribute_library(small_model(), random_library(REFERENCE, 3), *arguments, **options)


def test_libraries_that_do_not_fit() -> None:
    model, library = small_model(), random_library(REFERENCE, 3)
    with pytest.raises(NbinterpError, match=r"library\): got no sequences"):
        attribute_library(model, library[:0])
    with pytest.raises(
        NbinterpError, match=r"library\): got a reference with unknown bases; need known bases to shuffle"
    ):
        attribute_library(model, library_of(["N" * LENGTH]), "deep_lift_shap")
    with pytest.raises(NbinterpError, match=r"method\): got 'integrated_gradients' of a two-hot library"):
        attribute_library(model, two_hot_library(REFERENCE, 3), "integrated_gradients")
    with pytest.raises(NbinterpError, match=r"complete_ism\(library\): got 3 sequences; need each of the"):
        complete_ism(library, np.zeros(3))
    with pytest.raises(
        ModelError, match=r"model\): got an output of shape \(363, 5, 18\); need an output of shape \(n, T\)"
    ):
        attribute_library(model[:5], library, "saturation_mutagenesis", fast=False, batch_size=1)
