"""LogoView: scores along sequences, from letters to a megabase.

In: one-hot sequences, scores, spans, and, to edit live, a model.  Out: a widget; ``example``, ``view``, ``selection`` and
``edits`` come back as traits.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import traitlets

from ..chart import logo_png
from ..core.arrays import numpy_of
from ..core.check import check_choice
from ..errors import problem
from ..live import (
    Answer,
    Ask,
    Change,
    Edited,
    History,
    Newest,
    apply_changes,
    decode_ask,
    pack_blocks,
    pack_sequence,
    quantize,
)
from .annotations import AnnotatedView, pack_spans, read_spans
from .axis import check_loci, codes_of, finite, same_rows
from .base import static

__all__ = ["LogoView"]


class LogoView(AnnotatedView):
    """A logo to look into: zoom, hover, brush, step through sequences.

    Parameters
    ----------
    X : one-hot (4, L) or (N, 4, L), or compact container
        The sequences.
    tracks : array, or mapping from label to array, optional
        Scores, a row each: ``(L,)`` or ``(N, L)`` of the observed base, ``(4, L)`` or ``(N, 4, L)`` of all four.
        Positions whose score is NaN or infinite are hatched.
    names : sequence of str, optional
        One a sequence.
    loci : DataFrame, optional
        chrom, start, end of each sequence; positions are then the genome's, 0-based and half-open as everywhere here.
        What a click on the locus copies is written as genome browsers read it, from 1 with both ends included.
    annotations : DataFrame, optional
        example_idx, start, end and, where known, name, strand, score (or attribution): bars under the rows.  Seqlets,
        hits of `fimo` and called hits will do; `TrackView` takes several tables.
    predictions : sequence of float, optional
        One a sequence, shown beside its name.
    target : str
        What is predicted.
    example : int
        The sequence shown first.
    view : (start, end), optional
        Positions shown first; all by default.
    height : int
        Of a row, in pixels.
    colors : {"classic", "safe", "grey"}
        Palette; "safe" is for red-green colour blindness.
    scale : {"row", "shared", "symmetric"}
        Whether rows have their own range, one together, or the same height up and down.
    hypothetical : bool
        Show all four bases of tracks that have them, not only the one that is there.
    model : torch.nn.Module, optional
        What answers edits, while the notebook's kernel runs.  Without `tracks` its scores are computed; without
        `predictions` its predictions are.
    targets : mapping from label to module, or module, optional
        What can be asked of it, each ``(N, 4, L)`` to ``(N, 1)``; by default each column of each output.
    method : str
        An attribution method by name, see `attribute`, for the live row.  Where `tracks` are given, the first of them is
        that row if it has the method's name; otherwise the live row comes on top of them, once the kernel answers.
    n_shuffles : int
        References of methods that have them.
    mutagenesis : array (N, 4, L), optional
        Changes in prediction of every single substitution (``saturation_mutagenesis(..., raw_outputs=True)`` or your own),
        stored so that single edits are answered with no kernel.
    device : str, optional
        Of the model while it answers.
    link : str
        Views with the same link look at the same place; see `link`.

    Attributes
    ----------
    example : int
    view : [start, end]
    selection : [start, end] or []
        Set by the reader; 0-based, half-open, within the sequence.
    motif : str
        The name whose spans stand out, here and in linked views; "" for none.
    chosen : DataFrame
        The annotations clicked on or brushed.
    edits : dict
        Changes done and undone, of each example that has some; see `changes`, `edit`, `undo`, `redo`, `reset`.
    target, method : str
        What is asked of the model now.
    rows : dict
        How rows are arranged, by label: order, hidden, over (one over another), minus (one less another).

    Raises
    ------
    NbinterpError
        When shapes, names or tables do not fit each other.

    Examples
    --------
    >>> X = np.eye(4)[:, [0, 1, 2, 3, 0]]
    >>> logo = LogoView(X, {"score": np.arange(5.0)})
    >>> logo.view, logo.selection
    ([0.0, 5.0], [])
    """

    _esm = static("logo.js")
    _css = static("logo.css")

    hypothetical = traitlets.Bool(False).tag(sync=True, echo_update=False)
    edits = traitlets.Dict().tag(sync=True, echo_update=False)
    target = traitlets.Unicode().tag(sync=True, echo_update=False)
    method = traitlets.Unicode().tag(sync=True, echo_update=False)
    rows = traitlets.Dict().tag(sync=True, echo_update=False)

    def __init__(
        self,
        X: Any,
        tracks: Any = None,
        *,
        names: Sequence[str] | None = None,
        loci: pd.DataFrame | None = None,
        annotations: pd.DataFrame | None = None,
        predictions: Any = None,
        target: str = "",
        example: int = 0,
        view: Sequence[float] | None = None,
        height: int = 64,
        colors: str = "classic",
        scale: str = "row",
        hypothetical: bool = False,
        model: Any = None,
        targets: Any = None,
        method: str = "deep_lift_shap",
        n_shuffles: int = 20,
        mutagenesis: Any = None,
        device: str | None = None,
        link: str = "",
    ) -> None:
        check_choice("LogoView", "colors", colors, ("classic", "safe", "grey"))
        check_choice("LogoView", "scale", scale, ("row", "shared", "symmetric"))
        if not 24 <= height <= 600:
            raise problem("LogoView", "height", got=height, need="24 to 600 pixels a row", do="64 is the default")
        self._codes = codes_of("LogoView", X)
        self._still: tuple[Any, bytes] | None = None
        n, length = self._size = self._codes.shape
        self._engine: Any = None
        if model is not None or targets is not None:
            from ..live.first import first_answers

            self._engine, found = first_answers(
                self._codes, model, targets, target, method, n_shuffles, device,
                scores=tracks is None, predictions=predictions is None,
            )  # fmt: skip
            target = found.target
            tracks = {method: found.scores} if tracks is None else tracks
            predictions = found.predictions if predictions is None else predictions
        self._tracks = _tracks(tracks, n, length)
        # the live row takes the place of the first track, where that holds the scores of the method
        own = self._engine is None or next(iter(self._tracks), None) == method
        packed, runs = pack_sequence(self._codes)
        arrays: dict[str, np.ndarray] = {"sequence": packed, "unknown": runs}
        for i, scores in enumerate(self._tracks.values()):
            arrays[f"track{i}"], arrays[f"scale{i}"] = quantize(scores)
        if mutagenesis is not None:
            arrays["table"], arrays["table_scale"] = quantize(
                _tracks({"mutagenesis": mutagenesis}, n, length)["mutagenesis"]
            )
        self._spans = read_spans("LogoView", annotations, n, length, several=False)
        columns, told = pack_spans(self._spans, 1)
        blocks = pack_blocks(arrays | columns)
        if loci is not None:
            check_loci("LogoView", loci, n, length)
        places = [None] * n if loci is None else list(zip(loci["chrom"], map(int, loci["start"]), strict=True))
        given = list(names) if names is not None else [f"sequence {i}" for i in range(n)]
        same_rows("LogoView", "names", len(given), n)
        numbers = None if predictions is None else [finite(v) for v in numpy_of(predictions).reshape(-1)]
        if numbers is not None:
            same_rows("LogoView", "predictions", len(numbers), n)
        self._names, self._colors = given, colors
        self._offsets = [0 if place is None else place[1] for place in places]
        meta = {
            "n": n,
            "length": length,
            "blocks": blocks.blocks,
            "tracks": [{"label": k, "channels": 4 if v.ndim == 3 else 1} for k, v in self._tracks.items()],
            "names": given,
            "loci": places,
            "predictions": numbers,
            "target": target,
            "first": {"target": target, "method": method if self._engine is not None else "", "scores": own},
            "live": None
            if self._engine is None
            else {
                "targets": list(self._engine.targets),
                "methods": list(self._engine.methods),
            },
            "table": mutagenesis is not None,
            "annotations": told,
            "height": height,
            "colors": colors,
            "scale": scale,
        }
        super().__init__(
            data=blocks.data,
            meta=json.dumps(meta, separators=(",", ":"), allow_nan=False),
            example=example,
            view=[0.0, float(length)] if view is None else [float(v) for v in view],
            hypothetical=hypothetical,
            target=target,
            method=method if self._engine is not None else "",
            link=link,
        )
        self._answers: Newest[tuple[Ask, Any], Answer] | None = None
        if self._engine is not None:
            self._answers = Newest(self._answer_request, self._hand_on)

    # --- edits --------------------------------------------------------------------------------------------------------

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes of the example that is shown, in order: (start, end, bases)."""
        return self._history.done

    @property
    def edited(self) -> str:
        """The example that is shown, as it is now, in letters."""
        return "".join("ACGTN"[code] for code in self._edited().codes)

    def edit(self, start: int, bases: str, end: int | None = None) -> None:
        """Put `bases` in the place of ``[start, end)``; as many as there are bases, when no end is given.

        Examples
        --------
        >>> logo = LogoView(np.eye(4)[:, [0, 1, 2, 3, 0]])
        >>> logo.edit(1, "T")
        >>> logo.edited
        'ATGTA'
        >>> logo.undo()
        >>> logo.changes
        ()
        """
        change = Change(start, start + len(bases) if end is None else end, bases)
        apply_changes(self._codes[self.example], (*self.changes, change))  # says what is wrong, before anything is kept
        self._history = self._history.do(change)

    def undo(self) -> None:
        """Take back the last change of the example that is shown."""
        self._history = self._history.undo()

    def redo(self) -> None:
        """Do again what was undone last."""
        self._history = self._history.redo()

    def reset(self) -> None:
        """Go back to the sequence as it was given."""
        while self._history.done:
            self.undo()

    @property
    def _history(self) -> History:
        return History.from_json(self.edits.get(str(self.example), {}))

    @_history.setter
    def _history(self, history: History) -> None:
        self.edits = {**self.edits, str(self.example): history.to_json()}

    def _edited(self) -> Edited:
        return apply_changes(self._codes[self.example], self.changes)

    # --- answers ------------------------------------------------------------------------------------------------------

    def _receive(self, message: dict[str, Any]) -> None:
        if self._answers is None or message.get("kind") not in ("ask", "prune"):
            return
        span = (int(message["start"]), int(message["end"])) if message["kind"] == "prune" else None
        self._answers.submit((decode_ask(message), span))

    def _answer_request(self, request: tuple[Ask, Any], stale: Callable[[], bool]) -> Iterator[Answer]:
        """Answers of a question; of a span to be pruned, an edit, which the browser then asks about."""
        ask, span = request
        if span is None:
            yield from self._engine.answer(ask, stale)
            return
        try:
            change = self._engine.prune(ask, *span)
        except Exception as error:  # noqa: BLE001 - the view shows it in its own words
            yield Answer(ask.number, ask.example, "error", True, words=str(error).partition("\n")[0])
            return
        if not stale():
            self._history = self._history.do(change)

    def to_png(self) -> bytes:
        """Draw the example and view as they are now; the picture is kept until they change."""
        key = (self.example, self.hypothetical, *self.view, *self.changes)
        if self._still is None or self._still[0] != key:
            self._still = (key, self._draw())
        return self._still[1]

    def _draw(self) -> bytes:
        start, end = max(0, math.floor(self.view[0])), min(self._codes.shape[1], math.ceil(self.view[1]))
        codes = self._edited().codes
        rows: list[tuple[str, np.ndarray | None]] = []
        for label, scores in self._tracks.items():
            one = scores[self.example]
            if one.ndim == 2 and not self.hypothetical:
                one = np.where(codes < 4, np.take_along_axis(one, np.minimum(codes, 3)[None].astype(int), 0)[0], 0)
            rows.append((label, one[..., start:end]))
        return logo_png(
            codes[start:end], rows or [("sequence", None)], self._names[self.example], self._colors,
            self._offsets[self.example] + start, self._in_view(start, end),
        )  # fmt: skip


def _tracks(tracks: Any, n: int, length: int) -> dict[str, np.ndarray]:
    """Label to (N, L) or (N, 4, L)."""
    if tracks is None:
        return {}
    given = tracks if isinstance(tracks, Mapping) else {"score": tracks}
    found = {}
    for label, values in given.items():
        try:
            scores = numpy_of(values).astype(np.float32)
        except (TypeError, ValueError) as error:
            raise problem(
                "LogoView", f"tracks[{label!r}]", got=f"values that are no numbers ({error})", need="scores",
                do="pass an array or tensor of numbers",
            ) from error  # fmt: skip
        if n == 1 and scores.shape in ((length,), (4, length)):
            scores = scores[None]
        if scores.shape not in ((n, length), (n, 4, length)):
            raise problem(
                "LogoView", f"tracks[{label!r}]", got=f"shape {scores.shape}", need=f"({n}, {length}) or ({n}, 4, {length})",
                do="give scores of the same sequences",
            )  # fmt: skip
        found[str(label)] = scores
    return found
