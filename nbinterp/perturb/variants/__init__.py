"""Variants: from VCF or a table to windows, from windows to what a model says of them.

In: VCF or a table, a genome, a model.  Out: `Variants` (windows of reference and alternative sequence, and the rows
that were left out, with the reason) and `VariantEffects` (a table of scores, the predictions, TSV and VCF).
"""

from __future__ import annotations

from .effects import VariantEffects, variant_effects
from .haplotype import Change
from .windows import Variants, read_variants

__all__ = ["Change", "VariantEffects", "Variants", "read_variants", "variant_effects"]
