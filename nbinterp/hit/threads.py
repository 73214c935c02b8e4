"""Torch as small problems that are held to their optimum need it.

In: nothing.  Out: a context in which torch computes on one thread, and in numbers as long as they say.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["one_thread"]


@contextmanager
def one_thread() -> Iterator[None]:
    """Thousands of small operations wait for each other's threads longer than they run, where others run, too.

    And convolutions on a GPU have 10 bits of float32's 24 unless they are told to keep them.
    """
    before, cudnn = torch.get_num_threads(), torch.backends.cudnn
    torch.set_num_threads(1)
    try:
        with cudnn.flags(enabled=cudnn.enabled, benchmark=cudnn.benchmark, allow_tf32=False):
            yield
    finally:
        torch.set_num_threads(before)
