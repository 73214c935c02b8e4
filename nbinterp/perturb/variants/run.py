"""One call of `variant_effects`: its chunks, its views of each window, and what is measured in them.

In: variants, and how to predict and score.  Out: columns of numbers and predictions, a row an example.  An example's
numbers depend on itself and its seed alone, so that they are the same whatever else is in the chunk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch

from ...errors import problem
from ...sequence.shuffle import shuffle_codes
from ..summary import summarize
from .haplotype import Change, alignment, apply_changes
from .matched import matched_changes
from .paired import Leaves, Pairs, reverse_codes
from .score import Scoring, labels
from .windows import Variants

__all__ = ["Null", "Run", "View"]

_SPREAD = "_view_sd"
_COPIES = 512  # altered copies in a chunk, at least; more where the batch is larger


class View(NamedTuple):
    """A window moved by `shift` bases, on one strand."""

    shift: int
    reverse: bool


@dataclass(frozen=True)
class Null:
    """What effects are compared with."""

    n_matched: int
    match: str
    match_within: int | None
    n_backgrounds: int
    keep: int
    seed: int


@dataclass
class Run:
    """One call, and what it found so far."""

    variants: Variants
    pairs: Pairs
    scoring: Scoring
    views: tuple[View, ...]
    null: Null
    args: tuple[torch.Tensor, ...]
    flip: Any
    bin_size: int | None
    raw: bool
    columns: dict[str, torch.Tensor] = field(default_factory=dict)
    outputs: dict[str, Leaves] = field(default_factory=dict)

    def chunks(self) -> list[np.ndarray]:
        """Split the examples, those of one window together, so that a chunk has a bounded number of copies."""
        order = np.argsort(self.variants.window_idx, kind="stable")
        each = 1 + self.null.n_matched + 2 * self.null.n_backgrounds
        size = max(1, max(_COPIES, self.pairs.batch_size) // each)
        return [order[first : first + size] for first in range(0, len(order), size)]

    def step(self, examples: np.ndarray) -> None:
        """Measure a chunk, and keep what was found."""
        v, n = self.variants, len(examples)
        # further inputs belong to an example, so that examples share a reference only where there are none
        key = np.arange(len(v)) if self.args else v.window_idx
        first, source = np.unique(key[examples], return_inverse=True)
        of = torch.from_numpy(source)
        args = [a[torch.from_numpy(first)] for a in self.args]
        drawn = [self._matched(i) if self.null.n_matched else [] for i in examples]
        owner = np.repeat(np.arange(n), [len(several) for several in drawn])
        changes = [*(v.changes[i] for i in examples), *(one for several in drawn for one in several)]
        every = np.concatenate([np.arange(n), owner])  # the example that each copy is of
        windows = v.windows[v.window_idx[first] if self.args else first]
        copies = _changed(v.windows[v.window_idx[examples]], every, changes, v.width)
        y_ref, y_alt, scores = self._measure(windows, copies, source[every], args, changes)
        y_ref, y_alt = [y[of] for y in y_ref], [y[:n] for y in y_alt]
        columns = {**self._predicted(y_ref, y_alt), **{name: values[:n] for name, values in scores.items()}}
        if self.null.n_matched:
            columns.update(_ranks(_without_spread(scores), owner, n))
        if self.null.n_backgrounds:
            columns.update(self._backgrounds(examples, [a[of] for a in args]))
        self._keep(examples, columns, y_ref, y_alt)

    def _keep(self, examples: np.ndarray, columns: dict[str, torch.Tensor], y_ref: Leaves, y_alt: Leaves) -> None:
        at, total = torch.from_numpy(examples), len(self.variants)
        for name, values in columns.items():
            self.columns.setdefault(name, torch.full((total,), torch.nan, dtype=torch.float64))[at] = values.double()
        if self.raw:
            for name, leaves in (("y_ref", y_ref), ("y_alt", y_alt)):
                made = self.outputs.setdefault(name, [y.new_zeros(total, *y.shape[1:]) for y in leaves])
                for whole, part in zip(made, leaves, strict=True):
                    whole[at] = part

    def _measure(
        self,
        windows: np.ndarray,
        copies: np.ndarray,
        source: np.ndarray,
        args: Sequence[torch.Tensor],
        changes: Sequence[tuple[Change, ...]],
    ) -> tuple[Leaves, Leaves, dict[str, torch.Tensor]]:
        """Predict in every view; give the means over views, and the scores of each copy with their spread."""
        L, margin = self.variants.in_window, self.variants.max_shift
        seen: list[tuple[Leaves, Leaves]] = []
        for shift, reverse in self.views:
            cut = slice(margin + shift, margin + shift + L)
            here, there = windows[:, cut], copies[:, cut]
            if reverse:
                here, there = reverse_codes(here), reverse_codes(there)
            ref, alt = self.pairs(here, there, source, args)
            seen.append((self._placed(ref, shift, reverse), self._placed(alt, shift, reverse)))
        y_ref, y_alt = ([_mean(leaf) for leaf in zip(*(s[k] for s in seen), strict=True)] for k in (0, 1))
        at = torch.from_numpy(source)

        def places(length: int) -> list[np.ndarray | None]:
            return [self._places(several, length) for several in changes]

        scores = self.scoring([y[at] for y in y_ref], y_alt, places)
        if len(seen) > 1:
            each = [self.scoring([y[at] for y in ref], alt, places) for ref, alt in seen]
            scores.update({f"{k}{_SPREAD}": torch.stack([one[k] for one in each]).std(dim=0) for k in list(scores)})
        return y_ref, y_alt, scores

    def _placed(self, leaves: Leaves, shift: int, reverse: bool) -> Leaves:
        """Bring outputs to the forward strand, and profiles to where the unmoved window has them."""
        if reverse:
            leaves = [self.flip(y) for y in leaves]
        shifts = [view.shift for view in self.views]
        if self.bin_size is None or max(shifts) == min(shifts):
            return leaves
        last, lost = max(shifts) // self.bin_size, (max(shifts) - min(shifts)) // self.bin_size
        first = last - shift // self.bin_size
        return [y if y.ndim < 3 else y[..., first : y.shape[-1] - lost + first] for y in leaves]

    def _places(self, changes: Sequence[Change], length: int) -> np.ndarray | None:
        """Say where the positions of a profile are in the alternative's; None where they are the same."""
        moved = alignment(changes, self.variants.width) if self.bin_size == 1 else None
        last, first = max(view.shift for view in self.views), min(view.shift for view in self.views)
        # views that are moved have less in common than each has
        start = self.variants.max_shift + (self.variants.in_window - (length + last - first)) // 2 + last
        if moved is None or start < 0:
            return None
        places = moved[start : start + length] - start
        return np.where((places >= 0) & (places < length), places, -1)

    def _predicted(self, y_ref: Leaves, y_alt: Leaves) -> dict[str, torch.Tensor]:
        """Give the predictions of tasks as columns."""
        columns = {}
        names = labels(y_ref, False, self.scoring.task_names)
        for title, leaves in (("reference", y_ref), ("alternative", y_alt)):
            for y, group in zip([y for y in leaves if y.ndim == 2], names, strict=True):
                columns.update({f"{title}{name}": y[:, t] for t, name in enumerate(group)})
        return columns

    def _matched(self, example: int) -> list[tuple[Change, ...]]:
        v, null = self.variants, self.null
        span = (2 * v.max_shift, v.in_window)  # inside the window wherever it is moved to
        changes = v.changes[example]
        if null.match_within is not None:
            span = (
                max(span[0], changes[0].start - null.match_within),
                min(span[1], changes[-1].end + null.match_within),
            )
        rng = np.random.default_rng([null.seed, example])
        return matched_changes(v.windows[v.window_idx[example]], changes, null.n_matched, span, null.match, rng)

    def _backgrounds(self, examples: np.ndarray, args: Sequence[torch.Tensor]) -> dict[str, torch.Tensor]:
        """Measure each change in shuffled copies of its window, in which the bases around it are kept."""
        v, B = self.variants, self.null.n_backgrounds
        own = v.windows[v.window_idx[examples]]
        seeds = np.random.SeedSequence(self.null.seed).generate_state(1)[0] + examples
        # N is a letter of its own; what is beyond the width is there for the longest deletion of all, and stays
        shuffled = shuffle_codes(own[:, : v.width], 5, B, seeds.astype(np.uint32), "tangermeme")
        windows = np.concatenate([shuffled, np.repeat(own[:, None, v.width :], B, axis=1)], axis=2)
        for i, example in enumerate(examples):
            for change in v.changes[example]:
                kept = slice(max(0, change.start - self.null.keep), change.end + self.null.keep)
                windows[i, :, kept] = own[i, kept]
        windows = windows.reshape(-1, windows.shape[-1])
        changes, own_row = [v.changes[i] for i in examples for _ in range(B)], np.arange(len(windows))
        copies = _changed(windows, own_row, changes, v.width)
        rows = torch.from_numpy(own_row // B)
        _, _, scores = self._measure(windows, copies, own_row, [a[rows] for a in args], changes)
        columns = {}
        for name, values in _without_spread(scores).items():
            effect = summarize(values.view(-1, B).t())
            columns.update({f"{name}_background_{k}": getattr(effect, k) for k in ("mean", "sd", "low", "high")})
        return columns


def _changed(windows: np.ndarray, rows: np.ndarray, changes: Sequence[tuple[Change, ...]], width: int) -> np.ndarray:
    """Give copies of rows of windows, each with its changes made."""
    return np.stack([apply_changes(windows[i], several, width) for i, several in zip(rows, changes, strict=True)])


def _without_spread(scores: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: values for name, values in scores.items() if not name.endswith(_SPREAD)}


def _mean(views: Sequence[torch.Tensor]) -> torch.Tensor:
    return views[0] if len(views) == 1 else torch.stack(list(views)).mean(dim=0)


def _ranks(scores: dict[str, torch.Tensor], owner: np.ndarray, n: int) -> dict[str, torch.Tensor]:
    """Give the part of matched variants with a smaller effect, and a p-value, for each score; NaN without matches."""
    of = torch.from_numpy(owner)
    count = torch.bincount(of, minlength=n).double()
    columns = {"n_matched": count}
    for name, values in scores.items():
        size = values.abs()
        own = size[:n][of]
        # rounding makes ties unequal
        near = torch.isclose(size[n:], own, rtol=1e-6, atol=1e-12)
        less, equal = (size[n:] < own) & ~near, near

        def total(which: torch.Tensor) -> torch.Tensor:
            return torch.zeros(n, dtype=torch.float64).index_add_(0, of, which.double())

        columns[f"{name}_quantile"] = (total(less) + total(equal) / 2) / count
        columns[f"{name}_p"] = torch.where(count > 0, (1 + count - total(less)) / (1 + count), torch.nan)
    return columns


def check_shifts(where: str, variants: Variants, shifts: Sequence[int], bin_size: int | None) -> None:
    """Hold shifts to what the windows have room for."""
    widest = max((abs(shift) for shift in shifts), default=None)
    if widest is None or widest > variants.max_shift:
        raise problem(
            where, "shifts", got=tuple(shifts), need=f"at least one, of at most {variants.max_shift} bases",
            do="read the variants with a larger max_shift" if widest else "pass (0,) for the window as it is",
        )  # fmt: skip
    if bin_size is not None and any(shift % bin_size for shift in shifts):
        raise problem(
            where, "shifts", got=tuple(shifts), need=f"multiples of bin_size={bin_size}", do="change one of them"
        )
