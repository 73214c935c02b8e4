"""Memory that is used again.

New memory costs more than what is computed in it here: every page of it has to be fetched from the system first.
"""

from __future__ import annotations

import numpy as np

__all__ = ["Scratch"]


class Scratch:
    """Arrays by name: one of a name is valid until the next of that name is asked for."""

    def __init__(self) -> None:
        self._held: dict[str, np.ndarray] = {}

    def __call__(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """An array of any numbers, float64, to be filled."""
        count = int(np.prod(shape, dtype=np.int64))
        held = self._held.get(name)
        if held is None or len(held) < count:
            held = self._held[name] = np.empty(count + count // 4)
        return held[:count].reshape(shape)
