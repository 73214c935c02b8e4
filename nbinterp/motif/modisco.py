"""TF-MoDISco's patterns, in and out.

In: the HDF5 file of modisco-lite, of 2.x or 3.x, or one converted from the older program.  Out: `PatternSet`: patterns
with their frequencies, contributions, seqlets and subpatterns, rows A C G T.  Writing gives a file that the peers' own
tools open.  Source: Shrikumar et al. 2018, and modisco-lite.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from ..core.check import check_choice
from ..core.files import writing
from ..errors import problem
from .motifset import MotifSet
from .text import bad_file

__all__ = ["Pattern", "PatternSet", "read_modisco", "write_modisco"]

_GROUPS = ("pos_patterns", "neg_patterns")
_MATRICES = ("sequence", "contrib_scores", "hypothetical_contribs")


@dataclass(frozen=True, eq=False)
class Pattern:
    """One pattern, or one of its subpatterns.

    Attributes
    ----------
    name : str
        Such as ``pos_patterns.pattern_0``; a subpattern's has one part more.
    sequence, contrib_scores, hypothetical_contribs : float64 arrays (4, L)
        Means over the seqlets: letter frequencies, contributions (CWM), hypothetical contributions.
    seqlets : DataFrame
        example_idx, start, end (in the window that TF-MoDISco was given, forward strand), strand.
    seqlet_arrays : mapping
        ``sequence``, ``contrib_scores``, ``hypothetical_contribs`` of each seqlet, float32 ``(n, 4, L)``, in the
        pattern's orientation; empty where the file has none or they were not asked for.
    subpatterns : tuple of Pattern
        As numbered in the file.
    """

    name: str
    sequence: np.ndarray
    contrib_scores: np.ndarray
    hypothetical_contribs: np.ndarray
    seqlets: pd.DataFrame
    seqlet_arrays: dict[str, np.ndarray]
    subpatterns: tuple[Pattern, ...] = ()

    @property
    def n_seqlets(self) -> int:
        """How many seqlets the pattern is made of."""
        return len(self.seqlets)

    @property
    def positive(self) -> bool:
        """Whether it adds to the prediction."""
        return self.name.startswith("pos")


@dataclass(frozen=True, eq=False)
class PatternSet:
    """All patterns of a run, positive ones first, in the order of their numbers.

    Attributes
    ----------
    patterns : tuple of Pattern
        By sign, then by number, which is the order of their sizes.
    window_size : int or None
        Width of the middle of the sequences that seqlets were sought in; their coordinates begin there.
    groups : tuple of str
        The signs that the file has, also without patterns.
    source : str
        Path of the file.
    """

    patterns: tuple[Pattern, ...]
    window_size: int | None = None
    groups: tuple[str, ...] = _GROUPS
    source: str = ""

    def __len__(self) -> int:
        return len(self.patterns)

    def __iter__(self) -> Iterator[Pattern]:
        return iter(self.patterns)

    def __getitem__(self, key: int | str) -> Pattern:
        if isinstance(key, int):
            return self.patterns[key]
        for pattern in self.patterns:
            if pattern.name == key:
                return pattern
        raise KeyError(key)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the patterns."""
        return tuple(pattern.name for pattern in self.patterns)

    def motifs(self, kind: str = "pwm", *, subpatterns: bool = False, dtype: torch.dtype | None = None) -> MotifSet:
        """Patterns as motifs, with their contribution weights beside.

        Parameters
        ----------
        kind : {"pwm", "cwm", "hcwm"}
            What the matrices are: letter frequencies, contributions, or hypothetical contributions.
        subpatterns : bool
            The subpatterns instead of the patterns.
        dtype : torch.dtype, optional
            Of the matrices; float32 by default.
        """
        dtype = dtype or torch.float32
        kinds = dict(zip(("pwm", "cwm", "hcwm"), _MATRICES, strict=True))
        check_choice("PatternSet.motifs", "kind", kind, kinds)
        chosen = [s for p in self for s in p.subpatterns] if subpatterns else list(self.patterns)
        matrices = [getattr(p, kinds[kind]) for p in chosen]
        if kind == "pwm":
            matrices = [m / np.maximum(m.sum(axis=0), 1e-12) for m in matrices]
        return MotifSet(
            [torch.from_numpy(m).to(dtype) for m in matrices],
            [p.name for p in chosen],
            n_sites=[p.n_seqlets for p in chosen],
            contributions=[torch.from_numpy(p.contrib_scores).to(dtype) for p in chosen],
            source=self.source,
        )

    def seqlets(self, length: int | None = None) -> pd.DataFrame:
        """All seqlets in one table: example_idx, start, end, name, strand.

        Parameters
        ----------
        length : int, optional
            Length of the whole sequences: positions are then theirs, and those of the window otherwise.

        Raises
        ------
        NbinterpError
            When the file does not say how wide the window was, or it was wider than the sequences.
        """
        shift = 0
        if length is not None:
            if self.window_size is None or self.window_size > length:
                need = f"a window of at most {length} positions"
                raise problem(
                    "PatternSet.seqlets", "length", got=self.window_size, need=need, do="pass the true length"
                )
            shift = length // 2 - self.window_size // 2
        tables = [
            p.seqlets.assign(name=p.name, start=p.seqlets["start"] + shift, end=p.seqlets["end"] + shift) for p in self
        ]
        columns = ["example_idx", "start", "end", "name", "strand"]
        return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def read_modisco(filename: str | os.PathLike[str], *, arrays: bool = True) -> PatternSet:
    """Read the HDF5 file of TF-MoDISco.

    Parameters
    ----------
    filename : path
        Written by modisco-lite, or by `write_modisco`.
    arrays : bool
        Whether to read what each seqlet looks like, too; most of a large file.

    Returns
    -------
    PatternSet
        Matrices turned to ``(4, L)``.

    Raises
    ------
    FormatError
        When it is no HDF5 file, has no patterns of either sign, or a pattern lacks a part, or has one of another shape
        or kind; the part is named.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "modisco_results.h5"
    >>> seqlets = pd.DataFrame({"example_idx": [3], "start": [5], "end": [9], "strand": ["-"]})
    >>> one = Pattern("pos_patterns.pattern_0", np.eye(4), np.eye(4), np.eye(4), seqlets, {})
    >>> write_modisco(path, PatternSet((one,), window_size=20))
    >>> read_modisco(path).seqlets(length=100).values.tolist()
    [[3, 45, 49, 'pos_patterns.pattern_0', '-']]
    """
    import h5py

    where = "read_modisco"
    try:
        with h5py.File(filename, "r") as file:
            groups = tuple(name for name in _GROUPS if name in file)
            if not groups:
                got = f"an HDF5 file with {', '.join(file) or 'nothing'}"
                raise bad_file(where, filename, got, "pos_patterns or neg_patterns")
            patterns = tuple(
                _read_pattern(_group(file[group], key, f"{group}.{key}"), f"{group}.{key}", arrays)
                for group in groups
                for key in _numbered(_group(file, group, group), "pattern_")
            )
            size = file.attrs.get("window_size")
            return PatternSet(patterns, None if size is None else int(size), groups, os.fspath(filename))
    except OSError as error:
        got = f"a file that cannot be read ({error})"
        raise bad_file(where, filename, got, "the HDF5 file of TF-MoDISco", "check the path") from error
    except KeyError as error:
        got = f"a pattern without a part ({error.args[0]})"
        raise bad_file(where, filename, got, "patterns as modisco-lite writes them") from error
    except _MisfitError as misfit:
        raise bad_file(where, filename, f"{misfit.args[0]}", "patterns as modisco-lite writes them") from misfit


