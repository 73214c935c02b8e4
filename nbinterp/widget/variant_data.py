"""What a view of variants is given: numbers to rank by, names, and what is known of both alleles of some of them.

In: tables and arrays.  Out: the same, checked, and as a widget sends it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import numpy as np
import pandas as pd

from ..core.arrays import numpy_of
from ..core.check import check_choice
from ..errors import problem
from ..live import Answer, quantize
from ..live.variant_alleles import Alleles
from .table import cells_of

__all__ = ["Stored", "names_of", "scores_of", "table_of"]

_NO_SCORES: Final = ("_sd", "_p", "_low", "_high")  # what a score's spread is called
_FIRST: Final = ("chrom", "start", "ref", "alt")
_QUIET: Final = ("example_idx", "window_start", "end", "record", "allele")  # saved, and not shown in the list
_ALLELES: Final = ("reference", "alternative")
_HEARD: Final = 256  # answers of one allele that wait for the other


def scores_of(table: pd.DataFrame, score: str | None) -> dict[str, tuple[str, str] | None]:
    """Columns to rank by, the chosen one first; and for each the columns of the two predictions that it compares."""
    columns = [str(name) for name in table.columns]
    if score is not None:
        check_choice("VariantView", "score", score, columns)
    ends = [name.removeprefix("reference") for name in columns if name.startswith("reference")]
    ends = [end for end in ends if f"alternative{end}" in columns]
    found: dict[str, tuple[str, str] | None] = {}
    for name, kind in zip(columns, table.dtypes, strict=True):
        number = pd.api.types.is_float_dtype(kind) and not name.startswith(_ALLELES) and not name.endswith(_NO_SCORES)
        if number or name == score:
            end = max((end for end in ends if name.endswith(end)), key=len, default=None)
            found[name] = None if end is None else (f"reference{end}", f"alternative{end}")
    if not found:
        raise problem(
            "VariantView", "effects", got=f"columns {', '.join(columns)}", need="a number to rank by",
            do="score the variants with variant_effects, or name a column with score=",
        )  # fmt: skip
    return {name: found[name] for name in sorted(found, key=lambda name: name != (score or "difference"))}


def table_of(table: pd.DataFrame, scores: dict[str, tuple[str, str] | None]) -> dict[str, Any]:
    """The table as it is listed: what a variant is, its scores, and the rest."""
    first = [name for name in (*_FIRST, *scores) if name in table]
    table = table[[*first, *(name for name in table.columns if name not in first)]]
    names = [str(name) for name in table.columns]
    columns = [
        {
            "name": name,
            "kind": "number" if pd.api.types.is_numeric_dtype(values) else "text",
            "hidden": name in _QUIET or _empty(values),
        }
        for name, values in zip(names, (table.iloc[:, i] for i in range(len(names))), strict=True)
    ]
    ranked = [
        {"name": name, "column": names.index(name), "alleles": None if of is None else [names.index(one) for one in of]}
        for name, of in scores.items()
    ]
    rows = cells_of(table)
    return {"columns": columns, "rows": rows, "scores": ranked}


def names_of(alleles: Alleles) -> list[str]:
    """Ids, or places and alleles."""
    table = alleles.table
    ids = table["id"].astype(str).tolist() if "id" in table else [""] * len(table)
    chrom = table["chrom"].astype(str) + ":" if "chrom" in table else pd.Series([""] * len(table))
    places = (
        chrom + table["start"].map(lambda v: f"{int(v):,}") + " " + table["ref"].map(str) + ">" + table["alt"].map(str)
    )
    return [
        one if one.strip(".,") not in ("", "nan", "None") else place for one, place in zip(ids, places, strict=True)
    ]


def _empty(column: pd.Series) -> bool:
    return bool(column.isna().all() or (column.astype(str).str.strip(".,") == "").all())


class Stored:
    """What is known of both alleles of some variants: attributions (2, L) of the bases that are there, profiles (2, S, P).

    Parameters
    ----------
    ref, alt : uint8 arrays (N, L)
        Codes of both alleles.

    Attributes
    ----------
    windows : uint8 array (U, L)
        The references without repetition.
    window : int array (N,)
        Which of them each variant is in.
    """

    def __init__(self, ref: np.ndarray, alt: np.ndarray) -> None:
        seen: dict[bytes, int] = {}
        self.window = np.array([seen.setdefault(row.tobytes(), len(seen)) for row in ref], np.int32)
        self.windows = ref[np.unique(self.window, return_index=True)[1]]
        self._ref, self._alt = ref, alt
        self._known: dict[str, dict[int, np.ndarray]] = {"attributions": {}, "profiles": {}}
        self._heard: dict[tuple[str, int], np.ndarray] = {}

    @property
    def codes(self) -> np.ndarray:
        """Windows, and after them alternatives: what a model is asked about by number."""
        return np.concatenate([self.windows, self._alt])

    def examples(self, row: int) -> tuple[int, int]:
        """Numbers of both alleles of a variant."""
        return int(self.window[row]), len(self.windows) + row

    def take(self, name: str, pair: Any) -> None:
        """Take what is given of all variants: (reference, alternative); a row with NaN is not known."""
        if pair is None:
            return
        if isinstance(pair, dict) or len(pair) != 2:
            need = "(reference, alternative)"
            raise problem("VariantView", name, got=f"{len(pair)} of them", need=need, do="pass a pair")
        read = _observed if name == "attributions" else _strands
        ref, alt = (read(name, numpy_of(one), codes) for one, codes in zip(pair, (self._ref, self._alt), strict=True))
        if ref.shape != alt.shape:
            raise problem("VariantView", name, got=f"{ref.shape} and {alt.shape}", need="the same", do="match them")
        values = np.stack([ref, alt], axis=1)
        known = np.isfinite(values).reshape(len(values), -1).all(axis=1)
        self._known[name] = {int(row): values[row] for row in np.flatnonzero(known)}

    def learn(self, answer: Answer) -> int | None:
        """Take what a model said; the row of the variant of which both alleles are known by that, None for none."""
        row, name = answer.example - len(self.windows), "profiles" if answer.profile is not None else "attributions"
        values = answer.profile
        if answer.scores is not None:
            codes = self.windows[answer.example] if row < 0 else self._alt[row]
            values = _at(answer.scores, codes)
        if values is None or not answer.last:
            return None
        self._heard[name, answer.example] = values
        for old in list(self._heard)[:-_HEARD]:
            del self._heard[old]
        ref = self._heard.get((name, int(self.window[row]))) if row >= 0 else None
        if ref is None:
            return None
        self._known[name][row] = np.stack([ref, values])
        return row

    def get(self, name: str, row: int) -> np.ndarray | None:
        """What is known of a variant."""
        return self._known[name].get(row)

    @property
    def profile_shape(self) -> tuple[int, ...] | None:
        """Strands and positions of profiles, where there are any."""
        return next((values.shape[1:] for values in self._known["profiles"].values()), None)

    def arrays(self, rows: Collection[int] | None = None) -> dict[str, np.ndarray]:
        """All that is known, or that of some rows, as it is sent: 16 bits a value, and a scale for each variant."""
        arrays: dict[str, np.ndarray] = {}
        for name, known in self._known.items():
            at = [row for row in known if rows is None or row in rows]
            if at:
                arrays[f"{name}.rows"] = np.array(at, np.int32)
                arrays[name], arrays[f"{name}.scale"] = quantize(np.stack([known[row] for row in at]))
        return arrays


def _observed(argument: str, values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Attributions (N, L) of the bases that are there."""
    n, length = codes.shape
    if values.shape not in ((n, length), (n, 4, length)):
        need = f"({n}, {length}) or ({n}, 4, {length})"
        raise problem("VariantView", argument, got=f"shape {values.shape}", need=need, do="pass one row a variant")
    return values if values.ndim == 2 else np.stack([_at(*one) for one in zip(values, codes, strict=True)])


def _at(scores: Any, codes: np.ndarray) -> np.ndarray:
    """Of (4, L), what the base has that is there; zero for unknown bases."""
    return np.where(codes < 4, scores[np.minimum(codes, 3), np.arange(len(codes))], 0)


def _strands(argument: str, values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    values = values[:, None] if values.ndim == 2 else values
    n, length = codes.shape
    if values.ndim != 3 or len(values) != n or values.shape[1] > 2 or not 1 < values.shape[2] <= length:
        need = f"({n}, P) or ({n}, S, P), S = 1 or 2 strands, P = 2 to {length} bases"
        raise problem("VariantView", argument, got=f"shape {values.shape}", need=need, do="pass one row a variant")
    return values
