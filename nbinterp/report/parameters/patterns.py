"""What the patterns report is asked: a file of TF-MoDISco, and no model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...errors import problem
from .record import TAX_GROUPS, TemplateParameters, about, at_least, check_tax_group

__all__ = ["PatternsParameters"]


@dataclass(frozen=True)
class PatternsParameters(TemplateParameters):
    """What the patterns report asks; see `describe` for each."""

    where: ClassVar[str] = "report patterns"
    paths: ClassVar[tuple[str, ...]] = ("modisco", "motifs", "fasta", "loci", "genome", "attributions")

    modisco: str = about("", "HDF5 file of TF-MoDISco")
    motifs: str = about("", "known motifs: MEME, JASPAR, TRANSFAC or HOMER; empty: JASPAR's CORE")
    tax_group: str = about("vertebrates", f"whose motifs of JASPAR: {', '.join(TAX_GROUPS)}; empty: all")
    trim: float = about(0.3, "a pattern's core goes as far as columns with this part of the strongest one's weight")
    n_matches: int = about(3, "known motifs shown beside a pattern")
    min_overlap: int = about(5, "columns that a pattern and a known motif share at least, as far as both are so wide")
    level: float = about(0.05, "largest q-value at which a known motif is called a match")
    alike: float = about(0.9, "similarity of contributions from which two patterns are called alike, 1 for equal ones")
    n_seqlets: int = about(500, "seqlets stored of each pattern to be seen one by one, evenly from strong to weak")
    fasta: str = about("", "the sequences that TF-MoDISco was given; to show seqlets where they are")
    loci: str = about("", "BED or narrowPeak of the sequences, instead of fasta")
    genome: str = about("", "FASTA of the genome, beside loci")
    attributions: str = about("", "npz or npy of what TF-MoDISco was given (N, 4, L), beside the sequences")
    n_shown: int = about(100, "sequences shown, those with the most seqlets")
    demo: bool = about(False, "patterns of the embedded model at the planted motifs of simulated sequences")
    n_demo: int = about(200, "how many simulated sequences")
    random_state: int = about(0, "seed")

    def check(self) -> None:
        """Refuse what cannot work, before anything starts."""
        if self.demo == bool(self.modisco):
            got = "both" if self.demo else "neither"
            raise problem(self.where, "modisco, demo", got=got, need="exactly one", do="choose what to read")
        super().check()
        self._check_sequences()
        check_tax_group(self.where, self.tax_group)
        at_least(self.where, self, {"n_matches": 1, "min_overlap": 1, "n_seqlets": 1, "n_shown": 1, "n_demo": 1})
        for name, low in (("trim", 0.0), ("level", 0.0), ("alike", -1.0)):
            if not low <= getattr(self, name) <= 1:
                raise problem(self.where, name, got=getattr(self, name), need=f"{low:g} to 1", do="correct it")

    def _check_sequences(self) -> None:
        """Sequences come from one place, and attributions with them."""
        if self.fasta and self.loci:
            raise problem(self.where, "fasta, loci", got="both", need="one of them", do="choose what to read")
        if bool(self.loci) != bool(self.genome):
            missing = "genome" if self.loci else "loci"
            raise problem(self.where, missing, got="none", need="loci and genome together", do=f"pass --{missing}")
        given = bool(self.fasta or self.loci)
        if given and self.demo:
            got = "sequences beside the demo"
            raise problem(self.where, "fasta, loci", got=got, need="the demo's own", do="leave them out")
        if given != bool(self.attributions):
            missing = "attributions" if given else "fasta, loci"
            need = "sequences and their attributions together"
            raise problem(self.where, missing, got="none", need=need, do=f"pass --{missing.partition(',')[0]}")
