"""Numbers from wherever they live.

In: a tensor on any device, an array, a list.  Out: a NumPy array; torch is not imported.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["numpy_of"]


def numpy_of(values: Any, dtype: Any = None) -> np.ndarray:
    """Give the array of a tensor or of anything array-like; nothing is copied that need not be.

    Examples
    --------
    >>> import torch
    >>> numpy_of(torch.ones(2, requires_grad=True)), numpy_of([1, 2], float)
    (array([1., 1.], dtype=float32), array([1., 2.]))
    """
    return np.asarray(values.detach().cpu().numpy() if hasattr(values, "detach") else values, dtype)
