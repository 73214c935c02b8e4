"""What the mechanisms report reads: a space, made now or before; and how far its clusters can be trusted.

In: a checked record of parameters, and a folder.  Out: `Spaced`, and a table.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from ..core.cache import content_hash
from ..core.files import writing
from ..errors import NbinterpWarning
from .library import read_sampled
from .parameters.mechanisms import MechanismsParameters

if TYPE_CHECKING:
    from ..mechanism import MechanismSpace
    from ..motif import MotifSet

__all__ = ["Spaced", "read_space", "reading_of", "stability_by_number"]

_NUMBERS: Final = (2, 3, 5, 10, 20, 30, 50, 100, 200)
_MOST: Final = 3000  # maps of a refit


@dataclass(frozen=True)
class Spaced:
    """A space and what goes with it.

    Attributes
    ----------
    space : MechanismSpace
    name : str
        Of the sequence.
    target : str
        Of what is predicted.
    model_hash : str
        Empty where the space was made before.
    locus : (str, int) or None
        Chromosome and first position of the sequence.
    truth : DataFrame or None
        Planted sites that act, in the demo.
    known : MotifSet
        What sites are compared with.
    folder : Path
        Where the space is.
    """

    space: MechanismSpace
    name: str
    target: str
    model_hash: str
    locus: tuple[str, int] | None
    truth: pd.DataFrame | None
    known: MotifSet
    folder: Path


def read_space(asked: MechanismsParameters, folder: Path) -> Spaced:
    """Read the space that was made before; or make it in `folder`, going on where an earlier run stopped."""
    from ..mechanism import MechanismSpace, mechanism_space

    n_clusters = asked.n_clusters or None
    if asked.space:
        space = MechanismSpace.load(asked.space)
        if n_clusters is not None and n_clusters != space.clusters.k:
            space = space.cut(n_clusters, n_refits=5)
        return Spaced(space, Path(asked.space).name, "activity", "", None, None, _known(asked), Path(asked.space))
    found = read_sampled(asked)
    assert found.explained is not None  # the parameters see to it
    home = _home(folder, content_hash(found.key, asked.method, asked.random_state))
    space = mechanism_space(
        found.explained.model, library=found.library, target=0, method=asked.method, n_clusters=n_clusters,
        cluster_method=asked.clustering, gauge=asked.gauge, embedding=asked.embedding, folder=home,
        random_state=asked.random_state, device=found.explained.device, batch_size=asked.batch_size,
    )  # fmt: skip
    place = None if found.locus is None else (str(found.locus["chrom"][0]), int(found.locus["start"][0]))
    model_hash = found.explained.model_hash
    return Spaced(space, found.name, found.target, model_hash, place, found.truth, _known(asked), home)


def _home(folder: Path, key: str) -> Path:
    """Where these maps go: the folder itself, or one beside it where the folder holds others."""
    for home in (folder, folder.with_name(f"{folder.name}-{key[:8]}")):
        home.mkdir(parents=True, exist_ok=True)
        note = home / "report.key"
        if not note.is_file():
            with writing(note) as temporary:
                temporary.write_text(key)
        if note.read_text() == key:
            break
    return home


def _known(asked: MechanismsParameters) -> MotifSet:
    from .. import demo
    from ..motif import load_jaspar, read_motifs

    if asked.motifs:
        return read_motifs(asked.motifs)
    return demo.motifs(n_shuffled=4) if asked.demo else load_jaspar(tax_group=asked.tax_group or None)


def stability_by_number(
    space: MechanismSpace,
    numbers: Sequence[int] = _NUMBERS,
    *,
    n_refits: int = 3,
    random_state: int = 0,
    device: Any = None,
) -> pd.DataFrame:
    """How well refits agree when the tree is cut into more or fewer clusters.

    Ward's trees of nine tenths of the maps, or of 3,000, are cut into the same number as the tree of all.

    Returns
    -------
    DataFrame
        clusters, agreement (mean adjusted Rand index), low, high (of the refits); empty where there is no Ward tree.
    """
    from ..mechanism import adjusted_rand, cut_tree, ward_linkage

    tree, n = space.clusters.linkage, len(space)
    kept = [k for k in numbers if k <= n // 10]
    if tree is None or space.clusters.method != "ward" or not kept:
        return pd.DataFrame({"clusters": [], "agreement": [], "low": [], "high": []})
    random, reference = np.random.RandomState(random_state), space.library.reference[:, space.start : space.end]
    found = np.zeros((n_refits, len(kept)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NbinterpWarning)  # ties may skip a number
        whole = [cut_tree(tree, k).labels for k in kept]
        for i in range(n_refits):
            rows = np.sort(random.choice(n, min(round(0.9 * n), _MOST), replace=False))
            again = ward_linkage(
                np.asarray(space.maps[rows]), gauge=space.clusters.gauge, reference=reference, device=device
            )
            found[i] = [adjusted_rand(one[rows], cut_tree(again, k).labels) for one, k in zip(whole, kept, strict=True)]
    return pd.DataFrame(
        {"clusters": kept, "agreement": found.mean(axis=0), "low": found.min(axis=0), "high": found.max(axis=0)}
    )


def reading_of(agreement: float) -> str:
    """What an adjusted Rand index of refits lets one read.

    Examples
    --------
    >>> reading_of(0.3)
    'a noisy partition: read sites, sums and effects, which do not hang on single clusters, and no cluster by itself'
    """
    if not np.isfinite(agreement):
        return "not measured"
    if agreement >= 0.8:
        return "nearly the same clusters come back"
    if agreement >= 0.5:
        return "clusters come back in part: read groups of them rather than single ones"
    return "a noisy partition: read sites, sums and effects, which do not hang on single clusters, and no cluster by itself"
