"""Context tests: what parts of a sequence a prediction needs, what is enough for it, and how parts act together.

In: a model, sequences, and spans of them (a width, pairs, or a table such as seqlets).  Out: tables, one row a span, of
effects with their spread over backgrounds and a confidence interval.  All spans, sequences and backgrounds are predicted
together, in batches.  After CREME (Toneyan and Koo, Nature Genetics 2024).
"""

from .combination import higher_order, multiplicity
from .distance import distance_effect
from .experiment import Settings
from .tiles import context_dependence, context_swap, necessity, sufficiency

__all__ = [
    "Settings",
    "context_dependence",
    "context_swap",
    "distance_effect",
    "higher_order",
    "multiplicity",
    "necessity",
    "sufficiency",
]
