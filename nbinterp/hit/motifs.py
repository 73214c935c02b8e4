"""Motifs as hit calling sees them: unit weights on both strands, and the part of each that counts.

In: TF-MoDISco's patterns, contribution matrices or frequencies, of any widths.  Out: `HitMotifs`, the strands of every motif in
turn.  Source: Fi-NeMo (trimming, scaling, order of strands).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..core.arrays import numpy_of
from ..errors import problem, suggest
from ..motif.modisco import PatternSet
from ..motif.motifset import MotifSet

__all__ = ["HitMotifs", "hit_motifs"]


@dataclass(frozen=True, eq=False)
class HitMotifs:
    """Motifs on both strands, ``+`` and ``-`` in turn.

    Attributes
    ----------
    names, original : tuple of str
        Of each strand's motif; as it is called, and as its source calls it.
    strands : tuple of {"+", "-"}
    weights : float64 array (M, 4, W)
        Of norm 1 before trimming, zero beyond a motif's own width.
    widths : int array (M,)
        Own width of each, at most W.
    starts, ends : int arrays (M,)
        The part that counts: columns start to end - 1.
    scales : float64 array (M,)
        What the weights were divided by.
    lambdas : float64 array (M,)
        Penalty of each: about the least cosine at which it is called.
    """

    names: tuple[str, ...]
    original: tuple[str, ...]
    strands: tuple[str, ...]
    weights: np.ndarray
    widths: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    scales: np.ndarray
    lambdas: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    @property
    def kernels(self) -> np.ndarray:
        """Weights of the parts that count, from the left: ``(M, 4, widest part)``."""
        sizes = self.ends - self.starts
        out = np.zeros((len(self), 4, int(sizes.max())))
        for m, (start, size) in enumerate(zip(self.starts, sizes, strict=True)):
            out[m, :, :size] = self.weights[m, :, start : start + size]
        return out

    @property
    def table(self) -> pd.DataFrame:
        """What Fi-NeMo writes as ``motif_data.tsv``."""
        return pd.DataFrame(
            {
                "motif_id": np.arange(len(self), dtype=np.uint32),
                "motif_name": self.names,
                "motif_name_orig": self.original,
                "strand": self.strands,
                "motif_start": self.starts.astype(np.uint32),
                "motif_end": self.ends.astype(np.uint32),
                "motif_scale": self.scales,
                "lambda": self.lambdas,
            }
        )


def hit_motifs(
    motifs: PatternSet | MotifSet | Mapping[str, Any],
    *,
    hypothetical: bool = False,
    lambdas: float | Mapping[str, float] = 0.7,
    trim: float | Mapping[str, float] = 0.3,
    spans: Mapping[str, tuple[int, int]] | None = None,
    include: Sequence[str] | None = None,
    rename: Mapping[str, str] | None = None,
    sqrt_transform: bool = False,
    half: bool = False,
) -> HitMotifs:
    """Make motifs ready for hit calling.

    Parameters
    ----------
    motifs : PatternSet, MotifSet, or mapping of name to matrix (4, w)
        Patterns give their contributions.  A set gives its contributions where it has them, else its frequencies, weighted
        by the information of their columns, which is what contributions of such a site look like.  Matrices of a mapping
        are contributions.
    hypothetical : bool
        Hypothetical contributions of the patterns; trimmed by their contributions all the same.
    lambdas : float or mapping of name to float
        Penalties, between 0 and 1.  Motifs that a mapping does not name have that of ``"*"`` there, or 0.7.
    trim : float or mapping of name to float
        Keep columns from the first to the last whose summed size is at least this part of the largest.  Motifs that a
        mapping does not name have that of ``"*"`` there, or 0.3.
    spans : mapping of name to (start, end), optional
        Columns to keep, before any trimming.
    include : sequence of str, optional
        Use these motifs only.
    rename : mapping, optional
        New names.
    sqrt_transform : bool
        Signed square roots of the trimmed weights, brought to norm 1 again.
    half : bool
        Round the weights to 16 bits, as Fi-NeMo does.

    Returns
    -------
    HitMotifs

    Raises
    ------
    NbinterpError
        For names that no motif has (either name of a motif will do), new names that are not unique, motifs of zeros, spans
        outside, penalties or parts out of range.

    Notes
    -----
    Fi-NeMo looks up trimming by the new name and penalties by the old one; here either name will do everywhere.

    Examples
    --------
    >>> ready = hit_motifs({"GATA": np.eye(4), "flat": np.ones((4, 2))}, lambdas={"flat": 0.9})
    >>> list(zip(ready.names, ready.strands, ready.lambdas.tolist()))[1:3]
    [('GATA', '-', 0.7), ('flat', '+', 0.9)]
    """
    where = "hit_motifs"
    given = _read(where, motifs, hypothetical)
    known = _names(where, given, rename)
    penalties, parts, cut = (
        _each(where, argument, values, known)
        for argument, values in (("lambdas", lambdas), ("trim", trim), ("spans", spans or {}))
    )
    chosen = _each(where, "include", dict.fromkeys(known if include is None else include, True), known)
    width = max(one.weights.shape[1] for one in given)
    rows: list[_Row] = []
    for one in given:
        if chosen(one.name, False):
            penalty = float(penalties(one.name, 0.7))
            if not 0 < penalty < 1:
                raise problem(where, "lambdas", got=penalty, need="between 0 and 1", do="0.7 is usual")
            span = _span(where, one, cut(one.name, None), float(parts(one.name, 0.3)))
            name = (rename or {}).get(one.name, one.name)
            rows += [_row(one, name, strand, span, penalty, width, sqrt_transform, half) for strand in "+-"]
    if not rows:
        raise problem(where, "include", got="none of the motifs", need="at least one", do="name one")
    names, original, strands, *numbers = zip(*rows, strict=True)
    weights, widths, starts, ends, scales, lasso = (np.array(one) for one in numbers)
    return HitMotifs(names, original, strands, weights, widths, starts, ends, scales, lasso)


class _Row(NamedTuple):
    """One strand: the fields of `HitMotifs`, in order."""

    name: str
    original: str
    strand: str
    weights: np.ndarray
    width: int
    start: int
    end: int
    scale: float
    penalty: float


def _row(
    one: _Given,
    name: str,
    strand: str,
    span: tuple[int, int],
    penalty: float,
    width: int,
    sqrt_transform: bool,
    half: bool,
) -> _Row:
    own = one.weights.shape[1]
    turned = one.weights if strand == "+" else one.weights[::-1, ::-1]
    start, end = span if strand == "+" else (own - span[1], own - span[0])
    unit, scale = _unit(turned, start, end, sqrt_transform, half)
    padded = np.pad(unit, ((0, 0), (0, width - own)))
    return _Row(name, one.name, strand, padded, own, start, end, scale, penalty)


def _names(where: str, given: list[_Given], rename: Mapping[str, str] | None) -> dict[str, str]:
    """What a motif may be called, either way, to the name that its source gives it."""
    old = {one.name for one in given}
    for name in rename or {}:
        if name not in old:
            raise problem(where, "rename", got=repr(name), need="names of the motifs", do=suggest(name, old))
    new = {(rename or {}).get(name, name): name for name in old}
    if len(new) < len(old):
        raise problem(where, "rename", got="two motifs of one name", need="a name each", do="rename one of them")
    return {**new, **{name: name for name in old}}


def _each(where: str, argument: str, values: Any, known: Mapping[str, str]) -> Callable[[str, Any], Any]:
    """Look up a motif's own value by its source's name: ``(name, default)``; a single value holds for all."""
    if not isinstance(values, Mapping):
        return lambda name, default: values
    for key in values:
        if key not in known and key != "*":
            raise problem(where, argument, got=repr(key), need="names of the motifs", do=suggest(key, known))
    own = {known[key]: value for key, value in values.items() if key != "*"}
    return lambda name, default: own.get(name, values.get("*", default))


@dataclass(frozen=True)
class _Given:
    name: str
    weights: np.ndarray
    shape: np.ndarray  # what trimming looks at


def _read(where: str, motifs: Any, hypothetical: bool) -> list[_Given]:
    if isinstance(motifs, PatternSet):
        used = [
            (p.name, p.hypothetical_contribs if hypothetical else p.contrib_scores, p.contrib_scores) for p in motifs
        ]
    elif isinstance(motifs, MotifSet):
        if hypothetical:
            do = "use mode 'pp' or 'ph', or pass TF-MoDISco's patterns"
            raise problem(where, "motifs", got="a MotifSet", need="hypothetical contributions", do=do)
        shapes = [_expected(motifs, name) for name in motifs]
        used = [(name, one, one) for name, one in zip(motifs, shapes, strict=True)]
    elif isinstance(motifs, Mapping):
        plain = {str(k): numpy_of(v, float) for k, v in motifs.items()}
        used = [(name, one, one) for name, one in plain.items()]
    else:
        need = "a PatternSet, a MotifSet or a mapping of name to matrix"
        raise problem(where, "motifs", got=f"a {type(motifs).__name__}", need=need, do="read_modisco makes one")
    if not used:
        raise problem(where, "motifs", got="none", need="at least one", do="check the file")
    for name, one, _ in used:
        if one.ndim != 2 or one.shape[0] != 4 or one.shape[1] == 0 or not np.isfinite(one).all() or not one.any():
            raise problem(
                where, "motifs", got=f"shape {one.shape} for {name!r}, or zeros alone, or NaN",
                need="(4, width) of finite numbers, some not 0", do="drop or mend it",
            )  # fmt: skip
    return [_Given(name, np.asarray(one, float), np.asarray(shape, float)) for name, one, shape in used]


def _expected(motifs: MotifSet, name: str) -> np.ndarray:
    """Contributions of a motif, or what those of a site look like: frequencies weighted by information."""
    if motifs.has_contributions:
        return motifs.cwm(name).double().numpy()
    return (motifs.pwm(name).double() * motifs.information(name).double()).numpy()


def _span(where: str, one: _Given, given: tuple[int, int] | None, part: float) -> tuple[int, int]:
    width = one.shape.shape[1]
    if given is not None:
        start, end = int(given[0]), int(given[1])
        if not 0 <= start < end <= width:
            need = f"0 <= start < end <= {width}"
            raise problem(where, "spans", got=f"{start}, {end} for {one.name!r}", need=need, do="count from 0")
        return start, end
    if not 0 <= part <= 1:
        raise problem(where, "trim", got=part, need="between 0 and 1", do="0.3 is usual")
    sizes = np.abs(one.shape).sum(axis=0)
    kept = np.flatnonzero(sizes >= part * sizes.max())
    return int(kept[0]), int(kept[-1]) + 1


def _unit(weights: np.ndarray, start: int, end: int, sqrt_transform: bool, half: bool) -> tuple[np.ndarray, float]:
    scale = float(np.linalg.norm(weights))
    unit = weights / scale
    if half:
        unit = unit.astype(np.float16).astype(float)
    if sqrt_transform:
        part = np.zeros_like(unit)
        part[:, start:end] = np.sign(unit[:, start:end]) * np.sqrt(np.abs(unit[:, start:end]))
        unit = part / np.linalg.norm(part)
    return unit, scale
