"""A call into a folder: regions stream through, and what is finished is kept.

In: regions as they are read, motifs.  Out: the folder of `write_hits`.  A run that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from ..core.batches import progress
from ..core.cache import content_hash
from ..core.files import writing
from ..errors import problem
from .arrays import device_of
from .call import HitCaller, check_regions
from .files import write_store
from .motifs import HitMotifs
from .regions import Regions
from .store import RECORD, Store, pack

if TYPE_CHECKING:
    import torch

__all__ = ["FolderCall", "call_to_folder"]


class FolderCall(NamedTuple):
    """What `call_to_folder` did.

    ``n_kept`` of the ``n_regions`` regions had been left by an earlier run; ``relative_gap`` is the largest of all.
    """

    folder: Path
    n_hits: int
    n_regions: int
    n_kept: int
    relative_gap: float


def call_to_folder(
    out: str | os.PathLike[str],
    regions: Regions,
    motifs: HitMotifs,
    *,
    chunk: int = 256,
    batch_size: int = 32,
    device: torch.device | str | None = None,
    parameters: Mapping[str, Any] | None = None,
    verbose: bool = False,
    **options: Any,
) -> FolderCall:
    """Call hits in regions that need not fit into memory, and write them.

    Parameters
    ----------
    out : path
        Of `write_hits`; finished chunks stand in ``.parts`` there until the end.  They are known by the numbers they were
        called from, so that a run goes on only with what it would have called itself.
    regions : Regions
    motifs : HitMotifs
    chunk : int
        Regions that are read, called and kept together.
    batch_size : int
        Regions that are solved together, at most a chunk; results do not depend on it.
    device : str, optional
        CUDA if there is one, else the CPU.
    parameters : mapping, optional
        What was asked, for ``parameters.json``.
    verbose : bool
        Show progress.
    **options
        mode, sqrt_transform, post_filter, solver, fista, as of `call_hits`.

    Returns
    -------
    FolderCall

    Raises
    ------
    NbinterpError
        As `call_hits`; with the number of the region in the whole.
    FormatError
        When the folder cannot be written, or the disk is full; finished chunks are kept.

    Examples
    --------
    See `call_hits`, and ``nbinterp hits call --help``.
    """
    if chunk < 1:
        raise problem("call_to_folder", "chunk", got=chunk, need="at least 1", do="raise it")
    check_regions("call_hits", regions.sequences, regions.contributions, options.get("mode", "pp"))
    n, kept = len(regions), Path(out) / ".parts"
    asked = repr((sorted(options.items()), RECORD))
    question = content_hash(asked, *(np.asarray(field) for field in vars(motifs).values()))
    parts: list[_Part] = []
    with progress(n, "call_hits", verbose) as advance:
        caller = HitCaller(motifs, regions.length, device=device_of(device), **options)
        for start in range(0, n, chunk):
            end = min(start + chunk, n)
            parts.append(_part(kept, question, regions, caller, start, end, batch_size))
            advance(end - start)
    facts = pd.concat([part.facts for part in parts], ignore_index=True)
    store = Store([part.hits for part in parts], motifs, regions)
    write_store(out, store, facts, parameters)
    shutil.rmtree(kept)
    n_kept = sum(len(part.facts) for part in parts if part.kept)
    return FolderCall(Path(out), len(store), n, n_kept, float(facts["relative_gap"].max()))


class _Part(NamedTuple):
    hits: Path
    facts: pd.DataFrame
    kept: bool


def _part(
    folder: Path, question: str, regions: Regions, caller: HitCaller, start: int, end: int, batch_size: int
) -> _Part:
    """One chunk: as an earlier run left it, or called now."""
    X, contributions = regions.sequences[start:end], regions.contributions[start:end]
    name = content_hash(question, start, np.asarray(X), np.asarray(contributions))[:32]
    hits, facts = folder / f"{name}.hits.npy", folder / f"{name}.regions.npy"
    kept = facts.is_file()
    if not kept:
        table, known = caller(X, contributions, first=start, batch_size=batch_size)
        for path, records in ((hits, pack(table, caller.motifs)), (facts, known.to_records(index=False))):
            with writing(path) as temporary:  # the second says that the first is there
                np.save(temporary, records)
    return _Part(hits, pd.DataFrame(np.load(facts)), kept)
