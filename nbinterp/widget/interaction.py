"""InteractionView: every two motifs of a set, what they do together, and the pair that is chosen against its distance.

In: the table of `interaction_map`.  Out: a widget; the pair and the point that are chosen come back as traits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets

from ..chart.spacing import interaction_png
from ..errors import problem
from .base import static
from .pairs import PairsView, table_of

__all__ = ["InteractionView"]


class InteractionView(PairsView):
    """What every two of many motifs do together: a map of pairs, and the lines of the one that is chosen.

    A cell is coloured by the strongest value of its pair over distances and arrangements, or over arrangements at one
    distance; it is small where its interval holds zero.  The strongest of many is larger than it would be measured anew: read it
    with its line.

    Parameters
    ----------
    table : DataFrame or SpacingEffects
        From `interaction_map`.
    X : one-hot (N, 4, L) or compact container, optional
        The backgrounds, the first 8 of which are kept for showing; needs `motifs`.
    motifs : MotifSet or mapping from name to letters or matrix, optional
        Those that were measured; without them the pair is drawn as two blocks.
    pair : (str, str), optional
        The pair shown first; the strongest one by default.
    at : int
        Distance that the map is of; -1 for the strongest at any.
    output, value, model, readings, n_shuffles, names, colors, device, link
        As in `SpacingView`.

    Attributes
    ----------
    pair : int
        Number of the pair that is shown; `motifs` are its names.
    at, value, readings, arrangement, order, distance, hidden, helix, example, selected, sequence
        As in `SpacingView`.

    Raises
    ------
    NbinterpError
        As in `SpacingView`.

    Examples
    --------
    >>> import torch
    >>> from nbinterp import interaction_map
    >>> X = torch.zeros(2, 4, 30)
    >>> X[:, 2] = 1
    >>> model = lambda X: X[:, 0].sum(dim=-1, keepdim=True)
    >>> found = interaction_map(model, X, ["A", "C"], [3, 5], fast=False, device="cpu")
    >>> InteractionView(found, pair=("A", "C")).motifs
    ('A', 'C')
    """

    _esm = static("interaction.js")
    _css = static("logo.css") + static("spacing.css") + static("interaction.css")

    at = traitlets.Int(-1).tag(sync=True, echo_update=False)

    def __init__(
        self,
        table: Any,
        *,
        output: int = 0,
        value: str = "cooperativity",
        X: Any = None,
        motifs: Any = None,
        pair: Sequence[str] | None = None,
        at: int = -1,
        model: Any = None,
        readings: str = "mean",
        n_shuffles: int = 20,
        names: Sequence[str] | None = None,
        colors: str = "classic",
        device: str | None = None,
        link: str = "",
    ) -> None:
        self._first = pair
        super().__init__(
            table_of("InteractionView", table), X, motifs,
            output=output, value=value, readings=readings, arrangement=None, distance=None, model=model,
            n_shuffles=n_shuffles, names=names, colors=colors, device=device, link=link,
        )  # fmt: skip
        self.at = at

    @traitlets.validate("at")
    def _check_at(self, proposal: Any) -> int:
        if proposal["value"] != -1 and proposal["value"] not in self._grid.distances:
            need = "-1, or a distance that was measured"
            raise problem("InteractionView", "at", got=proposal["value"], need=need, do="choose one")
        return int(proposal["value"])

    def _strongest(self) -> dict[tuple[int, int], float]:
        """The strongest value of each pair, at `at`."""
        found = {}
        for i, (a, b, _) in enumerate(self._grid.pairs):
            values = self._mean(self.value, i)
            if self.at >= 0:
                values = values[:, [self._grid.distances.index(self.at)]]
            sizes = np.nan_to_num(np.abs(values), nan=-1)
            found[a, b] = float(values.flat[int(sizes.argmax())])
        return found

    def _pictured(self) -> tuple[Any, ...]:
        return (*super()._pictured(), self.at)

    def _draw(self) -> bytes:
        return interaction_png(
            self._grid.names,
            self._strongest(),
            self._grid.distances,
            self._lines(),
            value=self.value,
            title=self._title(),
            chosen=self.distance,
        )
