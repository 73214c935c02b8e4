"""A call into a folder: regions stream through, and what is finished is kept.

In: regions as they are read, motifs.  Out: the folder of `write_hits`.  A run that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from ..core.batches import progress, resolve_device
from ..core.cache import content_hash
from ..core.files import writing
from ..errors import problem
from .call import HitCaller, Hits, check_regions
from .files import write_hits
from .motifs import HitMotifs
from .regions import Regions

__all__ = ["call_to_folder"]


def call_to_folder(
    out: str | os.PathLike[str],
    regions: Regions,
    motifs: HitMotifs,
    *,
    chunk: int = 1024,
    batch_size: int = 64,
    device: torch.device | str | None = None,
    parameters: Mapping[str, Any] | None = None,
    verbose: bool = False,
    **options: Any,
) -> Hits:
    """Call hits in regions that need not fit into memory, and write them.

    Parameters
    ----------
    out : path
        Of `write_hits`; finished chunks stand in ``.parts`` there until the end.
    regions : Regions
    motifs : HitMotifs
    chunk : int
        Regions that are read, called and kept together.
    batch_size : int
        Regions that are solved together.
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
    Hits

    Raises
    ------
    NbinterpError
        As `call_hits`; with the number of the region in the whole.

    Examples
    --------
    See `call_hits`, and ``nbinterp hits call --help``.
    """
    if chunk < 1:
        raise problem("call_to_folder", "chunk", got=chunk, need="at least 1", do="raise it")
    n, folder = len(regions), Path(out)
    check_regions("call_hits", regions.sequences, regions.contributions, options.get("mode", "pp"))
    arrays = (motifs.weights, motifs.starts, motifs.ends, motifs.lambdas, list(motifs.names))
    key = content_hash(*arrays, regions.source, n, regions.length, chunk, {k: repr(v) for k, v in options.items()})[:20]
    kept = folder / ".parts" / key
    caller = HitCaller(motifs, regions.length, device=resolve_device(device), **options)
    parts = []
    with progress(n, "call_hits", verbose) as advance:
        for start in range(0, n, chunk):
            end = min(start + chunk, n)
            parts.append(_part(kept / f"{start}.pkl", regions, caller, start, end, batch_size))
            advance(end - start)
    table, facts = (pd.concat(one, ignore_index=True) for one in zip(*parts, strict=True))
    hits = Hits(table, facts, motifs, caller.mode)
    write_hits(folder, hits, regions, parameters)
    shutil.rmtree(folder / ".parts")
    return hits


def _part(
    path: Path, regions: Regions, caller: HitCaller, start: int, end: int, batch_size: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One chunk: as it was kept, or called now."""
    if path.is_file():
        with path.open("rb") as stored:
            found: tuple[pd.DataFrame, pd.DataFrame] = pickle.load(stored)
            return found
    X, contributions = regions.sequences[start:end], regions.contributions[start:end]
    part = caller(X, contributions, first=start, batch_size=batch_size)
    with writing(path) as temporary, temporary.open("wb") as stored:
        pickle.dump(part, stored, protocol=pickle.HIGHEST_PROTOCOL)
    return part
