"""What answers a view of variants: scores and profiles of both alleles of the one that was chosen.

In: codes of references and alternatives, a model, and requests (`Ask`) whose `example` is a row of these codes.  Out: answers
as of any logo, and with the method "profile" those of a track.  Knows no browser and no Jupyter; `Newest` runs it beside the
notebook.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np
import torch

from ..errors import ModelError, problem
from ..model import predict
from .answering import Part
from .engine import Engine
from .profiles import profile_of
from .protocol import Answer, Ask
from .repredict import one_hot_of
from .targets import compose, targets_of

__all__ = ["PROFILE", "VariantEngine", "variant_engine"]

PROFILE: Final = "profile"  # asked for in the place of a method


class VariantEngine(Engine):
    """Predictions, scores and profiles of sequences that are not edited.

    Parameters
    ----------
    targets : mapping from label to module
        Each ``(N, 4, L)`` to ``(N, 1)``; see `targets_of`.
    codes : uint8 array (N, L)
        References, and after them alternatives.
    profile : callable, optional
        ``(N, 4, L)`` to ``(N, P)`` or ``(N, S, P)``; more than two strands are added up.
    **options
        As of `Engine`.

    Examples
    --------
    >>> from nbinterp import demo
    >>> codes = np.random.RandomState(0).randint(0, 4, (2, 400)).astype(np.uint8)
    >>> engine = VariantEngine(targets_of(demo.load_model(), torch.zeros(1, 4, 400)), codes)
    >>> engine.whole(1, "enhancer", "saliency").scores.shape
    (4, 400)
    """

    def __init__(self, targets: Mapping[str, Any], codes: np.ndarray, *, profile: Any = None, **options: Any) -> None:
        super().__init__(targets, codes, **options)
        self._profile = profile
        self.profile_shape = None if profile is None else self._read(codes[0]).shape

    def whole(self, example: int, target: str, method: str) -> Answer:
        """The last part of an answer.

        Raises
        ------
        ModelError
            When there is none; in the words of the answer.
        """
        *_, last = self.answer(Ask(0, example, (), target, method))
        if last.stage == "error":
            raise ModelError(last.words)
        return last

    def _parts(self, ask: Ask, stale: Callable[[], bool]) -> Iterator[Part]:
        if ask.method != PROFILE:
            yield from super()._parts(ask, stale)
            return
        profile = self._read(self._original(ask))
        yield "profile", True, {"profile": profile, "prediction": float(profile.sum())}

    def _read(self, codes: np.ndarray) -> np.ndarray:
        """The profile (S, P) of one sequence."""
        y = (
            None
            if self._profile is None
            else predict(self._profile, one_hot_of(codes, "cpu", torch.int8), device=self._device)
        )
        if not isinstance(y, torch.Tensor) or y.ndim not in (2, 3) or not 1 < y.shape[-1] <= len(codes):
            got = f"shape {tuple(y.shape)}" if isinstance(y, torch.Tensor) else "no tensor"
            raise problem(
                "VariantView", "profile", got=got, need=f"(N, P) or (N, S, P), P = 2 to {len(codes)} positions",
                do="choose one output, or pass profile=False", kind=ModelError,
            )  # fmt: skip
        strands = y.float().reshape(-1, y.shape[-1])
        strands = strands if len(strands) <= 2 else strands.sum(dim=0, keepdim=True)
        found: np.ndarray = strands.cpu().numpy()
        if not np.isfinite(found).all():
            raise problem(
                "VariantView",
                "model",
                got="values that are no numbers",
                need="a profile",
                do="check it",
                kind=ModelError,
            )
        return found


def variant_engine(
    codes: np.ndarray,
    model: Any,
    *,
    targets: Any = None,
    target: str = "",
    method: str = "deep_lift_shap",
    profile: Any = None,
    n_shuffles: int = 20,
    device: Any = None,
) -> tuple[VariantEngine, str]:
    """Make the engine of a view, and choose its target.

    Examples
    --------
    >>> from nbinterp import demo
    >>> engine, target = variant_engine(np.zeros((2, 400), np.uint8), demo.load_model())
    >>> target, engine.profile_shape
    ('enhancer', None)
    """
    X = one_hot_of(codes[0], "cpu", torch.int8)
    offered = targets_of(model, X, targets, device, where="VariantView")
    chosen = target or next(iter(offered))
    compose(offered, chosen, codes.shape[1])  # says at once what is wrong with it
    if profile is None and model is not None:
        profile = profile_of(model, X, device)
    engine = VariantEngine(offered, codes, profile=profile or None, n_shuffles=n_shuffles, device=device)
    if method not in engine.methods:
        known = ", ".join(engine.methods)
        raise problem("VariantView", "method", got=repr(method), need=f"one of {known}", do="choose one")
    return engine, chosen
