"""What users hold their numbers in, as arrays; and where the work is done.

In: tensors, arrays, compact containers; a device's name or none.  Out: NumPy arrays, a name.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    import torch

__all__ = ["as_array", "device_of"]

_GPU: Final = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")  # one of these stands where Linux knows a GPU


def as_array(rows: Any) -> np.ndarray:
    """Some rows as they are kept; floating-point tensors in double precision, which holds all others."""
    if hasattr(rows, "to_one_hot"):
        rows = rows.to_one_hot()
    if hasattr(rows, "detach"):
        rows = rows.detach().cpu()
        rows = (rows.double() if rows.is_floating_point() else rows).numpy()
    return np.asarray(rows)


def device_of(device: torch.device | str | None) -> str:
    """The device asked for, else CUDA if there is one, else the CPU.

    Torch is asked, and so loaded, only where there may be a GPU.
    """
    if device is not None:
        return str(device)
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") == ""
    if hidden or (os.name == "posix" and not any(Path(one).exists() for one in _GPU)):
        return "cpu"
    from ..core.batches import resolve_device

    return str(resolve_device(None))
