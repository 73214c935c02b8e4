"""How much each annotation contributes.

In: attributions and annotations.  Out: the annotations with the attribution under each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..core.arrays import numpy_of
from ..core.tables import check_spans
from ..errors import problem
from .table import as_annotations

__all__ = ["attribute_annotations"]


def attribute_annotations(X_attr: Any, annotations: pd.DataFrame) -> pd.DataFrame:
    """Add up the attribution under each annotation.

    Parameters
    ----------
    X_attr : tensor or array, shape (N, L) or (N, 4, L)
        Attributions of the observed bases.
    annotations : DataFrame
        example_idx, start, end, ...; hits of `fimo` and called hits are read too.

    Returns
    -------
    DataFrame
        The annotations (`as_annotations`) with attribution, the sum over the span, and attribution_mean, a base.

    Raises
    ------
    NbinterpError
        For annotations that leave the attributions, or attributions of another shape.

    Examples
    --------
    >>> hits = pd.DataFrame({"example_idx": [0], "start": [1], "end": [3], "name": ["GATA"]})
    >>> attribute_annotations([[1.0, 2.0, 3.0, 4.0]], hits)[["name", "attribution", "attribution_mean"]].values.tolist()
    [['GATA', 5.0, 2.5]]
    """
    where = "attribute_annotations"
    values = numpy_of(X_attr)
    if values.ndim not in (2, 3):
        raise problem(where, "X_attr", got=f"shape {values.shape}", need="(N, L) or (N, 4, L)", do="reshape it")
    values = values.astype(np.float64)
    values = values.sum(axis=1) if values.ndim == 3 else values
    table = as_annotations(annotations)
    example, start, end = check_spans(where, "annotations", table, *values.shape)
    total = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    summed = total[example, end] - total[example, start]
    return table.assign(attribution=summed, attribution_mean=summed / (end - start))