def _numbered(group: Any, prefix: str) -> list[str]:
    """Members of a group in the order of their numbers, which is not that of their names."""
    found = [key for key in group if re.fullmatch(f"{prefix}\\d+", key)]
    return sorted(found, key=lambda key: int(key.removeprefix(prefix)))


class _MisfitError(Exception):
    """What is wrong with a part of a pattern."""


def _read_pattern(group: Any, name: str, arrays: bool) -> Pattern:
    sequence = _values(group, name, "sequence", (-1, 4))
    size = len(sequence)
    contributions, hypothetical = (_values(group, name, key, (size, 4)) for key in _MATRICES[1:])
    where = f"{name}.seqlets"
    held = _group(group, "seqlets", where)
    n = len(_values(held, where, "start", (-1,)))
    table = pd.DataFrame({k: _values(held, where, k, (n,)).astype(np.int64) for k in ("example_idx", "start", "end")})
    table["strand"] = np.where(_values(held, where, "is_revcomp", (n,)).astype(bool), "-", "+").astype(object)
    wanted = [key for key in _MATRICES if arrays and key in held]
    kept = {key: _values(held, where, key, (n, size, 4), np.float32).transpose(0, 2, 1) for key in wanted}
    inside = {key: f"{name}.{key}" for key in _numbered(group, "subpattern_")}
    parts = (_read_pattern(_group(group, key, full), full, arrays) for key, full in inside.items())
    return Pattern(name, sequence.T, contributions.T, hypothetical.T, table, kept, tuple(parts))


