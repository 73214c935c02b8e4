"""New sequences in a space that exists: what the model says of them, where they land, and in which cluster.

In: a `MechanismSpace`, its model, and sequences (a variant that a person types, or mutants of what a selection agrees on).
Out: their activities, maps, places and fine clusters.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import torch

from ..errors import problem
from ..mechanism.compile import scalar_predictions
from ..mechanism.library import Library, library_of
from ..mechanism.library_predict import predict_library
from ..mechanism.library_random import random_library
from ..mechanism.maps import attribute_library
from ..mechanism.neighbours_maps import as_points

__all__ = ["Fresh", "Newcomers"]

_CLOSE: Final = 1e-2  # how far the model's map of a known sequence may be from the one that is stored, as a part of it
_NEAR: Final = 15  # maps among which a new one is placed where the embedding has no axes
_CANDIDATES: Final = 400


class Fresh(NamedTuple):
    """Sequences that are new to a space.

    Codes ``(m, L)``, activities ``(m,)``, maps ``(m, 4, W)``, the nearest fine cluster of each ``(m,)`` with the distance
    to its mean map, and places ``(m, 2)``.
    """

    codes: np.ndarray
    y: np.ndarray
    maps: np.ndarray
    leaf: np.ndarray
    distance: np.ndarray
    xy: np.ndarray


class Newcomers:
    """Makes and places sequences.

    Parameters
    ----------
    space : MechanismSpace
    model : module
        The one that the space's maps are of.
    method, target, options
        As in `attribute_library`; by default those that the space says it was made with.
    batch_size, device
        As in `predict`.

    Raises
    ------
    NbinterpError
        When the model's map of the first sequence is not the one that the space holds.
    """

    def __init__(
        self,
        space: Any,
        model: Any,
        *,
        method: str | None = None,
        target: int | None = None,
        options: dict[str, Any] | None = None,
        batch_size: int = 64,
        device: Any = None,
    ) -> None:
        facts = space.facts
        self._space, self._model = space, model
        self._method = method or facts.get("method") or "saliency"
        self._target = int(facts.get("target") or 0) if target is None else target
        self._options, self._run = dict(options or {}), {"batch_size": batch_size, "device": device}
        self._window = slice(space.start, space.end)
        self._means = self._points(space.fine.means)
        self._known = False

    def of(self, codes: np.ndarray) -> Fresh:
        """Say what becomes of sequences, uint8 codes ``(m, L)``."""
        if not self._known:
            self._check()
        y, maps = self._ask(library_of(_one_hot(codes)))
        points = self._points(maps)
        near = torch.cdist(points, self._means)
        distance, leaf = near.min(dim=1)
        return Fresh(codes, y, maps, leaf.numpy(), distance.numpy(), self._place(maps, points, near))

    def variant(self, row: int, changes: dict[int, int]) -> Fresh:
        """Change bases of a sequence: the row of the library, or -1 for the reference."""
        space = self._space
        codes = (space.reference if row < 0 else space.library.codes[row]).copy()
        for position, base in changes.items():
            if not 0 <= position < len(codes) or not 0 <= base < 4:
                need = f"positions 0 to {len(codes) - 1}, and bases A, C, G or T"
                raise problem("MechanismView", "variant", got=f"position {position}", need=need, do="name one")
            codes[position] = base
        return self.of(codes[None])

    def around(self, rows: np.ndarray, n: int, rate: float, seed: int) -> Fresh:
        """Mutate what the rows (bool, ``(N,)``) agree on, where the library varies; the first of the n is that itself."""
        library = self._space.library
        agreed = consensus_of(library.codes[rows])
        made = random_library(_one_hot(agreed[None])[0], n, rate=rate, window=library.window, random_state=seed)
        return self.of(made.codes)

    def _ask(self, library: Library) -> tuple[np.ndarray, np.ndarray]:
        """Activities and maps of a library."""
        span = (self._window.start, self._window.stop)
        maps = attribute_library(
            self._model, library, self._method, target=self._target, span=span, **self._run, **self._options
        )
        predictions = predict_library(self._model, library, **self._run)
        return scalar_predictions("MechanismView", "model", predictions, len(library), self._target), maps

    def _check(self) -> None:
        """Hold the model to a map that is known."""
        space = self._space
        _, maps = self._ask(library_of(_one_hot(space.library.codes[:1])))
        stored = np.asarray(space.maps[0], np.float64)
        off = float(np.linalg.norm(maps[0] - stored)) / max(float(np.linalg.norm(stored)), 1e-12)
        if off > _CLOSE:
            got = f"maps by {self._method} of output {self._target} that differ by {off:.0%} from those of the space"
            do = "pass the model, method and target that made the space"
            raise problem("MechanismView", "model", got=got, need="the same maps", do=do)
        self._known = True

    def _points(self, maps: Any) -> torch.Tensor:
        """Maps as they were clustered."""
        space = self._space
        reference = space.library.reference[:, self._window]
        return as_points("MechanismView", maps, "cpu", gauge=space.clusters.gauge, reference=reference)

    def _place(self, maps: np.ndarray, points: torch.Tensor, near: torch.Tensor) -> np.ndarray:
        """Along the axes of the embedding; where it has none, among the nearest maps of the nearest fine clusters."""
        space = self._space
        if space.axes is not None:
            return np.asarray(space.project(maps))
        xy = np.empty((len(maps), 2), np.float32)
        sizes = torch.from_numpy(np.array(space.fine.n))
        for i, order in enumerate(near.argsort(dim=1)):
            enough = int((sizes[order].cumsum(0) < _CANDIDATES).sum()) + 1
            rows = np.flatnonzero(np.isin(space.fine_labels, order[:enough].numpy()))
            distances = torch.cdist(points[i : i + 1], self._points(space.maps[rows]))[0]
            nearest = distances.topk(min(_NEAR, len(rows)), largest=False)
            weights = 1 / nearest.values.clamp(min=1e-9)
            xy[i] = np.average(space.embedding[rows[nearest.indices.numpy()]], axis=0, weights=weights.numpy())
        return xy


def _one_hot(codes: np.ndarray) -> np.ndarray:
    one_hot: np.ndarray = np.eye(5, 4, dtype=np.int8)[codes].transpose(0, 2, 1)
    return one_hot


def consensus_of(codes: np.ndarray) -> np.ndarray:
    """The commonest base at each position, uint8 ``(L,)``; 4 where none is known.

    Examples
    --------
    >>> consensus_of(np.array([[0, 1], [0, 2], [3, 2]], np.uint8)).tolist()
    [0, 2]
    """
    counts = np.stack([(codes == base).sum(axis=0) for base in range(4)])
    return np.where(counts.sum(axis=0) == 0, 4, counts.argmax(axis=0)).astype(np.uint8)
