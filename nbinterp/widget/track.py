"""TrackView: profiles along a sequence, such as coverage that was predicted and observed.

In: values of one or two strands, spans, and, to follow edits, a model.  Out: a widget; ``example``, ``view`` and ``selection``
come back as traits, and views of one ``link`` follow each other.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import traitlets

from ..chart.profile import ProfileRow, profile_png
from ..core.arrays import numpy_of
from ..core.check import check_choice
from ..errors import problem, suggest
from ..live import Answer, Ask, Newest, decode_ask, pack_blocks, quantize
from .annotations import AnnotatedView, check_thresholds, pack_spans, read_spans
from .axis import check_loci, codes_of, finite, same_rows
from .base import static

if TYPE_CHECKING:
    from ..live import TrackEngine

__all__ = ["TrackView"]


class TrackView(AnnotatedView):
    """Profiles to look into: zoom, hover, brush, step through sequences.

    A row is an area from afar and a stair near by.  Of two strands, the first is drawn upwards and the second downwards.

    Parameters
    ----------
    profiles : array, or mapping from label to array, optional
        A row each, on one axis: ``(P,)``, ``(N, P)`` or ``(N, S, P)`` of N sequences, S = 1 or 2 strands and P positions.
        Positions whose value is NaN or infinite are hatched.  With a model they stand beside its own.
    names : sequence of str, optional
        One a sequence.
    loci : DataFrame, optional
        chrom, start, end of each whole sequence; positions are then the genome's, 0-based and half-open as everywhere
        here.  What a click on the locus copies is written as genome browsers read it, from 1 with both ends included.
    offset : int, optional
        Where in the sequence the profiles begin; most models predict a profile shorter than what they read.  0 by default,
        and in the middle of the sequences when these are known.
    length : int, optional
        Of the whole sequence; that of `X`, or ``offset + P + offset``, by default.
    annotations : DataFrame, or mapping from label to DataFrame, optional
        example_idx, start, end (within the whole sequence) and, where known, name, strand, score, attribution, p-value:
        bars under the rows, a track for each label.  Seqlets, hits of `fimo` and called hits will do.
    annotation_layout : {"packed", "rows"}
        Bars side by side in as few lanes as will do, or a row for each name; the reader can switch.
    predictions : sequence of float, optional
        One a sequence, shown beside its name.
    target : str
        What is predicted.
    example : int
        The sequence shown first.
    view : (start, end), optional
        Positions of the sequence shown first; all by default.
    height : int
        Of a row, in pixels.
    scale : {"row", "shared"}
        Whether rows have their own range, or one together.
    band : mapping from label to (low, high), optional
        Where values lie between, in arrays of the profile's shape: 5 and 95 % by convention.
    overlay : mapping from label to label, optional
        Profiles drawn as a line behind another, such as ``{"after": "before"}`` of an edit; they get no row of their own.
    link : str
        Views of one page with the same link show the same sequence and place, with a kernel or without.
    X : one-hot (4, L) or (N, 4, L), or compact container, optional
        The sequences, for `model`.
    model : torch.nn.Module, optional
        What predicts the row "predicted", which comes first and needs no `profiles`; of profiles that have one, it takes
        the place.  When the sequence is edited in a LogoView of the same link, the row is predicted anew while the
        notebook's kernel runs, with the original as a line behind it.
    head : int or str, optional
        Which output of the model, as it is.  By default the only one; of heads "profile" and "logcounts", as BPNet has
        them, the reads expected at each position.
    device : str, optional
        Of the model.

    Attributes
    ----------
    example : int
    view : [start, end]
    selection : [start, end] or []
        Set by the reader; 0-based, half-open, within the sequence.
    motif : str
        The name whose annotations stand out, here and in linked views; "" for none.
    thresholds : dict
        The least score that is shown: ``{label: {column: least}}``; the label of a table with none is "annotations", and a
        p-value's column "-log10 p-value".
    chosen : DataFrame
        The annotations clicked on or brushed, of those that are shown.
    annotation_layout : str
    link : str

    Raises
    ------
    NbinterpError
        When shapes, labels or tables do not fit each other.

    Examples
    --------
    >>> track = TrackView({"predicted": np.ones((1, 2, 100)), "observed": np.ones((1, 2, 100))}, offset=50)
    >>> track.view, track.selection
    ([0.0, 200.0], [])
    """

    _esm = static("track.js")
    _css = static("logo.css")

    link = traitlets.Unicode("").tag(sync=True)
    thresholds = traitlets.Dict().tag(sync=True, echo_update=False)
    annotation_layout = traitlets.Unicode("packed").tag(sync=True, echo_update=False)

    def __init__(
        self,
        profiles: Any = None,
        *,
        names: Sequence[str] | None = None,
        loci: pd.DataFrame | None = None,
        offset: int | None = None,
        length: int | None = None,
        annotations: pd.DataFrame | Mapping[str, pd.DataFrame] | None = None,
        annotation_layout: str = "packed",
        predictions: Any = None,
        target: str = "",
        example: int = 0,
        view: Sequence[float] | None = None,
        height: int = 72,
        scale: str = "row",
        band: Mapping[str, Any] | None = None,
        overlay: Mapping[str, str] | None = None,
        link: str = "",
        X: Any = None,
        model: Any = None,
        head: int | str | None = None,
        device: str | None = None,
    ) -> None:
        check_choice("TrackView", "scale", scale, ("row", "shared"))
        check_choice("TrackView", "annotation_layout", annotation_layout, ("packed", "rows"))
        if not 24 <= height <= 600:
            raise problem("TrackView", "height", got=height, need="24 to 600 pixels a row", do="72 is the default")
        self._engine = None if model is None and X is None and head is None else _engine(X, model, head, device)
        self._profiles = _profiles(_with_predicted(profiles, self._engine))
        self._still: tuple[Any, bytes] | None = None
        n, _, size = next(iter(self._profiles.values())).shape
        if self._engine is not None:
            length, offset = _place(self._engine, length, offset, size)
        offset = offset or 0
        self._n, self._offset, self._scale = n, offset, scale
        self._length = _whole(offset, length, size)
        self._size = n, self._length
        self._band, self._overlay = _bands(band, self._profiles), _overlay(overlay, self._profiles)
        places: list[tuple[str, int] | None] = [None] * n
        if loci is not None:
            check_loci("TrackView", loci, n, self._length)
            places = list(zip(loci["chrom"], map(int, loci["start"]), strict=True))
        self._names = list(names) if names is not None else [f"sequence {i}" for i in range(n)]
        same_rows("TrackView", "names", len(self._names), n)
        numbers = None if predictions is None else [finite(v) for v in numpy_of(predictions).reshape(-1)]
        if numbers is not None:
            same_rows("TrackView", "predictions", len(numbers), n)
        self._spans = read_spans("TrackView", annotations, n, self._length)
        self._starts = [0 if place is None else place[1] for place in places]
        columns, told = pack_spans(self._spans)
        blocks = pack_blocks(self._arrays() | columns)
        meta = {
            "n": n,
            "length": self._length,
            "offset": offset,
            "size": size,
            "blocks": blocks.blocks,
            "rows": self._rows(),
            "live": None if self._engine is None else 0,
            "names": self._names,
            "loci": places,
            "predictions": numbers,
            "target": target,
            "annotations": told,
            "height": height,
            "scale": scale,
        }
        super().__init__(
            data=blocks.data,
            meta=json.dumps(meta, separators=(",", ":"), allow_nan=False),
            example=example,
            view=[0.0, float(self._length)] if view is None else [float(v) for v in view],
            annotation_layout=annotation_layout,
            link=link,
        )
        self._answers: Newest[Ask, Answer] | None = None
        if self._engine is not None:
            self._answers = Newest(self._engine.answer, self._hand_on)

    @traitlets.validate("thresholds")
    def _check_thresholds(self, proposal: Any) -> dict[str, dict[str, float]]:
        return check_thresholds("TrackView", self._spans, proposal["value"])

    def _least(self, label: str) -> Mapping[str, float]:
        return dict(self.thresholds.get(label, {}))

    def _receive(self, message: dict[str, Any]) -> None:
        if self._answers is not None and message.get("kind") == "ask":
            self._answers.submit(decode_ask(message))

    def _arrays(self) -> dict[str, np.ndarray]:
        """What the browser needs, by name: 16 bits a value, and a scale for each sequence."""
        given = {f"profile{i}": values for i, values in enumerate(self._profiles.values())}
        for i, label in enumerate(self._profiles):
            if label in self._band:
                given[f"low{i}"], given[f"high{i}"] = self._band[label]
        arrays = {}
        for name, values in given.items():
            arrays[name], arrays[f"{name}.scale"] = quantize(values)
        return arrays

    def _rows(self) -> list[dict[str, Any]]:
        """What is drawn in which row; a ghost has none of its own."""
        order = {label: i for i, label in enumerate(self._profiles)}
        ghosts = set(self._overlay.values())
        return [
            {
                "label": label,
                "source": i,
                "strands": self._profiles[label].shape[1],
                "ghost": [self._overlay[label], order[self._overlay[label]]] if label in self._overlay else None,
                "band": label in self._band,
            }
            for label, i in order.items()
            if label not in ghosts
        ]

    def to_png(self) -> bytes:
        """Draw the example and view as they are now; the picture is kept until they change."""
        key = (self.example, *self.view, json.dumps(self.thresholds))
        if self._still is None or self._still[0] != key:
            self._still = (key, self._draw())
        return self._still[1]

    def _draw(self) -> bytes:
        start, end = max(0, math.floor(self.view[0])), min(self._length, math.ceil(self.view[1]))
        size = next(iter(self._profiles.values())).shape[2]
        first, last = (min(max(edge - self._offset, 0), size) for edge in (start, end))

        def cut(values: np.ndarray) -> np.ndarray:
            return values[self.example, :, first:last]

        rows = []
        for row in self._rows():
            label, band = row["label"], self._band.get(row["label"])
            behind = self._overlay.get(label)
            rows.append(
                ProfileRow(
                    label if behind is None else f"{label}\n\u2014 {behind}",
                    cut(self._profiles[label]),
                    None if behind is None else cut(self._profiles[behind]),
                    None if band is None else (cut(band[0]), cut(band[1])),
                )
            )
        return profile_png(
            rows, end - start, max(self._offset - start, 0), title=self._names[self.example],
            offset=self._starts[self.example] + start, spans=self._in_view(start, end), scale=self._scale,
        )  # fmt: skip


PREDICTED: Final = "predicted"


def _engine(X: Any, model: Any, head: int | str | None, device: str | None) -> TrackEngine:
    """What answers for the model's row."""
    if model is None or X is None:
        missing = "model" if model is None else "X"
        raise problem(
            "TrackView", missing, got="nothing", need="a model and the sequences that it reads", do=f"pass {missing}="
        )
    from ..live.track import TrackEngine, profile_head

    return TrackEngine(profile_head(model, head), codes_of("TrackView", X), device=device)