def _group(parent: Any, key: str, name: str) -> Any:
    """A group, which a file of another kind may have as a dataset."""
    found = parent[key]
    if not hasattr(found, "keys"):
        raise _MisfitError(f"{name}, a dataset, not a group")
    return found


def _values(group: Any, name: str, key: str, shape: tuple[int, ...], dtype: type = np.float64) -> np.ndarray:
    """A dataset, held to a shape, in which -1 is any size, and to numbers."""
    found = group[key]
    got: tuple[int, ...] | None = getattr(found, "shape", None)
    if got is None or len(got) != len(shape) or any(b not in (-1, a) for a, b in zip(got, shape, strict=True)):
        need = ", ".join("any" if size < 0 else str(size) for size in shape)
        raise _MisfitError(f"{name}.{key} of shape {got}, not ({need})")
    try:
        values: np.ndarray = np.asarray(found[()], dtype)
    except (TypeError, ValueError) as error:
        raise _MisfitError(f"{name}.{key} of {found.dtype}, not numbers") from error
    if not np.isfinite(values).all():
        raise _MisfitError(f"{name}.{key} with NaN or infinite values")
    return values


def write_modisco(filename: str | os.PathLike[str], patterns: PatternSet) -> None:
    """Write patterns as modisco-lite does, so that its tools, Fi-NeMo and others read them.

    Parameters
    ----------
    filename : path
        Written whole or not at all.
    patterns : PatternSet
        Contributions in any units.  Names must be ``pos_patterns.pattern_0`` and so on.

    Raises
    ------
    NbinterpError
        For another name.

    Notes
    -----
    The layout is modisco-lite's (https://github.com/jmschrei/tfmodisco-lite): a group a pattern, matrices ``(L, 4)`` in
    float64, seqlets and subpatterns below it.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "m.h5"
    >>> seqlets = pd.DataFrame({"example_idx": [3], "start": [5], "end": [9], "strand": ["+"]})
    >>> one = Pattern("neg_patterns.pattern_0", np.eye(4), -np.eye(4), -np.eye(4), seqlets, {})
    >>> write_modisco(path, PatternSet((one,)))
    >>> read_modisco(path).names
    ('neg_patterns.pattern_0',)
    """
    import h5py

    for pattern in patterns:
        if not re.fullmatch(r"(pos|neg)_patterns\.pattern_\d+", pattern.name):
            need = "names such as pos_patterns.pattern_0"
            raise problem("write_modisco", "patterns", got=repr(pattern.name), need=need, do="rename it")
    with writing(filename) as temporary, h5py.File(temporary, "w") as file:
        if patterns.window_size is not None:
            file.attrs["window_size"] = patterns.window_size
        for group in patterns.groups:
            file.create_group(group)
        _write_patterns(file, patterns.patterns)


def _write_patterns(file: Any, patterns: Sequence[Pattern]) -> None:
    for pattern in patterns:
        group = file.require_group(pattern.name.replace(".", "/"))
        for key in _MATRICES:
            group[key] = np.ascontiguousarray(getattr(pattern, key).T, dtype=np.float64)
        held = group.create_group("seqlets")
        held["n_seqlets"] = np.array([pattern.n_seqlets])
        for key in ("example_idx", "start", "end"):
            held[key] = pattern.seqlets[key].to_numpy(np.int64)
        held["is_revcomp"] = (pattern.seqlets["strand"] == "-").to_numpy(bool)
        for key, array in pattern.seqlet_arrays.items():
            held[key] = np.ascontiguousarray(array.transpose(0, 2, 1))
        _write_patterns(file, pattern.subpatterns)
