"""Windows of change: which positions of each activation an edit reaches, and what it adds there.

A *block* edits P positions at a constant distance, each with K alternatives, P x K rows in all.  In every activation
the positions that row (j, k) can change are ``[lo + step * j, lo + step * j + width)``: one interval per activation,
sliding along with j.  Only the change (edited minus reference) is kept, over that interval, and it is zero outside the
sequence.  Reference values for all P windows are one overlapping view of a single array, without a copy.

Arrays are stored with the length axis before the channels, so that a window is one contiguous piece of memory; rules
see the axes in the model's own order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import torch

__all__ = ["Change", "Geometry", "Layout", "Track", "blank", "cut", "inside", "stored", "strided", "unify"]


@dataclass(frozen=True)
class Layout:
    """Where the length axis of an activation is, and how it maps to the sequence.

    Parameters
    ----------
    axis : int
        The length axis, in `shape`.
    shape : tuple of int
        All axes with 1 for the rows.  If `flat`, the activation itself is this shape flattened to two axes.
    pace : Fraction
        Sequence positions from one position to the next; negative when the axis runs backwards.
    flat : bool
        Whether the model sees ``(rows, everything else)``.
    """

    axis: int
    shape: tuple[int, ...]
    pace: Fraction
    flat: bool = False

    @property
    def length(self) -> int:
        """Positions along the length axis."""
        return self.shape[self.axis]


@dataclass
class Change:
    """What the edits add to an activation: ``delta`` (P * K, ...) over ``[lo, lo + width)``, sliding by `step`.

    Not frozen, since forty are made an edit and freezing costs more than the rest of making one.
    """

    delta: torch.Tensor
    axis: int
    lo: int
    step: int
    owned: bool = True  # whether nobody else reads the memory of `delta`, so that it may be written over

    @property
    def width(self) -> int:
        """Positions in the window."""
        return self.delta.shape[self.axis]

    @property
    def hi(self) -> int:
        """The end of the first row's window."""
        return self.lo + self.width


@dataclass(frozen=True)
class Geometry:
    """The edits of a block: P positions `stride` apart, from `first`, with K alternatives each."""

    first: int
    stride: int
    P: int
    K: int

    @property
    def rows(self) -> int:
        """Edited sequences in the block."""
        return self.P * self.K

    def trim(self, lo: int, hi: int, step: int, length: int) -> tuple[int, int]:
        """Cut a sliding interval to where at least one of its P positions lies in ``[0, length)``."""
        travel = step * (self.P - 1)
        return max(lo, -max(travel, 0)), min(hi, length - min(travel, 0))

    def split(self, x: torch.Tensor) -> torch.Tensor:
        """See rows (P * K, ...) as (P, K, ...)."""
        return x.view(self.P, self.K, *x.shape[1:])

    def clear_outside(self, delta: torch.Tensor, axis: int, lo: int, step: int, length: int) -> None:
        """Set the change to zero, in place, where a row's window lies outside the sequence."""
        travel, width = step * (self.P - 1), delta.shape[axis]
        left = min(max(-lo, -lo - travel, 0), width)  # offsets below this are outside in some row
        right = min(max(lo + width + max(travel, 0) - length, 0), width)
        if not left and not right:
            return
        view = self.split(delta.movedim(axis, 1))
        shape = (self.P, 1, -1) + (1,) * (view.ndim - 3)
        starts = torch.arange(self.P, device=delta.device)[:, None] * step + lo
        if left:
            at = starts + torch.arange(left, device=delta.device)
            view[:, :, :left].masked_fill_((at < 0).view(shape), 0)
        if right:
            at = starts + torch.arange(width - right, width, device=delta.device)
            view[:, :, width - right :].masked_fill_((at >= length).view(shape), 0)