def _with_predicted(profiles: Any, engine: TrackEngine | None) -> Any:
    """The model's row above what is given beside it."""
    if engine is None:
        return profiles
    given = {} if profiles is None else profiles if isinstance(profiles, Mapping) else {"profile": profiles}
    return {PREDICTED: engine.profiles, **{label: values for label, values in given.items() if label != PREDICTED}}


def _place(engine: TrackEngine, length: int | None, offset: int | None, size: int) -> tuple[int, int]:
    """Length of the sequences that the model reads, and where its profile begins: in the middle, if nothing is said."""
    whole = engine.codes.shape[1]
    if length not in (None, whole):
        raise problem(
            "TrackView", "length", got=length, need=f"{whole}, the length of the sequences", do="leave it out"
        )
    return whole, max(whole - size, 0) // 2 if offset is None else offset


def _numbers(argument: str, values: Any) -> np.ndarray:
    try:
        return np.asarray(numpy_of(values).astype(np.float32))
    except (TypeError, ValueError) as error:
        raise problem(
            "TrackView", argument, got=f"values that are no numbers ({error})", need="a profile",
            do="pass an array or tensor of numbers",
        ) from error  # fmt: skip


def _three_axes(values: np.ndarray) -> np.ndarray:
    """(P,) and (N, P) as (N, S, P)."""
    if values.ndim == 1:
        return values[None, None]
    return values[:, None] if values.ndim == 2 else values


