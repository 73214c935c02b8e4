"""One number of each profile: where it lies along the direction in which profiles differ most.

In: profiles of N sequences.  Out: a number each, for a library's `y`.  Source: SQUID (`profile_pca`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.arrays import numpy_of
from ..errors import problem

__all__ = ["profile_component"]


def profile_component(profiles: Any) -> np.ndarray:
    """Project profiles on their first principal component.

    Parameters
    ----------
    profiles : array or tensor (N, ...)
        Outputs of a model, of any number of axes, which are taken together.

    Returns
    -------
    array (N,), float64
        Centred; the direction is such that they rise with the sums of profiles.

    Raises
    ------
    NbinterpError
        For fewer than 2 profiles, profiles that are not finite, or that are all the same.

    Examples
    --------
    >>> profile_component([[0.0, 1.0], [0.0, 3.0], [0.0, 5.0]]).tolist()
    [-2.0, 0.0, 2.0]
    """
    values = numpy_of(profiles, np.float64)
    if values.ndim < 2 or len(values) < 2:
        need, do = "(N, positions, ...), of 2 or more sequences", "pass the profiles of a library"
        raise problem("profile_component", "profiles", got=f"shape {values.shape}", need=need, do=do)
    if not np.isfinite(values).all():
        do = "drop these sequences"
        raise problem("profile_component", "profiles", got="NaN or infinity", need="finite values", do=do)
    flat = values.reshape(len(values), -1)
    centred = flat - flat.mean(0)
    if not np.ptp(flat, axis=0).any():
        do = "choose outputs that depend on the sequence"
        raise problem("profile_component", "profiles", got="one and the same", need="profiles that differ", do=do)
    if flat.shape[0] <= flat.shape[1]:
        first = np.linalg.eigh(centred @ centred.T)[1][:, -1]
        along = centred @ (first @ centred / np.linalg.norm(first @ centred))
    else:
        along = centred @ np.linalg.eigh(centred.T @ centred)[1][:, -1]
    return np.asarray(-along if along @ centred.sum(1) < 0 else along)
