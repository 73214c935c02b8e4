"""Motifs: sets of position weight matrices of unequal width, and where they are in sequence.

In: motif files (MEME, JASPAR, TRANSFAC, HOMER, TF-MoDISco), arrays; sequences to scan.  Out: a `MotifSet`, a mapping
from name to a matrix ``(4, w)`` of probabilities, rows A C G T; tables of hits and of matches, with exact p-values.
"""

from .database import load_jaspar
from .enrichment import motif_enrichment
from .fdr import q_values
from .fimo import fimo, stream_fimo
from .formats import read_motifs, write_motifs
from .homer import read_homer, write_homer
from .jaspar import read_jaspar, write_jaspar
from .jaspar_core import jaspar_table
from .meme import read_meme, write_meme
from .modisco import Pattern, PatternSet, read_modisco, write_modisco
from .motifset import MotifSet
from .patterns import pattern_core, pattern_seqlets, pattern_table, patterns_from_seqlets, seqlet_contributions
from .tomtom import tomtom
from .tomtom_align import AlignedMotifs, MotifSimilarity, align_motifs, motif_similarity
from .transfac import read_transfac, write_transfac

__all__ = [
    "AlignedMotifs",
    "MotifSet",
    "MotifSimilarity",
    "Pattern",
    "PatternSet",
    "align_motifs",
    "fimo",
    "jaspar_table",
    "load_jaspar",
    "motif_enrichment",
    "motif_similarity",
    "pattern_core",
    "pattern_seqlets",
    "pattern_table",
    "patterns_from_seqlets",
    "q_values",
    "read_homer",
    "read_jaspar",
    "read_meme",
    "read_modisco",
    "read_motifs",
    "read_transfac",
    "seqlet_contributions",
    "stream_fimo",
    "tomtom",
    "write_homer",
    "write_jaspar",
    "write_meme",
    "write_modisco",
    "write_motifs",
    "write_transfac",
]
