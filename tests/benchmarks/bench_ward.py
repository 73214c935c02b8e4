"""Exact Ward against SciPy's route: 10,000 maps beside it.

``python -m tests.benchmarks.bench_ward`` prints time and memory at 5,000, 10,000, 30,000 and 60,000 maps, each in a process
of its own, and 100,000 on a GPU where there is one; sizes and kinds of maps can be named: ``... bench_ward 5000 real``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import scipy
import torch
from scipy.cluster import hierarchy

from nbinterp.mechanism.ward import ward_linkage

from .case import Case

WIDE = 996  # 4 x 249
REAL = Path(os.environ.get("NBINTERP_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
REAL_MAPS = REAL / "deepstarr_intgrad_maps_1000x249x4.npy"
KINDS = ("real", "mechanisms", "random")
SIZES = (5_000, 10_000, 30_000, 60_000)
_BESIDE = 10_000  # maps, at which SciPy is run too
_ON_GPU = 100_000


def maps_of(n: int, kind: str = "mechanisms") -> np.ndarray:
    """Maps of a kind.

    ``real``: the thousand of a DeepSTARR enhancer, each moved part of the way between two others, so that their clusters and
    covariance stay; ``mechanisms``: fifty, and variants at unequal distances, spread alike in every direction, which is the
    hardest; ``random``: points without any structure.
    """
    random = np.random.default_rng(0)
    if kind == "random":
        return random.standard_normal((n, WIDE), np.float32)
    if kind == "real":
        seen = np.load(REAL_MAPS).reshape(-1, WIDE)
        i, j, k = random.integers(0, len(seen), (3, n))
        return np.asarray(seen[i] + random.gamma(1.0, 0.3, (n, 1)).astype(np.float32) * (seen[j] - seen[k]))
    centres = 0.5 * random.standard_normal((50, WIDE), np.float32)
    spread = random.gamma(1.0, 0.3, (n, 1)).astype(np.float32)
    maps: np.ndarray = centres[random.integers(0, 50, n)]
    maps += spread * random.standard_normal((n, WIDE), np.float32)
    return maps


def _kinds() -> tuple[str, ...]:
    return KINDS if REAL_MAPS.exists() else KINDS[1:]


def cases() -> Iterator[Case]:
    """Time alone: memory is the process's, and is printed by this file as a program."""
    for kind in _kinds():
        maps = maps_of(_BESIDE, kind)
        yield Case(
            f"ward, {_BESIDE:,} maps of 4 x 249, {kind}",
            partial(ward_linkage, maps, device="cpu"),
            partial(hierarchy.linkage, maps, "ward"),
            f"scipy {scipy.__version__}",
            bar=2,
            repeats=1,
            warm_up=False,
        )
    if torch.cuda.is_available():
        work = partial(ward_linkage, maps_of(_ON_GPU), device="cuda")
        yield Case(f"ward, {_ON_GPU:,} maps of 4 x 249, on a GPU", work)


_MEASURED = """
import resource, sys, time, numpy as np, torch
from scipy.cluster import hierarchy
from nbinterp.mechanism.ward import ward_linkage
from tests.benchmarks.bench_ward import maps_of
n, kind, who = int(sys.argv[1]), *sys.argv[2:]
device = "cuda" if who == "GPU" else "cpu"
work = (lambda maps: hierarchy.linkage(maps, "ward")) if who == "scipy" else (lambda maps: ward_linkage(maps, device=device))
work(maps_of(100, kind))
maps = maps_of(n, kind)
memory = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
before, wall, cpu = memory(), time.perf_counter(), time.process_time()
work(maps)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
added, peak = memory() - before, memory()
if who == "GPU":
    added = peak = torch.cuda.max_memory_allocated() / 2**30
print(f"| {n:,} | {kind} | {who} | {wall:.1f} s | {cpu:.1f} s | {added:.2f} GB | {peak:.2f} GB |")
"""


def main() -> None:
    """A row a size and kind; SciPy beside it at 10,000; a GPU where there is one."""
    sizes = [int(word) for word in sys.argv[1:] if word.isdigit()] or list(SIZES)
    kinds = [word for word in sys.argv[1:] if not word.isdigit()] or list(_kinds())
    head = "| maps of 4 x 249 | kind | by | wall | CPU | memory added | peak |"
    print(head, "|---|---|---|---|---|---|---|", sep="\n", flush=True)
    if "real" not in kinds and not REAL_MAPS.exists():
        print(f"SKIPPED real maps: no {REAL_MAPS}; set NBINTERP_DATA", flush=True)
    for size in sizes:
        for kind in kinds:
            for who in ("nbinterp", "scipy") if size == _BESIDE else ("nbinterp",):
                _row(size, kind, who)
    if torch.cuda.is_available():
        for kind in kinds:
            _row(_ON_GPU, kind, "GPU")
    else:
        print(f"SKIPPED {_ON_GPU:,} maps on a GPU: there is none here", flush=True)


def _row(size: int, kind: str, who: str) -> None:
    waiting = {
        "OMP_WAIT_POLICY": "passive",
        **os.environ,
    }  # threads that wait for one another count as no processor time
    subprocess.run([sys.executable, "-c", _MEASURED, str(size), kind, who], check=True, env=waiting)


if __name__ == "__main__":
    main()
