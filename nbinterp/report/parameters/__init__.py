"""The parameters of each template: names, types, meaning, and what they may be.

In: words from a command line or a mapping.  Out: a frozen, checked record, before any kernel starts.  The record is the
truth; the notebook's parameters cell only repeats it, and a test holds the two together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, get_type_hints

from ...core.check import check_choice
from ...errors import problem, suggest
from .annotations import AnnotationsParameters
from .attribution import AttributionParameters
from .context import ContextParameters
from .design import DesignParameters
from .hits import HitsParameters
from .marginalization import MarginalizationParameters
from .mechanisms import MechanismsParameters
from .patterns import PatternsParameters
from .record import ReportParameters, TemplateParameters
from .spacing import SpacingParameters
from .surrogate import SurrogateParameters
from .variants import VariantsParameters

__all__ = [
    "AnnotationsParameters",
    "AttributionParameters",
    "ContextParameters",
    "DesignParameters",
    "HitsParameters",
    "MarginalizationParameters",
    "MechanismsParameters",
    "PatternsParameters",
    "ReportParameters",
    "SpacingParameters",
    "SurrogateParameters",
    "TemplateParameters",
    "VariantsParameters",
    "check_parameters",
    "describe",
    "list_templates",
]


_TEMPLATES: Final[Mapping[str, tuple[type[TemplateParameters], str]]] = MappingProxyType(
    {
        "attribution": (AttributionParameters, "predictions, attributions and seqlets of sequences"),
        "marginalization": (MarginalizationParameters, "what each motif does by itself, in many backgrounds"),
        "spacing": (SpacingParameters, "what two motifs do together, by distance, order and strands"),
        "variants": (VariantsParameters, "what variants of a VCF do to a prediction"),
        "design": (DesignParameters, "sequences changed step by step towards a prediction"),
        "context": (ContextParameters, "what stretches of a sequence are needed, and what is enough"),
        "annotations": (AnnotationsParameters, "which known motifs a model reads, where, how often and how far apart"),
        "patterns": (PatternsParameters, "the patterns of a TF-MoDISco file, what they may be, and their seqlets"),
        "hits": (HitsParameters, "where a call found its motifs, against seqlets and against chance"),
        "mechanisms": (
            MechanismsParameters,
            "by which mechanisms the mutants of one sequence act: clusters, sites, effects",
        ),
        "surrogate": (SurrogateParameters, "what each base of one sequence does, by a simple model of its mutants"),
    }
)


def list_templates() -> dict[str, str]:
    """Name and purpose of each template.

    Examples
    --------
    >>> list(list_templates())[:2]
    ['attribution', 'marginalization']
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
    kinds = _kinds(record)
    return [(f.name, kinds[f.name].__name__, f.default, f.metadata["about"]) for f in dataclasses.fields(record)]


def check_parameters(name: str, parameters: Mapping[str, Any]) -> TemplateParameters:
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
    kinds = _kinds(record)
    where = record.where
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


def _kinds(record: type[TemplateParameters]) -> dict[str, type]:
    hints = get_type_hints(record)
    return {field.name: hints[field.name] for field in dataclasses.fields(record)}


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
