"""Hit calling beside Fi-NeMo 0.41, from files to files.

``make bench`` times a small set within the process.  ``python -m tests.benchmarks.bench_hits`` compares the two commands on 500
regions, with their peak memory (Fi-NeMo needs minutes), and calls 500, 5,000 and 50,000 regions; words choose: commands, scaling.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nbinterp.hit import call_to_folder, hit_motifs, read_regions
from nbinterp.motif import read_modisco
from tests.hit.synthetic import regions, write_inputs

from .case import Case

LENGTH, MOTIFS, SPACING, SMALL, LARGE = 1000, 40, 150, 40, 500
THREADS = "2"
BINARIES = Path(sys.executable).parent


def inputs(folder: Path, n: int) -> tuple[Path, Path]:
    """Files of `n` regions, at most 500 of them different."""
    return write_inputs(folder, regions(min(n, LARGE), LENGTH, MOTIFS, spacing=SPACING), n)


def cases() -> Iterator[Case]:
    """A call of few regions: Fi-NeMo takes half a second a region."""
    folder = Path(tempfile.mkdtemp())
    npz, h5 = inputs(folder, SMALL)

    def ours() -> None:
        call_to_folder(folder / "ours", read_regions(npz), hit_motifs(read_modisco(h5, arrays=False)), device="cpu")

    def theirs() -> None:
        from finemo.main import call_hits

        none = {
            f"{name}_path": None for name in ("peaks", "chrom_order", "motifs_include", "motif_names", "motif_lambdas")
        }
        trims = {"cwm_trim_coords_path": None, "cwm_trim_thresholds_path": None}
        call_hits(str(npz), modisco_h5_path=str(h5), out_dir=str(folder / "theirs"), batch_size=SMALL, **none, **trims)

    name = f"hits call, {SMALL} regions x {LENGTH:,} bp x {MOTIFS} motifs"
    yield Case(name, ours, theirs, "finemo 0.41", bar=100, repeats=1)


class Run(NamedTuple):
    """A command's time, the processor's part of it, and peak memory in MB."""

    wall: float
    cpu: float
    memory: float


# a process's peak memory counts what its parent held when it began: so the parent is a small one
_MEASURE = """
import resource, subprocess, sys, time
started = time.perf_counter()
status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
wall, used = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
print(status, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


def run(*command: str | Path) -> Run:
    """Run a command with two threads."""
    env = {**os.environ, "OMP_NUM_THREADS": THREADS, "CUDA_VISIBLE_DEVICES": ""}
    words = [sys.executable, "-I", "-S", "-c", _MEASURE, *map(str, command)]
    status, *numbers = subprocess.run(words, env=env, stdout=subprocess.PIPE, check=True, text=True).stdout.split()
    if int(status):
        raise RuntimeError(f"{command} ended with {status}")
    return Run(*map(float, numbers))


def ours(folder: Path, npz: Path, h5: Path) -> Run:
    """The command of this package."""
    return run(BINARIES / "nbinterp", "hits", "call", "-r", npz, "-m", h5, "-o", folder / "ours")


def commands(n: int = LARGE) -> None:
    """Both commands; Fi-NeMo's with the batch that suits it best, all regions, where its default computes 2,000."""
    folder = Path(tempfile.mkdtemp())
    npz, h5 = inputs(folder, n)
    first = ours(folder, npz, h5)
    theirs = run(BINARIES / "finemo", "call-hits", "-r", npz, "-m", h5, "-o", folder / "theirs", "-b", str(n))
    second = ours(folder, npz, h5)
    mine = Run(*((a + b) / 2 for a, b in zip(first, second, strict=True)))
    print(f"\n| {n} regions x {LENGTH:,} bp x {MOTIFS} motifs | wall | CPU | peak memory |\n|---|---|---|---|")
    for name, one in (("nbinterp hits call", mine), ("finemo call-hits", theirs)):
        print(f"| {name} | {one.wall:.1f} s | {one.cpu:.1f} s | {one.memory:.0f} MB |")
    ratios = [b / a for a, b in zip(mine, theirs, strict=True)]
    print("| ratio (bars: 100x wall, 5x memory) | " + " | ".join(f"{ratio:.1f}x" for ratio in ratios) + " |")


def scaling(sizes: tuple[int, ...] = (500, 5_000, 50_000)) -> None:
    """Time a region and peak memory, of more and more regions."""
    print("\n| regions | wall | a region | peak memory |\n|---|---|---|---|")
    for n in sizes:
        with tempfile.TemporaryDirectory() as folder:
            one = ours(Path(folder), *inputs(Path(folder), n))
        print(f"| {n:,} | {one.wall:.1f} s | {1000 * one.wall / n:.2f} ms | {one.memory:.0f} MB |", flush=True)


if __name__ == "__main__":
    for word in sys.argv[1:] or ("commands", "scaling"):
        {"commands": commands, "scaling": scaling}[word]()
