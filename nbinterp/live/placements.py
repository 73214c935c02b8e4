"""What a motif does at places of many backgrounds, and the words in which a view asks for it.

In: messages as dictionaries, effects as arrays.  Out: typed requests; answers and stored grids as dictionaries with binary
blocks.  The browser half is ``js/src/state/placements.ts``; ``tests/fixtures/protocol/marginal.json`` holds both to one
reading.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..errors import problem
from .wire import Packed, pack_blocks, quantize

__all__ = [
    "STRANDS",
    "Interval",
    "MarginalAnswer",
    "MarginalAsk",
    "MarginalGrid",
    "Placements",
    "ProfileSpan",
    "decode_marginal",
    "encode_grid",
    "encode_marginal",
    "interval",
    "interval_factor",
    "read_placements",
]

STRANDS = "+-"


class Placements(NamedTuple):
    """Effects of one motif at M places.

    Attributes
    ----------
    starts : int32 array (M,)
        First position that the motif covers.
    strands : uint8 array (M,)
        0 for ``+``, 1 for ``-``: the reverse complement is put in.
    effects : float32 array (M, N)
        Prediction with the motif less that without it, in each background.
    profiles : float32 array (M, 3 S + 3, P), optional
        Of the profile with the motif, for S strands: means, 5 % and 95 % over backgrounds; then the same of its difference
        from before, summed over strands.
    """

    starts: np.ndarray
    strands: np.ndarray
    effects: np.ndarray
    profiles: np.ndarray | None = None

    def find(self, start: int, strand: str) -> int:
        """Row of a place, -1 where it is not there."""
        rows = np.flatnonzero((self.starts == start) & (self.strands == STRANDS.index(strand)))
        return int(rows[0]) if len(rows) else -1


class ProfileSpan(NamedTuple):
    """Where a profile lies: S strands of P columns, `step` positions each, from `offset` on."""

    strands: int
    columns: int
    step: int
    offset: int
    label: str


class MarginalGrid(NamedTuple):
    """Answers that were computed beforehand; made by `marginal_grid`.

    Attributes
    ----------
    before : float32 array (N,)
        Predictions of the backgrounds.
    placements : mapping from name of motif to Placements
    target : str
        What is predicted.
    profile : float32 array (3, S, P), optional
        Mean, 5 % and 95 % of the backgrounds' profiles.
    span : ProfileSpan, optional
        Where the profile lies.
    """

    before: np.ndarray
    placements: Mapping[str, Placements]
    target: str = "prediction"
    profile: np.ndarray | None = None
    span: ProfileSpan | None = None


class Interval(NamedTuple):
    """A mean over n backgrounds, and its 95 % confidence interval; one background has none (NaN)."""

    mean: float
    low: float
    high: float
    n: int


def interval_factor(n: int) -> float | None:
    """Half the width of the 95 % interval of a mean of n values, in standard deviations; None for one value.

    Examples
    --------
    >>> round(interval_factor(4), 3)
    1.591
    """
    from ..perturb.summary import t_quantile

    return t_quantile(0.95, n - 1) / math.sqrt(n) if n > 1 else None


def interval(effects: np.ndarray) -> Interval:
    """Summarize effects over backgrounds.

    Examples
    --------
    >>> [round(v, 3) for v in interval(np.array([1.0, 2.0, 3.0, 4.0]))]
    [2.5, 0.446, 4.554, 4]
    """
    n, mean, factor = len(effects), float(effects.mean()), interval_factor(len(effects))
    half = math.nan if factor is None else factor * float(effects.astype(np.float64).std(ddof=1))
    return Interval(mean, mean - half, mean + half, n)


@dataclass(frozen=True)
class MarginalAsk:
    """The question what a motif does at a place.

    `number` grows with each request; `have` is how many places of the motif the view knows, so that it is told of the
    others.
    """

    number: int
    motif: str
    start: int
    strand: str
    have: int = 0


@dataclass(frozen=True)
class MarginalAnswer:
    """Part of an answer.

    `stage` is "placed" (the place that was asked for), "profile" (the same, with its profile), "curve" (other places of
    the motif) or "error"; `last` says that nothing more will come for this number.
    """

    number: int
    motif: str
    stage: str
    last: bool
    placements: Placements | None = None
    seconds: float = 0.0
    words: str = ""


def decode_marginal(message: Mapping[str, Any]) -> MarginalAsk:
    """Read a request, or say what is wrong with it.

    Examples
    --------
    >>> decode_marginal({"kind": "marginal", "number": 3, "motif": "GATA", "start": 7, "strand": "-", "have": 0}).start
    7
    """
    wanted = {"number": int, "motif": str, "start": int, "strand": str, "have": int}
    for key, kind in wanted.items():
        if not isinstance(message.get(key), kind):
            raise problem(
                "decode_marginal", key, got=repr(message.get(key)), need=f"a value of {kind.__name__}", do="send it"
            )
    if message["strand"] not in ("+", "-"):
        raise problem(
            "decode_marginal", "strand", got=repr(message["strand"]), need="'+' or '-'", do="send one of them"
        )
    return MarginalAsk(*(message[key] for key in wanted))


def encode_marginal(answer: MarginalAnswer) -> tuple[dict[str, Any], bytes]:
    """Write an answer: a dictionary that JSON can hold, and the blocks it describes.

    Examples
    --------
    >>> words, data = encode_marginal(MarginalAnswer(3, "GATA", "error", True, words="no"))
    >>> words["stage"], words["blocks"], data
    ('error', [], b'')
    """
    packed = pack_blocks(_arrays(answer.placements)) if answer.placements is not None else Packed(b"", [])
    words = {name: getattr(answer, name) for name in ("number", "motif", "stage", "last", "seconds", "words")}
    return {"kind": "marginal", **words, "blocks": packed.blocks}, packed.data


def encode_grid(placements: Mapping[str, Placements]) -> tuple[dict[str, Any], bytes]:
    """Write stored answers: the i-th motif's blocks end in ``.i``."""
    arrays: dict[str, np.ndarray] = {}
    for i, one in enumerate(placements.values()):
        arrays.update(_arrays(one, f".{i}"))
    packed = pack_blocks(arrays) if arrays else Packed(b"", [])
    return {"motifs": list(placements), "blocks": packed.blocks}, packed.data


def read_placements(arrays: Mapping[str, np.ndarray], suffix: str = "") -> Placements:
    """Read what was written by either, from unpacked blocks, to 16 bits."""

    def scaled(name: str) -> np.ndarray:
        values, scale = arrays[name + suffix], arrays[f"{name}_scale{suffix}"]
        return np.asarray(values * scale.reshape(-1, *[1] * (values.ndim - 1)), np.float32)

    profiles = scaled("profiles") if f"profiles{suffix}" in arrays else None
    return Placements(arrays[f"starts{suffix}"], arrays[f"strands{suffix}"], scaled("effects"), profiles)


def _arrays(one: Placements, suffix: str = "") -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {
        f"starts{suffix}": one.starts.astype(np.int32),
        f"strands{suffix}": one.strands.astype(np.uint8),
    }
    for name, values in (("effects", one.effects), ("profiles", one.profiles)):
        if values is not None:
            arrays[name + suffix], arrays[f"{name}_scale{suffix}"] = quantize(values)
    return arrays
