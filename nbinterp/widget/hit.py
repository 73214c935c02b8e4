"""HitView: called hits beside what they explain, called anew as a slider moves.

In: sequences, contributions, motifs.  Out: a widget; the penalty, the least similarity and the motifs that compete come back as
traits, and so do the hits under them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import traitlets

from ..chart import logo_png
from ..core.arrays import numpy_of
from ..core.check import check_choice
from ..errors import problem, suggest
from ..live import Newest, pack_blocks, pack_sequence, quantize
from .axis import AxisView, check_loci, codes_of, same_rows
from .base import static

__all__ = ["HitView"]

_LADDER: Final = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)  # penalties whose hits are stored, where there are few regions
_FEW: Final = 16  # regions
_MANY: Final = 200
_STILL: Final = 300  # hits in a still picture


class HitView(AxisView):
    """The hits of one region at a time: contributions, what the hits explain of them, and what they leave.

    Moving the slider of lambda calls the region's hits anew, to the optimum; so does leaving a motif out.  The slider of
    similarity hides hits, and takes them out of the reconstruction.

    Parameters
    ----------
    X : one-hot (N, 4, L) or compact container
    contributions : array (N, L) or (N, 4, L)
        Projected on the sequence, or hypothetical.
    motifs : PatternSet, MotifSet, mapping of name to matrix, or HitMotifs, optional
        See `hit_motifs`; by default those of `hits`.
    hits : Hits, optional
        What `call_hits` gave for these regions: its motifs with their penalties and its mode are taken, and the hits called
        anew.
    mode : {"pp", "ph", "hp", "hh"}
        See `call_hits`.
    lambdas : float or mapping of name to float
        Penalties; those of HitMotifs are their own.  Where motifs have different ones the slider changes all in
        proportion, and shows the commonest.
    sqrt_transform : bool
        See `call_hits`; signed square roots of the contributions are drawn.
    names : sequence of str, optional
        One a region.
    loci : DataFrame, optional
        chrom, start, end of each region; positions are then the genome's.
    example : int
        The region shown first.
    view : (start, end), optional
        Positions shown first; all by default.
    similarity : float, optional
        The least similarity of hits that are shown; by default each hit's lambda, as `call_hits` has it.
    stored : sequence of float, optional
        Penalties whose hits, of all regions, are stored for where no kernel is; by default six where there are up to 16
        regions, the one that is set where there are up to 200, and that in the region shown first where there are more.
    unshrunk : bool
        Draw hits as large as explains most.  The penalty that decides which motifs are called makes them smaller, too.
    hypothetical : bool
        Show all four bases, where contributions have them.
    height : int
        Of a row, in pixels.
    colors : {"classic", "safe", "grey"}
    device : str, optional
        Of the calling; CUDA if there is one, else the CPU.
    link : str
        Views with the same link look at the same place; see `link`.

    Attributes
    ----------
    example : int
    view, selection : [start, end]
    lambda_ : float
    similarity : float or None
    motif : str
        The motif whose hits stand out, here and in linked views; "" for none.
    motifs : list of str
        Those that compete.
    hits : DataFrame
        Of the region that is shown, under these settings; `all` gives those of all regions.  Columns as `call_hits` has
        them, and ``unshrunk``, the coefficient once nothing is paid for it.

    Raises
    ------
    NbinterpError
        When shapes do not fit each other, names are not known, or penalties are out of range.

    Examples
    --------
    >>> X = np.eye(4)[None, :, [1, 1, 2, 0, 3, 0, 1, 1]]
    >>> contributions = np.array([[0, 0, 1.0, 1, 1, 1, 0, 0]])
    >>> view = HitView(X, contributions, {"GATA": np.eye(4)[:, [2, 0, 3, 0]]}, device="cpu")
    >>> view.hits[["start", "end", "name", "strand"]].values.tolist()
    [[2, 6, 'GATA', '+']]
    """

    _esm = static("hit.js")
    _css = static("logo.css") + static("hit.css")

    lambda_ = traitlets.Float(0.7).tag(sync=True, echo_update=False)
    similarity = traitlets.Float(None, allow_none=True).tag(sync=True, echo_update=False)
    motif = traitlets.Unicode("").tag(sync=True, echo_update=False)
    hidden = traitlets.List(traitlets.Unicode()).tag(sync=True, echo_update=False)
    unshrunk = traitlets.Bool(False).tag(sync=True, echo_update=False)
    hypothetical = traitlets.Bool(False).tag(sync=True, echo_update=False)

    def __init__(
        self,
        X: Any,
        contributions: Any,
        motifs: Any = None,
        *,
        hits: Any = None,
        mode: str = "pp",
        lambdas: float | Mapping[str, float] = 0.7,
        sqrt_transform: bool = False,
        names: Sequence[str] | None = None,
        loci: pd.DataFrame | None = None,
        example: int = 0,
        view: Sequence[float] | None = None,
        similarity: float | None = None,
        stored: Sequence[float] | None = None,
        unshrunk: bool = False,
        hypothetical: bool = False,
        height: int = 64,
        colors: str = "classic",
        device: str | None = None,
        link: str = "",
    ) -> None:
        check_choice("HitView", "colors", colors, ("classic", "safe", "grey"))
        if not 24 <= height <= 600:
            raise problem("HitView", "height", got=height, need="24 to 600 pixels a row", do="64 is the default")
        self._codes = codes_of("HitView", X)
        n, length = self._size = self._codes.shape
        mode = mode if hits is None else hits.mode
        values = numpy_of(contributions).astype(np.float64)
        self._engine, self._motifs, usual = _engine(
            self._codes, values, motifs if hits is None else hits.motifs, mode, lambdas, sqrt_transform, device
        )
        self._rows = _drawn(self._codes, values, mode, sqrt_transform)
        self._given = list(names) if names is not None else [f"region {i}" for i in range(n)]
        same_rows("HitView", "names", len(self._given), n)
        if loci is not None:
            check_loci("HitView", loci, n, length)
        places = [None] * n if loci is None else list(zip(loci["chrom"], map(int, loci["start"]), strict=True))
        self._offsets, self._colors = [0 if place is None else place[1] for place in places], colors
        self._still: tuple[Any, bytes] | None = None
        self._last: tuple[Any, pd.DataFrame] | None = None
        if not 0 <= example < n:
            raise problem("HitView", "example", got=example, need=f"0 to {n - 1}", do="count from 0")
        arrays, told = self._stored(usual, stored, example)
        packed, runs = pack_sequence(self._codes)
        arrays |= {"sequence": packed, "unknown": runs, **_kernels(self._motifs)}
        for label, row in self._rows.items():
            arrays[label], arrays[f"{label}_scale"] = quantize(row)
        blocks = pack_blocks(arrays)
        meta = {
            "n": n,
            "length": length,
            "blocks": blocks.blocks,
            "names": self._given,
            "loci": places,
            "predictions": None,
            "target": "",
            "annotations": [],
            "height": height,
            "colors": colors,
            "motifs": list(self._names),
            "mode": mode,
            "root": sqrt_transform,
            "usual": usual,
            "stored": told,
        }
        super().__init__(
            data=blocks.data,
            meta=json.dumps(meta, separators=(",", ":"), allow_nan=False),
            example=example,
            view=[0.0, float(length)] if view is None else [float(v) for v in view],
            lambda_=usual,
            similarity=similarity,
            unshrunk=unshrunk,
            hypothetical=hypothetical,
            link=link,
        )
        self._answers: Newest[Any, Any] = Newest(self._engine.answer, self._tell)

    def _stored(
        self, usual: float, given: Sequence[float] | None, example: int
    ) -> tuple[dict[str, np.ndarray], list[float]]:
        """Hits that are stored: blocks, and the penalties they are of."""
        from ..live.hit import encode_called

        n = self._size[0]
        if given is not None:
            penalties = sorted({usual, *map(float, given)})
        else:
            penalties = sorted({usual, *_LADDER}) if n <= _FEW else [usual]
        region = None if n <= _MANY or given is not None else example
        arrays: dict[str, np.ndarray] = {}
        for k, penalty in enumerate(penalties):
            columns = encode_called(self._engine.call(region, penalty), self._names)
            arrays |= {f"hits{k}.{name}": column for name, column in columns.items()}
        return arrays, penalties

    # --- settings -----------------------------------------------------------------------------------------------------

    @property
    def _names(self) -> tuple[str, ...]:
        found: tuple[str, ...] = self._motifs.names[::2]
        return found

    @property
    def motifs(self) -> list[str]:
        """Names of the motifs that compete."""
        return [name for name in self._names if name not in set(self.hidden)]

    @motifs.setter
    def motifs(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self._names:
                raise problem(
                    "HitView", "motifs", got=repr(name), need="names of the motifs", do=suggest(name, self._names)
                )
        self.hidden = [name for name in self._names if name not in set(names)]

    @traitlets.validate("lambda_")
    def _check_lambda(self, proposal: Any) -> float:
        if not 0 < proposal["value"] < 1:
            raise problem(
                "HitView", "lambda_", got=proposal["value"], need="between 0 and 1", do="pass 0.7, the usual one"
            )
        return float(proposal["value"])

    @property
    def hits(self) -> pd.DataFrame:
        """Hits of the region that is shown, under these settings."""
        key = self.example, self.lambda_, tuple(self.hidden)
        if self._last is None or self._last[0] != key:
            self._last = key, self._engine.call(self.example, self.lambda_, self._off).table
        return self._kept(self._last[1])

    def all(self) -> pd.DataFrame:
        """Hits of all regions, under these settings."""
        return self._kept(self._engine.call(None, self.lambda_, self._off).table)

    @property
    def _off(self) -> list[int]:
        hidden = set(self.hidden)
        return [i for i, name in enumerate(self._names) if name in hidden]

    def _kept(self, table: pd.DataFrame) -> pd.DataFrame:
        least = table["lambda"] if self.similarity is None else self.similarity
        return table[table["similarity"] >= least].drop(columns="lambda").reset_index(drop=True)

    # --- answers ------------------------------------------------------------------------------------------------------

    def _receive(self, message: dict[str, Any]) -> None:
        if message.get("kind") == "hits":
            from ..live.hit import decode_hits

            self._answers.submit(decode_hits(message))

    def _tell(self, answer: Any) -> None:
        """Hand an answer to the browser; as traits, so that a saved notebook keeps the last."""
        from ..live.hit import encode_hits

        words, data = encode_hits(answer, self._names)
        with self.hold_sync():
            self.answer_data = data
            self.answer = json.dumps(words, allow_nan=False)

    # --- still picture ------------------------------------------------------------------------------------------------

    def to_png(self) -> bytes:
        """Draw the region and view as they are now; kept until they change."""
        key = self.example, self.lambda_, self.similarity, self.hypothetical, *self.view, *self.hidden
        if self._still is None or self._still[0] != key:
            self._still = key, self._draw()
        return self._still[1]

    def _draw(self) -> bytes:
        start, end = max(0, math.floor(self.view[0])), min(self._size[1], math.ceil(self.view[1]))
        table, codes = self.hits, self._codes[self.example]
        inside = table[(table["end"] > start) & (table["start"] < end)]
        spans = zip(inside["start"] - start, inside["end"] - start, inside["name"], strict=True)
        rows = [(label, row[self.example][..., start:end]) for label, row in self._rows.items()]
        shown = [(label, row) for label, row in rows if self.hypothetical or row.ndim == 1] or rows
        title = f"{self._given[self.example]}, {len(table)} hits at lambda {self.lambda_:.3g}"
        offset = self._offsets[self.example] + start
        picture: bytes = logo_png(codes[start:end], shown, title, self._colors, offset, list(spans)[:_STILL])
        return picture


def _engine(
    codes: np.ndarray, values: np.ndarray, motifs: Any, mode: str, lambdas: Any, sqrt_transform: bool, device: Any
) -> tuple[Any, Any, float]:
    """What calls hits, the motifs made ready, and the penalty that most of them have."""
    from ..core.batches import resolve_device
    from ..hit import HitMotifs, hit_motifs
    from ..hit.call import check_regions
    from ..hit.session import HitSession
    from ..live.hit import HitEngine

    if motifs is None:
        raise problem(
            "HitView", "motifs", got="none, and no hits", need="motifs", do="pass them, or hits=call_hits(...)"
        )
    X = np.eye(5, 4, dtype=np.int8)[codes].transpose(0, 2, 1)
    check_regions("HitView", X, values, mode)
    ready = motifs
    if not isinstance(motifs, HitMotifs):
        ready = hit_motifs(motifs, hypothetical=mode[0] == "h", lambdas=lambdas, sqrt_transform=sqrt_transform)
    session = HitSession(X, values, ready, mode, sqrt_transform, resolve_device(device))
    penalties, counts = np.unique(ready.lambdas, return_counts=True)
    usual = float(penalties[counts.argmax()])
    return HitEngine(session, usual), ready, usual


def _drawn(codes: np.ndarray, values: np.ndarray, mode: str, sqrt_transform: bool) -> dict[str, np.ndarray]:
    """What is drawn: contributions as the hits explain them, and the hypothetical ones where there are more."""
    if sqrt_transform:
        values = np.sign(values) * np.sqrt(np.abs(values))
    if mode[1] == "h":
        return {"contributions": values}
    one_hot = np.eye(5, 4)[codes].transpose(0, 2, 1)
    if values.ndim == 2:
        return {"contributions": np.where(codes < 4, values, 0)}
    return {"contributions": (values * one_hot).sum(axis=1), "hypothetical": values}


def _kernels(motifs: Any) -> dict[str, np.ndarray]:
    """Weights of the part of each motif that counts, on its forward strand, one after the other; their widths; penalties."""
    kernels, sizes = motifs.kernels[::2], (motifs.ends - motifs.starts)[::2]
    parts = [kernel[:, :size].ravel() for kernel, size in zip(kernels, sizes, strict=True)]
    return {
        "kernels": np.concatenate(parts).astype(np.float32),
        "widths": sizes.astype(np.int32),
        "lambdas": motifs.lambdas[::2].astype(np.float32),
    }
