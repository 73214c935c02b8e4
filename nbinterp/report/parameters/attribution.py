"""What the attribution report is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...core.check import check_choice
from ...core.methods import METHODS
from ...errors import problem
from .record import ReportParameters, about, at_least

__all__ = ["AttributionParameters"]


@dataclass(frozen=True)
class AttributionParameters(ReportParameters):
    """What the attribution report asks; see `describe` for each."""

    where: ClassVar[str] = "report attribution"

    method: str = about("deep_lift_shap", ", ".join(METHODS))
    n_shuffles: int = about(20, "references a sequence, for methods with references")
    threshold: float = about(0.01, "largest p-value of a seqlet")
    min_seqlet_len: int = about(4, "shortest seqlet, in bases")
    max_seqlet_len: int = about(25, "longest seqlet, in bases")
    additional_flanks: int = about(0, "bases added on both sides of a seqlet")
    edits: bool = about(
        False, "store every single edit's prediction, so that the report answers edits; the demo always does"
    )

    def check(self) -> None:
        """Refuse what cannot work, before anything starts."""
        super().check()
        check_choice(self.where, "method", self.method, METHODS)
        at_least(self.where, self, {"n_shuffles": 1, "min_seqlet_len": 1})
        if not 0 < self.threshold <= 1:
            raise problem(self.where, "threshold", got=self.threshold, need="above 0, at most 1", do="correct it")
        if self.max_seqlet_len < self.min_seqlet_len:
            raise problem(
                self.where, "max_seqlet_len", got=self.max_seqlet_len, need=f"at least {self.min_seqlet_len}",
                do="raise it",
            )  # fmt: skip
