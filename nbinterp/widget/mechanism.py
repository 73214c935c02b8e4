"""MechanismView: a space of mechanisms to look into.

In: a `MechanismSpace`.  Out: a widget of points, a tree, a matrix and logos; what a person selects, cuts, merges and names comes
back.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd
import traitlets

from ..chart.mechanism_still import mechanism_png
from ..core.check import check_choice
from ..errors import problem, suggest
from ..live import Newest, pack_blocks
from .base import View, static
from .logo import LogoView
from .mechanism_clusters import Cluster, Leaves, clusters_of
from .mechanism_data import columns_of, lean_space, point_blocks, sequence_blocks, sums_blocks
from .packed import packed

__all__ = ["MechanismView"]

_WHERE: Final = "MechanismView"
_LETTERS: Final = "ACGTN"
_WILD: Final = frozenset("ACGTRYSWKMBDHVN")  # what a pattern of bases is made of
_FINE: Final = 65_535  # fine clusters whose numbers travel in 16 bits


class MechanismView(View):
    """The maps of a library as points, in clusters that can be cut, merged, split and named, with what each is made of.

    Draw about points, and their mean map, letters and activities are there, exactly and at once; cut the tree elsewhere, and
    colours, matrix and logos follow.  With no kernel cuts, clusters, logos and background work as ever, since sums of
    some 2,000 fine clusters are in the page; a selection of points is then made of parts of them, and marked so.

    Parameters
    ----------
    space : MechanismSpace
        See `mechanism_space`.
    model : module, optional
        The one that the maps are of; with it sequences can be changed, and mutants be made of what a selection agrees on.
    method, target : optional
        Of the maps, see `attribute_library`; by default what the space says.
    options : mapping, optional
        Of the method.
    colour : str
        What colours a point: "cluster"; a column of the space's table, or of `columns`; "base:120", the base at a position of
        the sequence; or "motif:TGASTCA", whether the sequence holds a pattern of bases on either strand.
    n_clusters : int, optional
        Where the tree is cut; by default the clusters of the space.
    columns : mapping of name to N values, optional
        More to colour by.
    hits : DataFrame, optional
        Annotations of the library's sequences (example_idx, name): how often each name occurs in a sequence is a column
        "hits: NAME".
    locus : (str, int), optional
        Chromosome and first position of the sequences; positions are then the genome's.
    height : int
        Of the points, in pixels.
    colors : {"classic", "safe", "grey"}
        Of the bases.
    batch_size, device
        Of the model.
    link : str
        Views with the same link look at the same positions; see `link`.

    Attributes
    ----------
    n_clusters : int
        Set it to cut the tree.
    labels : np.ndarray, int64 (N,)
        The cluster of each sequence as they are now; -1 for none.
    cluster_names : dict of int to str
    merged : dict of int to list of int
        What was merged into which cluster.
    selections : dict of str to np.ndarray
        Rows of each named selection, ascending.
    selected : np.ndarray
        Rows of what is shown: a selection, or the chosen clusters; none where all are.
    chosen : list of int
        The chosen clusters.
    table : DataFrame
        The space's table, with cluster, cluster_name, and a column of bools a selection.
    space : MechanismSpace
        With the clusters as they are now.
    fresh : list of Fresh
        New sequences: variants, and mutants of selections, in the order in which they were asked for.
    colour : str
    view, span : list
        Positions of the window that are in view, and those that are brushed.

    Raises
    ------
    NbinterpError
        For unknown columns, a cut where there is no tree, or rows that do not match.

    Examples
    --------
    >>> from nbinterp.mechanism.space import MechanismSpace
    >>> maps = np.zeros((6, 4, 3), np.float32)
    >>> maps[3:, 2, 1] = 1
    >>> X = ["ACG", "ACG", "TCG", "AGG", "AGC", "AGG"]
    >>> space = MechanismSpace.from_parts(X, maps, [0, 0, 0, 2, 2, 3], n_clusters=2, n_refits=0)
    >>> view = MechanismView(space)
    >>> view.selections = {"active": [3, 4, 5]}
    >>> view.n_clusters, view.labels.tolist(), view.selections["active"].tolist()
    (2, [0, 0, 0, 1, 1, 1], [3, 4, 5])
    """

    _esm = packed(static("mechanism.js"))
    _css = static("logo.css") + static("points.css") + static("mechanism.css")

    data = traitlets.Bytes().tag(sync=True)
    meta = traitlets.Unicode().tag(sync=True)
    cut = traitlets.Dict(None, allow_none=True).tag(sync=True, echo_update=False)
    edits: traitlets.List[Any] = traitlets.List().tag(sync=True, echo_update=False)
    names = traitlets.Dict().tag(sync=True, echo_update=False)
    chosen = traitlets.List(traitlets.Int()).tag(sync=True, echo_update=False)
    kept = traitlets.List(traitlets.Unicode()).tag(sync=True, echo_update=False)
    bits = traitlets.Bytes().tag(sync=True, echo_update=False, from_json=lambda value, _: bytes(value))
    shown = traitlets.Unicode().tag(sync=True, echo_update=False)
    colour = traitlets.Unicode("prediction").tag(sync=True, echo_update=False)
    settings = traitlets.Dict().tag(sync=True, echo_update=False)
    view = traitlets.List(traitlets.Float()).tag(sync=True, echo_update=False)
    span = traitlets.List(traitlets.Int()).tag(sync=True, echo_update=False)
    answer = traitlets.Unicode("{}").tag(sync=True)
    answer_data = traitlets.Bytes().tag(sync=True)
    link = traitlets.Unicode().tag(sync=True)
    followed = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(
        self,
        space: Any,
        *,
        model: Any = None,
        method: str | None = None,
        target: int | None = None,
        options: Mapping[str, Any] | None = None,
        colour: str = "prediction",
        n_clusters: int | None = None,
        columns: Mapping[str, Any] | None = None,
        hits: pd.DataFrame | None = None,
        locus: tuple[str, int] | None = None,
        height: int = 420,
        colors: str = "classic",
        batch_size: int = 64,
        device: Any = None,
        link: str = "",
    ) -> None:
        from ..live.mechanism import ASKED, MechanismEngine  # with torch, which a saved view does without
        from ..mechanism.summary_sums import nested

        check_choice(_WHERE, "colors", colors, ("classic", "safe", "grey"))
        if not 160 <= height <= 1200:
            raise problem(_WHERE, "height", got=height, need="160 to 1200 pixels", do="420 is the default")
        if len(space.fine) > _FINE:
            need = f"at most {_FINE}, whose numbers travel in 16 bits"
            raise problem(
                _WHERE, "space", got=f"{len(space.fine)} fine clusters", need=need, do="make it with n_fine=2000"
            )
        self._given, self._colors = space, colors
        self._space = space = lean_space(space)
        self._columns = _columns(space, columns, hits)
        given = nested(space.fine_labels, space.labels)
        self._leaves = Leaves(space.fine.n, given, space.fine_tree)
        self.fresh: list[Any] = []
        self._telling = threading.Lock()
        self._known: tuple[Any, list[Cluster]] | None = None
        self._still: tuple[Any, bytes] | None = None
        made = None if model is None else _newcomers(space, model, method, target, options, batch_size, device)
        self._engine = MechanismEngine(space, made)
        blocks, meta = _packed(space, self._engine.codes, given, self._columns)
        meta |= {
            "locus": None if locus is None else [str(locus[0]), int(locus[1])],
            "height": height,
            "colors": colors,
            "live": model is not None,
        }
        super().__init__(
            data=blocks,
            meta=json.dumps(meta, separators=(",", ":"), allow_nan=False),
            colour=colour,
            cut=None if n_clusters is None else {"k": n_clusters},
            names={one.key: space.names[one.id] for one in self._leaves.cut(None) if one.id in space.names},
            view=[0.0, float(space.end - space.start)],
            link=link,
        )
        # one worker a kind, so that the newest lasso replaces a lasso, and not a question to the model
        self._workers: dict[str, Newest[Any, Any]] = {kind: Newest(self._engine.answer, self._tell) for kind in ASKED}

    # --- clusters -------------------------------------------------------------------------------------------------------

    @property
    def _clusters(self) -> list[Cluster]:
        key = json.dumps([self.cut, self.edits])
        if self._known is None or self._known[0] != key:
            self._known = key, clusters_of(self._leaves, self.cut, self.edits)
        return self._known[1]

    @property
    def _of_leaf(self) -> np.ndarray:
        """The cluster of each leaf; -1 for none."""
        found = np.full(len(self._space.fine), -1, np.int64)
        for one in self._clusters:
            found[list(one.leaves)] = one.id
        return found

    @property
    def n_clusters(self) -> int:
        """How many clusters there are; set it to cut the tree."""
        return len(self._clusters)

    @n_clusters.setter
    def n_clusters(self, k: int) -> None:
        with self.hold_sync():
            self.cut, self.edits = {"k": int(k)}, []

    @property
    def labels(self) -> np.ndarray:
        """The cluster of each sequence as they are now, int64 ``(N,)``; -1 for none."""
        found: np.ndarray = self._of_leaf[self._space.fine_labels]
        return found

    @property
    def cluster_names(self) -> dict[int, str]:
        """The names of the clusters; one that has none is called by its number."""
        return {one.id: self.names.get(one.key, str(one.id)) for one in self._clusters}

    @cluster_names.setter
    def cluster_names(self, names: Mapping[int, str]) -> None:
        keys = {one.id: one.key for one in self._clusters}
        for label in names:
            if label not in keys:
                need = f"clusters that there are: {', '.join(map(str, list(keys)[:20]))}"
                raise problem(_WHERE, "cluster_names", got=label, need=need, do="look at .labels")
        self.names = {**self.names, **{keys[label]: str(name) for label, name in names.items()}}

    @property
    def merged(self) -> dict[int, list[int]]:
        """What was merged into which cluster."""
        return {one.id: [part.id for part in one.parts] for one in self._clusters if one.parts}

    @property
    def space(self) -> Any:
        """The space with the clusters as they are now, numbered from 0, and named."""
        from ..mechanism.cluster import Clusters
        from ..mechanism.stability import Stability

        ids = [one.id for one in self._clusters]
        place = {label: i for i, label in enumerate(ids)}
        labels = np.array([place.get(label, -1) for label in self._of_leaf.tolist()], np.int64)[self._space.fine_labels]
        old, k, n = self._space.clusters, len(ids), len(self._space)
        if k == old.k and (labels == old.labels).all():
            clusters = old
        else:
            unknown = Stability(
                np.empty(0), np.full(k, np.nan), np.full(n, np.nan), np.full(k, np.nan), np.full(n, np.nan), 0
            )
            clusters = Clusters(labels, k, unknown, old.linkage, None, old.method, old.gauge)
        names = {place[label]: name for label, name in self.cluster_names.items() if name != str(place[label])}
        return replace(self._given, clusters=clusters, names=MappingProxyType(names))

    # --- selections -----------------------------------------------------------------------------------------------------

    @property
    def selections(self) -> dict[str, np.ndarray]:
        """Rows of each named selection, ascending."""
        from ..live.mechanism_sums import unpack_selection

        n, size = len(self._space), -(-len(self._space) // 8)
        parts = [self.bits[i * size : (i + 1) * size] for i in range(len(self.kept))]
        return {name: np.flatnonzero(unpack_selection(part, n)) for name, part in zip(self.kept, parts, strict=True)}

    @selections.setter
    def selections(self, selections: Mapping[str, Any]) -> None:
        from ..live.mechanism_sums import pack_selection

        parts = {str(name): self._rows(rows) for name, rows in selections.items()}
        parts = {name: rows for name, rows in parts.items() if rows.any()}
        with self.hold_sync():
            self.bits = b"".join(pack_selection(rows) for rows in parts.values())
            self.kept = list(parts)
            if self.shown not in parts:
                self.shown = ""

    def _rows(self, rows: Any) -> np.ndarray:
        """Bools of rows given as numbers, or as bools."""
        n, given = len(self._space), np.asarray(rows)
        chosen = np.zeros(n, bool)
        if given.dtype == bool and given.shape == (n,):
            return given.copy()
        whole = given.dtype.kind in "iu" or not given.size
        if not whole or (given.size and not (given.min() >= 0 and given.max() < n)):
            need = f"rows 0 to {n - 1}, or {n} bools"
            raise problem(
                _WHERE, "selections", got=f"{given.dtype} of shape {given.shape}", need=need, do="number them"
            )
        chosen[given.astype(np.int64)] = True
        return chosen

    @property
    def selected(self) -> np.ndarray:
        """Rows of what is shown: the selection, or the chosen clusters."""
        if self.shown:
            return self.selections[self.shown]
        return np.flatnonzero(np.isin(self.labels, self.chosen) & (self.labels >= 0))

    def select(self, rows: Any, name: str = "selection") -> None:
        """Select rows (numbers, or bools) under a name, and show them."""
        with self.hold_sync():
            self.selections = {**self.selections, name: rows}
            self.shown = name if name in self.kept else ""

    @property
    def table(self) -> pd.DataFrame:
        """The space's table, with the clusters as they are now, and a column of bools a selection."""
        labels, names = self.labels, self.cluster_names
        more = {"cluster": labels, "cluster_name": [names.get(label, "") for label in labels.tolist()]}
        for name, rows in self.selections.items():
            more[name if name not in self._space.table else f"selection {name}"] = np.isin(np.arange(len(labels)), rows)
        table: pd.DataFrame = self._space.table.assign(**more)
        return table

    def logo(self, **options: Any) -> LogoView:
        """Make a LogoView of the clusters as they are now: a consensus with its mean map each; linked, it follows what is chosen.

        Parameters
        ----------
        **options
            Of `LogoView`.
        """
        from .links import link

        space = self.space
        sums, start, end = space.sums(), space.start, space.end
        length = len(space.reference)
        codes = np.repeat(space.reference[None], len(sums), axis=0)
        codes[:, start:end] = sums.letters.argmax(axis=1)
        means = np.full((len(sums), 4, length), np.nan, np.float32)
        means[:, :, start:end] = sums.means
        names = [f"cluster {name}" if name.isdigit() else name for name in self.cluster_names.values()]
        one_hot = np.eye(5, 4, dtype=np.int8)[codes].transpose(0, 2, 1)
        told = {"names": names, "view": [start, end], "hypothetical": True, "colors": self._colors, **options}
        logo = LogoView(one_hot, {"mean": means}, **told)
        self.followed = [one.key for one in self._clusters]
        link(self, logo)
        return logo

    # --- checks ---------------------------------------------------------------------------------------------------------

    @traitlets.validate("cut")
    def _check_cut(self, proposal: Any) -> dict[str, Any] | None:
        cut = proposal["value"]
        if cut is None:
            return None
        if self._leaves.tree is None and len(self._leaves.counts) > 1:
            got, do = f"clusters by {self._space.clusters.method}", "cluster with method='ward'"
            raise problem(_WHERE, "n_clusters", got=got, need="a tree to cut", do=do)
        most = len(self._leaves.counts)
        if "k" in cut and not 1 <= cut["k"] <= most:
            do = "make the space with a larger n_fine for more"
            raise problem(_WHERE, "n_clusters", got=cut["k"], need=f"1 to {most}, the fine clusters", do=do)
        if set(cut) not in ({"k"}, {"height"}):
            need = '{"k": number}, {"height": number} or None'
            raise problem(_WHERE, "cut", got=repr(cut), need=need, do="set n_clusters")
        return dict(cut)

    @traitlets.validate("colour")
    def _check_colour(self, proposal: Any) -> str:
        colour, space = str(proposal["value"]), self._space
        kind, _, what = colour.partition(":")
        if colour == "cluster" or colour in self._columns:
            return colour
        if kind == "base" and what.isdigit() and space.start <= int(what) < space.end:
            return colour
        if kind == "motif" and what and set(what.upper()) <= _WILD:
            return colour
        need = f'"cluster", a column, "base:{space.start}" to "base:{space.end - 1}", or "motif:" with letters of bases'
        do = suggest(colour, self._columns) or f"choose one of {', '.join(list(self._columns)[:8])}"
        raise problem(_WHERE, "colour", got=repr(colour), need=need, do=do)

    @traitlets.validate("shown")
    def _check_shown(self, proposal: Any) -> str:
        return proposal["value"] if proposal["value"] in ("", *self.kept) else ""

    # --- answers --------------------------------------------------------------------------------------------------------

    def _answer(self, widget: Any, message: Any, buffers: Any) -> None:
        if isinstance(message, dict) and message.get("kind") == "mechanism":
            from ..live.mechanism import decode_mechanism

            ask = decode_mechanism(message, bytes(buffers[0]) if buffers else b"")
            self._workers[ask.what].submit(ask)
            return
        super()._answer(widget, message, buffers)

    def _tell(self, answer: Any) -> None:
        """Hand an answer to the browser; as traits, so that a saved notebook keeps the last."""
        from ..live.mechanism import encode_mechanism

        if answer.fresh is not None:
            self.fresh.append(answer.fresh)
        words, data = encode_mechanism(answer)
        with self._telling, self.hold_sync():  # words and data of one answer
            self.answer_data = data
            self.answer = json.dumps(words, allow_nan=False)

    # --- still picture --------------------------------------------------------------------------------------------------

    def to_png(self) -> bytes:
        """Draw the points, and the logos of what is chosen; kept until that changes."""
        key = json.dumps([self.cut, self.edits, self.chosen, self.shown, self.kept, self.colour]), self.bits
        if self._still is None or self._still[0] != key:
            self._still = key, self._draw()
        return self._still[1]

    def _draw(self) -> bytes:
        space, rows = self._space, self.selected
        mask = np.isin(np.arange(len(space)), rows)
        sums = self._engine.sums(mask if len(rows) else np.ones(len(space), bool))
        mean = sums.means[0] - sums.means[0].mean(axis=0)
        p = sums.frequencies[0]
        bits = p * (2 + (p * np.log2(np.where(p > 0, p, 1))).sum(axis=0))
        column = self._columns.get(self.colour)
        numbers = column is not None and np.asarray(column).dtype.kind in "iuf"
        values = np.asarray(column, np.float64) if numbers else self.labels
        what = self.shown or (f"clusters {', '.join(map(str, self.chosen))}" if self.chosen else "all")
        picture: bytes = mechanism_png(
            space.embedding, values, self.colour if numbers else "cluster", [("mean", mean), ("bits", bits)],
            selected=mask if len(rows) else None, categorical=not numbers, colors=self._colors, offset=space.start,
            title=f"{what}: {int(sums.n[0]):,} of {len(space):,} sequences, {self.n_clusters} clusters",
        )  # fmt: skip
        return picture


