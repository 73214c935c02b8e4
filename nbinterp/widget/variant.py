"""VariantView: variants in order of their effect, and what a model sees in both alleles of one.

In: effects of variants and their windows; stored attributions and profiles, or a model.  Out: a widget; the variant chosen, the
score and the threshold come back as traits, and the variants beyond it as a table.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import traitlets

from ..chart.variant import variant_png
from ..core.check import check_choice
from ..errors import problem
from ..live import Answer, Ask, Newest, decode_ask, pack_blocks, pack_sequence
from ..live.variant_alleles import align, alleles_of
from .axis import AxisView, codes_of, same_rows
from .base import static
from .variant_data import Stored, names_of, scores_of, table_of

__all__ = ["VariantView"]

_LATEST: Final = 16  # variants whose answers are kept in the notebook
_AROUND: Final = 40  # bases to each side of a variant that are shown first


class VariantView(AxisView):
    """Variants to rank, filter and look into: both alleles, what differs between them, and how many are as strong.

    Parameters
    ----------
    effects : VariantEffects or DataFrame
        From `variant_effects`; or a row a variant with start (0-based), ref, alt, numbers to rank by, and where known chrom,
        id and window_start (by default a window lies around its variant as `read_variants` cuts it).
    X_ref, X_alt : one-hot (N, 4, L), or compact container, optional
        Windows of both alleles; those of `effects` by default.
    attributions : pair of arrays (N, L) or (N, 4, L), optional
        Of the reference and of the alternative, the base that is there or all four.  A row with NaN is not known.
    profiles : pair of arrays (N, P) or (N, S, P), optional
        Predicted for both, one value a base, in the middle of the window; S = 1 or 2 strands.
    score : str, optional
        Column to rank by; "difference" where it is there, or the first number that is a score.
    threshold : float
        Variants whose score is at least this large, up or down, are listed; all by default.
    selected : int, optional
        Row of the table shown first; the strongest one by default.
    names : sequence of str, optional
        One a variant; its id, or its place and alleles, by default.
    view : (start, end), optional
        Positions of the window shown first; 40 to each side of the variant by default.
    height : int
        Of a row of letters, in pixels.
    colors : {"classic", "safe", "grey"}
        Palette of the letters.
    model : torch.nn.Module, optional
        What answers for a variant whose attributions are not stored, while the notebook's kernel runs.
    targets, target, method, n_shuffles
        What is asked of the model, and how, as in `LogoView`.
    profile : callable or False, optional
        Its profile, as in `MarginalView`; by default that of a model that has one, False for none.
    store : int
        Attributions (and profiles) of this many variants, the strongest first, are computed beforehand and stored, so that
        they are there with no kernel.
    device : str, optional
        Of the model.
    link : str
        Views of one page with the same link show the same variant and place; see `link`.

    Attributes
    ----------
    selected : int
    score : str
    threshold : float
    view : [start, end]
        Set by the reader, or by you.
    chosen : DataFrame
        The variants beyond the threshold, the strongest first.

    Raises
    ------
    NbinterpError
        When tables, windows and arrays do not fit each other, or there is nothing to rank by.

    Notes
    -----
    The two alleles are aligned: where one has no base there is a gap, the difference is drawn where both have one, and
    positions are the reference's.  What lies at the right end of the window in one of them alone is left out.

    Examples
    --------
    >>> X = np.eye(4)[[np.arange(20) % 4] * 2].transpose(0, 2, 1)
    >>> Y = X.copy()
    >>> Y[:, :, 10] = np.eye(4)[0]
    >>> table = pd.DataFrame({"start": [110, 210], "ref": "G", "alt": "A", "difference": [0.1, -0.5]})
    >>> view = VariantView(table, X, Y, threshold=0.2)
    >>> view.selected, view.chosen["start"].tolist()
    (1, [210])
    """

    _esm = static("variant.js")
    _css = static("logo.css") + static("variant.css")

    selected = traitlets.Int(0)
    score = traitlets.Unicode().tag(sync=True, echo_update=False)
    threshold = traitlets.Float(0.0).tag(sync=True, echo_update=False)
    kept = traitlets.Unicode("[]").tag(sync=True)
    kept_data = traitlets.Bytes().tag(sync=True)

    def __init__(
        self,
        effects: Any,
        X_ref: Any = None,
        X_alt: Any = None,
        *,
        attributions: Any = None,
        profiles: Any = None,
        score: str | None = None,
        threshold: float = 0.0,
        selected: int | None = None,
        names: Sequence[str] | None = None,
        view: Sequence[float] | None = None,
        height: int = 64,
        colors: str = "classic",
        model: Any = None,
        targets: Any = None,
        target: str = "",
        method: str = "deep_lift_shap",
        n_shuffles: int = 20,
        profile: Any = None,
        store: int = 0,
        device: str | None = None,
        link: str = "",
    ) -> None:
        check_choice("VariantView", "colors", colors, ("classic", "safe", "grey"))
        if not 24 <= height <= 600:
            raise problem("VariantView", "height", got=height, need="24 to 600 pixels a row", do="64 is the default")
        self._alleles = alleles = alleles_of("VariantView", effects, X_ref, X_alt, codes_of)
        self._size = n, length = alleles.ref.shape
        self._scores = scores_of(alleles.table, score)
        self._colors = colors
        self._still: tuple[Any, bytes] | None = None
        self._latest: list[int] = []
        self._names = names_of(alleles) if names is None else [str(name) for name in names]
        same_rows("VariantView", "names", len(self._names), n)
        self._stored = Stored(alleles.ref, alleles.alt)
        self._stored.take("attributions", attributions)
        self._stored.take("profiles", profiles)
        chosen = score or next(iter(self._scores))
        best = int(self._order(chosen)[0]) if selected is None else selected
        self._engine: Any = None
        if model is not None or targets is not None:
            from ..live.variant import variant_engine

            options = {"targets": targets, "target": target, "method": method, "profile": profile, "device": device}
            self._engine, target = variant_engine(self._stored.codes, model, n_shuffles=n_shuffles, **options)
            self._compute(self._order(chosen)[:store], target, method)
        elif store:
            raise problem("VariantView", "store", got=f"{store}, and no model", need="a model", do="pass model=")
        blocks = pack_blocks(self._arrays())
        live = None if self._engine is None else {
            "target": target, "method": method, "profile": self._engine.profile_shape is not None,
        }  # fmt: skip
        first = alleles.first(best) if 0 <= best < n else 0
        super().__init__(
            data=blocks.data,
            meta=json.dumps(self._meta(blocks.blocks, live, height), separators=(",", ":"), allow_nan=False),
            example=best,
            selected=best,
            view=[max(first - _AROUND, 0.0), min(first + _AROUND + 1.0, float(length))] if view is None else list(view),
            score=chosen,
            threshold=threshold,
            link=link,
        )
        traitlets.link((self, "example"), (self, "selected"))
        self._answers: Newest[Ask, Answer] | None = None
        if self._engine is not None:
            self._answers = Newest(self._engine.answer, self._hand_on)

    # --- what is sent -------------------------------------------------------------------------------------------------

    def _meta(self, blocks: Any, live: Any, height: int) -> dict[str, Any]:
        alleles = self._alleles
        shape = self._stored.profile_shape or getattr(self._engine, "profile_shape", None)
        return {
            "n": len(alleles), "length": self._size[1], "blocks": blocks, "names": self._names, "loci": alleles.places,
            "predictions": None, "target": "", "annotations": [], "height": height, "colors": self._colors,
            **table_of(alleles.table, self._scores),
            "changes": alleles.changes, "dropped": list(alleles.dropped.items()),
            "references": len(self._stored.windows), "live": live, "profile": None if shape is None else list(shape),
        }  # fmt: skip

    def _arrays(self) -> dict[str, np.ndarray]:
        """What the browser needs, by name: two bits a base of each window once, and what is stored."""
        packed, runs = pack_sequence(self._stored.windows)
        return {"window": self._stored.window, "sequence": packed, "unknown": runs, **self._stored.arrays()}

    def _compute(self, rows: np.ndarray, target: str, method: str) -> None:
        """Ask for what a person would ask for by choosing these variants, and store it."""
        from ..live.variant import PROFILE

        kinds = {"attributions": method} | ({} if self._engine.profile_shape is None else {"profiles": PROFILE})
        for row in map(int, rows):
            for name, asked in kinds.items():
                if self._stored.get(name, row) is None:
                    for example in self._stored.examples(row):
                        self._stored.learn(self._engine.whole(example, target, asked))

    def _hand_on(self, answer: Answer) -> None:
        """Hand an answer to the browser; what is known by it stays in the notebook, of the variants chosen last."""
        super()._hand_on(answer)
        row = self._stored.learn(answer)
        if row is None:
            return
        self._latest = [*(one for one in self._latest if one != row), row][-_LATEST:]
        blocks = pack_blocks(self._stored.arrays(self._latest))
        with self.hold_sync():
            self.kept_data = blocks.data
            self.kept = json.dumps(blocks.blocks)

    def _receive(self, message: dict[str, Any]) -> None:
        if self._answers is not None and message.get("kind") == "ask":
            self._answers.submit(decode_ask(message))

    # --- what a person chose --------------------------------------------------------------------------------------------

    @traitlets.validate("score")
    def _check_score(self, proposal: Any) -> str:
        check_choice("VariantView", "score", proposal["value"], self._scores)
        return str(proposal["value"])

    @traitlets.validate("threshold")
    def _check_threshold(self, proposal: Any) -> float:
        if not 0 <= proposal["value"] < math.inf:
            need = "0 or more: how large a score is, up or down"
            raise problem("VariantView", "threshold", got=proposal["value"], need=need, do="leave out the sign")
        return float(proposal["value"])

    def _sizes(self, score: str) -> np.ndarray:
        """How large scores are; -1 for a missing one."""
        values = np.abs(self._alleles.table[score].to_numpy(float))
        return np.where(np.isfinite(values), values, -1)

    def _order(self, score: str) -> np.ndarray:
        """Rows, the strongest first."""
        order: np.ndarray = np.argsort(-self._sizes(score), kind="stable")
        return order

    @property
    def chosen(self) -> pd.DataFrame:
        """The variants beyond the threshold, the strongest first."""
        order = self._order(self.score)
        sizes = self._sizes(self.score)[order]
        rows: pd.DataFrame = self._alleles.table.iloc[order[(sizes >= self.threshold) | (self.threshold == 0)]]
        return rows

    # --- still picture --------------------------------------------------------------------------------------------------

    def to_png(self) -> bytes:
        """Draw both alleles of the variant as it is shown now; the picture is kept until that changes."""
        known = self._stored.get("attributions", self.example)
        key = (self.example, self.score, *self.view, known is None)
        if self._still is None or self._still[0] != key:
            self._still = (key, self._draw(known))
        return self._still[1]

    def _draw(self, known: np.ndarray | None) -> bytes:
        row, alleles = self.example, self._alleles
        start, end = max(0, math.floor(self.view[0])), min(self._size[1], math.ceil(self.view[1]))
        columns = [one[start:end] for one in align(alleles.changes[row], self._size[1])]
        both = (alleles.ref[row], alleles.alt[row])
        codes = [np.where(p < 0, 4, c[np.maximum(p, 0)]) for p, c in zip(columns, both, strict=True)]
        scores = np.ones((2, self._size[1])) if known is None else known
        values = [np.where(p < 0, np.nan, one[np.maximum(p, 0)]) for p, one in zip(columns, scores, strict=True)]
        rows = [
            (label, _letters(*one)) for label, *one in zip(("reference", "alternative"), codes, values, strict=True)
        ]
        if known is not None:
            rows.append(("difference", _letters(codes[1], values[1] - values[0])))
        place, number = alleles.places[row], alleles.table[self.score].iloc[row]
        positions = np.where(columns[0] < 0, -1, columns[0] + (0 if place is None else place[1]))
        title = f"{self._names[row]}   {self.score} {number:+.3g}"
        changed = [(int(c), int(c) + 1) for c in np.flatnonzero(codes[0] != codes[1])]
        return variant_png(rows, positions, changed, title, self._colors)


def _letters(codes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Scores (4, W) of the bases that are there; NaN where there is none."""
    found = np.where(np.isnan(values), np.nan, np.zeros((5, 1)))
    found[codes, np.arange(len(codes))] = values
    return found[:4]
