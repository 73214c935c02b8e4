"""What reports ask that mutate one sequence many times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...errors import problem
from .record import ReportParameters, about, at_least

__all__ = ["LibraryParameters"]


@dataclass(frozen=True)
class LibraryParameters(ReportParameters):
    """A model, one sequence, and how it is mutated."""

    usual: ClassVar[int] = 20_000

    reference: str = about("", "the sequence that is mutated, in letters; instead of fasta, or loci and genome")
    example: str = about(
        "", "which of the sequences, by name or number; empty: the first, of the demo the one with most sites"
    )
    n_sequences: int = about(0, "sequences of the library, the reference first; 0: 20,000, of the demo 4,000")
    rate: float = about(0.1, "mutations a base")
    window: str = about(
        "", "positions that are mutated, such as 80-180, from 0; empty: all, of the demo those around its sites"
    )

    def check(self) -> None:
        """Refuse what cannot work, before anything starts."""
        super().check()
        strange = sorted(set(self.reference.upper()) - set("ACGT"))
        if strange:
            got = f"the letter {strange[0]!r}"
            raise problem(self.where, "reference", got=got, need="A, C, G and T alone", do="correct it")
        if not 0 < self.rate <= 1:
            raise problem(self.where, "rate", got=self.rate, need="above 0, at most 1", do="0.1 is usual")
        if self.n_sequences:
            at_least(self.where, self, {"n_sequences": 50})
        try:
            self.span()
        except ValueError as error:
            need = "two positions, such as 80-180"
            raise problem(self.where, "window", got=repr(self.window), need=need, do="correct it") from error

    def check_sources(self) -> None:
        """The sequence comes from one place."""
        given = {name: bool(getattr(self, name)) for name in ("reference", "fasta", "loci", "demo", *self.instead())}
        if any(given[name] for name in self.instead()):
            del given["reference"]  # it says what measured sequences are compared with
        if sum(given.values()) != 1:
            got = ", ".join(name for name, one in given.items() if one) or "none of them"
            raise problem(self.where, ", ".join(given), got=got, need="exactly one", do="choose what to read")

    def check_model(self) -> None:
        """There is a model, or what stands in its place."""
        if not any(getattr(self, name) for name in self.instead()):
            super().check_model()

    @property
    def n_mutants(self) -> int:
        """Sequences of the library."""
        return self.n_sequences or (4_000 if self.demo else self.usual)

    def instead(self) -> tuple[str, ...]:
        """The fields that hold a library made before, which needs neither model nor sequence."""
        return ()

    def span(self) -> tuple[int, int] | None:
        """The window, 0-based and half-open; None for all."""
        if not self.window:
            return None
        start, end = map(int, self.window.split("-"))
        if not 0 <= start < end:
            raise ValueError(self.window)
        return start, end
