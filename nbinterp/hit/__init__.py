"""Hits: the motif instances that together explain a model's contributions.

In: sequences, contributions and motifs (TF-MoDISco's patterns, matrices of any width), in memory or in Fi-NeMo's files.
Out: `Hits`, a table of instances that compete for the contributions, solved to the optimum, with what is known of each
region; and Fi-NeMo's files.
"""

from .bigbed import write_bigbed
from .call import HitCaller, Hits, call_hits
from .collapse import collapse_hits, intersect_hits
from .differential import differential_hits
from .evaluate import Evaluation, evaluate_hits
from .exports import export_hits, read_chrom_sizes
from .files import hits_table, read_hit_motifs, read_hits, unique_hits, write_hits
from .fista import FistaOptions
from .folder import read_call
from .motifs import HitMotifs, hit_motifs
from .names import match_motifs, name_hits
from .null import permute_regions
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
from .run import FolderCall, call_to_folder
from .seqlets import modisco_seqlets
from .session import HitSession
from .significance import Calibration, calibrate_lambdas, hit_q_values

__all__ = [
    "Calibration",
    "Evaluation",
    "FistaOptions",
    "FolderCall",
    "HitCaller",
    "HitMotifs",
    "HitSession",
    "Hits",
    "Regions",
    "calibrate_lambdas",
    "call_hits",
    "call_to_folder",
    "collapse_hits",
    "differential_hits",
    "evaluate_hits",
    "export_hits",
    "hit_motifs",
    "hit_q_values",
    "hits_table",
    "intersect_hits",
    "match_motifs",
    "modisco_seqlets",
    "name_hits",
    "permute_regions",
    "read_call",
    "read_chrom_sizes",
    "read_hit_motifs",
    "read_hits",
    "read_peaks",
    "read_regions",
    "regions_from_bigwig",
    "regions_from_bpnet_h5",
    "regions_from_chrombpnet_h5",
    "regions_from_modisco_fmt",
    "unique_hits",
    "write_bigbed",
    "write_hits",
    "write_regions",
]
