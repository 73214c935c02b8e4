"""What a change does to the outputs of a model, in numbers.

In: outputs for the reference and for the alternative.  Out: named columns, one number a variant.  Outputs ``(N, T)`` are
T tasks, each compared by difference, fold change or odds; outputs ``(N, C, positions)`` are C profiles, compared by the
distance of Jensen and Shannon between how they spread over the positions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ...core.check import check_choice
from ...errors import problem
from .paired import Leaves

__all__ = ["PROFILES", "SCALES", "SCORES", "Score", "Scoring", "jensen_shannon", "labels"]

Score = str | Callable[..., torch.Tensor]
# of a profile's length: for each row where its positions are in the alternative's; None where they are the same
Places = Callable[[int], Sequence[np.ndarray | None]]
SCORES = ("difference", "log_fold_change", "log_odds", "jsd")
SCALES = ("linear", "log", "log2")
PROFILES = ("logits", "signal")


def jensen_shannon(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """Give the Jensen-Shannon distance, base 2 (0 to 1), between non-negative weights over the last axis.

    Examples
    --------
    >>> jensen_shannon(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 3.0])).item()
    1.0
    """
    p, q = (one.double() / one.double().sum(dim=-1, keepdim=True) for one in (p, q))
    middle = (p + q) / 2
    # x log x is 0 at 0
    entropies = [-(torch.xlogy(one, one)).sum(dim=-1) for one in (middle, p, q)]
    divergence = (entropies[0] - (entropies[1] + entropies[2]) / 2) / math.log(2)
    return divergence.clamp(min=0, max=1).sqrt()


def labels(leaves: Leaves, profiles: bool, task_names: Sequence[str] | None = None) -> list[list[str]]:
    """Name every task of every output that is (no) profile: nothing where there is one alone, else numbers."""
    chosen = [y for y in leaves if (y.ndim > 2) == profiles]
    if task_names is not None:
        names = iter(task_names)
        return [[f"_{next(names)}" for _ in range(y.shape[1])] for y in chosen]
    counts = [math.prod(y.shape[1:-1]) if profiles else y.shape[1] for y in chosen]
    heads = [f"_{i}" if len(chosen) > 1 else "" for i in range(len(chosen))]
    return [[head + (f"_{t}" if n > 1 else "") for t in range(n)] for head, n in zip(heads, counts, strict=True)]


@dataclass(frozen=True)
class Scoring:
    """Which scores to give, and what the outputs mean."""

    where: str
    scores: tuple[Score, ...] | None
    scale: str | None
    pseudocount: float
    profile: str
    task_names: tuple[str, ...] | None

    def check(self) -> None:
        """Hold the options to what there is, before anything is predicted."""
        for score in self.scores or ():
            if not callable(score):
                check_choice(self.where, "scores", score, SCORES)
        if self.scale is not None:
            check_choice(self.where, "scale", self.scale, SCALES)
        check_choice(self.where, "profile", self.profile, PROFILES)
        if self.scale is None and "log_fold_change" in (self.scores or ()):
            raise problem(
                self.where,
                "scale",
                got="None, with log_fold_change among scores",
                need=f"how the outputs are scaled, one of {', '.join(SCALES)}",
                do="say so: 'log' for the log counts of BPNet, 'linear' for counts",
            )

    def chosen(self, leaves: Leaves) -> tuple[Score, ...]:
        """Give the scores asked for, or those that the outputs have."""
        tasks = sum(y.shape[1] for y in leaves if y.ndim == 2)
        profiles = any(y.ndim > 2 for y in leaves)
        if self.task_names is not None and len(self.task_names) != tasks:
            raise problem(
                self.where, "task_names", got=f"{len(self.task_names)} names", need=f"{tasks}", do="name each task"
            )
        if self.scores is None:
            by_task = ("difference", *(("log_fold_change",) if self.scale else ())) if tasks else ()
            return (*by_task, *(("jsd",) if profiles else ()))
        for score in self.scores:
            if not callable(score) and not (profiles if score == "jsd" else tasks):
                have = "outputs (N, tasks) alone" if tasks else "profiles (N, channels, positions) alone"
                raise problem(
                    self.where, "scores", got=f"{score} of a model with {have}",
                    need="a profile for jsd, and outputs (N, tasks) for the others",
                    do="choose other scores, or reduce the model's output with target()",
                )  # fmt: skip
        return self.scores

    def __call__(self, y_ref: Leaves, y_alt: Leaves, places: Places) -> dict[str, torch.Tensor]:
        """Give columns of N numbers, in float64.

        `places` says of each row where the positions of a profile of a length are in the alternative's profile.
        """
        made: dict[str, torch.Tensor] = {}
        for score in self.chosen(y_ref):
            if callable(score):
                made.update(self._own(score, y_ref, y_alt))
                continue
            profiles = score == "jsd"
            pairs = [(r, a) for r, a in zip(y_ref, y_alt, strict=True) if (r.ndim > 2) == profiles]
            names = labels(y_ref, profiles, None if profiles else self.task_names)
            for (ref, alt), group in zip(pairs, names, strict=True):
                values = self._jsd(ref, alt, places) if profiles else self._by_task(score, ref.double(), alt.double())
                made.update({f"{score}{name}": values[:, t] for t, name in enumerate(group)})
        return made

    def _own(self, score: Callable[..., torch.Tensor], y_ref: Leaves, y_alt: Leaves) -> dict[str, torch.Tensor]:
        name = getattr(score, "__name__", type(score).__name__)
        values = score(*(y_ref[0], y_alt[0]) if len(y_ref) == 1 else (y_ref, y_alt))
        if not isinstance(values, torch.Tensor) or values.ndim not in (1, 2) or len(values) != len(y_alt[0]):
            got = f"shape {tuple(values.shape)}" if isinstance(values, torch.Tensor) else f"a {type(values).__name__}"
            raise problem(
                self.where, "scores", got=f"{got} from {name}", need="a tensor (N,) or (N, K)", do="return one"
            )
        columns = values.double().reshape(len(values), -1)
        if columns.shape[1] == 1:
            return {name: columns[:, 0]}
        return {f"{name}_{k}": columns[:, k] for k in range(columns.shape[1])}

    def _by_task(self, score: str, ref: torch.Tensor, alt: torch.Tensor) -> torch.Tensor:
        if score == "difference" or (score == "log_fold_change" and self.scale == "log2"):
            return alt - ref
        if score == "log_odds":
            self._inside(score, ref, alt, 0, 1, "probabilities", "choose another score")
            return torch.logit(alt) - torch.logit(ref)
        if self.scale == "log":
            return (alt - ref) / math.log(2)
        ref, alt = ref + self.pseudocount, alt + self.pseudocount
        self._inside(score, ref, alt, 0, math.inf, "positive outputs", "pass scale='log', or a pseudocount")
        return torch.log2(alt / ref)

    def _inside(
        self, score: str, ref: torch.Tensor, alt: torch.Tensor, low: float, high: float, need: str, do: str
    ) -> None:
        worst = min(float(ref.min()), float(alt.min()))
        most = max(float(ref.max()), float(alt.max()))
        if worst <= low or most >= high:
            got = f"outputs from {worst:.4g} to {most:.4g} for {score}"
            raise problem(self.where, "scale", got=got, need=need, do=do)

    def _jsd(self, ref: torch.Tensor, alt: torch.Tensor, places: Places) -> torch.Tensor:
        ref, alt = (y.double().flatten(1, -2).clone() for y in (ref, alt))
        both = torch.ones(len(ref), 1, ref.shape[-1], dtype=torch.bool)
        # bases that only one of the two has say nothing of how the other spreads
        for i, found in enumerate(places(ref.shape[-1])):
            if found is not None:
                place = torch.from_numpy(found)
                both[i, 0] = place >= 0
                alt[i] = alt[i][:, place.clamp(min=0)]
        if self.profile == "logits":
            ref, alt = (y.masked_fill(~both, -math.inf).softmax(dim=-1) for y in (ref, alt))
        else:
            ref, alt = (y.clamp(min=0) * both for y in (ref, alt))
        return jensen_shannon(ref, alt)
