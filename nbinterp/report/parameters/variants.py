"""What the variants report is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...core.check import check_choice
from ...core.methods import METHODS
from ...errors import problem
from .record import ReportParameters, about, at_least

__all__ = ["VariantsParameters"]

_SCALES = ("", "linear", "log", "log2")


@dataclass(frozen=True)
class VariantsParameters(ReportParameters):
    """What the variants report asks; see `describe` for each."""

    where: ClassVar[str] = "report variants"
    paths: ClassVar[tuple[str, ...]] = (*ReportParameters.paths, "variants")

    variants: str = about("", "VCF, plain or gzipped, or a tab-separated table of chrom, start (from 0), ref, alt")
    n_demo: int = about(20, "how many simulated sequences, with variants in and beside their planted sites")
    both_strands: bool = about(True, "predict both strands, average, and say how far they differ")
    shifts: str = about("0", "windows to average over, by how far they are moved, separated by commas")
    scale: str = about("", "what the outputs are, for fold changes: linear, log or log2")
    n_matched: int = about(20, "random variants of the same kind in the same window to compare each with")
    n_backgrounds: int = about(0, "shuffled windows to measure each variant in")
    score: str = about("difference", "column to rank by")
    threshold: float = about(0.0, "size of the score from which a variant is listed first; 0: all")
    method: str = about("deep_lift_shap", ", ".join(METHODS))
    n_shown: int = about(24, "variants whose attributions are stored, the strongest first")

    def check_sources(self) -> None:
        """Variants come with a genome, or from the demo."""
        if self.demo == bool(self.variants):
            got = "both" if self.demo else "neither"
            raise problem(self.where, "variants, demo", got=got, need="exactly one", do="choose what to read")
        for name in ("fasta", "loci"):
            if getattr(self, name):
                raise problem(
                    self.where, name, got=getattr(self, name), need="variants and a genome alone",
                    do="windows are laid around the variants; leave it out",
                )  # fmt: skip
        if self.variants and not self.genome:
            raise problem(self.where, "genome", got="none", need="the genome's FASTA", do="pass --genome")

    def check(self) -> None:
        """Refuse what cannot work, before anything starts."""
        super().check()
        check_choice(self.where, "scale", self.scale, _SCALES)
        check_choice(self.where, "method", self.method, METHODS)
        at_least(self.where, self, {"n_matched": 0, "n_backgrounds": 0, "threshold": 0, "n_shown": 0})
        try:
            self.moves()
        except ValueError as error:
            raise problem(
                self.where, "shifts", got=repr(self.shifts), need="whole numbers separated by commas", do="correct it"
            ) from error

    def moves(self) -> tuple[int, ...]:
        """The shifts as numbers."""
        return tuple(int(one) for one in self.shifts.split(","))
