"""MarginalView: a motif that is moved over backgrounds, and what the model says of it.

In: backgrounds, motifs, a model or stored answers.  Out: a widget; ``motif``, ``start`` and ``strand`` come back as traits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import traitlets

from ..chart.marginal import Curve, marginal_png
from ..core.check import check_choice
from ..errors import problem
from ..live import Newest, pack_blocks
from ..live.motifs import letters_of, motif_matrices
from ..live.placements import (
    STRANDS,
    Interval,
    MarginalAnswer,
    MarginalAsk,
    MarginalGrid,
    Placements,
    decode_marginal,
    encode_grid,
    encode_marginal,
    interval,
    interval_factor,
)
from .axis import AxisView, codes_of, same_rows
from .base import static

__all__ = ["MarginalView", "marginal_grid"]

_PICTURE = 0.5  # seconds that a still picture may cost, if they are needed


class MarginalView(AxisView):
    """A motif to drag, flip and place over backgrounds, and what a model says of it.

    The effect is the prediction with the motif put in less that of the background as it is, in each background.  Its
    mean is shown with a 95 % confidence interval (Student's t over backgrounds), its spread as a band from 5 to 95 %.

    Parameters
    ----------
    X : one-hot (N, 4, L) or compact container
        The backgrounds, such as shuffled or random sequences.
    motifs : MotifSet, or mapping from name to letters or matrix (4, w)
        What can be put in.  Of a matrix it is the most probable letter of each position; N clears a position.
    model : torch.nn.Module, optional
        What answers while the notebook's kernel runs.  Then the curve of the motif is filled while nothing else is
        asked for, and kept in the notebook when it is complete.
    target : str
        Which number of it: by default the first of its outputs; see `LogoView`.
    targets : mapping from label to module, or module, optional
        Numbers to choose from, each ``(N, 4, L)`` to ``(N, 1)``; by default each column of each output.
    profile : callable or False, optional
        ``(N, 4, L)`` to ``(N, P)`` or ``(N, S, P)``, drawn before and after; by default that of a model with a profile
        output (softmax over positions and strands, times the counts where it predicts them), False for none.
    effects : MarginalGrid, optional
        Stored answers, from `marginal_grid`: what is shown with no kernel.
    step : int, optional
        Places of the curve are this far apart; about 160 a strand by default.
    motif : str, optional
        The one shown first; the first one by default.
    start : int, optional
        Its first position; the middle by default.
    strand : {"+", "-"}
        ``-`` puts in its reverse complement.
    names : sequence of str, optional
        One a background.
    view : (start, end), optional
        Positions shown first; all by default.
    colors : {"classic", "safe", "grey"}
        Palette of the letters.
    device : str, optional
        Of the model while it answers.
    link : str
        Views of one page with the same link look at the same place; see `link`.

    Attributes
    ----------
    motif : str
    start : int
    strand : {"+", "-"}
        Set by the reader, or by you.
    effects : array (N,)
        In each background, at the place that is shown.
    effect : Interval
        Its mean, and the 95 % interval: mean, low, high, n.
    selection : [start, end]
        What the motif covers; linked views show it.

    Raises
    ------
    NbinterpError
        When a motif is longer than the backgrounds, does not fit at `start`, or neither `model` nor `effects` is given.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = np.eye(4)[np.random.RandomState(0).randint(0, 4, (8, 20))].transpose(0, 2, 1)
    >>> view = MarginalView(X, {"AP1": "TGACTCA"}, model=model, device="cpu")
    >>> view.motif, view.start, view.strand, view.effects.shape
    ('AP1', 6, '+', (8,))
    """

    _esm = static("marginal.js")
    _css = static("logo.css") + static("marginal.css")

    motif = traitlets.Unicode().tag(sync=True, echo_update=False)
    start = traitlets.Int(0).tag(sync=True, echo_update=False)
    strand = traitlets.Enum(list(STRANDS), "+").tag(sync=True, echo_update=False)
    answer = traitlets.Unicode("{}").tag(sync=True)
    answer_data = traitlets.Bytes().tag(sync=True)
    grid = traitlets.Unicode("{}").tag(sync=True)
    grid_data = traitlets.Bytes().tag(sync=True)

    def __init__(
        self,
        X: Any,
        motifs: Any,
        *,
        model: Any = None,
        target: str = "",
        targets: Any = None,
        profile: Any = None,
        effects: MarginalGrid | None = None,
        step: int | None = None,
        motif: str | None = None,
        start: int | None = None,
        strand: str = "+",
        names: Sequence[str] | None = None,
        view: Sequence[float] | None = None,
        colors: str = "classic",
        device: str | None = None,
        link: str = "",
    ) -> None:
        check_choice("MarginalView", "colors", colors, ("classic", "safe", "grey"))
        check_choice("MarginalView", "strand", strand, STRANDS)
        codes = codes_of("MarginalView", X)
        n, length = self._size = codes.shape
        self._matrices = motif_matrices("MarginalView", motifs)
        self._letters = {name: letters_of(matrix) for name, matrix in self._matrices.items()}
        chosen = next(iter(self._letters)) if motif is None else motif
        check_choice("MarginalView", "motif", chosen, self._letters)
        for name in self._letters:
            self._last(name)
        self._known = self._answers_of(codes, model, targets, target, profile, effects, step, device)
        self._stored = dict(self._known.placements)
        self._names = list(names) if names is not None else [f"background {i}" for i in range(n)]
        same_rows("MarginalView", "names", len(self._names), n)
        self._still: tuple[Any, bytes] | None = None
        blocks = pack_blocks(self._arrays())
        meta = {
            "n": n,
            "length": length,
            "blocks": blocks.blocks,
            "motifs": [{"name": name, "letters": letters} for name, letters in self._letters.items()],
            "names": self._names,
            "loci": [None] * n,
            "predictions": None,
            "annotations": [],
            "height": 0,
            "target": self._known.target,
            "factor": interval_factor(n),
            "live": self._engine is not None,
            "profile": None if self._known.span is None else self._known.span._asdict(),
            "colors": colors,
        }
        place = self._last(chosen) // 2 if start is None else start
        stored, stored_data = encode_grid(self._stored)
        super().__init__(
            data=blocks.data,
            meta=json.dumps(meta, separators=(",", ":"), allow_nan=False),
            motif=chosen,
            start=place,
            strand=strand,
            view=[0.0, float(length)] if view is None else [float(v) for v in view],
            grid=json.dumps(stored),
            grid_data=stored_data,
            link=link,
        )
        self._answers: Newest[MarginalAsk, MarginalAnswer] | None = None
        if self._engine is not None:
            self._answers = Newest(self._engine.answer, self._tell)

    def _answers_of(
        self,
        codes: np.ndarray,
        model: Any,
        targets: Any,
        target: str,
        profile: Any,
        effects: Any,
        step: Any,
        device: Any,
    ) -> MarginalGrid:
        """The engine, where there is a model; and what is known before anything is asked."""
        self._engine: Any = None
        if effects is not None:
            _check_grid(effects, self._letters, len(codes))
        if model is None and targets is None:
            if effects is None:
                need, do = "a model, or stored answers", "pass model=, or effects=marginal_grid(model, X, motifs)"
                raise problem("MarginalView", "model", got="none, and no effects", need=need, do=do)
            return effects  # type: ignore[no-any-return]
        from ..live.marginal import make_engine

        self._engine, label = make_engine(
            model, codes, self._letters, target=target, targets=targets, profile=profile, step=step, device=device
        )
        if effects is not None:
            self._engine.learn(effects.placements)
        reader, stored = self._engine.reader, {} if effects is None else effects.placements
        before, span = (None, None) if reader is None else (reader.before, reader.span)
        return MarginalGrid(self._engine.before, stored, label, before, span)

    def _arrays(self) -> dict[str, np.ndarray]:
        arrays = {"before": self._known.before.astype(np.float32)}
        arrays.update((f"motif{i}", one) for i, one in enumerate(self._matrices.values()))
        if self._known.profile is not None:
            arrays["profile"] = self._known.profile.astype(np.float32)
        return arrays

    # --- places -------------------------------------------------------------------------------------------------------

    def _last(self, motif: str) -> int:
        """The last start at which a motif fits."""
        width, length = len(self._letters[motif]), self._size[1]
        if width > length:
            raise problem(
                "MarginalView", "motifs", got=f"{motif}, {width} bp", need=f"at most {length} bp, the backgrounds' length",
                do="leave it out, or pass longer backgrounds",
            )  # fmt: skip
        return length - width

    @traitlets.validate("motif")
    def _check_motif(self, proposal: Any) -> str:
        check_choice("MarginalView", "motif", proposal["value"], self._letters)
        return str(proposal["value"])

    @traitlets.validate("start")
    def _check_start(self, proposal: Any) -> int:
        last = self._last(self.motif or next(iter(self._letters)))
        if not 0 <= proposal["value"] <= last:
            need = f"0 to {last}, so that {self.motif} fits in"
            raise problem("MarginalView", "start", got=proposal["value"], need=need, do="move it")
        return int(proposal["value"])

    @traitlets.observe("motif", "start")
    def _keep_inside(self, _change: Any) -> None:
        self.start = min(self.start, self._last(self.motif))
        self.selection = [self.start, self.start + len(self._letters[self.motif])]

    @property
    def effects(self) -> np.ndarray:
        """Effects (N,) at the place that is shown."""
        if self._engine is not None:
            found: np.ndarray = self._engine.place(self.motif, [self.start], self.strand)[0]
            return found
        known = self._stored.get(self.motif)
        row = -1 if known is None else known.find(self.start, self.strand)
        if known is None or row < 0:
            got = f"{self.motif} at {self.start} ({self.strand})"
            raise problem("MarginalView", "effects", got=got, need="a place that is stored", do="pass model=")
        return np.asarray(known.effects[row])

    @property
    def effect(self) -> Interval:
        """Their mean over backgrounds, with its 95 % interval."""
        return interval(self.effects)

    # --- answers ------------------------------------------------------------------------------------------------------

    def _receive(self, message: dict[str, Any]) -> None:
        if self._answers is not None and message.get("kind") == "marginal":
            self._answers.submit(decode_marginal(message))

    def _tell(self, answer: MarginalAnswer) -> None:
        """Hand an answer to the browser; a curve that is complete is kept for when there is no kernel."""
        words, data = encode_marginal(answer)
        with self.hold_sync():
            self.answer_data = data
            self.answer = json.dumps(words, allow_nan=False)
        if answer.last and answer.stage == "curve":
            self._store(answer.motif)

    def _store(self, motif: str) -> None:
        known, stored = self._engine.known(motif), self._stored.get(motif)
        if stored is not None and (stored.profiles is not None or len(stored.starts) >= len(known.starts)):
            return
        self._stored[motif] = known
        words, data = encode_grid(self._stored)
        with self.hold_sync():
            self.grid_data = data
            self.grid = json.dumps(words)

    # --- still picture ------------------------------------------------------------------------------------------------

    def to_png(self) -> bytes:
        """Draw what is known of the motif now, after half a second's work on its curve; kept until that changes."""
        if self._still is None or self._still[0] != self._pictured():
            if self._engine is not None:
                self._engine.fill(self.motif, self.start, self.strand, _PICTURE)
            self._still = self._pictured(), self._draw(self._placements())
        return self._still[1]

    def _placements(self) -> Placements | None:
        return self._stored.get(self.motif) if self._engine is None else self._engine.known(self.motif)

    def _pictured(self) -> tuple[Any, ...]:
        """What a picture depends on."""
        known = self._placements()
        return self.motif, self.start, self.strand, 0 if known is None else len(known.starts)

    def _draw(self, known: Placements | None) -> bytes:
        width, matrix = len(self._letters[self.motif]), self._matrices[self.motif]
        row = -1 if known is None else known.find(self.start, self.strand)
        effects = known.effects[row] if known is not None and row >= 0 else None
        return marginal_png(
            matrix if self.strand == "+" else matrix[::-1, ::-1],
            (self.start, self.start + width),
            self._size[1],
            self._known.before,
            effects,
            [] if known is None else list(_curves(known, width, self.strand)),
            title=f"{self.motif} at {self.start}\u2013{self.start + width} ({self.strand})",
            words="" if effects is None else _words(interval(effects)),
            target=self._known.target,
            profile=self._profile(known, row),
        )

    def _profile(self, known: Placements | None, row: int) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        span, before = self._known.span, self._known.profile
        if span is None or before is None:
            return None
        if self._engine is not None:
            after = self._engine.profile(self.motif, self.start, self.strand)
        elif known is not None and known.profiles is not None and row >= 0:
            after = known.profiles[row]
        else:
            return None
        return span.offset + span.step * np.arange(span.columns + 1), before, after


def _curves(known: Placements, width: int, strand: str) -> Iterator[Curve]:
    """Both strands, that of the motif first."""
    for s in (strand, STRANDS.replace(strand, "")):
        rows = np.flatnonzero(known.strands == STRANDS.index(s))
        rows = rows[np.argsort(known.starts[rows])]
        yield Curve(s, known.starts[rows] + width / 2, known.effects[rows])


def _words(found: Interval) -> str:
    """As the view says it."""
    many = f"{found.n} background{'s' if found.n > 1 else ''}"
    spread = f"95 % interval {found.low:.3g} to {found.high:.3g}, {many}" if found.n > 1 else f"{many}: no interval"
    return f"effect {found.mean:+.3g} ({spread})"


def _check_grid(effects: Any, letters: Mapping[str, str], n: int) -> None:
    if not isinstance(effects, MarginalGrid):
        got, do = f"a {type(effects).__name__}", "pass marginal_grid(model, X, motifs)"
        raise problem("MarginalView", "effects", got=got, need="a MarginalGrid", do=do)
    if len(effects.before) != n:
        got, need = f"{len(effects.before)} backgrounds", f"{n}, as X has"
        raise problem("MarginalView", "effects", got=got, need=need, do="compute it for the same X")
    for name in effects.placements:
        check_choice("MarginalView", "effects", name, letters)


def marginal_grid(
    model: Any,
    X: Any,
    motifs: Any,
    *,
    target: str = "",
    targets: Any = None,
    profile: Any = None,
    step: int | None = None,
    device: str | None = None,
) -> MarginalGrid:
    """Compute what a `MarginalView` shows with no kernel: every motif at every `step`-th place, on both strands.

    Parameters are those of `MarginalView`.

    Returns
    -------
    MarginalGrid
        To be passed as ``effects=``.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = np.eye(4)[np.random.RandomState(0).randint(0, 4, (8, 20))].transpose(0, 2, 1)
    >>> stored = marginal_grid(model, X, {"AP1": "TGACTCA"}, step=5, device="cpu")
    >>> stored.placements["AP1"].starts.tolist()
    [0, 0, 5, 5, 10, 10, 13, 13]
    >>> MarginalView(X, {"AP1": "TGACTCA"}, effects=stored, start=5).effects.shape
    (8,)
    """
    from ..live.marginal import every_answer, make_engine

    letters = {name: letters_of(matrix) for name, matrix in motif_matrices("marginal_grid", motifs).items()}
    engine, label = make_engine(
        model, codes_of("marginal_grid", X), letters,
        target=target, targets=targets, profile=profile, step=step, device=device,
    )  # fmt: skip
    reader = engine.reader
    before, span = (None, None) if reader is None else (reader.before, reader.span)
    return MarginalGrid(engine.before, every_answer(engine), label, before, span)