def _columns(space: Any, columns: Mapping[str, Any] | None, hits: pd.DataFrame | None) -> dict[str, Any]:
    """What points can be coloured by: of the table, what was passed, and counts of hits."""
    found = {str(name): space.table[name].to_numpy() for name in space.table if name != "sequence"}
    for name, values in (columns or {}).items():
        if np.shape(values) != (len(space),):
            got, need = f"shape {np.shape(values)} of {name!r}", f"{len(space)} values"
            raise problem(_WHERE, "columns", got=got, need=need, do="give one a sequence")
        found[str(name)] = np.asarray(values)
    if hits is None:
        return found
    missing = [name for name in ("example_idx", "name") if name not in hits]
    if missing or not hits["example_idx"].between(0, len(space) - 1).all():
        got = f"no column {missing[0]}" if missing else "rows beyond the library"
        need = "annotations of the library's sequences"
        raise problem(_WHERE, "hits", got=got, need=need, do="call them on the library")
    for kind, rows in hits.groupby("name", sort=False)["example_idx"]:
        found[f"hits: {kind}"] = np.bincount(rows, minlength=len(space))
    return found


def _newcomers(
    space: Any, model: Any, method: str | None, target: int | None, options: Any, batch_size: int, device: Any
) -> Any:
    from ..live.mechanism_fresh import Newcomers

    return Newcomers(
        space, model, method=method, target=target, options=options, batch_size=batch_size, device=device
    )  # fmt: skip


