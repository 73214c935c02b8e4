"""What answers a view of profiles: the profile that a model predicts of an edited sequence.

In: a model, its sequences, and requests (`Ask`).  Out: answers with a profile ``(S, P)``, recomputed where the edit reaches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch

from ..core.check import check_choice
from ..errors import ModelError, problem
from ..model import predict
from .answering import Answering, Part
from .edits import apply_changes
from .profiles import ExpectedProfile
from .protocol import Ask
from .repredict import one_hot_of

__all__ = ["TrackEngine", "profile_head"]


class ProfileHead(torch.nn.Module):
    """One output of a model, as it is."""

    def __init__(self, model: torch.nn.Module, number: int) -> None:
        super().__init__()
        self.model, self.number = model, number

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """(N, 4, L) to (N, ...)."""
        y = self.model(X)
        heads = [y] if isinstance(y, torch.Tensor) else list(y.values()) if isinstance(y, Mapping) else list(y)
        if not 0 <= self.number < len(heads):
            raise problem(
                "TrackView", "head", got=self.number, need=f"0 to {len(heads) - 1}", do="choose an output",
                kind=ModelError,
            )  # fmt: skip
        found: torch.Tensor = heads[self.number]
        return found


def profile_head(model: Any, head: int | str | None = None) -> torch.nn.Module:
    """Choose the profile that a model predicts.

    Parameters
    ----------
    model : torch.nn.Module
    head : int or str, optional
        Which output, as it is.  By default of heads "profile" and "logcounts", as BPNet has them, the reads expected at each
        position; else the only output, or the first.

    Returns
    -------
    torch.nn.Module
        ``(N, 4, L)`` to profiles.

    Examples
    --------
    >>> from nbinterp.model.networks import BPNet
    >>> reads = profile_head(BPNet(4, 2))(torch.zeros(1, 4, 200))
    >>> tuple(reads.shape), bool((reads >= 0).all())
    ((1, 2, 94), True)
    """
    if not isinstance(model, torch.nn.Module):
        raise problem(
            "TrackView", "model", got=f"a {type(model).__name__}", need="a torch.nn.Module", do="wrap it in one",
            kind=ModelError,
        )  # fmt: skip
    names = list(getattr(model, "head_names", None) or [])
    if isinstance(head, str):
        check_choice("TrackView", "head", head, names)
        head = names.index(head)
    if head is None and {"profile", "logcounts"} <= set(names):
        return ExpectedProfile(model, names.index("profile"), names.index("logcounts")).eval()
    return ProfileHead(model, head or 0).eval()


class _Flat(torch.nn.Module):
    """Profiles (N, S, P) as (N, S * P)."""

    def __init__(self, profile: torch.nn.Module) -> None:
        super().__init__()
        self.profile = profile

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """(N, 4, L) to (N, S * P)."""
        flat: torch.Tensor = self.profile(X).flatten(1)
        return flat


class TrackEngine(Answering):
    """Profiles of edited sequences.

    Parameters
    ----------
    profile : module
        ``(N, 4, L)`` to ``(N, P)`` or ``(N, S, P)``, S = 1 or 2 strands; see `profile_head`.
    codes : uint8 array (N, L)
        The sequences.
    device : optional
        As in `predict`.

    Attributes
    ----------
    profiles : float32 array (N, S, P)
        Of the sequences as they were given.

    Examples
    --------
    >>> codes = np.zeros((1, 30), np.uint8)
    >>> engine = TrackEngine(torch.nn.Conv1d(4, 2, 5), codes)
    >>> [(answer.stage, answer.profile.shape) for answer in engine.answer(Ask(1, 0, (), "", ""))]
    [('profile', (2, 26))]
    """

    def __init__(self, profile: torch.nn.Module, codes: np.ndarray, *, device: Any = None) -> None:
        super().__init__(codes, device)
        self._flat = _Flat(profile).eval()
        X = torch.cat([one_hot_of(row, "cpu", torch.int8) for row in codes])
        found = predict(profile, X, device=device)
        if not isinstance(found, torch.Tensor) or found.ndim not in (2, 3) or (found.ndim == 3 and found.shape[1] > 2):
            shape = tuple(found.shape) if isinstance(found, torch.Tensor) else f"{len(found)} outputs"
            raise problem(
                "TrackView", "model", got=f"an output of shape {shape}", need="(N, P) or (N, S, P), S = 1 or 2 strands",
                do="choose the profile with head=", kind=ModelError,
            )  # fmt: skip
        self.profiles: np.ndarray = found.reshape(len(codes), -1, found.shape[-1]).float().numpy()

    def _parts(self, ask: Ask, stale: Callable[[], bool]) -> Iterator[Part]:
        codes = self._original(ask)
        ready = self._prepared(ask.example, self._flat, codes)
        flat = ready.predict(apply_changes(codes, ask.changes).codes)
        total = float(flat.sum())
        if not np.isfinite(total):
            raise problem(
                "TrackEngine", "model", got="values that are no numbers for this sequence", need="a profile",
                do="undo the edit, or check the model", kind=ModelError,
            )  # fmt: skip
        profile = flat.float().cpu().numpy().reshape(self.profiles.shape[1:])
        yield "profile", True, {"profile": profile, "prediction": total, "original": float(ready.y0.sum())}
