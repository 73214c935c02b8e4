"""What the drawn parts of a page share: colours that follow the page, a frame, words and lines."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Final

__all__ = ["BLUE", "ORANGE", "short", "svg", "text"]

BLUE: Final = "light-dark(#2563b8, #6ea8fe)"
ORANGE: Final = "light-dark(#b4530a, #f2a65e)"
_STYLE: Final = "max-width:100%;height:auto;font:11px system-ui, sans-serif;fill:currentColor"


def svg(width: float, height: float, label: str, body: Sequence[str]) -> str:
    """A picture as wide as it is, or as the page."""
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img" aria-label="{html.escape(label)}" '
        f'style="{_STYLE}">{"".join(body)}</svg>'
    )


def text(x: float, y: float, words: str, anchor: str = "start", extra: str = "") -> str:
    """Words at a place."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {extra}>{html.escape(words)}</text>'


def short(value: float) -> str:
    """A number of an axis."""
    return f"{value:,.0f}" if value == round(value) else f"{value:.3g}"
