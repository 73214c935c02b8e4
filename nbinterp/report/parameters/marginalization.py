"""What the marginalization report is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...core.check import check_choice
from ...errors import problem
from .record import ReportParameters, about, at_least

__all__ = ["MarginalizationParameters", "PerturbationParameters"]


@dataclass(frozen=True)
class PerturbationParameters(ReportParameters):
    """What reports ask that write motifs into backgrounds."""

    paths: ClassVar[tuple[str, ...]] = (*ReportParameters.paths, "motifs")

    n_loci: int = about(64, "how many backgrounds, from the first sequence on; 0: all")
    n_demo: int = about(64, "how many simulated backgrounds")
    shuffle: bool = about(False, "shuffle the sequences, keeping dinucleotides; the demo always does")
    motifs: str = about("", "MEME file; the demo has its own")
    sample: bool = about(False, "draw a motif's sites from its probabilities, another in every background")
    level: float = about(0.95, "of the confidence intervals")

    def check(self) -> None:
        """Refuse what cannot work, before anything starts."""
        super().check()
        self.check_motifs()
        if not 0 < self.level < 1:
            raise problem(self.where, "level", got=self.level, need="between 0 and 1", do="0.95 is usual")

    def check_motifs(self) -> None:
        """There are motifs to write."""
        if not self.demo and not self.motifs:
            raise problem(self.where, "motifs", got="none", need="a MEME file", do="pass --motifs")


@dataclass(frozen=True)
class MarginalizationParameters(PerturbationParameters):
    """What the marginalization report asks; see `describe` for each."""

    where: ClassVar[str] = "report marginalization"

    strands: str = about("both", "both, + or -")
    start: int = about(-1, "where motifs begin; -1: in the middle")
    precision: float = about(0.0, "stop at intervals this wide to either side; 0: use every background")
    attributions: bool = about(False, "show what the model sees of the strongest motifs, base by base")
    n_shown: int = about(6, "motifs that are shown at every place, the strongest first")
    step: int = about(0, "bases between places; 0: about forty places")

    def check(self) -> None:
        """Refuse what cannot work, before anything starts."""
        super().check()
        check_choice(self.where, "strands", self.strands, ("both", "+", "-"))
        at_least(self.where, self, {"start": -1, "precision": 0, "n_shown": 1, "step": 0})
