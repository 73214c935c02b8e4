"""What the context report is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...core.check import check_choice
from ...core.methods import METHODS
from ...errors import problem
from .record import ReportParameters, about, at_least

__all__ = ["ContextParameters"]


@dataclass(frozen=True)
class ContextParameters(ReportParameters):
    """What the context report asks; see `describe` for each."""

    where: ClassVar[str] = "report context"

    n_loci: int = about(20, "use only the first so many sequences; 0: all")
    n_demo: int = about(12, "how many simulated sequences")
    tile: int = about(20, "length of the stretches that are tested, in bases")
    n_shuffles: int = about(20, "backgrounds a sequence")
    level: float = about(0.95, "of the confidence intervals")
    part: float = about(0.9, "of a stretch's effect that pruning leaves")
    n_pruned: int = about(12, "stretches that are pruned to the bases they need, the strongest first")
    method: str = about("deep_lift_shap", ", ".join(METHODS))

    def check(self) -> None:
        """Refuse what cannot work, before anything starts."""
        super().check()
        check_choice(self.where, "method", self.method, METHODS)
        at_least(self.where, self, {"tile": 1, "n_shuffles": 2, "n_pruned": 0})
        for name in ("level", "part"):
            if not 0 < getattr(self, name) < 1:
                raise problem(self.where, name, got=getattr(self, name), need="between 0 and 1", do="correct it")
