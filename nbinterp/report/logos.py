"""A part of a page: motifs side by side, each in several ways.

In: names, and matrices in columns.  Out: what a notebook shows as HTML: letters as high as their numbers, in the colours of
the page, with nothing to load.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np

from ..chart import BASES

__all__ = ["Logos", "information"]

_HIGH: Final = 56  # pixels of a logo
_STEP: Final = 9  # pixels of a position
_FILLS: Final = [
    f"light-dark({light}, {dark})"
    for light, dark in zip(BASES["classic"]["light"], BASES["classic"]["dark"], strict=True)
]


@cache
def _outlines() -> dict[str, str]:
    return dict(json.loads((files("nbinterp.chart") / "glyphs.json").read_text()))


def information(frequencies: Any) -> np.ndarray:
    """Letters as high as their part of a column's bits.

    Examples
    --------
    >>> information(np.eye(4)[:, :1])[0].tolist()
    [2.0]
    """
    p = np.asarray(frequencies, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = 2 + np.nansum(np.where(p > 0, p * np.log2(p), 0), axis=0)
    return np.asarray(p * np.maximum(bits, 0))


@dataclass(frozen=True, eq=False)
class Logos:
    """A row a motif, a column a way to see it.

    Attributes
    ----------
    names : sequence of str
    columns : mapping of heading to sequence of matrices (4, w) or None
        Letters above and below nought; every logo on its own scale.  None, or one that is no numbers, leaves its place empty.
    spans : sequence of (start, end)
        The part of each motif that counts; what lies outside is pale.
    notes : sequence of str, optional
        A line under each name.

    Examples
    --------
    >>> text = Logos(["GATA"], {"motif": [np.eye(4)[:, [2, 0, 3, 0]]]}, [(0, 4)])._repr_html_()
    >>> text.count("<use")
    4
    """

    names: Sequence[str]
    columns: Mapping[str, Sequence[Any]]
    spans: Sequence[tuple[int, int]]
    notes: Sequence[str] = ()

    def _repr_html_(self) -> str:
        letters = "".join(
            f'<path id="nbi-letter-{base}" d="{_outlines()[base]}" fill-rule="evenodd" style="fill:{fill}"/>'
            for base, fill in zip("ACGT", _FILLS, strict=True)
        )
        heads = "".join(f"<th>{html.escape(one)}</th>" for one in ("motif", *self.columns))
        rows = []
        for i, name in enumerate(self.names):
            note = f'<div class="quiet">{html.escape(self.notes[i])}</div>' if self.notes else ""
            cells = "".join(
                f"<td>{_logo(one[i], self.spans[i], f'{name}, {head}')}</td>" for head, one in self.columns.items()
            )
            shown = html.escape(name).replace("_", "_<wbr>").replace(".", ".<wbr>")
            rows.append(f'<tr><td style="min-width:104px">{shown}{note}</td>{cells}</tr>')
        return (
            f'<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>{letters}</defs></svg>'
            f'<div style="max-height:560px;overflow:auto"><table><thead><tr>{heads}</tr></thead>'
            f"<tbody>{''.join(rows)}</tbody></table></div>"
        )


def _logo(matrix: Any, span: tuple[int, int], label: str) -> str:
    if matrix is None or not np.isfinite(matrix).all() or not np.any(matrix):
        return '<span class="quiet">none</span>'
    values = np.asarray(matrix, float)
    above, below = np.maximum(values, 0).sum(axis=0).max(), np.maximum(-values, 0).sum(axis=0).max()
    scale = (_HIGH - 2) / max(above + below, 1e-300)
    zero = 1 + above * scale
    parts = [f'<path d="M0 {zero:.1f}H{_STEP * values.shape[1]}" stroke="currentColor" stroke-opacity="0.2"/>']
    for x, column in enumerate(values.T):
        pale = "" if span[0] <= x < span[1] else ' opacity="0.35"'
        up = down = zero
        for base in np.argsort(np.abs(column)):
            size = abs(column[base]) * scale
            if size < 0.3:
                continue
            if column[base] > 0:
                up -= size
            bottom = up + size if column[base] > 0 else down + size
            if column[base] < 0:
                down += size
            turn = f"translate({_STEP * x + 0.4:.1f} {bottom:.2f}) scale({_STEP - 0.8:.1f} {-size:.2f})"
            parts.append(f'<use href="#nbi-letter-{"ACGT"[base]}" transform="{turn}"{pale}/>')
    wide = _STEP * values.shape[1]
    return (
        f'<svg viewBox="0 0 {wide} {_HIGH}" width="{wide}" height="{_HIGH}" role="img" aria-label="{html.escape(label)}">'
        f"{''.join(parts)}</svg>"
    )
