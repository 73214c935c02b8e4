"""Hits: the motif instances that together explain a model's contributions.

In: sequences, contributions and motifs (TF-MoDISco's patterns, matrices of any width), in memory or in Fi-NeMo's files.
Out: `Hits`, a table of instances that compete for the contributions, solved to the optimum, with what is known of each
region; and Fi-NeMo's files.
"""

from .call import HitCaller, Hits, call_hits
from .collapse import collapse_hits, intersect_hits
from .files import hits_table, read_hit_motifs, read_hits, unique_hits, write_hits
from .fista import FistaOptions
from .motifs import HitMotifs, hit_motifs
from .peaks import read_peaks
from .regions import (
    Regions,
    read_regions,
    regions_from_bigwig,
    regions_from_bpnet_h5,
    regions_from_chrombpnet_h5,
    regions_from_modisco_fmt,
    write_regions,
)
from .run import call_to_folder

__all__ = [
    "FistaOptions",
    "HitCaller",
    "HitMotifs",
    "Hits",
    "Regions",
    "call_hits",
    "call_to_folder",
    "collapse_hits",
    "hit_motifs",
    "hits_table",
    "intersect_hits",
    "read_hit_motifs",
    "read_hits",
    "read_peaks",
    "read_regions",
    "regions_from_bigwig",
    "regions_from_bpnet_h5",
    "regions_from_chrombpnet_h5",
    "regions_from_modisco_fmt",
    "unique_hits",
    "write_hits",
    "write_regions",
]
