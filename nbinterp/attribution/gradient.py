"""Attributions from the model's gradient: at the sequence, on the way to references, and around the sequence.

In: a model and one-hot sequences.  Out: ``(N, 4, L)``; hypothetical scores (all bases) or their projection on the base
that is there.  Every method is an average of gradients at points made from a row; points of all rows share batches, and
random parts are seeded by row, so that results depend neither on the batch size nor on the other rows.

Sources: saliency with correction, Majdandzic et al. 2023; integrated gradients, Sundararajan et al. 2017; expected
gradients, Erion et al. 2021; SmoothGrad, Smilkov et al. 2017.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from ..core.batches import Rows, n_rows
from ..core.check import check_choice
from ..errors import problem
from ..sequence import dinucleotide_shuffle
from .gradient_run import (
    GradientRun,
    IntegratedGradientsResult,
    Points,
    References,
    ReferenceSource,
    first_seed,
    here,
    quadrature,
    scored,
)

__all__ = [
    "IntegratedGradientsResult",
    "expected_gradients",
    "input_x_gradient",
    "integrated_gradients",
    "saliency",
    "smooth_grad",
]


def saliency(
    model: Callable[..., Any],
    X: Rows,
    args: Sequence[torch.Tensor] | None = None,
    target: int = 0,
    batch_size: int = 32,
    hypothetical: bool = False,
    gradient_correction: bool = True,
    func: Callable[..., Any] | None = None,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    verbose: bool = False,
) -> torch.Tensor:
    """Attribute by the gradient at the sequence, corrected for the direction that leaves the one-hot simplex.

    Parameters
    ----------
    model : callable
        Takes ``(n, 4, L)`` and a row of each of `args`; gives ``(n, T)``, or ``(n, T, 1, ...)``.
    X : tensor, array or compact container
        One-hot sequences, ``(N, 4, L)``; zero columns are unknown bases.
    args : sequence of torch.Tensor, optional
        Further inputs, N rows each.
    target : int
        Which output (axis 1) to explain.
    batch_size : int
        Points run at a time; the result does not depend on it.
    hypothetical : bool
        Whether to give scores of all bases, rather than of the base that is there.
    gradient_correction : bool
        Whether to take the mean over the four bases off.
    func : callable, optional
        Applied to the model's output; must be differentiable.
    dtype, device : optional
        Precision and place of the computation; by default the model's dtype, and CUDA where there is one.
    verbose : bool
        Whether to show progress.

    Returns
    -------
    torch.Tensor
        ``(N, 4, L)``, on the CPU.  At an N the projected score is 0.

    Raises
    ------
    NbinterpError
        When X is not one-hot, `args` do not fit, or the output has no such target.
    Interrupted
        When stopped by the user; `.partial` holds the finished rows.

    Examples
    --------
    >>> import torch
    >>> weights = torch.tensor([[1.0, 0], [0, 2], [0, 0], [3, 0]])
    >>> model = lambda X: (X * weights).sum((1, 2))[:, None]
    >>> X = torch.eye(4)[None, :, [0, 1]]
    >>> saliency(model, X, device="cpu").sum(1)
    tensor([[0.0000, 1.5000]])
    >>> saliency(model, X, gradient_correction=False, device="cpu").sum(1)
    tensor([[1., 2.]])
    """
    run = GradientRun("saliency", model, X, args, target, batch_size, func, dtype, device, verbose)
    return run.attribute(here, scored(hypothetical, corrected=gradient_correction))


def input_x_gradient(
    model: Callable[..., Any],
    X: Rows,
    args: Sequence[torch.Tensor] | None = None,
    target: int = 0,
    batch_size: int = 32,
    hypothetical: bool = False,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    verbose: bool = False,
    *,
    func: Callable[..., Any] | None = None,
) -> torch.Tensor:
    """Attribute by the gradient at the sequence, as it is, on the base that is there.

    Parameters, results and errors are those of `saliency` without correction.

    Examples
    --------
    >>> import torch
    >>> weights = torch.tensor([[1.0, 0], [0, 2], [0, 0], [3, 0]])
    >>> model = lambda X: (X * weights).sum((1, 2))[:, None]
    >>> input_x_gradient(model, torch.eye(4)[None, :, [0, 1]], device="cpu").sum(1)
    tensor([[1., 2.]])
    """
    run = GradientRun("input_x_gradient", model, X, args, target, batch_size, func, dtype, device, verbose)
    return run.attribute(here, scored(hypothetical, corrected=False))


def integrated_gradients(
    model: Callable[..., Any],
    X: Rows,
    args: Sequence[torch.Tensor] | None = None,
    target: int = 0,
    batch_size: int = 32,
    references: str | References = "zeros",
    n_steps: int = 50,
    n_shuffles: int = 20,
    hypothetical: bool = False,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    random_state: int | None = None,
    verbose: bool = False,
    *,
    rule: str = "gauss-legendre",
    return_deltas: bool = False,
    func: Callable[..., Any] | None = None,
) -> torch.Tensor | IntegratedGradientsResult:
    """Attribute by the gradient averaged along the straight way from a reference to the sequence.

    The scores of all positions add up to f(sequence) - f(reference), as far as `n_steps` resolve the way.

    Parameters
    ----------
    model, X, args, target, batch_size, hypothetical, dtype, device, verbose, func
        As for `saliency`.
    references : {"zeros", "mean"}, tensor or callable
        Zeros; the row's own base frequencies at every position; ``(N, R, 4, L)``; or a function such as
        `dinucleotide_shuffle`, called ``references(X_row, n=n_shuffles, random_state=seed)``.
    n_steps : int
        Points on the way to each reference.
    n_shuffles : int
        References asked of a function.
    random_state : int, optional
        Seed of the references; row i gets ``random_state + i``.
    rule : {"gauss-legendre", "midpoint"}
        How the points are placed and weighted.
    return_deltas : bool
        Whether to give the completeness deltas too.

    Returns
    -------
    torch.Tensor
        ``(N, 4, L)``, the mean over references, or
    IntegratedGradientsResult
        with each row's completeness delta, if `return_deltas`.

    Raises
    ------
    NbinterpError
        As for `saliency`, and when references do not fit or an option is unknown.
    Interrupted
        When stopped by the user; `.partial` holds the finished rows.

    Notes
    -----
    At an N (zero column) the projected score is 0, and its contribution is in neither the score nor the delta.

    Examples
    --------
    >>> import torch
    >>> model = lambda X: X[:, 0].sum(1, keepdim=True) ** 2
    >>> X = torch.eye(4)[None, :, [0, 0, 1]]
    >>> result = integrated_gradients(model, X, n_steps=4, return_deltas=True, device="cpu")
    >>> result.attributions.sum(1), result.convergence_deltas.abs() < 1e-5
    (tensor([[2., 2., 0.]]), tensor([True]))
    """
    where = "integrated_gradients"
    check_choice(where, "rule", rule, ["gauss-legendre", "midpoint"])
    _at_least_one(where, "n_steps", n_steps)
    nodes, weights = quadrature(rule, n_steps)
    run = GradientRun(where, model, X, args, target, batch_size, func, dtype, device, verbose)
    source = ReferenceSource(where, references, n_shuffles, random_state, n_rows(X))

    def points(x: torch.Tensor, row: int) -> Points:
        base = source.of(x, row)
        way = torch.as_tensor(nodes, dtype=x.dtype, device=x.device).expand(len(base), -1)
        weight = torch.as_tensor(weights, dtype=x.dtype, device=x.device).repeat(len(base)) / len(base)
        return Points(base, way, weight)

    return run.attribute_between(points, scored(hypothetical, corrected=False), n_steps, return_deltas)


def expected_gradients(
    model: Callable[..., Any],
    X: Rows,
    args: Sequence[torch.Tensor] | None = None,
    target: int = 0,
    batch_size: int = 32,
    references: References = dinucleotide_shuffle,
    n_shuffles: int = 20,
    n_samples: int = 5,
    hypothetical: bool = False,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    random_state: int | None = None,
    verbose: bool = False,
    *,
    return_deltas: bool = False,
    func: Callable[..., Any] | None = None,
) -> torch.Tensor | IntegratedGradientsResult:
    """Attribute by the gradient at random points between the sequence and many references.

    Integrated gradients averaged over references, where each way is sampled rather than walked: `n_samples` points a
    reference, one in each of as many equal stretches.

    Parameters
    ----------
    model, X, args, target, batch_size, hypothetical, dtype, device, verbose, func
        As for `saliency`.
    references, n_shuffles, random_state, return_deltas
        As for `integrated_gradients`; the seed decides the points too.
    n_samples : int
        Points on the way to each reference.

    Returns
    -------
    torch.Tensor
        ``(N, 4, L)``, or
    IntegratedGradientsResult
        with each row's completeness delta, if `return_deltas`.

    Raises
    ------
    NbinterpError
        As for `integrated_gradients`.
    Interrupted
        When stopped by the user; `.partial` holds the finished rows.

    Examples
    --------
    >>> import torch
    >>> model = lambda X: X[:, 0].sum(1, keepdim=True)
    >>> X = torch.eye(4)[None, :, [0, 0, 1]]
    >>> expected_gradients(model, X, references=torch.full((1, 1, 4, 3), 0.25), device="cpu").sum(1)
    tensor([[ 0.7500,  0.7500, -0.2500]])
    """
    where = "expected_gradients"
    _at_least_one(where, "n_samples", n_samples)
    run = GradientRun(where, model, X, args, target, batch_size, func, dtype, device, verbose)
    source = ReferenceSource(where, references, n_shuffles, random_state, n_rows(X))

    def points(x: torch.Tensor, row: int) -> Points:
        base = source.of(x, row)
        drawn = np.random.RandomState(source.seed(row)).uniform(size=(len(base), n_samples))
        nodes = (drawn + np.arange(n_samples)) / n_samples
        way = torch.as_tensor(nodes, dtype=x.dtype, device=x.device)
        return Points(base, way, way.new_full((nodes.size,), 1 / nodes.size))

    return run.attribute_between(points, scored(hypothetical, corrected=False), n_samples, return_deltas)


def smooth_grad(
    model: Callable[..., Any],
    X: Rows,
    args: Sequence[torch.Tensor] | None = None,
    target: int = 0,
    batch_size: int = 32,
    n_samples: int = 50,
    noise: float = 0.15,
    hypothetical: bool = False,
    gradient_correction: bool = True,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    random_state: int | None = None,
    verbose: bool = False,
    *,
    func: Callable[..., Any] | None = None,
) -> torch.Tensor:
    """Attribute by the gradient averaged over noisy copies of the sequence.

    Parameters
    ----------
    model, X, args, target, batch_size, hypothetical, gradient_correction, dtype, device, verbose, func
        As for `saliency`.
    n_samples : int
        Noisy copies of each row.
    noise : float
        Standard deviation of the normal noise added to every entry.
    random_state : int, optional
        Seed of the noise; row i gets ``random_state + i``.

    Returns
    -------
    torch.Tensor
        ``(N, 4, L)``, on the CPU.

    Raises
    ------
    NbinterpError
        As for `saliency`, and when `noise` is negative or `n_samples` less than 1.
    Interrupted
        When stopped by the user; `.partial` holds the finished rows.

    Examples
    --------
    >>> import torch
    >>> model = lambda X: X[:, 0].sum(1, keepdim=True)
    >>> smooth_grad(model, torch.eye(4)[None, :, [0, 1]], n_samples=3, random_state=0, device="cpu").sum(1)
    tensor([[ 0.7500, -0.2500]])
    """
    where = "smooth_grad"
    _at_least_one(where, "n_samples", n_samples)
    if not noise >= 0:
        raise problem(where, "noise", got=noise, need="a number of at least 0", do="raise it")
    run = GradientRun(where, model, X, args, target, batch_size, func, dtype, device, verbose)
    first = first_seed(random_state)

    def points(x: torch.Tensor, row: int) -> Points:
        drawn = np.random.RandomState(first + row).normal(scale=noise, size=(n_samples, *x.shape))
        noisy = x + torch.as_tensor(drawn, dtype=x.dtype, device=x.device)
        return Points(noisy, x.new_zeros(n_samples, 1), x.new_full((n_samples,), 1 / n_samples))

    return run.attribute(points, scored(hypothetical, corrected=gradient_correction), n_samples)


def _at_least_one(where: str, argument: str, value: int) -> None:
    if not isinstance(value, (int, np.integer)) or value < 1:
        raise problem(where, argument, got=repr(value), need="an integer of at least 1", do="raise it")
