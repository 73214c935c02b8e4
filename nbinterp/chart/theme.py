"""Colours of the bases and of effects; the same as in ``js/src/draw/theme.ts``, which a test holds to this table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["ARRANGEMENTS", "BASES", "EFFECT"]

# A C G T on a light and on a dark ground
BASES: Final[Mapping[str, Mapping[str, tuple[str, str, str, str]]]] = MappingProxyType(
    {
        "classic": {
            "light": ("#1a8f4a", "#2563b8", "#c27803", "#d1333f"),
            "dark": ("#4cc47d", "#6ea8fe", "#f2b33d", "#ff7a7f"),
        },
        "safe": {
            "light": ("#1b9e77", "#2563b8", "#b8860b", "#4a0030"),
            "dark": ("#5eead4", "#7aa6ff", "#ffd166", "#b8477a"),
        },
        "grey": {
            "light": ("#444444", "#444444", "#444444", "#444444"),
            "dark": ("#cccccc", "#cccccc", "#cccccc", "#cccccc"),
        },
    }
)

# what raises a prediction, and what lowers it
EFFECT: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {"light": ("#2563b8", "#b4530a"), "dark": ("#6ea8fe", "#f2a65e")}
)

# how two motifs lie to each other
ARRANGEMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {"a_then_b": "#2563b8", "b_then_a": "#b4530a", "facing": "#1a8f4a", "apart": "#8e6bbf"}
)
