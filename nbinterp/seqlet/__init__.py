"""Spans of high attribution.

In: attributions ``(N, L)``, one number a position (sum the bases of ``(N, 4, L)`` first).  Out: a table with example_idx,
start, end, attribution and, for `recursive_seqlets`, p-value.
"""

from .recursive import RecursiveSeqletsResult, recursive_seqlets
from .tfmodisco import tfmodisco_seqlets

__all__ = ["RecursiveSeqletsResult", "recursive_seqlets", "tfmodisco_seqlets"]
