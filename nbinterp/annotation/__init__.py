"""Annotations: seqlets and hits get names, and are counted, paired and spaced.

In: tables with example_idx, start, end and name, from seqlets, scans, called hits or by hand.  Out: names with strand,
offset and q-value; counts of annotations, pairs and spacings; which spacings are more frequent than chance.
"""

from .attribution import attribute_annotations
from .count import count_annotations, pairwise_annotations
from .enrichment import spacing_enrichment
from .name import annotate_seqlets
from .site import motif_sites, name_seqlets
from .spacing import ORIENTATIONS, pairwise_annotations_spacing
from .summary import average_annotations, summarize_annotations
from .table import as_annotations
from .together import pair_enrichment

__all__ = [
    "ORIENTATIONS",
    "annotate_seqlets",
    "as_annotations",
    "attribute_annotations",
    "average_annotations",
    "count_annotations",
    "motif_sites",
    "name_seqlets",
    "pair_enrichment",
    "pairwise_annotations",
    "pairwise_annotations_spacing",
    "spacing_enrichment",
    "summarize_annotations",
]
