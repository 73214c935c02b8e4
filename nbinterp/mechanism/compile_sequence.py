"""A column of sequences that are written when somebody looks.

In: a `Library`.  Out: a pandas array of strings; a table of 100,000 sequences is made without making one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray, ExtensionDtype, take

from .library import Library

__all__ = ["LazySequences", "SequenceDtype"]


class SequenceDtype(ExtensionDtype):
    """Strings that a library writes."""

    name = "sequence"
    type: ClassVar[Any] = str
    kind = "O"
    na_value = None

    @classmethod
    def construct_array_type(cls) -> type[LazySequences]:
        """Give the array's class."""
        return LazySequences


class LazySequences(ExtensionArray):
    """The sequences of a library as a pandas array; what is asked for is written, and nothing is kept.

    Slices, masks and `take` stay lazy; comparisons, files and printing write what they need.

    Examples
    --------
    >>> from nbinterp.mechanism.library import library_of
    >>> column = LazySequences(library_of(["ACGT", "ACGA", "TCGA"]))
    >>> column[1], (column[1:] == "TCGA").tolist()
    ('ACGA', [False, True])
    """

    def __init__(self, library: Library) -> None:
        self._library = library

    @classmethod
    def _from_sequence(cls, scalars: Any, *, dtype: Any = None, copy: bool = False) -> Any:
        del dtype, copy  # once written they are pandas' strings
        return pd.array(list(scalars), dtype="string")

    @classmethod
    def _from_factorized(cls, values: Any, original: Any) -> Any:
        del original
        return cls._from_sequence(values)

    @property
    def dtype(self) -> SequenceDtype:
        """`SequenceDtype`."""
        return SequenceDtype()

    @property
    def nbytes(self) -> int:
        """What the rows' numbers take."""
        rows = self._library.rows
        return 0 if isinstance(rows, range) else int(rows.nbytes)

    def __len__(self) -> int:
        return len(self._library)

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, (int, np.integer)):
            return self._library[item].sequences()[0]
        if isinstance(item, tuple):  # pandas prints with an ellipsis
            (item,) = [part for part in item if part is not Ellipsis]
        return type(self)(self._library[item if isinstance(item, slice) else np.asarray(item)])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        del dtype, copy
        made = np.empty(len(self), object)
        made[:] = self._library.sequences()
        return made

    def __eq__(self, other: object) -> Any:
        if isinstance(other, (pd.Series, pd.DataFrame, pd.Index)):
            return NotImplemented
        return np.asarray(self) == (np.asarray(other) if isinstance(other, LazySequences) else other)

    __hash__ = None  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_str_"):  # what pandas' `.str` asks of an array
            return getattr(pd.array(np.asarray(self), dtype="string"), name)
        raise AttributeError(name)

    def isna(self) -> np.ndarray:
        """Say that none is missing."""
        return np.zeros(len(self), bool)

    def take(self, indices: Any, *, allow_fill: bool = False, fill_value: Any = None) -> Any:
        """Choose rows; with missing ones, the strings are written."""
        indices = np.asarray(indices, np.int64)
        if allow_fill and (indices < 0).any():
            return self._from_sequence(take(np.asarray(self), indices, allow_fill=True, fill_value=fill_value))
        return type(self)(self._library[indices])

    def copy(self) -> LazySequences:
        """Give another of the same."""
        return type(self)(self._library)

    @classmethod
    def _concat_same_type(cls, to_concat: Sequence[Any]) -> Any:
        if len(to_concat) == 1:
            return to_concat[0]
        return pd.array(np.concatenate([np.asarray(part) for part in to_concat]), dtype="string")
