"""The calls of tangermeme's README and tutorials on experiments run after changing the imports, and give its results."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from nbinterp.attribution import deep_lift_shap, saturation_mutagenesis
from nbinterp.model import predict
from nbinterp.perturb import (
    ablate,
    ablate_annotations,
    apply_pairwise,
    apply_product,
    deletion_effect,
    insertion_effect,
    marginalize,
    space,
    substitution_effect,
)
from nbinterp.seqlet import recursive_seqlets
from nbinterp.sequence import dinucleotide_shuffle, random_one_hot, substitute

pytestmark = pytest.mark.parity

HERE = {
    f.__name__: f
    for f in (
        ablate, ablate_annotations, apply_pairwise, apply_product, deep_lift_shap, deletion_effect, dinucleotide_shuffle,
        insertion_effect, marginalize, predict, saturation_mutagenesis, space, substitution_effect,
    )
}  # fmt: skip
THERE = {
    "ablate": "ablate",
    "ablate_annotations": "ablate",
    "apply_pairwise": "product",
    "apply_product": "product",
    "deep_lift_shap": "deep_lift_shap",
    "deletion_effect": "variant_effect",
    "dinucleotide_shuffle": "ersatz",
    "insertion_effect": "variant_effect",
    "marginalize": "marginalize",
    "predict": "predict",
    "saturation_mutagenesis": "saturation_mutagenesis",
    "space": "space",
    "substitution_effect": "variant_effect",
}


class Model(torch.nn.Module):
    """The README's model."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv1d(4, 16, kernel_size=21, padding=10)
        self.relu = torch.nn.ReLU()
        self.linear = torch.nn.Linear(16, 2)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.linear(self.relu(self.conv(X)).mean(dim=-1))


class FlattenDense(torch.nn.Module):
    """The tutorials' toy model of two optional further inputs."""

    def __init__(self, length: int = 10) -> None:
        super().__init__()
        self.dense = torch.nn.Linear(length * 4, 3)

    def forward(self, X: torch.Tensor, alpha: Any = 0, beta: Any = 1) -> torch.Tensor:
        return self.dense(X.reshape(X.shape[0], -1)) * beta + alpha


@pytest.fixture(scope="module")
def model() -> Model:
    torch.manual_seed(0)
    return Model()


@pytest.fixture(scope="module")
def X() -> torch.Tensor:
    return random_one_hot((100, 4, 2000), random_state=0).float()


def both(name: str, *args: Any, **options: Any) -> list[Any]:
    """Call ours and theirs; functions among the arguments are named, and each has its own."""
    results = []
    for find in (HERE.__getitem__, lambda one: getattr(pytest.importorskip(f"tangermeme.{THERE[one]}"), one)):

        def own(value: Any, find: Any = find) -> Any:
            if isinstance(value, dict):
                return {key: own(one) for key, one in value.items()}
            return find(value) if isinstance(value, str) and value in HERE else value

        results.append(find(name)(*map(own, args), **own(options)))
    return results


def agree(ours: Any, theirs: Any, *shapes: tuple[int, ...]) -> None:
    """Single precision, as in the README: a few of its last digits."""
    for a, b, shape in zip(ours, theirs, shapes, strict=True):
        assert tuple(a.shape) == shape
        torch.testing.assert_close(a, b, rtol=1e-5, atol=2e-6)


def test_marginalize(model: Model, X: torch.Tensor) -> None:
    agree(*both("marginalize", model, X, "CTCAGTGATG"), (100, 2), (100, 2))
    agree(*both("marginalize", model, X, "CTCAGTGATG", device="cpu"), (100, 2), (100, 2))
    found = both("marginalize", model, X[:3], "CTCAGTGATG", func="deep_lift_shap", n_shuffles=3, random_state=0)
    agree(*found, (3, 4, 2000), (3, 4, 2000))
    options = {"func": "saturation_mutagenesis", "additional_func_kwargs": {"start": 990, "end": 1010}}
    agree(*both("marginalize", model, X[:2], "CTCAGTGATG", **options), (2, 4, 20), (2, 4, 20))


