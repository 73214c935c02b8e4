"""What the mechanisms report is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...core.check import check_choice
from ...errors import problem
from .library import LibraryParameters
from .record import ReportParameters, about, at_least, check_tax_group

__all__ = ["MechanismsParameters"]

_METHODS = (
    "saliency",
    "smooth_grad",
    "integrated_gradients",
    "expected_gradients",
    "deep_lift_shap",
    "saturation_mutagenesis",
)
_CLUSTERINGS = ("ward", "kmeans", "average", "complete")
_GAUGES = ("none", "hierarchical", "wild-type")
_EMBEDDINGS = ("pca", "umap", "tsne")


@dataclass(frozen=True)
class MechanismsParameters(LibraryParameters):
    """What the mechanisms report asks; see `describe` for each."""

    where: ClassVar[str] = "report mechanisms"
    paths: ClassVar[tuple[str, ...]] = (*ReportParameters.paths, "space", "motifs")
    folders: ClassVar[tuple[str, ...]] = ("space",)

    space: str = about("", "folder of a space that was made before, instead of a model and a sequence")
    method: str = about("saliency", ", ".join(_METHODS))
    clustering: str = about("ward", ", ".join(_CLUSTERINGS))
    n_clusters: int = about(0, "clusters; 0: 30, of a space those it has")
    gauge: str = about("none", "that maps are brought to before they are clustered: " + ", ".join(_GAUGES))
    embedding: str = about("pca", "how maps are laid out: " + ", ".join(_EMBEDDINGS))
    multiplier: float = about(0.5, "background: a position is free above this part of the entropy that the rate gives")
    site_multiplier: float = about(0.8, "a cluster keeps a site below this part of the entropy that the rate gives")
    adaptive: bool = about(False, "scale the background to each cluster")
    n_for_sites: int = about(100, "clusters by which sites are found, of a tree; correlations over clusters need many")
    max_gap: int = about(3, "positions further apart belong to one site only through others between them")
    min_positions: int = about(4, "sites of fewer positions are dropped")
    max_mutations: int = about(1, "a sequence keeps a site with up to so many of its bases changed")
    order: int = about(2, "most sites of an epistatic term")
    n_bootstrap: int = about(1000, "draws for intervals of effects")
    level: float = about(0.95, "of the intervals")
    motifs: str = about(
        "", "known motifs for names: MEME, JASPAR, TRANSFAC or HOMER; empty: JASPAR's CORE, in the demo its own"
    )
    tax_group: str = about("vertebrates", "whose motifs of JASPAR's CORE; empty: all")

    def check(self) -> None:
        """Refuse what cannot work, before anything starts."""
        super().check()
        if self.space and self.reference:
            got, do = "a sequence beside a space", "leave it out"
            raise problem(self.where, "reference", got=got, need="the space's own", do=do)
        choices = {"method": _METHODS, "clustering": _CLUSTERINGS, "gauge": _GAUGES, "embedding": _EMBEDDINGS}
        for name, known in choices.items():
            check_choice(self.where, name, getattr(self, name), known)
        check_tax_group(self.where, self.tax_group)
        least = {"n_clusters": 0, "n_for_sites": 5, "max_gap": 1, "min_positions": 1, "max_mutations": 0}
        at_least(self.where, self, {**least, "order": 1, "n_bootstrap": 1})
        if self.max_mutations >= self.min_positions:
            need = f"fewer than min_positions, {self.min_positions}"
            raise problem(self.where, "max_mutations", got=self.max_mutations, need=need, do="lower it")
        for name in ("multiplier", "site_multiplier"):
            if not getattr(self, name) > 0:
                raise problem(self.where, name, got=getattr(self, name), need="above 0", do="0.5 to 1 is usual")
        if not 0 < self.level < 1:
            raise problem(self.where, "level", got=self.level, need="between 0 and 1", do="0.95 is usual")

    def instead(self) -> tuple[str, ...]:
        """A space has its own maps and predictions."""
        return ("space",)
