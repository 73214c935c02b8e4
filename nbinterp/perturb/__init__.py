"""Experiments on sequences: what changes in a model's answer when they are edited.

In: a model, one-hot sequences and an edit (a motif, a span, spacings, variants).  Out: the output of a function before
and after, as tangermeme gives it; or tables of effects with their intervals (`motif_effects`, `spacing_effects`,
`necessity`, `variant_effects`).  The function is `predict` unless another is passed: ``func=deep_lift_shap``, or any
callable ``(model, X, **options)``.  References are computed once, and many edits share each call.
"""

from .ablate import ablate, ablate_annotations
from .context import (
    context_dependence,
    context_swap,
    distance_effect,
    higher_order,
    multiplicity,
    necessity,
    sufficiency,
)
from .marginalize import marginalize, marginalize_annotations
from .motif_effects import MotifEffects, PositionEffects, motif_effects, position_effects
from .product import apply_pairwise, apply_product
from .prune import PruneResult, prune
from .space import space
from .spacing import SpacingEffects, interaction_map, spacing_effects
from .summary import Effect, summarize, until_precise
from .variant_effect import deletion_effect, insertion_effect, substitution_effect
from .variants import VariantEffects, Variants, read_variants, variant_effects

__all__ = [
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
]
