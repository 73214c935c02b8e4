"""A surrogate in a file.

In: a `Surrogate`.  Out: one ``.npz`` of its arrays, with a JSON text of everything else; and back.
"""

from __future__ import annotations

import io
import json
import os
from types import MappingProxyType
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from ..core.files import writing
from ..errors import FormatError, problem
from .noise import Noise
from .surrogate import Surrogate, SurrogateMetrics
from .surrogate_epistasis import Curve
from .surrogate_information import Information

__all__ = ["read_surrogate", "write_surrogate"]

_FORMAT: Final = 1
_ARRAYS: Final = ("theta", "positions", "pairs", "frequencies")


def write_surrogate(path: str | os.PathLike[str], surrogate: Surrogate) -> None:
    """Write a surrogate as ``.npz``: theta (4, L), positions (P, 2), pairs (P, 4, 4), frequencies, curve and noise.

    Examples
    --------
    >>> import tempfile
    >>> from nbinterp.mechanism.surrogate_fit import fit_surrogate
    >>> X = np.random.RandomState(0).randint(0, 4, (200, 3))
    >>> surrogate = fit_surrogate(X, X[:, 0] + 0.1 * X[:, 1], linearity="linear")
    >>> path = os.path.join(tempfile.mkdtemp(), "surrogate.npz")
    >>> write_surrogate(path, surrogate)
    >>> bool((read_surrogate(path).predict(X) == surrogate.predict(X)).all())
    True
    """
    curve, noise = surrogate.curve, surrogate.noise
    about = {
        "format": _FORMAT,
        "intercept": surrogate.intercept,
        "gauge": surrogate.gauge_name,
        "curve": {name: getattr(curve, name) for name in ("a", "slope", "center", "scale")},
        "noise": {"kind": noise.kind, "center": noise.center, "scale": noise.scale},
        "metrics": surrogate.metrics._asdict(),
        "options": dict(surrogate.options),
        "facts": dict(surrogate.facts),
        "history": surrogate.history.to_json(orient="split", double_precision=15),
    }
    arrays = {name: getattr(surrogate, name) for name in _ARRAYS}
    bends = {f"curve_{name}": getattr(curve, name) for name in ("b", "c", "d")}
    with writing(path) as temporary, temporary.open("wb") as opened:
        np.savez(opened, **arrays, **bends, noise=noise.coefficients, about=np.array(json.dumps(about, default=_plain)))


def _plain(value: Any) -> Any:
    """What JSON has no word for."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else str(value)


def read_surrogate(path: str | os.PathLike[str]) -> Surrogate:
    """Read what `write_surrogate` wrote; it predicts the same.

    Raises
    ------
    FormatError
        For another file.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            held = {name: stored[name] for name in stored.files}
        return _surrogate(held, json.loads(str(held["about"])))
    except (OSError, KeyError, TypeError, ValueError, EOFError, BadZipFile) as error:
        need, do = "a surrogate that write_surrogate wrote", "check the path"
        got = f"{os.fspath(path)} ({error})"
        raise problem("read_surrogate", "path", got=got, need=need, do=do, kind=FormatError) from error


def _surrogate(held: dict[str, np.ndarray], about: dict[str, Any]) -> Surrogate:
    if about["format"] != _FORMAT:
        raise ValueError(f"format {about['format']}")
    metrics = about["metrics"]
    information = {name: Information(*metrics[name]) for name in ("i_var", "i_pred")}
    return Surrogate(
        intercept=about["intercept"],
        **{name: held[name] for name in _ARRAYS},
        curve=Curve(b=held["curve_b"], c=held["curve_c"], d=held["curve_d"], **about["curve"]),
        noise=Noise(coefficients=held["noise"], **about["noise"]),
        gauge_name=about["gauge"],
        metrics=SurrogateMetrics(**{**metrics, **information}),
        history=pd.read_json(io.StringIO(about["history"]), orient="split"),
        options=MappingProxyType(about["options"]),
        facts=MappingProxyType(about["facts"]),
    )
