"""What computes on a device gives there what it gives on the CPU: the operations that no other file of tests holds so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from nbinterp.mechanism import surrogate_linear
from nbinterp.mechanism.cluster import cluster_maps
from nbinterp.mechanism.library_random import random_library
from nbinterp.mechanism.maps import attribute_library
from nbinterp.mechanism.stability import stability_of
from nbinterp.mechanism.surrogate_bootstrap import bootstrap_surrogate
from nbinterp.mechanism.surrogate_design import Design
from nbinterp.mechanism.surrogate_fit import fit_surrogate
from nbinterp.mechanism.surrogate_linear import fit_ridge, fit_ridge_cv


def blobs(n: int) -> np.ndarray:
    random = np.random.RandomState(0)
    return random.standard_normal((n, 4, 3)) * 0.3 + 3 * random.standard_normal((3, 4, 3))[np.arange(n) % 3]


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("ward", {}),
        ("average", {}),
        ("kmeans", {}),
        ("dbscan", {"eps": 1.5, "min_samples": 4}),
        ("ward", {"height": 2.0}),
    ],
)
def test_clusters_and_their_stability(method: str, options: dict[str, Any], second_device: str) -> None:
    maps = blobs(36)
    n = None if options else 3
    here, there = (
        cluster_maps(maps, n, method, n_refits=1, device=device, **options) for device in ("cpu", second_device)
    )
    assert np.array_equal(there.labels, here.labels)
    np.testing.assert_allclose(there.stability.agreement, here.stability.agreement)
    np.testing.assert_allclose(there.stability.silhouette, here.stability.silhouette, atol=1e-9)


def test_stability_of_labels_on_a_tensor(second_device: str) -> None:
    maps, labels = blobs(24), np.arange(24) % 3

    def refit(some: Any) -> np.ndarray:
        return np.asarray(some.cpu() if isinstance(some, torch.Tensor) else some)[:, 0, 0].argsort() % 3

    here = stability_of(maps, labels, refit, n_refits=2)
    there = stability_of(torch.from_numpy(maps).to(second_device), labels, refit, n_refits=2)
    np.testing.assert_allclose(there.agreement, here.agreement)
    np.testing.assert_allclose(there.map_silhouette, here.map_silhouette, atol=1e-9)


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("smooth_grad", {"n_samples": 2}),
        ("integrated_gradients", {"n_steps": 3}),
        ("expected_gradients", {"n_samples": 3, "n_shuffles": 2}),
        ("deep_lift_shap", {"n_shuffles": 2}),
    ],
)
def test_maps_of_other_methods(method: str, options: dict[str, Any], second_device: str) -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv1d(4, 2, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(20, 1))
    library = random_library("ACGTTGCAACGT", 3, 0.2, random_state=1)
    here = attribute_library(model, library, method, device="cpu", **options)
    there = attribute_library(model, library, method, device=second_device, **options)
    np.testing.assert_allclose(there, here, rtol=0, atol=1e-5)


def measured(n: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.RandomState(1)
    codes = random.randint(0, 4, (n, 5)).astype(np.uint8)
    return codes, random.normal(size=(4, 5))[codes, np.arange(5)].sum(1) + 0.1 * random.normal(size=n)


def test_ridge_by_cross_validation_and_by_conjugate_gradients(
    second_device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes, y = measured(80)
    none = np.zeros((0, 2), int)
    designs = [Design(torch.as_tensor(codes), none, device) for device in ("cpu", second_device)]
    values = [torch.as_tensor(y), torch.as_tensor(y).to(second_device)]
    here, there = (fit_ridge_cv(d, v, [0.1, 10.0], 3, 0) for d, v in zip(designs, values, strict=True))
    np.testing.assert_allclose(there.weights.cpu(), here.weights, atol=1e-9)
    assert there.facts["strength"] == here.facts["strength"]
    monkeypatch.setattr(surrogate_linear, "_MOST_DENSE", 1)
    here, there = (fit_ridge(d, v, 0.5) for d, v in zip(designs, values, strict=True))
    np.testing.assert_allclose(there.weights.cpu(), here.weights, atol=1e-8)


@pytest.mark.parametrize("options", [{"penalty": "lasso", "reg_strength": 0.01}, {"reg_strength": [0.1, 1.0]}])
def test_surrogates_and_their_bootstrap(options: dict[str, Any], second_device: str) -> None:
    codes, y = measured(80)
    here, there = (fit_surrogate(codes, y, linearity="linear", device=d, **options) for d in ("cpu", second_device))
    np.testing.assert_allclose(there.theta, here.theta, atol=1e-6)
    one, two = (bootstrap_surrogate(found, codes, y, n=2, random_state=0) for found in (here, there))
    np.testing.assert_allclose(two.theta, one.theta, atol=1e-6)
