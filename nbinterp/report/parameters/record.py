"""What reports are asked; of a model: which one, which output of it, which sequences.

In: values of the right types.  Out: frozen records that refuse what cannot work; each template adds its own fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from ...core.check import check_choice
from ...errors import problem

__all__ = ["TAX_GROUPS", "ReportParameters", "TemplateParameters", "about", "at_least", "check_tax_group"]

TAX_GROUPS = ("vertebrates", "plants", "insects", "fungi", "nematodes", "urochordates", "diatoms")  # of JASPAR
_TRANSFORMS = ("identity", "profile", "logcounts", "sum", "mean")


def about(default: Any, text: str) -> Any:
    """A field with a default and its meaning."""
    return field(default=default, metadata={"about": text})


def at_least(where: str, record: Any, bounds: Mapping[str, float]) -> None:
    """Refuse numbers below their bounds."""
    for name, least in bounds.items():
        if getattr(record, name) < least:
            raise problem(where, name, got=getattr(record, name), need=f"at least {least}", do="raise it")


def check_tax_group(where: str, tax_group: str) -> None:
    """Refuse what is no group of JASPAR's motifs, nor empty for all of them."""
    check_choice(where, "tax_group", tax_group or TAX_GROUPS[0], TAX_GROUPS)


@dataclass(frozen=True)
class TemplateParameters:
    """What any template is asked, with a model or without.

    `paths` names the fields that are files or folders, `folders` those of them that are folders.
    """

    where: ClassVar[str] = "report"
    paths: ClassVar[tuple[str, ...]] = ()
    folders: ClassVar[tuple[str, ...]] = ()

    def check(self) -> None:
        """Refuse what cannot work, before anything starts."""
        for name in self.paths:
            path, kind = getattr(self, name), "folder" if name in self.folders else "file"
            if path and not (Path(path).is_dir() if kind == "folder" else Path(path).is_file()):
                raise problem(
                    self.where, name, got=f"{path}, which is no {kind}", need=f"a {kind}", do="check the path"
                )


@dataclass(frozen=True)
class ReportParameters(TemplateParameters):
    """What reports on a model are asked; see `describe` for each."""

    paths: ClassVar[tuple[str, ...]] = ("model", "weights", "fasta", "loci", "genome")

    model: str = about("", "checkpoint: TorchScript, state dict, Keras .h5 or .json")
    weights: str = about("", "weights, when model is an architecture")
    trust: bool = about(False, "allow a pickled module (it runs code from the file)")
    fasta: str = about("", "sequences of one length; instead of loci and genome")
    loci: str = about("", "BED or narrowPeak")
    genome: str = about("", "FASTA of the genome, beside loci")
    chroms: str = about("", "chromosomes to use, separated by commas; empty: all")
    in_window: int = about(0, "length of the windows, in bases; 0: what the model takes")
    summits: bool = about(False, "centre on narrowPeak summits")
    n_loci: int = about(0, "use only the first so many sequences; 0: all")
    demo: bool = about(False, "the embedded model on simulated sequences with known truth")
    n_demo: int = about(40, "how many simulated sequences")
    head: str = about("", "output to explain, by name or number")
    task: str = about("0", "column to explain, by name or number")
    transform: str = about("", "identity, profile, logcounts, sum or mean")
    reverse_complement: bool = about(False, "average over both strands")
    batch_size: int = about(64, "rows at a time")
    random_state: int = about(0, "seed")
    device: str = about("", "cpu, cuda, ...; empty: CUDA if there is one")

    def check(self) -> None:
        """Refuse what cannot work, before anything starts."""
        self.check_sources()
        self.check_model()
        if self.loci and not self.genome:
            raise problem(self.where, "genome", got="none", need="the genome's FASTA beside loci", do="pass --genome")
        super().check()
        if self.transform:
            check_choice(self.where, "transform", self.transform, _TRANSFORMS)
        at_least(self.where, self, {"batch_size": 1, "n_demo": 1})

    def check_model(self) -> None:
        """There is a model."""
        if not self.demo and not self.model:
            raise problem(self.where, "model", got="none", need="a checkpoint", do="pass --model, or --demo")

    def check_sources(self) -> None:
        """Sequences come from one place."""
        given = {"fasta": bool(self.fasta), "loci": bool(self.loci), "demo": self.demo}
        if sum(given.values()) != 1:
            got = ", ".join(name for name, one in given.items() if one) or "none of them"
            raise problem(self.where, ", ".join(given), got=got, need="exactly one", do="choose what to read")
