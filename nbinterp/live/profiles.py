"""Profiles before and after, over backgrounds.

In: a model and sequences.  Out: means and bands of its profiles, in few enough columns to be sent for every place of a motif.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import torch

from ..core.batches import on_device, resolve_device, resolve_dtype
from ..errors import ModelError, problem
from ..model import predict
from ..model.predict import call_model
from .placements import ProfileSpan

__all__ = ["ExpectedProfile", "ProfileReader", "profile_of"]

_COLUMNS: Final = 320  # of a profile; more positions are averaged


class ExpectedProfile(torch.nn.Module):
    """A head of logits as a distribution over positions; times the counts that another head gives the logarithm of.

    Strands share one distribution, as in BPNet.
    """

    def __init__(self, model: torch.nn.Module, head: int | None, counts: int | None) -> None:
        super().__init__()
        self.model, self.head, self.counts = model, head, counts
        self.label = "reads" if counts is not None else "profile"

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """(N, 4, L) to (N, S, P)."""
        y = _heads(self.model(X))
        logits = y[self.head or 0]
        profile: torch.Tensor = logits.flatten(1).softmax(dim=-1).reshape(logits.shape)
        if self.counts is None:
            return profile
        counts: torch.Tensor = y[self.counts].reshape(len(X), -1).exp().sum(dim=-1)
        return profile * counts[:, None, None]


def _heads(y: Any) -> list[Any]:
    return [y] if isinstance(y, torch.Tensor) else list(y.values()) if isinstance(y, Mapping) else list(y)


def profile_of(model: Any, X: torch.Tensor, device: Any = None) -> ExpectedProfile | None:
    """The profile of a model that has one: its first output ``(N, S, P)``.  None for others.

    Examples
    --------
    >>> from nbinterp.model.networks import BPNet
    >>> profile = profile_of(BPNet(4, 2), torch.zeros(1, 4, 200))
    >>> profile.label, tuple(profile(torch.zeros(1, 4, 200)).shape)
    ('reads', (1, 2, 94))
    """
    if not isinstance(model, torch.nn.Module):
        return None
    on, of = resolve_device(device, model), resolve_dtype(None, model)
    with on_device(model, on), torch.inference_mode():
        y = call_model("MarginalView", model, X.to(on, of))
    heads = _heads(y)
    head = next((i for i, one in enumerate(heads) if isinstance(one, torch.Tensor) and one.ndim == 3), None)
    if head is None or heads[head].shape[-1] < 2:
        return None
    names = list(getattr(model, "head_names", None) or [])
    counts = names.index("logcounts") if "logcounts" in names else None
    return ExpectedProfile(model, head, counts).eval()


class ProfileReader:
    """Means and bands of the profiles of backgrounds.

    Parameters
    ----------
    profile : callable
        ``(N, 4, L)`` to ``(N, P)`` or ``(N, S, P)``; more than two strands are added up.
    codes : uint8 array (N, L)
        The backgrounds.
    device : optional
        As in `predict`.

    Attributes
    ----------
    before : float32 array (3, S, P)
        Mean, 5 % and 95 %.
    span : ProfileSpan
        A profile shorter than the sequences is taken to be centred in them.
    """

    def __init__(self, profile: Callable[..., Any], codes: np.ndarray, device: Any = None) -> None:
        self._profile, self._device = profile, device
        table = torch.eye(5, dtype=torch.int8)[:, :4]
        X = table[torch.from_numpy(codes.astype(np.int64))].transpose(1, 2)
        whole = self._run(X)
        size, length = whole.shape[-1], codes.shape[1]
        if size > length:
            raise problem(
                "MarginalView", "profile", got=f"{size} positions", need=f"at most {length}, as the backgrounds have",
                do="crop it", kind=ModelError,
            )  # fmt: skip
        step = -(-size // _COLUMNS)
        self._edges = np.arange(0, size, step)
        self._counts = np.diff([*self._edges, size])
        label = str(getattr(profile, "label", "profile"))
        self.span = ProfileSpan(whole.shape[1], len(self._edges), step, (length - size) // 2, label)
        self._each = self._binned(whole)
        self.before = _banded(self._each)

    def after(self, X: torch.Tensor) -> np.ndarray:
        """(3 S + 3, P): of the profiles of these sequences, and of their differences from the backgrounds', over strands."""
        each = self._binned(self._run(X))
        drawn = _banded(each)
        return np.concatenate([drawn.reshape(-1, drawn.shape[-1]), _banded((each - self._each).sum(axis=1))])

    def _run(self, X: torch.Tensor) -> np.ndarray:
        y = predict(self._profile, X, device=self._device)
        if not isinstance(y, torch.Tensor) or y.ndim not in (2, 3):
            got = f"shape {tuple(y.shape)}" if isinstance(y, torch.Tensor) else f"a {type(y).__name__}"
            raise problem(
                "MarginalView", "profile", got=got, need="(N, P) or (N, S, P)", do="choose one output", kind=ModelError
            )
        y = y.float()
        y = y[:, None] if y.ndim == 2 else y
        y = y if y.shape[1] <= 2 else y.sum(dim=1, keepdim=True)
        return np.asarray(y.numpy())

    def _binned(self, whole: np.ndarray) -> np.ndarray:
        return np.asarray(np.add.reduceat(whole, self._edges, axis=-1) / self._counts)


def _banded(each: np.ndarray) -> np.ndarray:
    """Mean, 5 % and 95 % over the first axis."""
    low, high = np.quantile(each, [0.05, 0.95], axis=0)
    return np.stack([each.mean(axis=0), low, high]).astype(np.float32)