class Track:
    """The reference values of one activation along its length axis, read in sliding windows.

    They are laid out (and passed through `derive`, entry by entry) where the first single window reads them, which is all
    that a lone edit needs; then, whenever a window reads elsewhere, as wide again on either side.
    """

    def __init__(
        self,
        value: torch.Tensor,
        axis: int,
        fill: float = 0.0,
        derive: Callable[[torch.Tensor], torch.Tensor] | None = None,
    ) -> None:
        self._value = value.movedim(axis, 1)[0]  # (length, other axes)
        self._axis, self._fill, self._derive = axis, fill, derive
        self._lo, self._hi = 0, 0  # what is laid out; it may reach beyond the ends
        self._laid = self._value[:0]

    def windows(self, geometry: Geometry, lo: int, width: int, step: int) -> torch.Tensor:
        """Give (P, ..., width, ...), an overlapping view not to be written to; outside the sequence it is the fill."""
        P = geometry.P
        travel = step * (P - 1)
        first, last = lo + min(travel, 0), lo + max(travel, 0) + width
        if first < self._lo or last > self._hi:
            self._lay(first, last, whole=P > 1)
        data = self._laid
        inner = data.stride(0)
        rest, strides, at = data.shape[1:], data.stride()[1:], self._axis - 1
        view = data.as_strided(
            (P, *rest[:at], width, *rest[at:]),
            (abs(step) * inner, *strides[:at], inner, *strides[at:]),
            data.storage_offset() + (first - self._lo) * inner,
        )
        return view.flip(0) if step < 0 else view

    def _lay(self, lo: int, hi: int, whole: bool) -> None:
        length = self._value.shape[0]
        if whole or self._hi > self._lo:
            lo, hi = min(lo, self._lo), max(hi, self._hi)
            more = length if whole else hi - lo
            lo, hi = min(lo, max(lo - more, 0)), max(hi, min(hi + more, length))
        start, end = max(lo, 0), min(hi, length)
        values = self._value[start:end]
        laid = (self._derive(values) if self._derive else values).contiguous()
        if (lo, hi) != (start, end):
            padded = laid.new_full((hi - lo, *laid.shape[1:]), self._fill)
            padded[start - lo : end - lo] = laid
            laid = padded
        self._laid, self._lo, self._hi = laid, lo, hi


def cut(x: torch.Tensor, axis: int, lo: int, hi: int) -> torch.Tensor:
    """Give positions ``[lo, hi)`` along an axis, as a view."""
    return x.narrow(axis, lo, hi - lo)


def blank(like: torch.Tensor, axis: int, width: int, make: Callable[..., torch.Tensor] = torch.zeros) -> torch.Tensor:
    """Make an array like another but `width` long, stored with the length axis second."""
    stored = like.movedim(axis, 1)
    shape = (stored.shape[0], width, *stored.shape[2:])
    return make(shape, dtype=like.dtype, device=like.device).movedim(1, axis)


def stored(x: torch.Tensor, axis: int) -> torch.Tensor:
    """Give fresh values stored with the length axis second."""
    return x.movedim(axis, 1).contiguous().movedim(1, axis)


def strided(x: torch.Tensor, axis: int, start: int, step: int, count: int) -> torch.Tensor:
    """Give ``x[start::step]`` along an axis, `count` long."""
    stop = start + (count - 1) * step + 1
    return x.movedim(axis, 0)[start:stop:step].movedim(0, axis)


def inside(change: Change, lo: int, hi: int) -> torch.Tensor:
    """Give the change over ``[lo, hi)``, zeros where it does not reach; a view where it can."""
    if (lo, hi) == (change.lo, change.hi):
        return change.delta
    start, end = max(lo, change.lo), min(hi, change.hi)
    if (lo, hi) == (start, end):
        return cut(change.delta, change.axis, lo - change.lo, hi - change.lo)
    out = blank(change.delta, change.axis, hi - lo)
    if start < end:
        cut(out, change.axis, start - lo, end - lo).copy_(
            cut(change.delta, change.axis, start - change.lo, end - change.lo)
        )
    return out


def unify(changes: list[Change]) -> tuple[int, int]:
    """Give the interval that holds several windows that slide alike."""
    return min(c.lo for c in changes), max(c.hi for c in changes)
