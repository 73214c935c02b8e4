"""What the reports on one sequence's mutants read: a sequence, a model and a library; or sequences that were measured.

In: a checked record of parameters.  Out: `Sampled`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from ..core.cache import content_hash
from ..errors import FormatError, problem
from .inputs import Explained, read_explained, read_inputs
from .parameters.library import LibraryParameters

if TYPE_CHECKING:
    from ..mechanism import Library

__all__ = ["Sampled", "read_measured", "read_sampled"]

_MARGIN: Final = 25  # bases beside the demo's sites that are mutated too
_SEQUENCE: Final = ("sequence", "seq", "x")
_MEASUREMENT: Final = ("y", "prediction", "measurement", "activity", "dnn", "score")


@dataclass(frozen=True)
class Sampled:
    """A library around one sequence.

    Attributes
    ----------
    library : Library
        Of distinct sequences where a model predicts them; of measured ones, all.
    explained : Explained or None
        The model; None where sequences were measured.
    measured : float64 array (N,) or None
        Measurements; None where a model predicts.
    name : str
        Of the sequence.
    locus : DataFrame or None
        chrom, start, end of the sequence, one row.
    truth : DataFrame or None
        Planted sites in the window that act on the output in question, in the demo.
    dropped : int
        Rows that were not used: copies, or rows without a measurement.
    """

    library: Library
    explained: Explained | None
    measured: np.ndarray | None
    name: str
    locus: pd.DataFrame | None
    truth: pd.DataFrame | None
    dropped: int

    @property
    def key(self) -> str:
        """Changes with the model and the library."""
        return content_hash(self.library.fingerprint, self.measured if self.explained is None else self.explained.key)

    @property
    def target(self) -> str:
        """The name of what is predicted or measured."""
        return "measurement" if self.explained is None else self.explained.target

    def activities(self, batch_size: int = 64) -> np.ndarray:
        """Measurements, or predictions of the model: float64 ``(N,)``."""
        if self.explained is None:
            assert self.measured is not None
            return self.measured
        from ..mechanism import predict_library

        y = predict_library(self.explained.model, self.library, batch_size=batch_size, device=self.explained.device)
        return np.asarray(y.double().numpy()[:, 0])


def read_sampled(asked: LibraryParameters) -> Sampled:
    """Read the sequence and draw its library.

    Examples
    --------
    >>> from nbinterp.report import check_parameters
    >>> asked = check_parameters("surrogate", {"demo": True, "task": "cooperative", "n_sequences": 100})
    >>> found = read_sampled(asked)
    >>> found.library.shape[1:], sorted(map(str, set(found.truth["name"])))
    ((4, 400), ['GATA', 'NRF1', 'TEAD'])
    """
    from ..mechanism import random_library

    explained, reference, name, locus, truth = _read(asked)
    length = reference.shape[-1]
    window = asked.span()
    if window is None and truth is not None and len(truth):
        window = max(int(truth["start"].min()) - _MARGIN, 0), min(int(truth["end"].max()) + _MARGIN, length)
    if window is not None and window[1] > length:
        got, need = f"{window[0]}-{window[1]}", f"positions of the {length:,} bases"
        raise problem(asked.where, "window", got=got, need=need, do="lower its end")
    if truth is not None and window is not None:
        truth = truth[(truth["start"] >= window[0]) & (truth["end"] <= window[1])].reset_index(drop=True)
    library = random_library(reference, asked.n_mutants, asked.rate, window=window, random_state=asked.random_state)
    first = np.sort(np.unique(library.codes, axis=0, return_index=True)[1])
    return Sampled(library[first], explained, None, name, locus, truth, len(library) - len(first))


def _read(asked: LibraryParameters) -> tuple[Explained, Any, str, pd.DataFrame | None, pd.DataFrame | None]:
    """The model, the sequence one-hot, its name, where it is, and what is planted in it."""
    if asked.reference:
        from ..sequence import one_hot_encode

        return read_explained(asked), one_hot_encode(asked.reference.upper()), "reference", None, None
    inputs = read_inputs(asked)
    acting = None if inputs.truth is None else _acting(inputs.truth, asked.task)
    row = _row(asked, inputs.names, acting)
    truth = None if acting is None else acting[acting["example_idx"] == row].assign(example_idx=0)
    locus = None if inputs.loci is None else inputs.loci.iloc[[row]].reset_index(drop=True)
    one = inputs.X[row : row + 1].to_one_hot()[0]
    return inputs, one, inputs.names[row], locus, None if truth is None else truth.reset_index(drop=True)


def _row(asked: LibraryParameters, names: list[str], acting: pd.DataFrame | None) -> int:
    """Which sequence: the one that was asked for; of the demo a pair with most kinds of acting sites; or the first."""
    if asked.example in names:
        return names.index(asked.example)
    if asked.example:
        if not asked.example.isdigit() or int(asked.example) >= len(names):
            need = f"a name, or a number below {len(names)}"
            raise problem(asked.where, "example", got=repr(asked.example), need=need, do="choose one of the sequences")
        return int(asked.example)
    if acting is None or not len(acting):
        return 0
    of = acting.groupby("example_idx")
    span = of["end"].max() - of["start"].min()
    pair = (acting["role"] == "pair").groupby(acting["example_idx"]).any()
    return int(
        pd.DataFrame({"kinds": of["name"].nunique(), "pair": pair, "short": -span})
        .sort_values(["kinds", "pair", "short"])
        .index[-1]
    )


def _acting(truth: pd.DataFrame, task: str) -> pd.DataFrame:
    from .. import demo

    column = demo.TASKS.index(task) if task in demo.TASKS else int(task)
    effects = demo.truth()["effects"]
    return truth[[effects[name][column] != 0 for name in truth["name"]]]


def read_measured(path: str, where: str, reference: str = "", example: str = "") -> Sampled:
    """Read a table of sequences and measurements.

    Parameters
    ----------
    path : str
        CSV, or tab-separated by any other ending; columns are found by name, whatever their case: sequence, seq or x; and y,
        prediction, measurement, activity, DNN or score.
    where : str
        Who asks, for messages.
    reference : str
        What variants are of; by default the commonest letter of each position.
    example : str
        Or the number of a row.
    """
    from ..mechanism import library_of

    table = pd.read_csv(path, sep="," if ".csv" in Path(path).name else "\t")
    known = {str(name).lower(): name for name in table.columns}
    found = [next((known[one] for one in names if one in known), None) for names in (_SEQUENCE, _MEASUREMENT)]
    if None in found:
        got = f"columns {', '.join(map(str, table.columns))}"
        need = f"one of {', '.join(_SEQUENCE)}, and one of {', '.join(_MEASUREMENT)}"
        raise problem(where, "measured", got=got, need=need, do="rename them", kind=FormatError)
    y = pd.to_numeric(table[found[1]], errors="coerce").to_numpy(np.float64)
    kept = np.isfinite(y) & table[found[0]].notna().to_numpy()
    if kept.sum() < 50:
        got = f"{kept.sum()} rows with a sequence and a number"
        raise problem(where, "measured", got=got, need="at least 50", do="check the columns", kind=FormatError)
    sequences = table.loc[kept, found[0]].astype(str).str.upper().tolist()
    library = library_of(sequences, int(example) if example.isdigit() else 0)
    if not example:
        counts = np.stack([(library.codes == code).sum(axis=0) for code in range(4)])
        library = library_of(sequences, reference.upper() or "".join("ACGT"[code] for code in counts.argmax(axis=0)))
    return Sampled(library, None, y[kept], Path(path).stem, None, None, int((~kept).sum()))
