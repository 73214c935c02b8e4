"""nbinterp asks a trained sequence-to-function model "what have you learned?", live in the notebook.

Every public name can be imported from here; its module, and torch, load on first use, so that ``import nbinterp`` is
quick.  The folders are the domain's nouns in the order of the data: sequence, model, attribution, seqlet, motif; then
widget and report, which show them.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

__version__ = "0.1.0"

# The public face, by the folder that holds each name.  tests/test_face.py holds it to the folders' own __all__.
_FACE: Final[dict[str, tuple[str, ...]]] = {
    "errors": (
        "FormatError",
        "Interrupted",
        "ModelError",
        "NbinterpError",
        "NbinterpWarning",
        "OptionError",
    ),
    "sequence": (
        "CodedSequence",
        "InfoField",
        "PackedSequence",
        "Sequences",
        "characters",
        "chunk",
        "delete",
        "dinucleotide_shuffle",
        "entropy",
        "example_to_fasta_coords",
        "extract_loci",
        "extract_matching_loci",
        "extract_signal",
        "gapped_kmers",
        "gc_content",
        "information_content",
        "insert",
        "kmers",
        "local_dinucleotide_shuffle",
        "multisubstitute",
        "one_hot_encode",
        "one_hot_to_fasta",
        "pwm_consensus",
        "random_one_hot",
        "randomize",
        "read_fasta",
        "read_sequences",
        "read_vcf",
        "reverse_complement",
        "shuffle",
        "strongest_kmers",
        "substitute",
        "unchunk",
        "write_bigwig",
        "write_vcf",
    ),
    "model": (
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
    ),
    "attribution": (
        "AttributionErrorResult",
        "BilinearOp",
        "Diagnosis",
        "FaithfulnessResult",
        "IntegratedGradientsResult",
        "attribute",
        "deep_lift_shap",
        "dependency_map",
        "diagnose",
        "expected_gradients",
        "faithfulness",
        "hypothetical_attributions",
        "input_x_gradient",
        "integrated_gradients",
        "integrated_gradients_op",
        "pisa",
        "saliency",
        "saturation_mutagenesis",
        "smooth_grad",
    ),
    "seqlet": (
        "RecursiveSeqletsResult",
        "recursive_seqlets",
        "tfmodisco_seqlets",
    ),
    "motif": (
        "AlignedMotifs",
        "MotifSet",
        "MotifSimilarity",
        "Pattern",
        "PatternSet",
        "align_motifs",
        "fimo",
        "load_jaspar",
        "motif_similarity",
        "q_values",
        "read_homer",
        "read_jaspar",
        "read_meme",
        "read_modisco",
        "read_motifs",
        "read_transfac",
        "stream_fimo",
        "tomtom",
        "write_homer",
        "write_jaspar",
        "write_meme",
        "write_modisco",
        "write_motifs",
        "write_transfac",
    ),
    "annotation": (
        "ORIENTATIONS",
        "annotate_seqlets",
        "as_annotations",
        "attribute_annotations",
        "count_annotations",
        "pairwise_annotations",
        "pairwise_annotations_spacing",
        "spacing_enrichment",
    ),
    "perturb": (
        "Effect",
        "MotifEffects",
        "PositionEffects",
        "PruneResult",
        "SpacingEffects",
        "VariantEffects",
        "Variants",
        "ablate",
        "ablate_annotations",
        "apply_pairwise",
        "apply_product",
        "context_dependence",
        "context_swap",
        "deletion_effect",
        "distance_effect",
        "higher_order",
        "insertion_effect",
        "interaction_map",
        "marginalize",
        "marginalize_annotations",
        "motif_effects",
        "multiplicity",
        "necessity",
        "position_effects",
        "prune",
        "read_variants",
        "space",
        "spacing_effects",
        "substitution_effect",
        "sufficiency",
        "summarize",
        "until_precise",
        "variant_effects",
    ),
    "design": (
        "Design",
        "beam_substitution",
        "evolve",
        "greedy_marginalize",
        "greedy_substitution",
        "screen",
    ),
    "chart": (
        "BASES",
        "ProfileRow",
        "logo_png",
        "plot_interactions",
        "plot_logo",
        "plot_motif_effects",
        "plot_position_effects",
        "plot_pwm",
        "plot_spacing",
        "plot_variants",
        "profile_png",
        "publication_logo",
    ),
    "widget": (
        "InteractionView",
        "LogoView",
        "MarginalView",
        "SpacingView",
        "TableView",
        "TrackView",
        "VariantView",
        "link",
        "marginal_grid",
    ),
    "report": (
        "AttributionParameters",
        "ContextParameters",
        "DesignParameters",
        "Explained",
        "Facts",
        "Findings",
        "Inputs",
        "MarginalizationParameters",
        "ReportParameters",
        "Run",
        "SpacingParameters",
        "VariantsParameters",
        "check_parameters",
        "describe",
        "list_templates",
        "read_explained",
        "read_inputs",
        "run_report",
        "to_html",
        "write_html",
    ),
}
_HOME: Final = {name: folder for folder, names in _FACE.items() for name in names}
_FOLDERS: Final = (*_FACE, "cli", "core", "demo", "live")

__all__ = ["__version__", *sorted(_HOME)]  # noqa: PLE0604 - a sorted list of strings


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
        globals()[name] = value  # so that the next look-up does not come here
        return value
    if name in _FOLDERS:
        return importlib.import_module(f".{name}", __name__)
    from .errors import suggest

    raise AttributeError(f"module 'nbinterp' has no attribute {name!r}{suggest(name, [*_HOME, *_FOLDERS])}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, *_FOLDERS})
