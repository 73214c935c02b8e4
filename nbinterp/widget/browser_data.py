"""What a MotifBrowser is given, checked and packed for the page.

In: motifs, matches, contributions, instances and tables, as other parts make them.  Out: the same, held to one set of names,
and arrays for the binary trait; ``js/src/state/browser.ts`` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..core.arrays import numpy_of
from ..core.tables import ANNOTATIONS, check_table
from ..errors import problem, suggest
from .browser_edits import Motif

if TYPE_CHECKING:
    from ..motif import MotifSet

__all__ = [
    "Matches",
    "instances_of",
    "matches_of",
    "motif_set",
    "pack_instances",
    "pack_matches",
    "pack_matrices",
    "with_contributions",
]

_MATCHES: Final = {"query": "str", "target": "str", "offset": "int", "strand": "str"}
_MOST = 500  # instances of a motif that travel


@dataclass(frozen=True)
class Matches:
    """The best matches of each motif.

    Attributes
    ----------
    names : list of str
        Of the targets.
    matrices : list of arrays (4, w) or None
        Their probabilities, where they are known.
    at : int32 array (n + 1,)
        Matches of motif i are those from ``at[i]`` to ``at[i + 1]``.
    target, offset, minus, value : arrays
        Which target, where in it the motif begins, whether on its other strand, and how good the match is.
    score : str
        What `value` is: "q-value", "p-value" or nothing.
    """

    names: list[str]
    matrices: list[np.ndarray] | None
    at: np.ndarray
    target: np.ndarray
    offset: np.ndarray
    minus: np.ndarray
    value: np.ndarray
    score: str

    def best(self, i: int) -> tuple[str, float]:
        """Name and value of the best match of a motif."""
        if i < 0 or self.at[i] == self.at[i + 1]:
            return "", float("nan")
        first = self.at[i]
        return self.names[self.target[first]], float(self.value[first])

    def described(self) -> dict[str, Any]:
        """What the page is told beside the arrays."""
        most = int(np.diff(self.at).max(initial=0))
        return {"names": self.names, "score": self.score, "drawn": self.matrices is not None, "most": most}


def motif_set(where: str, argument: str, motifs: Any) -> MotifSet:
    """A MotifSet of probabilities, from whatever holds named motifs."""
    from ..motif import MotifSet, PatternSet  # with torch, which may wait until there are motifs

    if isinstance(motifs, PatternSet):
        motifs = motifs.motifs()
    if not isinstance(motifs, Mapping):
        got, need = f"a {type(motifs).__name__}", "a MotifSet, a PatternSet, or a mapping of name to matrix (4, w)"
        raise problem(where, argument, got=got, need=need, do="name the motifs")
    if not len(motifs):
        raise problem(where, argument, got="no motifs", need="at least one", do="check how they were made")
    found = motifs if isinstance(motifs, MotifSet) else MotifSet(_by_name(motifs))
    for name, one in found.items():
        if (one < 0).any():
            do = "pass such weights as contributions="
            raise problem(where, argument, got=f"negative numbers in {name!r}", need="probabilities", do=do)
    return found


def _by_name(motifs: Mapping[Any, Any]) -> dict[str, np.ndarray]:
    """Matrices of whatever kind as arrays of their own; those of a turned array have negative strides."""
    return {str(name): np.ascontiguousarray(numpy_of(one)) for name, one in motifs.items()}


def with_contributions(where: str, motifs: MotifSet, contributions: Any) -> MotifSet:
    """The motifs with contributions of the same names and widths."""
    from ..motif import MotifSet

    if contributions is None:
        return motifs
    if not isinstance(contributions, Mapping):
        got, need = f"a {type(contributions).__name__}", "a MotifSet or a mapping of name to matrix (4, w)"
        raise problem(where, "contributions", got=got, need=need, do="name them as the motifs are")
    given = _by_name(contributions)
    missing = next((name for name in motifs if name not in given), None)
    if missing is not None:
        got = f"none for {missing!r}{suggest(missing, given)}"
        raise problem(where, "contributions", got=got, need="one for each motif", do="name them as the motifs are")
    for name, width in zip(motifs, motifs.widths, strict=True):
        if tuple(given[name].shape) != (4, width):
            got, need = f"shape {tuple(given[name].shape)} for {name!r}", f"(4, {width}), as wide as the motif"
            raise problem(where, "contributions", got=got, need=need, do="trim both alike")
    return MotifSet(
        [motifs[i] for i in range(len(motifs))], motifs.names, alternate=motifs.alternate, n_sites=motifs.n_sites,
        background=motifs.background, contributions=[given[name] for name in motifs], source=motifs.source,
    )  # fmt: skip


def matches_of(where: str, motifs: MotifSet, matches: Any, targets: Any, n: int) -> Matches | None:
    """The n best matches of each motif, with the targets' matrices where those are known."""
    if matches is None:
        if targets is not None:
            do = "pass matches=tomtom(motifs, targets, as_table=True)"
            raise problem(where, "targets", got="targets without matches", need="matches that name them", do=do)
        return None
    if n < 0:
        raise problem(where, "n_matches", got=n, need="0 or more", do="raise it")
    table = check_table(where, "matches", matches, _MATCHES)
    score = next((name for name in ("q-value", "p-value") if name in table.columns), "")
    rank = next((name for name in ("p-value", "q-value") if name in table.columns), "")
    place = {name: i for i, name in enumerate(motifs)}
    unknown = next((name for name in table["query"] if name not in place), None)
    if unknown is not None:
        got = f"query {unknown!r}{suggest(unknown, place)}"
        raise problem(where, "matches", got=got, need="queries that are names of motifs", do="compare these motifs")
    table = table.assign(row=table["query"].map(place).to_numpy())
    table = table.sort_values(["row", rank] if rank else ["row"], kind="stable").groupby("row").head(n)
    names = list(dict.fromkeys(table["target"]))
    numbers = {name: i for i, name in enumerate(names)}
    at = np.searchsorted(table["row"].to_numpy(), np.arange(len(motifs) + 1))
    return Matches(
        names,
        _drawn(where, motifs, targets, names),
        at.astype(np.int32),
        table["target"].map(numbers).to_numpy(np.int32),
        table["offset"].to_numpy(np.int32),
        (table["strand"] == "-").to_numpy(np.uint8),
        table[score].to_numpy(np.float32) if score else np.full(len(table), np.nan, np.float32),
        score,
    )


