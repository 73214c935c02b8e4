"""What answers a view in which a motif is moved over backgrounds.

In: backgrounds, motifs in letters, a model.  Out: effects of a motif at a place, in each background, first of the place that
was asked for and then, coarse to fine, of all others.  Knows no browser and no Jupyter; `Newest` runs it beside the
notebook.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch

from ..core.batches import resolve_device
from ..core.check import check_choice
from ..errors import ModelError, problem
from ..model import predict
from ..model.incremental import ChangeRangePlan, Edit, change_range_plan
from .answering import words_of
from .placements import STRANDS, MarginalAnswer, MarginalAsk, Placements
from .profiles import ProfileReader, profile_of
from .repredict import one_hot_of
from .targets import targets_of

__all__ = ["MarginalEngine", "every_answer", "every_place", "make_engine"]

_LETTERS: Final = torch.eye(5, dtype=torch.int8)[:, :4]
_COMPLEMENT: Final = str.maketrans("ACGTN", "TGCAN")
_BATCH: Final = 128  # sequences of one forward pass
_PLACES: Final = 32  # of one round
_PLANS: Final = 64  # backgrounds up to which activations are kept
_SLICE: Final = 0.025  # seconds of work between two looks at what was asked meanwhile
_POINTS: Final = 160  # places of a curve, where nothing else is asked for
_KEPT: Final = 64  # places whose profiles are kept


class MarginalEngine:
    """Effects of motifs put into backgrounds.

    Parameters
    ----------
    model : callable
        ``(N, 4, L)`` to ``(N, 1)``: the number that is shown.
    codes : uint8 array (N, L)
        The backgrounds; 4 for unknown.
    motifs : mapping from name to str
        Letters that are put in, A, C, G, T or N; ``-`` puts in their reverse complement.
    step : int, optional
        Places of the curve are this far apart; about 160 a strand by default.
    profile : callable, optional
        ``(N, 4, L)`` to ``(N, P)`` or ``(N, S, P)``: a profile to go with it.
    device : optional
        As in `predict`.

    Attributes
    ----------
    before : float32 array (N,)
        Predictions of the backgrounds.

    Raises
    ------
    NbinterpError
        When a motif is longer than the backgrounds.

    Examples
    --------
    >>> from nbinterp import demo
    >>> from nbinterp.live import targets_of
    >>> codes = np.random.RandomState(0).randint(0, 4, (8, 400)).astype(np.uint8)
    >>> model = targets_of(demo.load_model(), torch.zeros(1, 4, 400))["enhancer"]
    >>> engine = MarginalEngine(model, codes, {"AP1": "TGACTCA"}, step=100)
    >>> [(a.stage, a.last) for a in engine.answer(MarginalAsk(1, "AP1", 50, "-"))][:2]
    [('placed', False), ('curve', False)]
    """

    def __init__(
        self,
        model: Callable[..., Any],
        codes: np.ndarray,
        motifs: Mapping[str, str],
        *,
        step: int | None = None,
        profile: Any = None,
        device: Any = None,
    ) -> None:
        self._model, self._codes, self.motifs, self.length = model, codes, dict(motifs), codes.shape[1]
        self.step = step or max(1, -(-codes.shape[1] // _POINTS))
        for name, letters in motifs.items():
            _check_width(name, letters, codes.shape[1])
        self._device = resolve_device(device, model)
        self._lock = threading.RLock()  # a model answers one at a time, from whatever thread it is asked
        self._plans: list[ChangeRangePlan] | None = None
        self._seconds: dict[tuple[bool, bool], list[float]] = {}
        self._known: dict[str, dict[tuple[int, int], np.ndarray]] = {name: {} for name in motifs}
        self._profiles: dict[tuple[str, int, int], np.ndarray] = {}
        self.before = self._whole("", [0])[0]
        self.reader = None if profile is None else ProfileReader(profile, codes, self._device)

    # --- numbers ------------------------------------------------------------------------------------------------------

    def place(self, motif: str, starts: Sequence[int], strand: str = "+") -> np.ndarray:
        """Effects (M, N) of a motif at M places, in every background.

        Raises
        ------
        NbinterpError
            For a motif that is not known, or a place where it does not fit.
        """
        letters = self._letters(motif, starts, strand)
        with self._lock:
            known, k = self._known[motif], STRANDS.index(strand)
            new = [start for start in dict.fromkeys(map(int, starts)) if (start, k) not in known]
            for i in range(0, len(new), _PLACES):
                for start, y in zip(new[i:], self._quickest(letters, new[i : i + _PLACES]), strict=False):
                    known[start, k] = y - self.before
            return np.stack([known[int(start), k] for start in starts])

    def known(self, motif: str) -> Placements:
        """Every place of a motif that was computed."""
        with self._lock:
            return self._placements(motif, sorted(self._known[motif]))

    def learn(self, placements: Mapping[str, Placements]) -> None:
        """Take over what is known already."""
        for name, one in placements.items():
            places = zip(one.starts.tolist(), one.strands.tolist(), strict=True)
            self._known[name].update(zip(places, one.effects, strict=True))

    def _letters(self, motif: str, starts: Sequence[int], strand: str) -> str:
        check_choice("MarginalEngine", "motif", motif, self.motifs)
        check_choice("MarginalEngine", "strand", strand, STRANDS)
        letters = self.motifs[motif]
        last = self.length - len(letters)
        for start in starts:
            if not 0 <= start <= last:
                need = f"0 to {last}, so that {motif} fits in"
                raise problem("MarginalEngine", "start", got=start, need=need, do="move it")
        return letters if strand == "+" else letters.translate(_COMPLEMENT)[::-1]

    def _placements(self, motif: str, places: Sequence[tuple[int, int]]) -> Placements:
        known, n = self._known[motif], len(self._codes)
        effects = np.stack([known[place] for place in places]) if places else np.zeros((0, n), np.float32)
        starts, strands = (np.array([place[i] for place in places]) for i in range(2))
        return Placements(starts.astype(np.int32), strands.astype(np.uint8), effects)

    def _quickest(self, letters: str, starts: Sequence[int]) -> np.ndarray:
        """Predictions (M, N), in the way that proved the faster: each is tried twice, for one place and for several."""
        several = len(starts) > 1
        ways = [False, True] if self._can_edit() else [False]
        seconds = [self._seconds.setdefault((way, several), []) for way in ways]
        untried = next((way for way, took in zip(ways, seconds, strict=True) if len(took) < 2), None)
        way = min(ways, key=lambda w: min(self._seconds[w, several])) if untried is None else untried
        began = time.perf_counter()
        y = (self._edited if way else self._whole)(letters, starts)
        if untried is not None:
            self._seconds[way, several].append((time.perf_counter() - began) / len(starts))
        return y

    def _whole(self, letters: str, starts: Sequence[int]) -> np.ndarray:
        """The whole of every sequence through the model."""
        rows = self._with(letters, starts)
        y = predict(self._model, rows, batch_size=_BATCH, device=self._device)
        return self._finite(y.reshape(len(starts), -1).float().numpy())

    def _with(self, letters: str, starts: Sequence[int]) -> torch.Tensor:
        """One-hot (M * N, 4, L) of the backgrounds with letters put in, place by place."""
        codes = np.repeat(self._codes[None], len(starts), axis=0)
        put = np.array(["ACGTN".index(letter) for letter in letters], np.uint8)
        for i, start in enumerate(starts):
            codes[i, :, start : start + len(put)] = put
        return _LETTERS[torch.from_numpy(codes.reshape(-1, codes.shape[-1]).astype(np.int64))].transpose(1, 2)

    def _can_edit(self) -> bool:
        """Whether what an edit reaches can be recomputed alone; prepares it the first time."""
        if self._plans is None:
            self._plans = []
            if len(self._codes) <= _PLANS:
                try:
                    # all or none: they share one model and one shape
                    self._plans = [
                        change_range_plan(self._model, row[None], device=self._device) for row in self._with("", [0])
                    ]
                except ModelError:
                    self._plans = []
        return bool(self._plans)

    def _edited(self, letters: str, starts: Sequence[int]) -> np.ndarray:
        """What the letters reach in each background."""
        edits = [Edit(start, letters) for start in starts]
        columns = [plan.edit(edits).reshape(-1).float().cpu() for plan in self._plans or ()]
        return self._finite(torch.stack(columns, dim=1).numpy())

    def _finite(self, y: np.ndarray) -> np.ndarray:
        if not np.isfinite(y).all():
            place, row = np.argwhere(~np.isfinite(y))[0]
            raise problem(
                "MarginalEngine", "model", got=f"a prediction of {y[place, row]} for background {row}", need="a number",
                do="check the model", kind=ModelError,
            )  # fmt: skip
        return y

    def profile(self, motif: str, start: int, strand: str) -> np.ndarray | None:
        """The profile (3 S + 3, P) with a motif at a place, see `Placements`; None where there is none."""
        if self.reader is None:
            return None
        key = motif, start, STRANDS.index(strand)
        with self._lock:
            if key not in self._profiles:
                self._profiles[key] = self.reader.after(self._with(self._letters(motif, [start], strand), [start]))
                for old in list(self._profiles)[:-_KEPT]:
                    del self._profiles[old]
            return self._profiles[key]

    # --- answers ------------------------------------------------------------------------------------------------------

    def answer(self, ask: MarginalAsk, stale: Callable[[], bool] = lambda: False) -> Iterator[MarginalAnswer]:
        """Answer in parts; an error is an answer too.  What becomes `stale` is not carried on, and not lost either."""
        began = time.perf_counter()

        def made(stage: str, last: bool, placements: Placements | None = None, words: str = "") -> MarginalAnswer:
            return MarginalAnswer(ask.number, ask.motif, stage, last, placements, time.perf_counter() - began, words)

        try:
            before = len(self._known.get(ask.motif, ()))
            self.place(ask.motif, [ask.start], ask.strand)
            one = self._placements(ask.motif, [(ask.start, STRANDS.index(ask.strand))])
            yield made("placed", False, one)
            profile = None if stale() else self.profile(ask.motif, ask.start, ask.strand)
            if profile is not None:
                yield made("profile", False, one._replace(profiles=profile[None]))
            if before != ask.have:
                yield made("curve", False, self.known(ask.motif))
            for part in self._sweep(ask.motif, ask.strand, stale):
                yield made("curve", False, part)
            if not stale():
                yield made("curve", True)
        except Exception as error:  # noqa: BLE001 - the view shows it in its own words, and goes on
            yield made("error", True, words=words_of(error))

    def fill(self, motif: str, start: int, strand: str, seconds: float) -> None:
        """Compute a place, and as much of the curve as can be had in a time."""
        self.place(motif, [start], strand)
        until = time.perf_counter() + seconds
        for _ in self._sweep(motif, strand, lambda: time.perf_counter() > until):
            pass

    def _sweep(self, motif: str, strand: str, stale: Callable[[], bool]) -> Iterator[Placements]:
        """The places of the curve that are not known, in small slices, the coarsest first."""
        places = every_place(self.length, len(self.motifs[motif]), self.step)
        other = STRANDS.replace(strand, "")
        size = 1
        for level in _coarse_to_fine(places):
            for s in (strand, other):
                left = [p for p in level if (p, STRANDS.index(s)) not in self._known[motif]]
                while left and not stale():
                    now, left = left[:size], left[size:]
                    began = time.perf_counter()
                    self.place(motif, now, s)
                    each = (time.perf_counter() - began) / len(now)
                    size = max(1, min(int(_SLICE / each), 2 * size))
                    yield self._placements(motif, [(p, STRANDS.index(s)) for p in now])


def every_place(length: int, width: int, step: int) -> list[int]:
    """Every `step`-th start at which a motif fits, and the last.

    Examples
    --------
    >>> every_place(20, 6, 5)
    [0, 5, 10, 14]
    """
    last = length - width
    places = list(range(0, last + 1, step))
    return places if places[-1] == last else [*places, last]


def _coarse_to_fine(places: Sequence[int]) -> Iterator[list[int]]:
    """All of them, in groups that each halve the gaps that the groups before left."""
    stride = 1
    while stride * 16 < len(places):
        stride *= 2
    yield list(places[::stride])
    while stride > 1:
        yield list(places[stride // 2 :: stride])
        stride //= 2


def _check_width(name: str, letters: str, length: int) -> None:
    if len(letters) > length:
        raise problem(
            "MarginalView", "motifs", got=f"{name}, {len(letters)} bp", need=f"at most {length} bp, the backgrounds' length",
            do="leave it out, or pass longer backgrounds",
        )  # fmt: skip
    if not letters or set(letters) - set("ACGTN"):
        raise problem(
            "MarginalView", "motifs", got=f"{name}: {letters!r}", need="letters A, C, G, T, N", do="correct it"
        )


def make_engine(
    model: Any,
    codes: np.ndarray,
    motifs: Mapping[str, str],
    *,
    target: str = "",
    targets: Any = None,
    profile: Any = None,
    step: int | None = None,
    device: str | None = None,
) -> tuple[MarginalEngine, str]:
    """Make the engine of one number of a model, and its label."""
    X = one_hot_of(codes[0], "cpu", torch.int8)
    offered = targets_of(model, X, targets, device, where="MarginalView")
    label = target or next(iter(offered))
    check_choice("MarginalView", "target", label, offered)
    drawn = profile_of(model, X, device) if profile is None else profile or None
    return MarginalEngine(offered[label], codes, motifs, step=step, profile=drawn, device=device), label


def every_answer(engine: MarginalEngine) -> dict[str, Placements]:
    """Every motif at every place of its curve, on both strands, with profiles where there are some."""
    found = {}
    for name, letters in engine.motifs.items():
        for strand in STRANDS:
            engine.place(name, every_place(engine.length, len(letters), engine.step), strand)
        known = engine.known(name)
        if engine.reader is not None:
            places = zip(known.starts.tolist(), known.strands.tolist(), strict=True)
            profiles = [engine.profile(name, start, STRANDS[k]) for start, k in places]
            known = known._replace(profiles=np.stack([one for one in profiles if one is not None]))
        found[name] = known
    return found
