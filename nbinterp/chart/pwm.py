"""Motifs as logos for print.

In: a matrix of probabilities ``(4, w)``.  Out: matplotlib axes with our letters (`plot_pwm`), or a `logomaker.Logo`, whose
own methods change every glyph (`publication_logo`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.arrays import numpy_of
from ..errors import problem
from .logo import plot_logo
from .theme import BASES

__all__ = ["plot_pwm", "publication_logo"]


def plot_pwm(
    pwm: Any, ax: Any = None, name: str | None = None, alphabet: Sequence[str] = "ACGT", eps: float = 1e-7
) -> Any:
    """Draw a motif, each letter as high as its part of the information at its position.

    Parameters
    ----------
    pwm : array or tensor (4, w)
        Probabilities; ``pwm[::-1, ::-1]`` is the other strand.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the current axes by default.
    name : str, optional
        The title.
    alphabet : sequence of str
        Letters of the rows.
    eps : float
        Added before the logarithm.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    NbinterpError
        When it is no matrix of probabilities.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> plot_pwm(np.eye(4)[:, [2, 0, 3, 0]], name="GATA").get_title()
    'GATA'
    """
    import matplotlib.pyplot as plt

    matrix = _bits("plot_pwm", pwm, len(alphabet), eps)
    ax = plt.gca() if ax is None else ax
    plot_logo(matrix, ax=ax, alphabet=list(alphabet))
    if name is not None:
        ax.set_title(name)
    ax.set_xlabel("Motif Position")
    ax.set_ylabel("Information Content (Bits)")
    return ax


def publication_logo(pwm: Any, ax: Any = None, **options: Any) -> Any:
    """Draw a motif with logomaker, in the project's colours.

    Parameters
    ----------
    pwm, ax
        As in `plot_pwm`.
    **options
        Of `logomaker.Logo`; they go before ours.

    Returns
    -------
    logomaker.Logo
        See its methods for styles of single glyphs.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> publication_logo(np.eye(4)[:, [2, 0, 3, 0]]).df["G"].round(2).tolist()
    [2.0, 0.0, 0.0, 0.0]
    """
    import logomaker
    import pandas as pd

    frame = pd.DataFrame(_bits("publication_logo", pwm, 4, 1e-7).T, columns=list("ACGT"))
    colours = dict(zip("ACGT", BASES["classic"]["light"], strict=True))
    logo = logomaker.Logo(frame, ax=ax, **{"color_scheme": colours, "show_spines": False, "vpad": 0.02, **options})
    logo.ax.set_ylabel("bits")
    return logo


def _bits(where: str, pwm: Any, n: int, eps: float) -> np.ndarray:
    """Probabilities times the information at their position."""
    p = numpy_of(pwm, float)
    if p.ndim != 2 or p.shape[0] != n or not np.allclose(p.sum(axis=0), 1, atol=1e-3):
        raise problem(
            where, "pwm", got=f"shape {p.shape}", need=f"({n}, w), columns that sum to 1", do="pass probabilities"
        )
    bits: np.ndarray = p * (p * np.log2(p + eps) + np.log2(n) / n).sum(axis=0, keepdims=True)
    return bits
