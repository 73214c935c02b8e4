"""What a scan needs to know of its motifs: scores, thresholds and exact p-values.

In: matrices of probabilities ``(4, w)``.  Out: one row a motif and strand, with log-odds scores a column, the exact
distribution of the binned score under the background, and the score above which a window is a hit.  Built once a
content: the same matrices and options give the same object back.

Source: Grant, Bailey & Noble 2011, FIMO; the dynamic program is Staden 1989.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.arrays import numpy_of
from ..errors import problem

__all__ = ["ScoreModel", "motif_arrays", "score_model"]

_KEPT = 8  # score models kept by content; one of 879 motifs on both strands holds about 10 MB


@dataclass(frozen=True, eq=False)
class ScoreModel:
    """Motifs as rows to scan with: motif by motif, the given strand first, then the other where asked for.

    Attributes
    ----------
    width : int64 array (R,)
        Columns of each row's matrix.
    first : int64 array (R,)
        Where the row's columns begin in `columns`.
    columns : array (C, 5)
        Log-odds in bits, for A C G T and, always zero, an unknown base.
    threshold : float64 array (R,)
        A window is a hit when it scores more than this.
    survival : float64 array
        All tables of ``P(binned score >= bin)``, one after the other.
    table, size, smallest : int64 arrays (R,)
        Where the row's table begins in `survival`, how long it is, and the bin it begins with.
    bin_size : float
        Of the tables, in bits.
    strands : int
        Rows a motif.
    p_value : float
        Below which a window is a hit.
    """

    width: np.ndarray
    first: np.ndarray
    columns: np.ndarray
    threshold: np.ndarray
    survival: np.ndarray
    table: np.ndarray
    size: np.ndarray
    smallest: np.ndarray
    bin_size: float
    strands: int
    p_value: float

    @property
    def n_rows(self) -> int:
        """Motifs times strands."""
        return len(self.width)

    @property
    def widest(self) -> int:
        """Columns of the widest motif."""
        return int(self.width.max())

    def scores_of(self, row: int) -> np.ndarray:
        """Log-odds of a row, ``(w, 5)``."""
        at = int(self.first[row])
        return self.columns[at : at + int(self.width[row])]

    def p_values(self, rows: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """P-values of scores, from the bin that the real score falls in (truncated toward zero)."""
        bins = np.trunc(scores / self.bin_size).astype(np.int64) - self.smallest[rows]
        p: np.ndarray = self.survival[self.table[rows] + np.clip(bins, 0, self.size[rows] - 1)]
        return p


def motif_arrays(where: str, motifs: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Give name to ``(4, w)`` numpy matrix of probabilities; floats keep their precision.

    Raises
    ------
    NbinterpError
        For no motifs, another shape, a width of zero, or entries that are no probabilities, naming the motif.
    """
    if not isinstance(motifs, Mapping) or not motifs:
        got = "none" if isinstance(motifs, Mapping) else f"a {type(motifs).__name__}"
        raise problem(where, "motifs", got=got, need="a path, a MotifSet or a mapping of names", do="pass some")
    found = {}
    for name, given in motifs.items():
        one = numpy_of(given)
        if one.ndim != 2 or one.shape[0] != 4 or one.shape[1] == 0:
            need = "shape (4, width) with at least one column"
            raise problem(where, f"motifs[{name!r}]", got=f"shape {one.shape}", need=need, do="transpose or drop it")
        found[str(name)] = one if one.dtype.kind == "f" else one.astype(np.float64)
    joined = np.concatenate(list(found.values()), axis=1)
    if not np.isfinite(joined).all() or joined.min() < 0:
        wrong = next(name for name, one in found.items() if not (np.isfinite(one).all() and one.min() >= 0))
        got, need = "negative or infinite entries", "probabilities"
        raise problem(where, f"motifs[{wrong!r}]", got=got, need=need, do="scan with its PWM, not its CWM")
    return found


def score_model(
    matrices: list[np.ndarray],
    *,
    bin_size: float,
    eps: float,
    threshold: float,
    reverse_complement: bool,
    background: tuple[float, float, float, float],
) -> ScoreModel:
    """Give the score model of matrices ``(4, w)``, from the cache when the same content was asked for before."""
    joined = np.ascontiguousarray(np.concatenate(matrices, axis=1))
    widths = tuple(one.shape[1] for one in matrices)
    content = joined.tobytes(), joined.dtype.str, widths
    return _built(*content, bin_size, eps, threshold, reverse_complement, background)


# keyed by the bytes of the matrices themselves, so that an edited motif can never meet an old table
@functools.lru_cache(maxsize=_KEPT)
def _built(
    content: bytes,
    dtype: str,
    widths: tuple[int, ...],
    bin_size: float,
    eps: float,
    threshold: float,
    both: bool,
    background: tuple[float, ...],
) -> ScoreModel:
    joined = np.frombuffer(content, dtype).reshape(4, -1)
    strands = 2 if both else 1
    log_background = np.log2(np.array(background)).astype(dtype)[:, None]
    ends = np.cumsum(widths)
    pieces, tables, smallest = [], [], []
    symmetric = background == background[::-1]
    for end, width in zip(ends, widths, strict=True):
        matrix = joined[:, end - width : end]
        for flipped in (False, True)[:strands]:
            scores = np.log2((matrix[::-1, ::-1] if flipped else matrix) + np.asarray(eps, dtype)) - log_background
            pieces.append(scores)
            # strands have one distribution where complementary letters are equally frequent
            if not (flipped and symmetric):
                low, table = _survival(np.round(scores.astype(np.float64) / bin_size).astype(np.int64), background)
            tables.append(table)
            smallest.append(low)
    row_width = np.repeat(np.array(widths), strands)
    size = np.array([len(one) for one in tables])
    # the first bin rare enough; single precision, as the peer holds it
    cut = [(int(np.argmax(t < threshold)) + low) * bin_size for t, low in zip(tables, smallest, strict=True)]
    columns = np.concatenate(pieces, axis=1).T
    return ScoreModel(
        width=row_width,
        first=np.cumsum(row_width) - row_width,
        columns=np.ascontiguousarray(np.pad(columns, ((0, 0), (0, 1)))),
        threshold=np.array(cut, np.float32).astype(np.float64),
        survival=np.concatenate(tables),
        table=np.cumsum(size) - size,
        size=size,
        smallest=np.array(smallest),
        bin_size=bin_size,
        strands=strands,
        p_value=threshold,
    )


def _survival(bins: np.ndarray, background: tuple[float, ...]) -> tuple[int, np.ndarray]:
    """Give the smallest bin of the table, and P(sum of bins >= bin) from there on.

    The table begins at the lowest sum that any prefix can reach and ends a bin a column above the highest, where the
    probability is zero: a real score may lie half a bin a column above its binned one.
    """
    low, high = bins.min(axis=0), bins.max(axis=0)
    smallest = int(np.cumsum(low).min())
    largest = int(np.cumsum(high).max()) + bins.shape[1]
    pdf = np.ones(1)
    for column, least, most in zip(bins.T, low, high, strict=True):
        longer = np.zeros(len(pdf) + int(most - least))
        for shift, frequency in zip((column - least).tolist(), background, strict=True):
            longer[shift : shift + len(pdf)] += pdf * frequency
        pdf = longer
    table = np.zeros(largest - smallest + 1)
    at = int(low.sum()) - smallest
    table[at : at + len(pdf)] = pdf
    return smallest, np.cumsum(table[::-1])[::-1]
