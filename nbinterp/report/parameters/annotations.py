"""What the annotations report is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...errors import problem
from .attribution import AttributionParameters
from .record import TAX_GROUPS, about, at_least, check_tax_group

__all__ = ["AnnotationsParameters"]


@dataclass(frozen=True)
class AnnotationsParameters(AttributionParameters):
    """What the annotations report asks: what the attribution report does, and names; see `describe` for each."""

    where: ClassVar[str] = "report annotations"
    paths: ClassVar[tuple[str, ...]] = (*AttributionParameters.paths, "motifs")

    n_demo: int = about(60, "how many simulated sequences")
    edits: bool = about(False, "store every single edit's prediction, so that the report answers edits")
    motifs: str = about(
        "", "motif file: MEME, JASPAR, TRANSFAC, HOMER, TF-MoDISco; empty: JASPAR's CORE motifs; the demo has its own"
    )
    tax_group: str = about("vertebrates", f"whose motifs of JASPAR: {', '.join(TAX_GROUPS)}; empty: all")
    name_threshold: float = about(0.05, "largest q-value of a match that names a seqlet")
    max_distance: int = about(100, "spacings of fewer bases are tested")
    stranded: bool = about(True, "test spacings by order and strands")
    fdr: float = about(0.05, "largest q-value of pairs and spacings that are called")
    scan: bool = about(True, "scan for the motifs found, too, and say which of their hits carry attribution")
    hit_threshold: float = about(1e-4, "largest p-value of such a hit")

    def check(self) -> None:
        """Refuse what cannot work, before anything starts."""
        super().check()
        check_tax_group(self.where, self.tax_group)
        at_least(self.where, self, {"max_distance": 1})
        for name in ("name_threshold", "fdr", "hit_threshold"):
            if not 0 < getattr(self, name) < 1:
                raise problem(self.where, name, got=getattr(self, name), need="between 0 and 1", do="correct it")
