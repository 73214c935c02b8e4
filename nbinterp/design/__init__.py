"""Sequences that make a model predict what is wanted.

In: a model, a sequence (or its shape), motifs, and the output that is wanted.  Out: designed sequences, or a `Design`
that also has every accepted step and can replay them.
"""

from .beam_substitution import beam_substitution
from .evolve import evolve
from .greedy_marginalize import greedy_marginalize
from .greedy_substitution import greedy_substitution
from .result import Design
from .screen import screen

__all__ = ["Design", "beam_substitution", "evolve", "greedy_marginalize", "greedy_substitution", "screen"]
