"""A small trained model whose grammar is known, to try everything on.

In: nothing but this package.  Out: a model that `train` made (`load_model`), sequences in which its motifs are planted
and the table of where (`sequences`), the motifs (`motifs`), and a score of seqlets against that truth (`recovery`).  The
rules are in `grammar`; their figures, and how well the model learned them, in ``truth.json``.
"""

from .grammar import LENGTH, TASKS, motifs, sequences, write_fasta
from .network import DemoNetwork, load_model, truth
from .recovery import Recovery, recovery
from .variants import variants

__all__ = [
    "LENGTH",
    "TASKS",
    "DemoNetwork",
    "Recovery",
    "load_model",
    "motifs",
    "recovery",
    "sequences",
    "truth",
    "variants",
    "write_fasta",
]
