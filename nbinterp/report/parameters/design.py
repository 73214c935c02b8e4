"""What the design report is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...core.check import check_choice
from ...core.methods import METHODS
from ...errors import problem
from .record import ReportParameters, about, at_least

__all__ = ["DesignParameters"]

_BY = ("evolve", "greedy", "beam")


@dataclass(frozen=True)
class DesignParameters(ReportParameters):
    """What the design report asks; see `describe` for each."""

    where: ClassVar[str] = "report design"
    paths: ClassVar[tuple[str, ...]] = (*ReportParameters.paths, "motifs")

    n_loci: int = about(4, "how many sequences to begin from; 0: all")
    n_demo: int = about(4, "how many simulated sequences")
    by: str = about("evolve", "evolve (single bases), greedy or beam (motifs)")
    n_steps: int = about(12, "changes at most")
    wanted: str = about("", "the prediction to aim at; empty: as high as can be")
    motifs: str = about("", "MEME file of motifs to put in, for greedy and beam; the demo has its own")
    protected: str = about("", "positions that stay: spans from 0, such as 10-30,100-120")
    shuffle: bool = about(False, "begin from shuffled sequences, keeping dinucleotides; the demo always does")
    method: str = about("deep_lift_shap", ", ".join(METHODS))

    def check(self) -> None:
        """Refuse what cannot work, before anything starts."""
        super().check()
        check_choice(self.where, "by", self.by, _BY)
        check_choice(self.where, "method", self.method, METHODS)
        at_least(self.where, self, {"n_steps": 1})
        if self.by != "evolve" and not self.demo and not self.motifs:
            raise problem(self.where, "motifs", got="none", need="a MEME file", do="pass --motifs, or --by evolve")
        for name, read in (("wanted", self.aim), ("protected", self.spans)):
            try:
                read()
            except ValueError as error:
                need = "a number" if name == "wanted" else "spans such as 10-30,100-120"
                raise problem(self.where, name, got=repr(getattr(self, name)), need=need, do="correct it") from error

    def aim(self) -> float | None:
        """The prediction that is wanted; None for the highest."""
        return float(self.wanted) if self.wanted else None

    def spans(self) -> tuple[tuple[int, int], ...]:
        """The protected spans, 0-based and half-open."""
        words = self.protected.split(",") if self.protected else []
        pairs = [tuple(map(int, word.split("-"))) for word in words]
        for pair in pairs:
            if len(pair) != 2 or pair[0] >= pair[1]:
                raise ValueError(pair)
        return tuple((a, b) for a, b in pairs)
