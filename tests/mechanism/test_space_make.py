"""From a model to its mechanisms: the same however it is run, and taken up where it was stopped."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nbinterp.errors import FormatError, Interrupted, ModelError, NbinterpError, NbinterpWarning
from nbinterp.mechanism import (
    MechanismSpace,
    attribute_library,
    combinatorial_library,
    complete_ism,
    global_library,
    library_of,
    mechanism_space,
    predict_library,
    predict_to_file,
    random_library,
    two_hot_library,
    ward_linkage,
)
from nbinterp.mechanism.compile import compile_library
from nbinterp.mechanism.library_global import backgrounds_of

REFERENCE = "".join(np.random.default_rng(0).choice(list("ACGT"), 24))
N = 90


class Toy(torch.nn.Module):
    """Two outputs of a small network; stopped, or broken, when so many rows have gone through."""

    def __init__(self, stop: int | None = None, nan: int | None = None) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.filters = torch.nn.Parameter(torch.randn(6, 4, 5, generator=generator))
        self.last = torch.nn.Parameter(torch.randn(6, 2, generator=generator))
        self.stop, self.nan, self.rows = stop, nan, 0

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        y = torch.relu(torch.nn.functional.conv1d(X, self.filters)).mean(2) @ self.last
        if self.stop is not None and self.rows + len(X) > self.stop:
            raise KeyboardInterrupt
        if self.nan is not None and self.rows <= self.nan < self.rows + len(X):
            y = torch.where(torch.arange(len(X))[:, None] == self.nan - self.rows, float("nan"), y)
        self.rows += len(X)
        return y


def make(model: Any = None, **options: Any) -> MechanismSpace:
    given = {
        "reference": REFERENCE,
        "n": N,
        "target": 1,
        "n_clusters": 4,
        "n_refits": 1,
        "device": "cpu",
        "batch_size": 8,
    }
    return mechanism_space(Toy() if model is None else model, **{**given, **options})


def same(a: MechanismSpace, b: MechanismSpace) -> None:
    for name in ("maps", "y", "labels", "embedding", "fine_labels", "axes"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    np.testing.assert_array_equal(a.library.codes, b.library.codes)
    assert a.facts["asked"] == b.facts["asked"]


def test_it_is_its_stages() -> None:
    space, library = make(span=(3, 20)), random_library(REFERENCE, N, 0.1)
    np.testing.assert_array_equal(space.library.codes, library.codes)
    np.testing.assert_allclose(space.y, predict_library(Toy(), library, device="cpu")[:, 1].numpy(), rtol=1e-6)
    maps = attribute_library(Toy(), library, "saliency", target=1, span=(3, 20), device="cpu")
    np.testing.assert_allclose(space.maps, maps, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(space.clusters.linkage, ward_linkage(space.maps, device="cpu"))
    assert (space.start, space.clusters.k, space.facts["target"]) == (3, 4, 1)
    assert set(space.facts["seconds"]) == {"predictions", "maps", "clusters", "embedding", "sums"}


def test_a_folder_changes_nothing_and_is_read_again(tmp_path: Path) -> None:
    model = Toy()
    kept = make(model, folder=tmp_path)
    same(make(), kept)
    same(kept, MechanismSpace.load(tmp_path))
    before = model.rows
    same(kept, make(model, folder=tmp_path))
    assert model.rows - before <= 1  # looked at, to see what it gives


def test_other_clusters_keep_predictions_and_maps(tmp_path: Path) -> None:
    make(folder=tmp_path)
    stamp = {name: (tmp_path / name).stat().st_mtime_ns for name in ("maps.npy", "predictions.npy", "linkage.json")}
    other = make(folder=tmp_path, n_clusters=7)
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in stamp} == stamp
    assert MechanismSpace.load(tmp_path).clusters.k == other.clusters.k == 7
    same(make(n_clusters=7, gauge="hierarchical"), make(folder=tmp_path, n_clusters=7, gauge="hierarchical"))
    assert (tmp_path / "linkage.json").stat().st_mtime_ns > stamp["linkage.json"]
    make(folder=tmp_path, cluster_method="kmeans")
    assert MechanismSpace.load(tmp_path).clusters.method == "kmeans"


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    make(folder=tmp_path)
    for other in ({"random_state": 1}, {"target": 0}, {"rate": 0.2}):
        with pytest.raises(
            FormatError, match=r"got .*predictions.npy, made with other values of .*; need .* overwrite=True"
        ):
            make(folder=tmp_path, **other)
    with pytest.raises(FormatError, match=r"maps.npy, made with other values of method"):
        make(folder=tmp_path, method="smooth_grad")
    same(make(), MechanismSpace.load(tmp_path))
    same(make(random_state=1), make(folder=tmp_path, random_state=1, overwrite=True))


@pytest.mark.parametrize("stop", [0, 1, 20, N + 1, N + 30, 2 * N])
def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path, stop: int) -> None:
    """Stopped while it predicts, and while it attributes; the second run does what is left, and gives the same."""
    model = Toy(stop=stop)
    with pytest.raises(KeyboardInterrupt) as caught:
        make(model, folder=tmp_path, batch_size=4)
    done = model.rows
    if stop > 1:
        assert isinstance(caught.value, Interrupted)
    with pytest.raises(
        FormatError, match=r"without space\.json; need .*; do call mechanism_space with this folder again"
    ):
        MechanismSpace.load(tmp_path)
    rest = Toy()
    space = make(rest, folder=tmp_path)
    same(make(), space)
    assert rest.rows <= 2 * N + 1 - max(done - 1, 0) + 4 * 8  # of a stretch of maps that was not finished


def test_interrupted_predictions_are_in_the_exception() -> None:
    with pytest.raises(Interrupted) as caught:
        make(Toy(stop=41), batch_size=4)
    assert caught.value.n_done == 40
    np.testing.assert_allclose(caught.value.partial, make().y[:40], rtol=1e-6)


def test_a_run_that_is_stopped_while_it_clusters_keeps_its_maps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*args: Any, **kwargs: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("nbinterp.mechanism.space_make.ward_linkage", stop)
        make(folder=tmp_path)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("nbinterp.mechanism.space_make.cluster_maps", stop)
        make(folder=tmp_path)
    model, whole = Toy(), make()
    with monkeypatch.context() as patch:
        patch.setattr("nbinterp.mechanism.space_make.ward_linkage", stop)  # it is there
        same(whole, make(model, folder=tmp_path))
    assert model.rows == 1


def test_a_library_of_any_kind_is_taken() -> None:
    every = combinatorial_library(REFERENCE, window=(4, 7))
    space = make(reference=None, library=every, method="saturation_mutagenesis")
    y = predict_library(Toy(), every, device="cpu")[:, 1].numpy()
    np.testing.assert_allclose(space.maps, complete_ism(every, y), atol=1e-6)
    assert (space.start, space.end, space.rate) == (4, 7, 0.75)

    around = global_library(REFERENCE, 40, (8, 14), random_state=2)
    space = make(library=around)
    gia = compile_library(
        around, *(predict_library(Toy(), one, device="cpu")[:, 1] for one in (around, backgrounds_of(around)))
    )
    np.testing.assert_allclose(space.table["global_importance"], gia["global_importance"], atol=1e-6)
    assert (space.start, space.end) == (0, 24)

    given = make(library=random_library(REFERENCE, N, 0.1).to_one_hot().numpy(), random_state=3)
    np.testing.assert_array_equal(given.y, make().y)
    window = make(window=(5, 15))
    assert (window.start, window.end) == (5, 15)


@pytest.mark.parametrize(
    ("options", "method"),
    [
        ({"cluster_method": "kmeans"}, "kmeans"),
        ({"cluster_method": "average"}, "average"),
        ({"cluster_method": "dbscan", "n_clusters": None, "cluster_options": {"eps": 2.0, "min_samples": 3}}, "dbscan"),
        ({"cluster_options": {"engine": "scipy"}}, "ward"),
    ],
)
def test_clusters_of_any_kind_are_taken(options: dict[str, Any], method: str, tmp_path: Path) -> None:
    space = make(**options, folder=tmp_path)
    assert space.clusters.method == method
    assert (space.fine_tree is None) == (method in ("kmeans", "dbscan"))
    assert space.sums().n.sum() == (space.labels >= 0).sum()
    same(space, MechanismSpace.load(tmp_path))


def test_a_height_is_a_cut(tmp_path: Path) -> None:
    tree = make().clusters.linkage
    assert tree is not None
    height = float(tree[-6:-4, 2].mean())
    assert make(n_clusters=None, cluster_options={"height": height}).clusters.k == 6


@pytest.mark.slow  # their imports alone
@pytest.mark.parametrize("embedding", ["umap", "tsne"])
def test_other_embeddings(embedding: str) -> None:
    pytest.importorskip({"umap": "umap", "tsne": "openTSNE"}[embedding])
    space = make(embedding=embedding)
    assert space.embedding.shape == (N, 2)
    assert (space.axes, space.facts["embedding"]) == (None, embedding)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"n": 1},
            r"mechanism_space\(n\): got 1 sequence; need at least 2, since one has no neighbour; do make a larger",
        ),
        ({"library": library_of([REFERENCE])}, r"mechanism_space\(library\): got 1 sequence"),
        ({"library": two_hot_library(REFERENCE, 9)}, r"mechanism_space\(library\): got a library of two copies"),
        ({"reference": None}, r"mechanism_space\(reference\): got None; need a sequence, or a library"),
        (
            {"library": library_of([REFERENCE, REFERENCE]), "reference": "ACGT" * 6},
            "got another sequence; need the library's",
        ),
        ({"target": None}, r"mechanism_space\(target\): got None; need one of 2 outputs; do choose one"),
        ({"target": 2}, r"mechanism_space\(target\): got 2; need an index into 2 outputs"),
        ({"embedding": "phate"}, "embedding"),
        ({"gauge": "uniform"}, r"mechanism_space\(gauge\)"),
        ({"cluster_method": "wart"}, "did you mean 'ward'"),
        ({"cluster_method": "dbscan"}, r"mechanism_space\(cluster_options\): got eps None; need a radius above 0"),
        ({"cluster_options": {"esp": 1}}, r"did you mean 'eps'"),
        ({"n_clusters": 0}, r"mechanism_space\(n_clusters\): got 0; need at least 1"),
        ({"n_fine": 0}, r"mechanism_space\(n_fine\): got 0; need at least 1"),
        ({"columns": {"a": [1]}}, "columns"),
        ({"span": (3, 30)}, r"span"),
        ({"method": "salience"}, "did you mean 'saliency'"),
        ({"attribution_options": {"n_step": 3}, "method": "integrated_gradients"}, "n_step"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], message: str) -> None:
    model = Toy()
    with pytest.raises(NbinterpError, match=message):
        make(model, **options)
    assert model.rows <= (N + 1 if "attribution_options" in options else 1)  # said before anything is computed


def test_predictions_that_are_not_finite_are_refused_by_row(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"mechanism_space\(model\): got a prediction of nan in row 36; need finite numbers"
    ):
        make(Toy(nan=37), folder=tmp_path)  # the first row was looked at before
    with pytest.raises(
        NbinterpError, match=r"attribute_library\(model\): got a map with NaN or infinity in row 12; need"
    ):
        make(method=_broken, folder=tmp_path)
    with pytest.raises(
        ModelError, match=r"mechanism_space\(model\): got an output of shape \(1, 6, 20\); need an output of shape"
    ):
        make(lambda X: torch.nn.functional.conv1d(X, Toy().filters))


def _broken(model: Any, X: torch.Tensor, **options: Any) -> torch.Tensor:
    maps = X.float() * 0 + torch.arange(len(X))[:, None, None]
    maps[12:13] = torch.nan
    return maps


def test_maps_that_are_all_the_same_are_one_cluster() -> None:
    linear = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(96, 1))
    with pytest.warns(NbinterpWarning, match="ties at height 0 skip; cut into 1"):
        space = make(linear, target=None)
    assert space.clusters.k == 1


def test_predictions_in_a_file_of_their_own(tmp_path: Path) -> None:
    library = random_library(REFERENCE, 50, 0.1)
    with pytest.raises(Interrupted):
        predict_to_file(Toy(stop=30), library, tmp_path / "y.npy", target=0, batch_size=4, device="cpu")
    model = Toy()
    y = predict_to_file(model, library, tmp_path / "y.npy", target=0, batch_size=4, device="cpu")
    assert model.rows == 1 + 50 - 28
    np.testing.assert_allclose(y, predict_library(Toy(), library, device="cpu")[:, 0].numpy(), rtol=1e-6)


def test_another_device_gives_the_same(second_device: str) -> None:
    few = {"n": 30, "span": (8, 14), "n_refits": 0}
    ours, theirs = make(**few), make(**few, device=second_device)
    np.testing.assert_allclose(ours.maps, theirs.maps, atol=1e-5)
    np.testing.assert_allclose(ours.y, theirs.y, rtol=1e-5)
    np.testing.assert_allclose(np.abs(ours.embedding), np.abs(theirs.embedding), atol=1e-4)


def test_nothing_is_said_where_nothing_is_wrong() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make()


def test_it_shows_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    make(verbose=True)
    shown = capsys.readouterr().err
    assert all(word in shown for word in ("mechanism_space: predictions", "attribute_library", "ward"))