def _profiles(profiles: Any) -> dict[str, np.ndarray]:
    """Label to (N, S, P), alike in N and P."""
    given = profiles if isinstance(profiles, Mapping) else {"profile": profiles}
    if profiles is None or not given:
        need = "one or more, or a model"
        raise problem("TrackView", "profiles", got="no profile", need=need, do="pass an array or a mapping")
    found: dict[str, np.ndarray] = {}
    for label, values in given.items():
        where = f"profiles[{label!r}]" if isinstance(profiles, Mapping) else "profiles"
        array = _three_axes(_numbers(where, values))
        if array.ndim != 3 or array.shape[1] not in (1, 2) or array.size == 0:
            raise problem(
                "TrackView", where, got=f"shape {array.shape}", need="(P,), (N, P) or (N, S, P), S = 1 or 2 strands",
                do="put sequences first and positions last",
            )  # fmt: skip
        n, _, size = next(iter(found.values()), array).shape
        if (array.shape[0], array.shape[2]) != (n, size):
            raise problem(
                "TrackView", where, got=f"{array.shape[0]} sequences of {array.shape[2]} positions",
                need=f"{n} of {size}, as the first profile has", do="crop them to the same positions",
            )  # fmt: skip
        found[str(label)] = array
    return found


def _whole(offset: int, length: int | None, size: int) -> int:
    """Length of the whole sequence."""
    if offset < 0:
        raise problem("TrackView", "offset", got=offset, need="0 or more", do="pass the first position of the profiles")
    if length is None:
        return offset + size + offset
    if length < offset + size:
        need = f"{offset + size} or more, to hold {size} positions from {offset} on"
        raise problem("TrackView", "length", got=length, need=need, do="pass the length of the whole sequence")
    return int(length)


