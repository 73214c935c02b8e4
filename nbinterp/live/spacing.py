"""What a view of two motifs needs: their numbers as arrays, both written into a background, and its attributions.

In: the table of `spacing_effects` or `interaction_map`, backgrounds as codes, motifs as letters.  Out: a `PairGrid` of every
pair by arrangement, order and distance; codes of a construct; DeepLIFT/SHAP scores of it, when a browser asks.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from ..errors import problem
from .wire import Packed, pack_blocks

__all__ = [
    "ARRANGEMENTS",
    "ORDERS",
    "PairGrid",
    "Site",
    "SpacingAnswer",
    "SpacingAsk",
    "SpacingEngine",
    "decode_spacing",
    "encode_spacing",
    "read_pairs",
    "sites",
    "strands_of",
    "written",
]

ARRANGEMENTS: Final = ("a_then_b", "b_then_a", "facing", "apart")
ORDERS: Final = ("ab", "ba")
# strands of a and b as order "ab" reads them; order "ba" turns both
_STRANDS: Final[Mapping[str, str]] = MappingProxyType(dict(zip(ARRANGEMENTS, ("++", "--", "+-", "-+"), strict=True)))
_TURNED: Final = str.maketrans("+-", "-+")
_COMPLEMENT: Final = str.maketrans("ACGTN", "TGCAN")
_NUMBERS: Final = ("effect", "cooperativity", "low", "high")
_NEEDED: Final = (
    "motif_a", "motif_b", "order", "arrangement", "distance", "start_a", "start_b", "output", "n", *_NUMBERS,
)  # fmt: skip


class PairGrid(NamedTuple):
    """Numbers of every pair of motifs.

    Attributes
    ----------
    names : list of str
        Motifs, as they first appear.
    widths : list of int
        0 for a motif that never lies on the left, whose width the table does not tell.
    pairs : list of (motif a, motif b, start of a)
    distances : list of int
        Rising.
    numbers : dict of float32 array (pairs, arrangements, orders, distances)
        effect, cooperativity, low and high; NaN where nothing was measured.
    n : int32 array of that shape
        Backgrounds used; 0 where nothing was measured.
    """

    names: list[str]
    widths: list[int]
    pairs: list[tuple[int, int, int]]
    distances: list[int]
    numbers: dict[str, np.ndarray]
    n: np.ndarray


class Site(NamedTuple):
    """A motif as it is written in: its number, and where."""

    motif: int
    start: int
    strand: str


def strands_of(arrangement: str, order: str) -> str:
    """Strands of a and b.

    Examples
    --------
    >>> strands_of("facing", "ab"), strands_of("a_then_b", "ba")
    ('+-', '--')
    """
    strands = _STRANDS[arrangement]
    return strands if order == "ab" else strands.translate(_TURNED)


def read_pairs(where: str, table: pd.DataFrame, output: int) -> PairGrid:
    """Lay the rows of one output out as arrays.

    Raises
    ------
    NbinterpError
        When columns are missing, or no row has this output.
    """
    missing = [name for name in _NEEDED if name not in table]
    if missing:
        raise problem(
            where, "found", got=f"no column {', '.join(missing)}", need="the table of spacing_effects or interaction_map",
            do="pass their result",
        )  # fmt: skip
    rows = table.loc[table["output"] == output]
    if not len(rows):
        most = "an empty table" if not len(table) else f"0 to {table['output'].max()}"
        raise problem(where, "output", got=output, need=most, do="choose one that was measured")
    names = list(dict.fromkeys(pd.concat([rows["motif_a"], rows["motif_b"]]).astype(str)))
    index = {name: i for i, name in enumerate(names)}
    first = rows.drop_duplicates(["motif_a", "motif_b"])
    keys = [(index[str(a)], index[str(b)]) for a, b in zip(first["motif_a"], first["motif_b"], strict=True)]
    pairs = [(*key, int(start)) for key, start in zip(keys, first["start_a"], strict=True)]
    distances = sorted({int(d) for d in rows["distance"]})
    place = (
        rows[["motif_a", "motif_b"]].astype(str).apply(tuple, axis=1).map(
            {(names[a], names[b]): i for i, (a, b) in enumerate(keys)}
        ).to_numpy(),
        rows["arrangement"].map({one: i for i, one in enumerate(ARRANGEMENTS)}).to_numpy(),
        rows["order"].map({one: i for i, one in enumerate(ORDERS)}).to_numpy(),
        np.searchsorted(distances, rows["distance"].to_numpy()),
    )  # fmt: skip
    shape = (len(pairs), len(ARRANGEMENTS), len(ORDERS), len(distances))
    numbers = {name: np.full(shape, np.nan, np.float32) for name in _NUMBERS}
    for name in _NUMBERS:
        numbers[name][place] = rows[name].to_numpy(np.float32)
    n = np.zeros(shape, np.int32)
    n[place] = rows["n"].to_numpy()
    return PairGrid(names, _widths(rows, index), pairs, distances, numbers, n)


def _widths(rows: pd.DataFrame, index: Mapping[str, int]) -> list[int]:
    """Width of each motif, from where its right neighbour begins; 0 for one that has none."""
    named = pd.DataFrame(
        {
            "name": rows["motif_a"].where(rows["order"] == "ab", rows["motif_b"]).astype(str),
            "width": (rows["start_b"] - rows["start_a"]).abs() - rows["distance"],
        }
    )
    known = dict(named.drop_duplicates("name").to_numpy().tolist())
    return [int(known.get(name, 0)) for name in index]


def sites(grid: PairGrid, widths: Sequence[int], pair: int, arrangement: str, order: str, distance: int) -> list[Site]:
    """Where motif a and motif b stand."""
    a, b, start = grid.pairs[pair]
    second = start + widths[a] + distance if order == "ab" else start - distance - widths[b]
    strands = strands_of(arrangement, order)
    return [Site(a, start, strands[0]), Site(b, second, strands[1])]


def written(codes: np.ndarray, letters: Sequence[str], places: Sequence[Site]) -> np.ndarray:
    """Codes ``(L,)`` with motifs written in; an N leaves what is there.

    Examples
    --------
    >>> written(np.zeros(5, np.uint8), ["CNG"], [Site(0, 1, "+")]).tolist()
    [0, 1, 0, 2, 0]
    """
    out: np.ndarray = codes.copy()
    for motif, start, strand in places:
        text = letters[motif] if strand == "+" else letters[motif].translate(_COMPLEMENT)[::-1]
        for i, letter in enumerate(text):
            if letter != "N":
                out[start + i] = "ACGT".index(letter)
    return out


# --- what a browser asks ----------------------------------------------------------------------------------------------


class SpacingAsk(NamedTuple):
    """A construct whose attributions are wanted; its key comes back with the answer."""

    number: int
    key: str
    pair: int
    arrangement: str
    order: str
    distance: int
    background: int


class SpacingAnswer(NamedTuple):
    """Scores ``(L,)`` of the bases that are there; or what went wrong."""

    number: int
    key: str
    attributions: np.ndarray | None
    seconds: float
    words: str = ""


def decode_spacing(message: Mapping[str, Any]) -> SpacingAsk:
    """Read a request; the words of ``js/src/state/spacingAsker.ts``.

    Raises
    ------
    NbinterpError
        When it is none.
    """
    kinds: dict[str, type] = {**dict.fromkeys(("number", "pair", "distance", "background"), int)}
    kinds |= dict.fromkeys(("key", "arrangement", "order"), str)
    for name, kind in kinds.items():
        if not isinstance(message.get(name), kind) or isinstance(message.get(name), bool):
            got = repr(message.get(name))
            raise problem("SpacingView", name, got=got, need=f"a {kind.__name__}", do="reload the page")
    if message["arrangement"] not in ARRANGEMENTS or message["order"] not in ORDERS:
        got = f"{message['arrangement']}, {message['order']}"
        raise problem("SpacingView", "arrangement", got=got, need="one that there is", do="reload the page")
    return SpacingAsk(**{name: message[name] for name in SpacingAsk._fields})


def encode_spacing(answer: SpacingAnswer) -> tuple[dict[str, Any], bytes]:
    """Words and bytes of an answer."""
    scores = answer.attributions
    packed = Packed(b"", []) if scores is None else pack_blocks({"attributions": scores.astype(np.float32)})
    words = {
        "kind": "spacing", "number": answer.number, "key": answer.key, "stage": "error" if answer.words else "scores",
        "last": True, "seconds": answer.seconds, "words": answer.words, "blocks": packed.blocks,
    }  # fmt: skip
    return words, packed.data


class SpacingEngine:
    """Attributions of constructs, one at a time.

    Parameters
    ----------
    model : torch.nn.Module
        ``(n, 4, L)`` to ``(n, T)``.
    construct : callable
        A request to codes ``(L,)``.
    output : int
        Column of the model's output.
    n_shuffles, device
        As in `deep_lift_shap`.
    """

    def __init__(
        self,
        model: Any,
        construct: Callable[[SpacingAsk], np.ndarray],
        *,
        output: int = 0,
        n_shuffles: int = 20,
        device: Any = None,
    ) -> None:
        self._model, self._construct, self._output = model, construct, output
        self._n_shuffles, self._device = n_shuffles, device
        self._lock = threading.RLock()  # a model answers one at a time, from whatever thread it is asked

    def scores(self, ask: SpacingAsk) -> np.ndarray:
        """Compute scores ``(L,)`` of the bases that are there."""
        import torch

        from ..attribution import deep_lift_shap
        from .repredict import one_hot_of

        codes = self._construct(ask)
        with self._lock:
            found = deep_lift_shap(
                self._model, one_hot_of(codes, "cpu", torch.float32), target=self._output,
                n_shuffles=self._n_shuffles, device=self._device, random_state=0,
            )  # fmt: skip
        scores: np.ndarray = found.detach().cpu().float().numpy()[0].sum(axis=0)
        if not math.isfinite(float(scores.sum())):
            raise problem("SpacingView", "model", got="attributions that are no numbers", need="numbers", do="check it")
        return scores

    def answer(self, ask: SpacingAsk, stale: Callable[[], bool] = lambda: False) -> Iterator[SpacingAnswer]:
        """Answer; an error is an answer too, and what is stale before it begins is not computed."""
        from .answering import words_of

        began = time.perf_counter()
        if stale():
            return
        try:
            scores, words = self.scores(ask), ""
        except Exception as error:  # noqa: BLE001 - the view shows it in its own words, and goes on
            scores, words = None, words_of(error)
        yield SpacingAnswer(ask.number, ask.key, scores, time.perf_counter() - began, words)
