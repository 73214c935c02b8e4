"""What answers a view: a model, its sequences, and the edits of a person.

In: requests (`Ask`).  Out: answers, the prediction first, then scores, with standard errors that tighten as references are
added.  Knows no browser and no Jupyter; `Newest` runs it beside the notebook.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ..attribution import attribute, deep_lift_shap, faithfulness
from ..core.methods import METHODS
from ..errors import ModelError, problem
from ..perturb.prune import prune
from ..sequence import dinucleotide_shuffle
from .answering import Answering, Part
from .edits import LETTERS, Change, Edited, apply_changes
from .protocol import Ask
from .repredict import Repredictor, one_hot_of
from .targets import compose

__all__ = ["Engine"]

_ROUNDS = (0.2, 1.0)  # parts of the references after which scores are shown


class Engine(Answering):
    """Predictions and scores of edited sequences.

    Parameters
    ----------
    targets : mapping from label to module
        Each ``(N, 4, L)`` to ``(N, 1)``; see `targets_of`.
    codes : uint8 array (N, L)
        The sequences.
    methods : sequence of str
        Names of attribution methods that may be asked for.
    n_shuffles, random_state
        References of methods that have them.
    device : optional
        As in `predict`.

    Examples
    --------
    >>> from nbinterp import demo
    >>> from nbinterp.live import targets_of
    >>> codes = np.random.RandomState(0).randint(0, 4, (1, 400)).astype(np.uint8)
    >>> engine = Engine(targets_of(demo.load_model(), torch.zeros(1, 4, 400)), codes)
    >>> [answer.stage for answer in engine.answer(Ask(1, 0, (), "enhancer", "deep_lift_shap"))]
    ['prediction', 'scores', 'scores']
    """

    def __init__(
        self,
        targets: Mapping[str, Any],
        codes: np.ndarray,
        *,
        methods: Sequence[str] = METHODS,
        n_shuffles: int = 20,
        random_state: int = 0,
        device: Any = None,
    ) -> None:
        super().__init__(codes, device)
        self.targets, self.methods = dict(targets), tuple(methods)
        self._n_shuffles, self._seed = n_shuffles, random_state
        self._composed: dict[str, Any] = {}

    def _parts(self, ask: Ask, stale: Callable[[], bool]) -> Iterator[Part]:
        """Give the prediction, then scores as references are added."""
        model, codes = self._find(ask)
        edited = apply_changes(codes, ask.changes)
        numbers = self._predict(model, self._prepared((ask.target, ask.example), model, codes), edited)
        yield "prediction", False, dict(numbers)
        for scores, errors, n, last in self._scores(model, ask.method, edited.codes):
            if stale():
                return
            more = self._curves(model, edited.codes, scores) if last and ask.curves else {}
            yield "scores", last, {"scores": scores, "errors": errors, "n_references": n, **numbers, **more}

    def _find(self, ask: Ask) -> tuple[Any, np.ndarray]:
        if ask.method not in self.methods:
            known = ", ".join(self.methods)
            raise problem("Engine", "method", got=repr(ask.method), need=f"one of {known}", do="choose one")
        codes = self._original(ask)
        if ask.target not in self._composed:
            self._composed[ask.target] = compose(self.targets, ask.target, self.codes.shape[1])
        return self._composed[ask.target], codes

    def prune(self, ask: Ask, start: int, end: int) -> Change:
        """The change that leaves of ``[start, end)`` only what the prediction needs; see `nbinterp.prune`."""
        with self._lock:
            model, codes = self._find(ask)
            now = apply_changes(codes, ask.changes).codes
            X = one_hot_of(now, "cpu", torch.int8)
            shuffled = dinucleotide_shuffle(X, n=1, random_state=self._seed, allow_N=True)
            found = prune(
                model, X, (start, end), context="sequence", backgrounds=shuffled, batch_size=64, device=self._device
            )
            background = np.where(shuffled[0, 0].sum(dim=0) == 0, 4, shuffled[0, 0].argmax(dim=0))
            left = np.where(found.kept[0], now, background)
            return Change(start, end, "".join(LETTERS[code] for code in left[start:end].tolist()))

    def _predict(self, model: Any, ready: Repredictor, edited: Edited) -> dict[str, float | None]:
        new, old = float(ready.predict(edited.codes)[0]), float(ready.y0[0])
        for name, value in (("this sequence", new), ("the original sequence", old)):
            if not np.isfinite(value):
                raise problem(
                    "Engine", "model", got=f"a prediction of {value} for {name}", need="a number",
                    do="undo the edit, or check the model", kind=ModelError,
                )  # fmt: skip
        spread = getattr(model, "spread", None)
        X = one_hot_of(edited.codes, ready.y0.device, ready.y0.dtype)
        return {
            "prediction": new,
            "original": old,
            "spread": None if spread is None else float(spread(X).reshape(-1)[0]),
        }

    def _scores(
        self, model: Any, method: str, codes: np.ndarray
    ) -> Iterator[tuple[np.ndarray, np.ndarray | None, int | None, bool]]:
        """Give (scores (4, L), standard errors, references so far, whether these are the last)."""
        X = one_hot_of(codes, "cpu", torch.int8)
        if method != "deep_lift_shap":
            scores = attribute(
                model, X, method, n_shuffles=self._n_shuffles, random_state=self._seed, device=self._device
            )
            yield scores[0].cpu().numpy(), None, None, True
            return
        # a deletion leaves unknown bases at the end
        shuffle = functools.partial(dinucleotide_shuffle, allow_N=True) if (codes == 4).any() else dinucleotide_shuffle
        bounds = sorted({max(1, round(part * self._n_shuffles)) for part in _ROUNDS})
        parts = []
        for start, end in zip([0, *bounds], bounds, strict=False):
            scores = deep_lift_shap(
                model, X, references=shuffle, n_shuffles=end - start, random_state=self._seed + start,
                hypothetical=True, return_standard_error=True, device=self._device,
                warning_threshold=float("inf"),  # `diagnose` is there to judge the model
            )  # fmt: skip
            parts.append((end - start, scores[0][0].cpu().numpy(), scores[1][0].cpu().numpy()))
            mean, error = _pool(parts)
            observed = np.where(codes < 4, error[np.minimum(codes, 3), np.arange(len(codes))], 0)
            yield mean, observed, end, end == bounds[-1]

    def _curves(self, model: Any, codes: np.ndarray, scores: np.ndarray) -> dict[str, tuple[float, ...]]:
        """Predictions while the bases with the highest scores are deleted, and inserted."""
        X = one_hot_of(codes, "cpu", torch.int8)
        shuffle = functools.partial(dinucleotide_shuffle, allow_N=True)
        found = faithfulness(
            model, X, torch.from_numpy(scores)[None], references=shuffle, random_state=self._seed, device=self._device
        )
        return {"deletion": tuple(found.deletion[0].tolist()), "insertion": tuple(found.insertion[0].tolist())}


def _pool(parts: Sequence[tuple[int, np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard error over all references, of the means and standard errors of groups of them."""
    n = sum(count for count, _, _ in parts)
    mean, squares = np.zeros_like(parts[0][1]), np.zeros_like(parts[0][1])
    for count, m, _ in parts:
        mean += count * m / n
    for count, m, e in parts:  # squares within the groups, and between them
        squares += (count - 1) * count * np.nan_to_num(e) ** 2 + count * (m - mean) ** 2
    return mean, np.sqrt(squares / max(n - 1, 1) / n)
