"""Whether a model agrees that the bases with high scores matter.

In: a model, sequences, and scores of any method.  Out: predictions while the bases with the highest scores are taken away
first (deletion), and while they are put into a sequence without them first (insertion).  A faithful method's deletion curve
falls at once, and its insertion curve rises at once.

Source: Petsiuk, Das and Saenko, RISE (BMVC 2018); the baseline here is a shuffle of each sequence, in place of a blur.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from ..core.batches import resolve_device, take_rows
from ..core.check import check_one_hot
from ..errors import problem
from ..model import predict
from ..sequence import dinucleotide_shuffle

__all__ = ["FaithfulnessResult", "faithfulness"]


class FaithfulnessResult(NamedTuple):
    """Predictions (N, P) at each of P fractions of the bases, the highest scores first, means over the references."""

    fractions: torch.Tensor
    deletion: torch.Tensor
    insertion: torch.Tensor


def faithfulness(
    model: Any,
    X: Any,
    X_attr: Any,
    target: int = 0,
    n_points: int = 21,
    references: Any = dinucleotide_shuffle,
    n_shuffles: int = 4,
    batch_size: int = 64,
    random_state: int | None = 0,
    device: torch.device | str | None = None,
) -> FaithfulnessResult:
    """Delete and insert bases by their scores, and watch the prediction.

    Parameters
    ----------
    model : module
        ``(N, 4, L)`` to ``(N, T)``.
    X : one-hot (N, 4, L) or compact container
        The sequences.
    X_attr : tensor or array, shape (N, L), or (N, 4, L)
        Scores; of four rows, those of the observed base count.
    target : int
        Column of the output.
    n_points : int
        Fractions of the bases, from 0 to 1.
    references : callable or tensor (N, R, 4, L)
        What takes the place of deleted bases; a callable is called as ``references(X, n=R, random_state=seed)``.
    n_shuffles : int
        R, for a callable.
    batch_size, random_state, device
        As in `predict`.

    Returns
    -------
    FaithfulnessResult
        fractions (P,); deletion and insertion (N, P).  Deletion begins at the prediction of the sequence and ends at that
        of its shuffles; insertion goes the other way.

    Raises
    ------
    NbinterpError
        When scores and sequences do not fit each other, or there are fewer than two points.

    Examples
    --------
    >>> from nbinterp import random_one_hot
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(40, 1))
    >>> X = random_one_hot((2, 4, 10), random_state=0)
    >>> curves = faithfulness(model, X, torch.rand(2, 10), n_points=5)
    >>> curves.fractions.tolist(), tuple(curves.deletion.shape)
    ([0.0, 0.25, 0.5, 0.75, 1.0], (2, 5))
    """
    if n_points < 2:
        raise problem("faithfulness", "n_points", got=n_points, need="two or more", do="21 is the default")
    one_hot = take_rows(X, 0, X.shape[0], device="cpu", dtype=torch.int8)
    check_one_hot("faithfulness", "X", one_hot)
    n, _, length = one_hot.shape
    scores = torch.as_tensor(X_attr).detach().cpu().double()
    if scores.ndim == 3 and scores.shape == one_hot.shape:
        scores = (scores * one_hot).sum(dim=1)
    if scores.shape != (n, length):
        raise problem(
            "faithfulness", "X_attr", got=f"shape {tuple(scores.shape)}", need=f"({n}, {length}) or ({n}, 4, {length})",
            do="give scores of the same sequences",
        )  # fmt: skip
    drawn = references
    if callable(references):
        drawn = references(one_hot, n=n_shuffles, random_state=random_state)
    drawn = torch.as_tensor(drawn).to(torch.int8).cpu()
    if drawn.ndim != 4 or drawn.shape[0] != n or drawn.shape[2:] != one_hot.shape[1:]:
        raise problem(
            "faithfulness", "references", got=f"shape {tuple(drawn.shape)}", need=f"({n}, R, 4, {length})", do="match X"
        )
    on = resolve_device(device, model)
    fractions = torch.linspace(0, 1, n_points, dtype=torch.float64)
    counts = (fractions * length).round().long()
    ranks = torch.argsort(torch.argsort(-scores, dim=1, stable=True), dim=1)  # 0: the highest score
    taken = (ranks[:, None] < counts[:, None])[:, :, None, None]  # (N, P, 1, 1, L)
    base, other = one_hot[:, None, None], drawn[:, None]  # (N, 1, 1, 4, L), (N, 1, R, 4, L)
    curves = []
    for where_taken, where_left in ((other, base), (base, other)):
        rows = torch.where(taken, where_taken, where_left).flatten(0, 2)
        y = predict(model, rows, batch_size=batch_size, device=on)
        curves.append(y.reshape(n, n_points, drawn.shape[1], -1)[..., target].mean(dim=2))
    return FaithfulnessResult(fractions, *curves)
