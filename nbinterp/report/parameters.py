"""The parameters of each template: names, types, meaning, and what they may be.

In: words from a command line or a mapping.  Out: a frozen, checked record, before any kernel starts.  The record is the
truth; the notebook's parameters cell only repeats it, and a test holds the two together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, get_type_hints

from ..core.check import check_choice
from ..core.methods import METHODS
from ..errors import problem, suggest

__all__ = ["AttributionParameters", "check_parameters", "describe", "list_templates"]


def _about(default: Any, text: str) -> Any:
    return field(default=default, metadata={"about": text})


@dataclass(frozen=True)
class AttributionParameters:
    """What the attribution report asks; see `describe` for each."""

    model: str = _about("", "checkpoint: TorchScript, state dict, Keras .h5 or .json")
    weights: str = _about("", "weights, when model is an architecture")
    trust: bool = _about(False, "allow a pickled module (it runs code from the file)")
    fasta: str = _about("", "sequences of one length; instead of loci and genome")
    loci: str = _about("", "BED or narrowPeak")
    genome: str = _about("", "FASTA of the genome, beside loci")
    in_window: int = _about(0, "length of the windows, in bases; 0: what the model takes")
    summits: bool = _about(False, "centre on narrowPeak summits")
    n_loci: int = _about(0, "use only the first so many sequences; 0: all")
    demo: bool = _about(False, "the embedded model on simulated sequences with known truth")
    n_demo: int = _about(40, "how many simulated sequences")
    head: str = _about("", "output to explain, by name or number")
    task: str = _about("0", "column to explain, by name or number")
    transform: str = _about("", "identity, profile, logcounts, sum or mean")
    reverse_complement: bool = _about(False, "average over both strands")
    method: str = _about("deep_lift_shap", ", ".join(METHODS))
    n_shuffles: int = _about(20, "references a sequence, for methods with references")
    batch_size: int = _about(64, "rows at a time")
    threshold: float = _about(0.01, "largest p-value of a seqlet")
    min_seqlet_len: int = _about(4, "shortest seqlet, in bases")
    max_seqlet_len: int = _about(25, "longest seqlet, in bases")
    additional_flanks: int = _about(0, "bases added on both sides of a seqlet")
    edits: bool = _about(
        False, "store every single edit's prediction, so that the report answers edits; the demo always does"
    )
    random_state: int = _about(0, "seed")
    device: str = _about("", "cpu, cuda, ...; empty: CUDA if there is one")

    def check(self) -> None:
        """Refuse what cannot work, before anything starts."""
        where = "report attribution"
        given = [bool(self.fasta), bool(self.loci), self.demo]
        if sum(given) != 1:
            got = ", ".join(n for n, g in zip(("fasta", "loci", "demo"), given, strict=True) if g) or "none of them"
            raise problem(where, "fasta, loci, demo", got=got, need="exactly one", do="choose what to read")
        if not self.demo and not self.model:
            raise problem(where, "model", got="none", need="a checkpoint", do="pass --model, or --demo")
        if self.loci and not self.genome:
            raise problem(where, "genome", got="none", need="the genome's FASTA beside loci", do="pass --genome")
        for name in ("model", "weights", "fasta", "loci", "genome"):
            path = getattr(self, name)
            if path and not Path(path).is_file():
                raise problem(where, name, got=f"{path}, which is no file", need="a file", do="check the path")
        check_choice(where, "method", self.method, METHODS)
        if self.transform:
            check_choice(where, "transform", self.transform, ("identity", "profile", "logcounts", "sum", "mean"))
        for name, least in (("n_shuffles", 1), ("batch_size", 1), ("n_demo", 1), ("min_seqlet_len", 1)):
            if getattr(self, name) < least:
                raise problem(where, name, got=getattr(self, name), need=f"at least {least}", do="raise it")
        if not 0 < self.threshold <= 1:
            raise problem(where, "threshold", got=self.threshold, need="above 0, at most 1", do="correct it")
        if self.max_seqlet_len < self.min_seqlet_len:
            raise problem(
                where, "max_seqlet_len", got=self.max_seqlet_len, need=f"at least {self.min_seqlet_len}", do="raise it"
            )


_TEMPLATES: Final[Mapping[str, tuple[type[AttributionParameters], str]]] = MappingProxyType(
    {"attribution": (AttributionParameters, "predictions, attributions and seqlets of sequences")}
)


def list_templates() -> dict[str, str]:
    """Name and purpose of each template.

    Examples
    --------
    >>> list(list_templates())
    ['attribution']
    """
    return {name: about for name, (_, about) in _TEMPLATES.items()}


def describe(name: str) -> list[tuple[str, str, Any, str]]:
    """The parameters of a template: name, type, default, meaning.

    Examples
    --------
    >>> describe("attribution")[0][:2]
    ('model', 'str')
    """
    check_choice("report help", "name", name, _TEMPLATES)
    record = _TEMPLATES[name][0]
    kinds = get_type_hints(record)
    return [(f.name, kinds[f.name].__name__, f.default, f.metadata["about"]) for f in dataclasses.fields(record)]


def check_parameters(name: str, parameters: Mapping[str, Any]) -> AttributionParameters:
    """Turn words into a checked record.

    Raises
    ------
    NbinterpError
        For an unknown template or parameter (with the nearest known one), a value of another type, an absent file, or
        values that contradict each other.

    Examples
    --------
    >>> check_parameters("attribution", {"demo": True, "n_shuffels": 3})
    Traceback (most recent call last):
    ...
    nbinterp.errors.NbinterpError: report attribution(n_shuffels): got an unknown parameter (did you mean 'n_shuffles'?); ...
    """
    check_choice("report", "name", name, _TEMPLATES)
    record = _TEMPLATES[name][0]
    kinds = get_type_hints(record)
    where = f"report {name}"
    for word in parameters:
        if word not in kinds:
            hint = suggest(word, kinds)
            raise problem(
                where,
                word,
                got=f"an unknown parameter{hint}",
                need=f"one of {', '.join(kinds)}",
                do="correct or remove it",
            )
    checked = record(**{word: _convert(where, word, value, kinds[word]) for word, value in parameters.items()})
    checked.check()
    return checked


def _convert(where: str, word: str, value: Any, kind: type) -> Any:
    """A value of the right type; strings are read as the command line gives them."""
    wrong = problem(where, word, got=repr(value), need=f"a value of type {kind.__name__}", do="correct it")
    if kind is bool:
        named = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in named:
            return named[value.lower()]
        raise wrong
    if isinstance(value, bool) or value is None:
        raise wrong
    if kind is str:
        return str(value)
    try:
        converted = kind(value)
    except (TypeError, ValueError) as error:
        raise wrong from error
    if kind is int and isinstance(value, float) and value != converted:
        raise wrong
    return converted
