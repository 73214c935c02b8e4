"""Exact Ward against SciPy's route: 10,000 maps beside it; ``python -m tests.benchmarks.bench_ward 5000 10000 30000 60000``
prints time and memory at any sizes, each in a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import scipy
from scipy.cluster import hierarchy

from nbinterp.mechanism.ward import ward_linkage

from .case import Case

WIDE = 996  # 4 x 249


def maps_of(n: int) -> np.ndarray:
    """Fifty mechanisms, and variants at unequal distances from them."""
    random = np.random.default_rng(0)
    centres = 0.5 * random.standard_normal((50, WIDE), np.float32)
    spread = random.gamma(1.0, 0.3, (n, 1)).astype(np.float32)
    maps: np.ndarray = centres[random.integers(0, 50, n)]
    maps += spread * random.standard_normal((n, WIDE), np.float32)
    return maps


def cases() -> Iterator[Case]:
    """Time alone: memory is the process's, and is printed by this file as a program."""
    maps = maps_of(10_000)
    yield Case(
        "ward, 10,000 maps of 4 x 249",
        lambda: ward_linkage(maps, device="cpu"),
        lambda: hierarchy.linkage(maps, "ward"),
        f"scipy {scipy.__version__}",
        bar=2,
        repeats=1,
        warm_up=False,
    )


_MEASURED = """
import resource, sys, time, numpy as np, torch
from scipy.cluster import hierarchy
from nbinterp.mechanism.ward import ward_linkage
from tests.benchmarks.bench_ward import maps_of
work = ward_linkage if sys.argv[2] == "nbinterp" else (lambda maps: hierarchy.linkage(maps, "ward"))
work(maps_of(100))
maps = maps_of(int(sys.argv[1]))
memory = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
before, wall, cpu = memory(), time.perf_counter(), time.process_time()
work(maps)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
print(f"| {len(maps):,} | {sys.argv[2]} | {wall:.1f} s | {cpu:.1f} s | {memory() - before:.2f} GB | {memory():.2f} GB |")
"""


def main() -> None:
    """A row a size; SciPy beside it at 10,000."""
    print("| maps of 4 x 249 | by | wall | CPU | memory added | peak |\n|---|---|---|---|---|---|", flush=True)
    for size in sys.argv[1:] or ["5000", "10000"]:
        for who in ("nbinterp", "scipy") if size == "10000" else ("nbinterp",):
            subprocess.run([sys.executable, "-c", _MEASURED, size, who], check=True, env=os.environ)


if __name__ == "__main__":
    main()