def _known(argument: str, label: object, profiles: Mapping[str, np.ndarray]) -> str:
    """A label that is there."""
    if label not in profiles:
        got = f"label {label!r}{suggest(str(label), profiles)}"
        raise problem("TrackView", argument, got=got, need=f"one of {', '.join(profiles)}", do="name a profile")
    return str(label)


def _bands(band: Any, profiles: Mapping[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Label to (low, high) of the profile's shape; NaN in one is NaN in both."""
    if band is None:
        return {}
    if not isinstance(band, Mapping):
        raise problem(
            "TrackView", "band", got=f"a {type(band).__name__}", need="a mapping from label to (low, high)",
            do="name the profile, which is 'profile' when there is one array",
        )  # fmt: skip
    found = {}
    for label, pair in band.items():
        where, need = f"band[{label!r}]", profiles[_known("band", label, profiles)].shape
        bounds = [_three_axes(_numbers(where, bound)) for bound in pair]
        if len(bounds) != 2 or any(bound.shape != need for bound in bounds):
            got = f"shapes {', '.join(str(bound.shape) for bound in bounds)}"
            raise problem("TrackView", where, got=got, need=f"(low, high), each {need}", do="match the profile")
        low, high = bounds
        if (low > high).any():
            at = tuple(int(i) for i in np.argwhere(low > high)[0])
            raise problem("TrackView", where, got=f"low above high at {at}", need="low <= high", do="swap them")
        missing = ~(np.isfinite(low) & np.isfinite(high))
        found[str(label)] = np.where(missing, np.nan, low), np.where(missing, np.nan, high)
    return found


def _overlay(overlay: Mapping[str, str] | None, profiles: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Label to the label of its ghost; a ghost has none itself."""
    found = {}
    for label, behind in (overlay or {}).items():
        front, ghost = _known("overlay", label, profiles), _known("overlay", behind, profiles)
        if ghost in (overlay or {}):
            raise problem(
                "TrackView", "overlay", got=f"{ghost!r} in front and behind", need="each in one place",
                do="leave it out on one side",
            )  # fmt: skip
        shapes = profiles[front].shape, profiles[ghost].shape
        if shapes[0] != shapes[1]:
            raise problem(
                "TrackView", "overlay", got=f"shapes {shapes[0]} and {shapes[1]}", need="the same strands",
                do="sum the strands, or give both",
            )  # fmt: skip
        found[front] = ghost
    return found
