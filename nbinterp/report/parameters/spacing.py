"""What the spacing report is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...errors import problem
from .marginalization import PerturbationParameters
from .record import about, at_least

__all__ = ["SpacingParameters"]


@dataclass(frozen=True)
class SpacingParameters(PerturbationParameters):
    """What the spacing report asks; see `describe` for each."""

    where: ClassVar[str] = "report spacing"

    motif_a: str = about("", "the motif that stays, by its name in the file or in letters; the demo has GATA")
    motif_b: str = about("", "the motif that moves; the demo has TEAD")
    min_distance: int = about(0, "fewest bases between them")
    max_distance: int = about(30, "most bases between them")
    others: str = about("", "further motifs, separated by commas, for a map of every two of them")
    task: str = about("0", "column to explain, by name or number; the demo's cooperative pair is in 'cooperative'")

    def check(self) -> None:
        """Refuse what cannot work, before anything starts."""
        super().check()
        at_least(self.where, self, {"min_distance": 0, "max_distance": self.min_distance})
        for name in ("motif_a", "motif_b"):
            if not self.demo and not getattr(self, name):
                raise problem(
                    self.where,
                    name,
                    got="none",
                    need="a motif's name, or letters",
                    do=f"pass --{name.replace('_', '-')}",
                )

    def check_motifs(self) -> None:
        """Motifs may be letters: a file is not needed."""
