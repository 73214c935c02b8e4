"""One row of the benchmark table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Case"]


@dataclass(frozen=True)
class Case:
    """Ours against a peer's, both called with no argument in the same process.

    Parameters
    ----------
    name : str
        What is measured, with its size.
    ours, peer : callable
        Do the work once.  `peer` is None when there is nothing to compare with.
    peer_name : str
        Whose it is, with the version.
    bar : float, optional
        The least ratio (peer's time / ours) that the project promises.
    repeats : int
        How often each is timed, interleaved; the medians are reported.
    warm_up : bool
        Whether to call each once before timing.
    """

    name: str
    ours: Callable[[], Any]
    peer: Callable[[], Any] | None = None
    peer_name: str = ""
    bar: float | None = None
    repeats: int = 3
    warm_up: bool = True
