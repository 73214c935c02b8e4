"""SpacingView: what two motifs do together against the distance between them, and the pair in a background.

In: the result of `spacing_effects`, backgrounds, two motifs; where attributions are wanted, a model.  Out: a widget; the point
that is chosen comes back as traits, as a row of the table and as a sequence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from ..chart.spacing import PairPicture, spacing_png
from ..errors import problem
from .base import static
from .pairs import PairsView, table_of

__all__ = ["SpacingView"]

_AROUND: Final = 12  # bases to both sides of the pair on a still picture


class SpacingView(PairsView):
    """What two motifs do together, against the distance between them.

    A line with its confidence band for each of the four ways in which two motifs can lie; of the point that is chosen, the
    sequence with both motifs written into a background.  The cooperativity is the effect of both less what each does alone;
    the effect itself has no interval in the table, so no band.

    Parameters
    ----------
    found : SpacingEffects or DataFrame
        From `spacing_effects`, or its table.
    X : one-hot (N, 4, L) or compact container, optional
        The backgrounds; the first 8 are kept for showing.
    a, b : str, matrix (4, w), or {name: either}
        The motifs that were measured.  Of a matrix its most probable letters are written in, also where sites were drawn
        (``sample=True``); an N leaves the background as it is.
    output : int
        Column of the model's output.
    value : {"cooperativity", "effect"}
        What is drawn.
    model : torch.nn.Module, optional
        ``(n, 4, L)`` to ``(n, T)``.  While the notebook's kernel runs, the sequence's letters are as tall as its
        DeepLIFT/SHAP attributions; else as the motifs' information.  Those of the pair that is shown first are computed
        when the view is displayed, and kept for when there is no kernel.
    readings : {"mean", "both"}
        Every arrangement is measured in two readings, one a strand: their mean, with the mean of their intervals (no
        narrower than its own), or both, the second one dashed.
    arrangement : {"a_then_b", "b_then_a", "facing", "apart"}, optional
    distance : int, optional
        The point chosen first: by default where the two do most, up or down.
    n_shuffles : int
        References of an attribution.
    names : sequence of str, optional
        One a background.
    colors : {"classic", "safe", "grey"}
        Palette of the letters.
    device : str, optional
        Of the model while it answers.
    link : str
        Views of one page with the same link show the same background and where the pair is; see `link`.

    Attributes
    ----------
    value, readings, arrangement, order, distance, hidden, helix : traits
        Set by the reader, or by you; `order` is the reading whose sequence is shown, `hidden` the lines that are off.
    example : int
        Background that is shown.
    selection : [start, end]
        What the pair covers.
    selected : pandas.Series
        The row of the table that is chosen.
    sequence : str
        The background with both motifs written in.

    Raises
    ------
    NbinterpError
        When the table has no such motifs, output or distance, or a motif or background is not what was measured.

    Examples
    --------
    >>> import torch
    >>> from nbinterp import spacing_effects
    >>> X = torch.zeros(4, 4, 40)
    >>> X[:, 2] = 1
    >>> model = lambda X: X[:, 0].sum(dim=-1, keepdim=True)
    >>> found = spacing_effects(model, X, "AC", "CA", range(5), fast=False, device="cpu")
    >>> view = SpacingView(found, X, "AC", "CA", arrangement="facing", distance=3)
    >>> view.selection, view.sequence[18:27], view.selected["strand_b"]
    ([19, 26], 'GACGGGTGG', '-')
    """

    _esm = static("spacing.js")
    _css = static("logo.css") + static("spacing.css")

    def __init__(
        self,
        found: Any,
        X: Any,
        a: Any,
        b: Any,
        *,
        output: int = 0,
        value: str = "cooperativity",
        model: Any = None,
        readings: str = "mean",
        arrangement: str | None = None,
        distance: int | None = None,
        n_shuffles: int = 20,
        names: Sequence[str] | None = None,
        colors: str = "classic",
        device: str | None = None,
        link: str = "",
    ) -> None:
        (name_a, one), (name_b, other) = named("a", a), named("b", b)
        super().__init__(
            _rows_of(table_of("SpacingView", found), name_a, name_b), X, {name_a: one, name_b: other},
            output=output, value=value, readings=readings, arrangement=arrangement, distance=distance, model=model,
            n_shuffles=n_shuffles, names=names, colors=colors, device=device, link=link,
        )  # fmt: skip

    def _draw(self) -> bytes:
        return spacing_png(
            self._grid.distances,
            self._lines(),
            value=self.value,
            title=self._title(),
            chosen=self.distance,
            pair=self._pair_picture(),
        )

    def _pair_picture(self) -> PairPicture | None:
        if self._codes is None or self._matrices is None:
            return None
        places, codes = self._sites(), self._construct()
        spans = [(one.start, one.start + self._widths[one.motif]) for one in places]
        start = max(min(one[0] for one in spans) - _AROUND, 0)
        end = min(max(one[1] for one in spans) + _AROUND, len(codes))
        heights, own = np.full(len(codes), 0.5), np.zeros(len(codes), bool)
        for (first, last), one in zip(spans, places, strict=True):
            bits = _bits(self._matrices[self._grid.names[one.motif]])
            heights[first:last], own[first:last] = bits if one.strand == "+" else bits[::-1], True
        told = self._attributions()
        scores = (codes == np.arange(4)[:, None]) * (heights if told is None else told)
        labels = [
            f"{self._grid.names[one.motif]} ▸" if one.strand == "+" else f"◂ {self._grid.names[one.motif]}"
            for one in places
        ]
        blocks = [(*span, label) for span, label in zip(spans, labels, strict=True)]
        return PairPicture(scores[:, start:end], start, blocks, own[start:end])


def named(argument: str, motif: Any) -> tuple[str, Any]:
    """Name of a motif, and what it is; strings are their own names, as in `spacing_effects`."""
    if not isinstance(motif, Mapping):
        return (motif, motif) if isinstance(motif, str) else (argument, motif)
    if len(motif) != 1:
        raise problem("SpacingView", argument, got=f"{len(motif)} motifs", need="one", do="use InteractionView")
    name = next(iter(motif))
    return str(name), motif[name]


def _rows_of(table: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    """The rows of one pair."""
    if not {"motif_a", "motif_b"} <= set(table):
        return table  # its columns are checked later
    rows = table[(table["motif_a"].astype(str) == a) & (table["motif_b"].astype(str) == b)]
    if not len(rows):
        known = ", ".join(f"{x} and {y}" for x, y in table[["motif_a", "motif_b"]].drop_duplicates().head(5).to_numpy())
        raise problem(
            "SpacingView", "a", got=f"{a} and {b}", need=f"a pair of the table: {known or 'it is empty'}",
            do="pass the motifs as they were measured",
        )  # fmt: skip
    return rows


def _bits(matrix: np.ndarray) -> np.ndarray:
    """Information of each position."""
    p = matrix / np.maximum(matrix.sum(axis=0), 1e-12)
    with np.errstate(divide="ignore", invalid="ignore"):
        bits: np.ndarray = np.where(p > 0, p * np.log2(p), 0).sum(axis=0) + 2
    return np.where(matrix.sum(axis=0) > 0, bits, 0)