def test_ablate(model: Model, X: torch.Tensor) -> None:
    X = substitute(X[:20], "CTCAGTGATG")
    agree(*both("ablate", model, X, 995, 1005, random_state=0), (20, 2), (20, 20, 2))
    y_before, y_after = ablate(
        model, X[:3], 995, 1005, device="cpu"
    )  # not seeded: the shape is all there is to compare
    assert (tuple(y_before.shape), tuple(y_after.shape)) == ((3, 2), (3, 20, 2))
    options = {"shuffle_fn": "dinucleotide_shuffle", "n": 5, "random_state": 0}
    agree(*both("ablate", model, X[:4], 980, 1020, **options), (4, 2), (4, 5, 2))


def test_space(model: Model, X: torch.Tensor) -> None:
    motifs = ["GTGACTCATC", "GTGACTCATC"]
    agree(*both("space", model, X[:10], motifs, spacing=[[10]], device="cpu"), (10, 2), (10, 1, 2))
    agree(*both("space", model, X[:10], motifs, spacing=torch.arange(50)[:, None], device="cpu"), (10, 2), (10, 50, 2))


def test_ablating_seqlets(model: Model, X: torch.Tensor) -> None:
    X_attr = deep_lift_shap(model, X[:10], target=0, n_shuffles=4, random_state=0)
    seqlets = recursive_seqlets(X_attr.sum(dim=1))
    annotations = torch.tensor(seqlets[["example_idx", "start", "end"]].values[:3])
    options = {"n": 3, "random_state": 0, "additional_func_kwargs": {"n_shuffles": 2}}
    found = both("ablate_annotations", model, X[:10], annotations, func="deep_lift_shap", **options)
    agree(*found, (3, 1, 4, 2000), (3, 1, 3, 4, 2000))
    assert ablate_annotations(model, X[:10], seqlets[:3], n=2).y_afters.shape == (3, 1, 2, 2)  # the frame itself


def test_variant_effects() -> None:
    torch.manual_seed(0)
    model, X = FlattenDense(), random_one_hot((1, 4, 10), random_state=0)
    substitutions = torch.tensor([[0, 4, 1], [0, 5, 2]])
    agree(*both("substitution_effect", model, X, substitutions, device="cpu"), (1, 3), (1, 3))
    agree(*both("insertion_effect", model, X, substitutions, left=True, device="cpu"), (1, 3), (1, 3))
    longer = random_one_hot((1, 4, 12), random_state=0)
    for deletions in (substitutions, substitutions[:, :2]):
        agree(*both("deletion_effect", model, longer, deletions, left=False, device="cpu"), (1, 3), (1, 3))
    args = (torch.ones(1, 1), torch.full((1, 1), 2.0))
    agree(*both("substitution_effect", model, X, substitutions, args=args, device="cpu"), (1, 3), (1, 3))


def test_products() -> None:
    torch.manual_seed(0)
    model, X = FlattenDense(), random_one_hot((5, 4, 10), random_state=0).float()
    alpha, beta = torch.randn(2, 1), torch.randn(2, 1)
    one, wide = (torch.zeros(1, 1), torch.ones(1, 1)), (torch.zeros(1, 3), torch.ones(1, 3))
    for args, m in ((one, 1), ((alpha, beta), 2), (wide, 1)):
        agree(*([y] for y in both("apply_pairwise", "predict", model, X, args=args)), (5, m, 3))
    options = {"args": one, "random_state": 0}
    agree(*([y] for y in both("apply_pairwise", "deep_lift_shap", model, X, **options)), (5, 1, 4, 10))
    for start in ({}, {"start": 0}):
        agree(*both("apply_pairwise", "marginalize", model, X, motif="TGA", args=one, **start), (5, 1, 3), (5, 1, 3))
    options = {"additional_func_kwargs": {"func": "deep_lift_shap", "random_state": 0}, "args": one}
    found = both("apply_pairwise", "marginalize", model, X, motif="TGA", alphabet=["A", "C", "G", "T"], **options)
    agree(*found, (5, 1, 4, 10), (5, 1, 4, 10))
    for args, sizes in (((torch.randn(3, 1),), (3,)), ((torch.randn(3, 1), torch.randn(1, 1)), (3, 1))):
        agree(*([y] for y in both("apply_product", "predict", model, X, args=args)), (5, *sizes, 3))
