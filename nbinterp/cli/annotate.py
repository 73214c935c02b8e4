"""``nbinterp annotate``: names for seqlets, from a shell.

In: seqlets (or attributions, of which they are called), the sequences they lie in, a motif file (or ``jaspar``).  Out:
the seqlets with their nearest motifs, as TSV or BED.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import problem
from .options import MOTIFS, add_nearest, add_out, add_verb, read_if_array

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["add_annotate"]

_CHUNK: Final = 4096  # seqlets named at a time


def add_annotate(verbs: Any) -> None:
    """Add the subcommand."""
    annotate = add_verb(verbs, "annotate", _annotate, "name seqlets by known motifs", """
Name seqlets by the motifs nearest to their sequence.""", """
columns:
  those of the seqlets; name, strand, score, p-value, q-value, offset, overlap
  of the match; motif_start, motif_end, where the whole motif lies, which may
  reach beyond the seqlet; rank, from 0.  A column of the seqlets that has one
  of these names is kept as seqlet_NAME.

examples:
  nbinterp annotate seqlets.bed --sequences genome.fa -o named.bed
  nbinterp annotate seqlets.tsv jaspar --sequences peaks.fa --q-threshold 0.1 -o named.tsv
  nbinterp annotate attributions.attr.npz --sequences attributions.ohe.npz -o named.tsv""")  # fmt: skip
    annotate.add_argument("seqlets", metavar="SEQLETS", type=Path,
                          help="BED, or TSV with chrom or example_idx, start, end; or attributions (N, 4, L) as .npz or "
                          ".npy, of which seqlets are called")  # fmt: skip
    annotate.add_argument("motifs", metavar="MOTIFS", nargs="?", default="jaspar", help=f"{MOTIFS} (default jaspar)")
    annotate.add_argument("--sequences", type=Path, required=True, metavar="SEQUENCES",
                          help="what the seqlets lie in: FASTA (by name of chromosome, or by number of the record), or "
                          "one-hot (N, 4, L) as .npz or .npy")  # fmt: skip
    annotate.add_argument("--seqlet-threshold", type=float, default=0.01, metavar="P",
                          help="largest p-value of a seqlet that is called (default %(default)s)")  # fmt: skip
    add_nearest(annotate, 1)
    add_out(annotate)


def _annotate(options: Any) -> None:
    import nbinterp as nb

    from .seqlets import name_seqlets
    from .tables import as_bed, read_spans, wants_bed, write_tables

    one_hot = read_if_array("annotate", "--sequences", options.sequences)
    attributions = read_if_array("annotate", "SEQLETS", options.seqlets)
    if attributions is not None:
        seqlets = _called(attributions, one_hot, options.seqlet_threshold)
    else:
        seqlets = read_spans("annotate", options.seqlets)
    motifs = nb.read_motifs(options.motifs, dtype="float64")
    asked = {"n_nearest": options.n_nearest or len(motifs), "reverse_complement": not options.no_rc}

    def named() -> Iterator[pd.DataFrame]:
        from tqdm.auto import tqdm

        with tqdm(total=len(seqlets), desc="annotate", unit="seqlet", disable=not sys.stderr.isatty()) as bar:
            for at in range(0, max(len(seqlets), 1), _CHUNK):  # no seqlets have columns, too
                chunk = seqlets.iloc[at : at + _CHUNK].reset_index(drop=True)
                found = name_seqlets(chunk, options.sequences if one_hot is None else one_hot, motifs, **asked)
                bar.update(len(chunk))
                yield found[found["q-value"] <= options.q_threshold]

    if wants_bed(options.bed, options.out):
        place = ["chrom" if "chrom" in seqlets else "example_idx", "start", "end"]
        write_tables((as_bed(part, place) for part in named()), options.out, header=False)
    else:
        write_tables(named(), options.out)


def _called(attributions: np.ndarray, one_hot: np.ndarray | None, threshold: float) -> pd.DataFrame:
    """Call seqlets of attributions of the observed bases."""
    import nbinterp as nb

    if one_hot is None or one_hot.shape != attributions.shape:
        got = "a FASTA file" if one_hot is None else f"shape {one_hot.shape}"
        need = f"one-hot of the attributions' shape {attributions.shape}, as .npz or .npy"
        raise problem("annotate", "--sequences", got=got, need=need, do="pass what the attributions are of")
    table: pd.DataFrame = nb.recursive_seqlets((one_hot * attributions).sum(axis=1), threshold)
    return table
