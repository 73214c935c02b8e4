"""Time every case against its peer in this process and print a Markdown table (``make bench``).

Ours and the peer's are called in turn, so that a busy machine slows both; CPU time counts all threads.  Arguments are
words that the name of a case must contain.
"""

from __future__ import annotations

import importlib
import os
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .case import Case


def _time(work: Callable[[], Any]) -> tuple[float, float]:
    _wait_for_device()
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    _wait_for_device()
    return time.perf_counter() - wall, time.process_time() - cpu


def _wait_for_device() -> None:
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.synchronize()


def _cases(words: list[str]) -> Iterator[Case]:
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        module = importlib.import_module(f"tests.benchmarks.{path.stem}")
        yield from (case for case in module.cases() if all(word in case.name for word in words))


def measure(case: Case) -> str:
    """One row of the table."""
    works = [work for work in (case.ours, case.peer) if work is not None]
    if case.warm_up:
        for work in works:
            work()
    times: list[list[tuple[float, float]]] = [[] for _ in works]
    for _ in range(case.repeats):
        for work, kept in zip(works, times, strict=True):
            kept.append(_time(work))
    wall = [statistics.median(t[0] for t in kept) for kept in times]
    cpu = [statistics.median(t[1] for t in kept) for kept in times]
    if len(works) == 1:
        return f"| {case.name} | {wall[0]:.3g} s | | | | |"
    bar = f"{case.bar:g}x" if case.bar is not None else ""
    return (
        f"| {case.name} | {wall[0]:.3g} s | {wall[1]:.3g} s ({case.peer_name}) "
        f"| **{wall[1] / wall[0]:.1f}x** | {cpu[1] / cpu[0]:.1f}x | {bar} |"
    )


def main() -> None:
    """Print the table row by row."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    print(f"Python {platform.python_version()}, torch {torch.__version__}, {os.cpu_count()} cores, {device}\n")
    print("| what | nbinterp | peer | wall ratio | CPU-time ratio | promised |\n|---|---|---|---|---|---|", flush=True)
    warnings.simplefilter("ignore")
    for case in _cases(sys.argv[1:]):
        print(measure(case), flush=True)


if __name__ == "__main__":
    main()
