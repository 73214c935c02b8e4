"""The letters that a hit matched.

In: codes, and windows of them.  Out: strings, read on the strand of the hit, as FIMO's ``matched_sequence`` is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["matched_letters"]

_OTHER_STRAND = np.array([3, 2, 1, 0, 4], np.uint8)


def matched_letters(
    codes: np.ndarray, starts: np.ndarray, widths: np.ndarray, minus: np.ndarray, alphabet: Sequence[str]
) -> np.ndarray:
    """Give the letters of windows (object array of str); those of `minus` are reverse complements, unknown bases N."""
    letters = np.frombuffer("".join([*alphabet, "N"]).upper().encode(), np.uint8)
    out = np.empty(len(starts), dtype=object)
    for width in np.unique(widths).tolist():
        rows = np.flatnonzero(widths == width)
        windows = codes[starts[rows, None] + np.arange(width)]
        turned = minus[rows]
        windows[turned] = _OTHER_STRAND[windows[turned][:, ::-1]]
        out[rows] = np.ascontiguousarray(letters[windows]).view(f"S{width}").ravel().astype(str)
    return out
