"""What variants do to a model's predictions.

In: a model and `Variants`.  Out: `VariantEffects`: a table with a row an example and its scores, the predictions
themselves, and both as TSV and VCF.  Matched random variants of the same sequence say how unusual an effect is; shuffled
backgrounds say how much of it needs the sequence around.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from ...core.batches import run_batches, take_rows
from ...core.check import check_choice
from ...errors import problem
from ...model.predict import check_inputs, predict
from .matched import MATCHES
from .paired import Leaves, Pairs
from .run import Null, Run, View, check_shifts
from .score import Score, Scoring
from .table import write_effects_tsv, write_effects_vcf
from .windows import Variants

__all__ = ["VariantEffects", "variant_effects"]

_WHERE = "variant_effects"
Annotate = Callable[[Any, Any, pd.DataFrame], pd.DataFrame | Mapping[str, Sequence[Any]]]


@dataclass(frozen=True)
class VariantEffects:
    """Scores of variants; made by `variant_effects`.

    Attributes
    ----------
    table : DataFrame
        A row an example: the columns of ``variants.examples``, predictions, scores, and what was asked for beside them.
    y_ref, y_alt : tensor, or list of tensors, or None
        Predictions of the reference and of the alternative, N rows, means over strands and shifts; None without
        ``raw_outputs``.
    variants : Variants
        What was scored; what could not be is in ``variants.dropped``.
    """

    table: pd.DataFrame
    y_ref: Any
    y_alt: Any
    variants: Variants

    def __len__(self) -> int:
        return len(self.table)

    def to_tsv(self, filename: str | os.PathLike[str]) -> None:
        """Write the table, and after it the variants that were left out, with the reason, tab-separated."""
        write_effects_tsv(filename, self.table, self.variants)

    def to_vcf(
        self, filename: str | os.PathLike[str], source: str | os.PathLike[str] | pd.DataFrame | None = None
    ) -> None:
        """Write VCF with every score as an INFO field; see `nbinterp.perturb.variants.table`.

        Parameters
        ----------
        filename : path
            Bgzipped when its name ends in ``.gz``.
        source : path or DataFrame, optional
            The VCF that the variants were read from, whose header, records and genotypes are kept; without it the
            variants are written as records of their own.
        """
        write_effects_vcf(filename, self.table, self.variants, source)


def variant_effects(
    model: Any,
    variants: Variants,
    *,
    func: Callable[..., Any] = predict,
    scores: Sequence[Score] | None = None,
    args: Sequence[torch.Tensor] | None = None,
    scale: str | None = None,
    pseudocount: float = 0.0,
    profile: str = "logits",
    bin_size: int | None = 1,
    task_names: Sequence[str] | None = None,
    reverse_complement: bool = True,
    shifts: Sequence[int] = (0,),
    flip: Callable[[torch.Tensor], torch.Tensor] | None = None,
    n_matched: int = 0,
    match: str = "substitution",
    match_within: int | None = None,
    n_backgrounds: int = 0,
    background_keep: int = 10,
    annotate: Annotate | None = None,
    random_state: int = 0,
    raw_outputs: bool = True,
    batch_size: int = 32,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    verbose: bool = False,
    fast: bool = True,
    **kwargs: Any,
) -> VariantEffects:
    """Score variants by what they do to a model's outputs.

    A model's output ``(N, T)`` is T tasks; ``(N, C, positions)`` is C profiles.  Predictions are averaged over both
    strands and over shifts, then scored:

    * ``"difference"``: alternative minus reference; positive where the alternative allele raises the output.
    * ``"log_fold_change"``: base 2, of outputs on the `scale` given.
    * ``"log_odds"``: difference in logits, of outputs that are probabilities.
    * ``"jsd"``: Jensen-Shannon distance (base 2, 0 to 1) between the two profiles over their positions; of indels
      over the positions that both have, each base compared with itself.

    Parameters
    ----------
    model : callable
        Takes ``(n, 4, L)`` and a row of each of `args`.
    variants : Variants
        From `read_variants`.
    func : callable
        Gives the outputs: ``func(model, X, ...)``.
    scores : sequence of str or callable, optional
        By default what the outputs have: difference, log_fold_change where `scale` is given, jsd.  A callable takes
        ``(y_ref, y_alt)`` (lists, of a model with several outputs), N rows each, and gives ``(N,)`` or ``(N, K)``.
    args : sequence of torch.Tensor, optional
        Further inputs, a row an example.
    scale : {"linear", "log", "log2"}, optional
        What outputs ``(N, T)`` are: "log" for natural logarithms, such as BPNet's log counts.
    pseudocount : float
        Added to linear outputs before the fold change.
    profile : {"logits", "signal"}
        What profiles are, before they are made to sum to one.
    bin_size : int or None
        Bases in a position of a profile, which is taken to be centred in the window.  None says that profiles have no
        place in the sequence: they are neither aligned at indels nor moved back by shifts.
    task_names : sequence of str, optional
        For the columns; numbers by default.
    reverse_complement : bool
        Predict the other strand too, and average.
    shifts : sequence of int
        Windows to average over, by how far they are moved to the right; needs ``max_shift`` in `read_variants`.
    flip : callable, optional
        Brings an output of the other strand to the forward strand.  By default the last axis of profiles is reversed;
        where channels are strands (and for attributions ``(N, 4, L)``) pass ``lambda y: y.flip(1, -1)``.
    n_matched : int
        Random variants of the same kind in the same window to compare each variant with.
    match : {"substitution", "trinucleotide"}
        What a matched substitution shares: its two letters, on either strand, or those and the bases beside it.  Longer
        changes and indels are matched by their letters.
    match_within : int, optional
        How far from the variant matched ones may be; anywhere in the window by default.
    n_backgrounds : int
        Dinucleotide-shuffled copies of its window to measure each variant in.
    background_keep : int
        Bases kept on either side of the variant in them.
    annotate : callable, optional
        ``annotate(X_ref, X_alt, table)`` gives further columns (a DataFrame, or a mapping of names to N values): motifs
        gained and lost, genes, anything that the windows or the places tell.
    random_state : int
        Seed of matched variants and backgrounds; those of an example depend on it and the example's number alone.
    raw_outputs : bool
        Keep the predictions.
    batch_size : int
        Sequences at a time.
    dtype, device : optional
        As in `predict`.
    verbose : bool
        Show progress.
    fast : bool
        Recompute only what a change reaches, where the model allows it (on a CPU; with ``func=predict``).
    **kwargs
        Options of `func`.

    Returns
    -------
    VariantEffects
        Its table has the columns reference and alternative (predictions), the scores, and for each score S: S_view_sd
        (spread over strands and shifts); S_quantile, S_p (of its size among the n_matched matched variants; ties count
        half in the quantile and in full in p, which is at least ``1 / (n + 1)``); S_background_mean, _sd, _low and
        _high (95% interval of the mean).  Several tasks or profiles add ``_0``, ``_1`` ... or their names.

    Raises
    ------
    NbinterpError
        When an option is out of range, or outputs do not suit the scores asked for.
    OptionError
        When `func` does not take an option.
    Interrupted
        When stopped; `.partial` holds the finished examples.

    Notes
    -----
    Effects in one window are exact to rounding however they are computed: each reference is run once, and each
    alternative recomputes only what it reaches (see `nbinterp.model.incremental`).

    Examples
    --------
    >>> import nbinterp as nb
    >>> genome = {"chr1": nb.random_one_hot((1, 4, 60), random_state=0)[0].numpy()}
    >>> ref = nb.characters(torch.from_numpy(genome["chr1"]))[30]
    >>> table = pd.DataFrame({"chrom": "chr1", "start": [30], "ref": [ref], "alt": ["A" if ref != "A" else "C"]})
    >>> model = torch.nn.Sequential(torch.nn.Conv1d(4, 2, 5), torch.nn.Flatten(), torch.nn.Linear(32, 1))
    >>> from nbinterp.perturb.variants import read_variants
    >>> effects = variant_effects(model, read_variants(table, genome, in_window=20), n_matched=5, device="cpu")
    >>> effects.table.columns[-7:].tolist()
    ['reference', 'alternative', 'difference', 'difference_view_sd', 'n_matched', 'difference_quantile', 'difference_p']
    """
    scoring = Scoring(
        _WHERE, None if scores is None else tuple(scores), scale, pseudocount, profile,
        None if task_names is None else tuple(task_names),
    )  # fmt: skip
    scoring.check()
    if not isinstance(variants, Variants):
        raise problem(
            _WHERE, "variants", got=f"a {type(variants).__name__}", need="Variants", do="make them with read_variants"
        )
    check_choice(_WHERE, "match", match, MATCHES)
    counts = {"n_matched": n_matched, "n_backgrounds": n_backgrounds, "background_keep": background_keep}
    for name, value in counts.items():
        if value < 0:
            raise problem(_WHERE, name, got=value, need="at least 0", do="raise it")
    check_shifts(_WHERE, variants, shifts, bin_size)
    pairs = Pairs(_WHERE, model, func, kwargs, batch_size, dtype, device, fast)
    checked = check_inputs(_WHERE, variants.window_idx[:, None], args)
    further = tuple(take_rows(one, 0, len(one), device="cpu", dtype=pairs.dtype) for one in checked)
    run = Run(
        variants,
        pairs,
        scoring,
        tuple(
            View(shift, reverse) for shift in shifts for reverse in ((False, True) if reverse_complement else (False,))
        ),
        Null(n_matched, match, match_within, n_backgrounds, background_keep, random_state),
        further,
        flip or _flip_profile,
        bin_size,
        raw_outputs,
    )
    chunks = run.chunks()

    def result(n: int) -> VariantEffects:
        return _result(run, np.sort(np.concatenate(chunks[:n])), annotate)

    run_batches(len(chunks), 1, lambda i, _: run.step(chunks[i]), desc=_WHERE, verbose=verbose, partial=result)
    return result(len(chunks))


def _flip_profile(y: torch.Tensor) -> torch.Tensor:
    return y.flip(-1) if y.ndim > 2 else y


def _result(run: Run, examples: np.ndarray, annotate: Annotate | None) -> VariantEffects:
    """Put together what was found of some examples."""
    v, at = run.variants, torch.from_numpy(examples)
    base = v.examples.drop(columns=["record", "allele"], errors="ignore").iloc[examples].reset_index(drop=True)
    found = pd.DataFrame({name: values[at].numpy() for name, values in run.columns.items()})
    if "n_matched" in found:
        found["n_matched"] = found["n_matched"].astype(int)
    table = pd.concat([base, found], axis=1)
    if annotate is not None:
        further = pd.DataFrame(annotate(v.X_ref[at], v.X_alt[at], table.copy()))
        if len(further) != len(table):
            raise problem(
                _WHERE, "annotate", got=f"{len(further)} rows", need=f"{len(table)}, one an example", do="keep them all"
            )
        table = pd.concat([table, further.reset_index(drop=True)], axis=1)
    return VariantEffects(table, _shaped(run.outputs.get("y_ref"), at), _shaped(run.outputs.get("y_alt"), at), v)


def _shaped(leaves: Leaves | None, at: torch.Tensor) -> Any:
    """Give one output as a tensor, several as a list."""
    if not leaves:
        return None
    return leaves[0][at] if len(leaves) == 1 else [y[at] for y in leaves]
