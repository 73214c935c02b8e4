"""Names for seqlets that lie in files.

In: a table of spans, by chromosome or by number of the sequence, and the sequences: FASTA or one-hot.  Out: the table
with the motifs that `annotate_seqlets` gives.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from ..errors import problem
from ..sequence.fasta import open_genome

__all__ = ["name_seqlets"]

_FOUND: Final = (
    "name", "strand", "score", "p-value", "q-value", "offset", "overlap", "motif_start", "motif_end", "rank"
)  # fmt: skip


def name_seqlets(seqlets: pd.DataFrame, sequences: Path | np.ndarray, motifs: Any, **options: Any) -> pd.DataFrame:
    """Give seqlets their nearest motifs; `options` are those of `annotate_seqlets`."""
    import nbinterp as nb

    if isinstance(sequences, Path):
        cut = _cut(seqlets, sequences)
        spans = pd.DataFrame({"example_idx": np.arange(len(seqlets)), "start": 0, "end": _widths(seqlets)})
    else:
        if "example_idx" not in seqlets:
            need = "the column example_idx, since one-hot sequences have no names"
            raise problem("annotate", "SEQLETS", got="chromosomes", need=need, do="pass the genome's FASTA")
        cut, spans = sequences, seqlets[["example_idx", "start", "end"]]
    spans = spans.assign(row=np.arange(len(seqlets)))
    found = nb.annotate_seqlets(cut, spans, motifs, as_table=True, **options)
    found = found.rename(columns={"motif_p-value": "p-value", "motif_q-value": "q-value"})
    own = seqlets.rename(columns={name: f"seqlet_{name}" for name in _FOUND if name in seqlets})
    own = own.iloc[found["row"]].reset_index(drop=True)
    if isinstance(sequences, Path):
        for column in ("motif_start", "motif_end"):
            found[column] += own["start"]
    named: pd.DataFrame = own.assign(**{name: found[name] for name in _FOUND})
    return named


def _widths(seqlets: pd.DataFrame) -> np.ndarray:
    return (seqlets["end"] - seqlets["start"]).to_numpy(np.int64)


def _cut(seqlets: pd.DataFrame, fasta: Path) -> np.ndarray:
    """The one-hot sequence of each span, its own row each, as long as the longest, and unknown behind the end."""
    widths = _widths(seqlets)
    letters = np.zeros((len(seqlets), max(int(widths.max(initial=1)), 1)), np.uint8)
    with open_genome("annotate", fasta) as genome:
        names = list(genome.lengths)
        by_name = "chrom" in seqlets
        for row, (at, start, end) in enumerate(
            zip(seqlets["chrom" if by_name else "example_idx"], seqlets["start"], seqlets["end"], strict=True)
        ):
            known = str(at) in genome.lengths if by_name else 0 <= at < len(names)
            name = (str(at) if by_name else names[at]) if known else ""
            if not (known and 0 <= start < end <= genome.lengths[name]):
                got = f"{at}:{start}-{end}"
                need = f"spans within the records of {fasta}" if known else f"names or numbers of records of {fasta}"
                raise problem(
                    "annotate", "SEQLETS", got=got, need=need, do="pass the sequences that they were called on"
                )
            letters[row, : end - start] = np.frombuffer(genome.text(name, start, end).upper().encode(), np.uint8)
    return np.stack([letters == ord(letter) for letter in "ACGT"], axis=1).astype(np.int8)
