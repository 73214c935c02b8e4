"""Any network becomes one shape: one-hot ``(N, 4, L)`` in, ``(N, T)`` out.

In: checkpoints and modules of the field.  Out: modules that predict in batches (`predict`), that say what they are
(`probe`), whose outputs are chosen (`target`), and, in `incremental`, that answer an edit by recomputing only what it
reaches.
"""

from .adaptor import Adapted, adapt
from .bilinear import BilinearOp
from .load import load_model
from .networks import BPNet, Cherimoya, ChromBPNet
from .predict import predict
from .probe import ProbeReport, probe
from .target import Ensemble, Target, target

__all__ = [
    "Adapted",
    "BPNet",
    "BilinearOp",
    "Cherimoya",
    "ChromBPNet",
    "Ensemble",
    "ProbeReport",
    "Target",
    "adapt",
    "load_model",
    "predict",
    "probe",
    "target",
]