def _packed(
    space: Any, codes: np.ndarray, labels: np.ndarray, columns: Mapping[str, Any]
) -> tuple[bytes, dict[str, Any]]:
    """Blocks, and what is said of them."""
    fine, start, end = space.fine, space.start, space.end
    reference = space.reference[start:end]
    arrays, box = point_blocks(space.embedding, space.fine_labels)
    colours, said = columns_of(columns)
    sequences = sequence_blocks(codes, reference)
    arrays["activity"] = space.y.astype(np.float32)
    arrays |= colours | sequences | sums_blocks(fine, labels, space.fine_tree, letters=not sequences)
    packed = pack_blocks(arrays)
    kind = space.facts.get("embedding", "")
    meta = {
        "n": len(space),
        "width": end - start,
        "leaves": len(fine),
        "start": start,
        "reference": "".join(_LETTERS[code] for code in np.minimum(reference, 4)),
        "star": space.reference_row,
        "rate": space.rate,
        "activity": "prediction",
        "range": [float(fine.y_edges[0]), float(fine.y_edges[-1])],
        "cluster_names": {},  # a trait has them
        "box": box,
        "axes": ["PC 1", "PC 2"] if space.axes is not None else [f"{kind} {i}".strip() for i in (1, 2)],
        "columns": said,
        "method": space.clusters.method,
        "stability": str(space.clusters.stability),
        "blocks": packed.blocks,
    }
    return packed.data, meta
