"""What the surrogate report is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...core.check import check_choice
from ...errors import problem
from .library import LibraryParameters
from .record import ReportParameters, about, at_least

__all__ = ["SurrogateParameters"]

_GPMAPS = ("additive", "neighbour", "pairwise")
_NOISES = ("", "Gaussian", "Cauchy", "SkewedT")
_GAUGES = ("empirical", "uniform", "hierarchical", "consensus", "wild-type")


@dataclass(frozen=True)
class SurrogateParameters(LibraryParameters):
    """What the surrogate report asks; see `describe` for each."""

    where: ClassVar[str] = "report surrogate"
    paths: ClassVar[tuple[str, ...]] = (*ReportParameters.paths, "measured")
    usual: ClassVar[int] = 10_000

    n_sequences: int = about(0, "sequences of the library, the reference first; 0: 10,000, of the demo 4,000")
    measured: str = about("", "CSV or TSV of sequences and measurements (columns sequence and y), instead of a model")
    gpmap: str = about("additive", "additive, neighbour (pairs of adjacent positions) or pairwise (all pairs)")
    max_distance: int = about(0, "farthest positions that pairwise pairs; 0: any")
    linearity: str = about(
        "nonlinear", "nonlinear, with one rising curve over all effects (global epistasis), or linear"
    )
    noise: str = about("", "Gaussian, Cauchy or SkewedT; empty: SkewedT with a curve, Gaussian without")
    penalty: str = about("ridge", "ridge or lasso")
    reg_strength: float = about(0.0, "of the penalty; 0: the one by which a fifth of the sequences is likeliest")
    gauge: str = about("empirical", "of the effects that are shown: " + ", ".join(_GAUGES))
    held_out: float = about(0.2, "part of the sequences that the fit never sees, by which it is judged")
    n_bootstrap: int = about(10, "fits to other draws of the library, for intervals; 0: none")
    level: float = about(0.95, "of the intervals")

    def check(self) -> None:
        """Refuse what cannot work, before anything starts."""
        super().check()
        choices = {"gpmap": _GPMAPS, "linearity": ("nonlinear", "linear"), "noise": _NOISES, "gauge": _GAUGES}
        for name, known in {**choices, "penalty": ("ridge", "lasso")}.items():
            check_choice(self.where, name, getattr(self, name), known)
        at_least(self.where, self, {"max_distance": 0, "n_bootstrap": 0, "reg_strength": 0})
        if self.n_bootstrap == 1:
            raise problem(self.where, "n_bootstrap", got=1, need="0, or at least 2", do="10 are quick, 40 better")
        for name in ("held_out", "level"):
            if not 0 < getattr(self, name) < 1:
                raise problem(self.where, name, got=getattr(self, name), need="between 0 and 1", do="correct it")

    def instead(self) -> tuple[str, ...]:
        """Measurements need no model."""
        return ("measured",)