def _drawn(where: str, motifs: MotifSet, targets: Any, names: Sequence[str]) -> list[np.ndarray] | None:
    """Matrices of the targets that are named; None where there is nothing to take them from."""
    if targets is None:
        if not all(name in motifs.names for name in names):
            return None
        targets = motifs
    known = motif_set(where, "targets", targets)
    missing = next((name for name in names if name not in known), None)
    if missing is not None:
        got = f"none named {missing!r}{suggest(missing, known)}"
        raise problem(where, "targets", got=got, need="all targets that matches names", do="pass those it was made of")
    return [known.pwm(name).numpy() for name in names]


def instances_of(where: str, names: Sequence[str], instances: Any) -> np.ndarray:
    """Rows (motif, example, start, end) of the instances that bear a motif's name, by motif, else in order."""
    from ..annotation import as_annotations

    check_table(where, "instances", instances, {})
    table = check_table(where, "instances", as_annotations(instances), {**ANNOTATIONS, "name": "str"})
    place = {name: i for i, name in enumerate(names)}
    known = table[table["name"].isin(place)]
    if len(table) and not len(known):
        got, need = f"names such as {table['name'].iloc[0]!r}", f"names of the motifs, such as {names[0]!r}"
        raise problem(where, "instances", got=got, need=need, do="name the instances as the motifs are")
    found = np.column_stack([known["name"].map(place), known[["example_idx", "start", "end"]]]).astype(np.int64)
    ordered: np.ndarray = found.reshape(-1, 4)[np.argsort(found.reshape(-1, 4)[:, 0], kind="stable")]
    return ordered


def pack_matrices(motifs: Sequence[Motif]) -> dict[str, np.ndarray]:
    """Matrices end to end, column after column."""
    arrays = {
        "at": np.cumsum([0, *(one.pwm.shape[1] for one in motifs)]).astype(np.int32),
        "pwm": np.concatenate([one.pwm.T for one in motifs]).astype(np.float32),
    }
    weights = [one.cwm.T for one in motifs if one.cwm is not None]
    if weights:
        arrays["cwm"] = np.concatenate(weights).astype(np.float32)
    return arrays


def pack_matches(matches: Matches) -> dict[str, np.ndarray]:
    """Matches as columns; matrices of targets a byte a number, since they are only drawn."""
    arrays = {
        "match_at": matches.at,
        "match_target": matches.target,
        "match_offset": matches.offset,
        "match_minus": matches.minus,
        "match_value": matches.value,
    }
    if matches.matrices is not None:
        widths = [one.shape[1] for one in matches.matrices]
        arrays["target_at"] = np.cumsum([0, *widths]).astype(np.int32)
        columns = np.concatenate([one.T for one in matches.matrices] or [np.zeros((0, 4))])
        arrays["target"] = np.rint(255 * columns).astype(np.uint8)
    return arrays


def pack_instances(found: np.ndarray, n: int) -> dict[str, np.ndarray]:
    """The first so many instances of each motif: example, start, end."""
    first = np.searchsorted(found[:, 0], np.arange(n + 1))
    kept = found[np.arange(len(found)) - first[found[:, 0]] < _MOST]
    at = np.searchsorted(kept[:, 0], np.arange(n + 1))
    return {"instance_at": at.astype(np.int32), "instance": kept[:, 1:].astype(np.int32)}
