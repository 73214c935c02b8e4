"""A still picture of a motif over backgrounds.

In: effects of the motif along the backgrounds, and at one place.  Out: PNG bytes, in the look of `MarginalView`.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from .logo import plot_logo

__all__ = ["Curve", "marginal_png"]

_ACCENT: Final = "#2563b8"
_QUIET: Final = "0.55"


class Curve(NamedTuple):
    """Effects along one strand.

    Attributes
    ----------
    label : str
    centres : array (M,)
        Middle of the motif at each place, rising.
    effects : array (M, N)
        In each of N backgrounds.
    """

    label: str
    centres: np.ndarray
    effects: np.ndarray


def marginal_png(
    motif: np.ndarray,
    span: tuple[int, int],
    length: int,
    before: np.ndarray,
    effects: np.ndarray | None,
    curves: Sequence[Curve],
    *,
    title: str = "",
    words: str = "",
    target: str = "prediction",
    profile: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
) -> bytes:
    r"""Draw a motif's effect along backgrounds, at one place, and its distribution as PNG bytes.

    Parameters
    ----------
    motif : array (4, w)
        Probabilities, as they stand at the place.
    span : (start, end)
        Where the motif is.
    length : int
        Of the backgrounds.
    before : array (N,)
        Predictions of the backgrounds.
    effects : array (N,), optional
        With the motif in place less without; None where that is not known.
    curves : sequence of Curve
        The first one is that of the motif's strand, and is drawn with its band of 5 to 95 %.
    title, words : str
        Above the picture.
    target : str
        What is predicted.
    profile : (positions (P + 1,), before (3, S, P), after (3 S + 3, P)), optional
        Edges of its columns; means, 5 and 95 %; the same after, and then those of the change over all strands.

    Returns
    -------
    bytes

    Examples
    --------
    >>> rng = np.random.RandomState(0)
    >>> curve = Curve("+", np.arange(5) * 10 + 3, rng.rand(5, 4))
    >>> marginal_png(np.eye(4), (20, 24), 50, rng.rand(4), rng.rand(4), [curve])[:4]
    b'\x89PNG'
    """
    from matplotlib.figure import Figure

    heights = [0.55, 1.7, *([1.1, 1.1] if profile is not None else []), 0.95]
    figure = Figure(figsize=(10, 0.7 + 1.15 * sum(heights)), dpi=110, layout="constrained")
    grid = figure.add_gridspec(len(heights), 2, height_ratios=heights)
    rows = [figure.add_subplot(grid[i, :]) for i in range(len(heights) - 1)]
    for ax in rows:
        ax.set_xlim(0, length)
    rows[0].set_title(f"{title}   {words}".rstrip(), fontsize=9, loc="left")
    _draw_block(rows[0], motif, span, length)
    _draw_curves(rows[1], curves, effects, span)
    if profile is not None:
        _draw_profiles(rows[2:], *profile)
    pair = [figure.add_subplot(grid[-1, i]) for i in range(2)]
    _draw_strips(pair[0], [("before", before), *([] if effects is None else [("after", before + effects)])])
    pair[0].set_xlabel(target, fontsize=8)
    _draw_strips(pair[1], [] if effects is None else [("effect", effects)])
    pair[1].axvline(0, lw=0.7, color=_QUIET)
    pair[1].set_xlabel("effect in each background", fontsize=8)
    for ax in [*rows, *pair]:
        _plain(ax)
    rows[0].set_axis_off()
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def _plain(ax: Any) -> None:
    ax.tick_params(labelsize=7, length=2)
    for side in ("top", "right", "left", "bottom"):
        ax.spines[side].set_visible(False)


def _draw_block(ax: Any, motif: np.ndarray, span: tuple[int, int], length: int) -> None:
    """The motif over its place; no narrower than can be read."""
    width = max((span[1] - span[0]) / length, 0.012 * motif.shape[1])
    left = min(max((span[0] + span[1]) / 2 / length - width / 2, 0), 1 - width)
    box = ax.inset_axes([left, 0.12, width, 0.88])
    p = motif / np.maximum(motif.sum(axis=0), 1e-12)
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.where(p > 0, p * np.log2(p), 0).sum(axis=0) + 2
    plot_logo(p * np.where(motif.sum(axis=0) > 0, bits, 0), ax=box, ylim=(0, 2))
    box.set_axis_off()
    ax.plot([0, length], [0, 0], lw=0.7, color="0.8")
    ax.plot(span, [0, 0], lw=3, color=_ACCENT, solid_capstyle="butt")
    ax.set_ylim(-0.05, 1)


def _draw_curves(ax: Any, curves: Sequence[Curve], effects: np.ndarray | None, span: tuple[int, int]) -> None:
    for i, curve in enumerate(curves):
        if not len(curve.centres):
            continue
        mean = curve.effects.mean(axis=1)
        if i == 0:
            low, high = np.quantile(curve.effects, [0.05, 0.95], axis=1)
            ax.fill_between(curve.centres, low, high, lw=0, color=_ACCENT, alpha=0.18)
        style = {"color": _ACCENT, "lw": 1.6} if i == 0 else {"color": _QUIET, "lw": 1, "ls": "--"}
        ax.plot(curve.centres, mean, label=f"{curve.label} strand", marker="o" if len(mean) < 3 else "", ms=3, **style)
    ax.axhline(0, lw=0.5, color="0.7")
    ax.axvline(sum(span) / 2, lw=0.7, color=_QUIET)
    if effects is not None:
        ax.plot([sum(span) / 2], [effects.mean()], "o", ms=5, color=_ACCENT)
    if any(len(curve.centres) for curve in curves):
        ax.legend(fontsize=7, frameon=False, loc="lower right", bbox_to_anchor=(1, 0.98), ncols=2, borderaxespad=0)
    ax.set_ylabel("effect", rotation=0, ha="right", va="center", fontsize=8)


def _draw_profiles(rows: Sequence[Any], edges: np.ndarray, before: np.ndarray, after: np.ndarray) -> None:
    strands = before.shape[1]
    _draw_bands(rows[0], edges, after[: 3 * strands].reshape(3, strands, -1), "profile\nafter")
    for s, sign in enumerate((1, -1)[:strands]):
        rows[0].stairs(before[0, s] * sign, edges, baseline=None, color="0.4", lw=0.8)
    _draw_bands(rows[1], edges, after[3 * strands :, None], "change")


def _draw_bands(ax: Any, edges: np.ndarray, banded: np.ndarray, label: str) -> None:
    """Mean and 5 to 95 % of each strand, (3, S, P); the second hangs down."""
    for s, sign in enumerate((1, -1)[: banded.shape[1]]):
        mean, low, high = banded[:, s] * sign
        ends = [np.append(one, one[-1]) for one in (low, high)]
        ax.fill_between(edges, *ends, step="post", lw=0, color=_ACCENT, alpha=0.25)
        ax.stairs(mean, edges, baseline=None, color=_ACCENT, lw=1)
    ax.axhline(0, lw=0.5, color="0.7")
    ax.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8)
    if banded.shape[1] > 1:  # a strand that hangs down is no negative number
        ax.yaxis.set_major_formatter(lambda y, _: f"{abs(y):g}")


def _draw_strips(ax: Any, rows: Sequence[tuple[str, np.ndarray]]) -> None:
    """A dot a background, over the bar from 5 to 95 % and the mean."""
    for i, (_, values) in enumerate(rows):
        low, high = np.quantile(values, [0.05, 0.95])
        color = _ACCENT if i == len(rows) - 1 else _QUIET
        ax.plot([low, high], [-i, -i], lw=7, color=color, alpha=0.18, solid_capstyle="butt")
        jitter = ((np.arange(len(values)) * 0.618) % 1 - 0.5) * 0.5
        ax.plot(values, -i + jitter, "o", ms=2.5, color=color, alpha=0.7, mew=0)
        ax.plot([values.mean()] * 2, [-i - 0.35, -i + 0.35], lw=1.6, color=color)
    ax.set_yticks([-i for i in range(len(rows))], [label for label, _ in rows])
    ax.set_ylim(-len(rows) + 0.4, 0.6)
