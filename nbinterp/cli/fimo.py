"""``nbinterp fimo``: where motifs are in sequences, from a shell.

In: a motif file (or ``jaspar``) and sequences.  Out: hits as TSV or BED, or their numbers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from .. import __version__
from ..errors import problem
from .options import MOTIFS, add_out, add_verb, read_if_array

__all__ = ["add_fimo"]

_HITS: Final = ["name", "sequence_name", "start", "end", "strand", "score", "p-value"]
_LOCUS: Final = ["chrom", "chrom_start", "chrom_end"]


def add_fimo(verbs: Any) -> None:
    """Add the subcommand."""
    fimo = add_verb(verbs, "fimo", _fimo, "find motif instances in sequences", """
Find every window that a motif scores above chance, with exact p-values.
Sequences are read a stretch at a time: a genome needs little more memory than
its longest chromosome.""", """
columns:
  name, sequence_name, start, end (0-based, half-open, forward strand), strand,
  score (bits), p-value; q-value with --q-values; matched_sequence (on the
  strand of the hit) with --matched-sequence; chrom, chrom_start, chrom_end with
  --loci; motif_idx, example_idx (number of the sequence)

examples:
  nbinterp fimo jaspar peaks.fa -o hits.tsv
  nbinterp fimo motifs.meme genome.fa --loci peaks.bed --in-window 500 -o hits.bed
  nbinterp fimo jaspar:plants genome.fa.gz --threshold 1e-6 -o hits.tsv.gz""")  # fmt: skip
    fimo.add_argument("motifs", metavar="MOTIFS", help=MOTIFS)
    fimo.add_argument("sequences", metavar="SEQUENCES", type=Path, help="FASTA, or one-hot (N, 4, L) as .npz or .npy")
    fimo.add_argument(
        "--threshold", type=float, default=1e-4, metavar="P", help="largest p-value (default %(default)s)"
    )
    fimo.add_argument("--background", default="uniform", metavar="A,C,G,T",
                      help="letter frequencies of a random window, or 'motifs' for those of the file (uniform)")  # fmt: skip
    fimo.add_argument("--no-rc", action="store_true", help="scan the given strand only")
    places = fimo.add_argument_group("windows of a genome")
    places.add_argument("--loci", type=Path, metavar="BED", help="scan these loci of SEQUENCES, an uncompressed genome")
    places.add_argument(
        "--in-window", type=int, metavar="N", help="bases around the middle of each locus (default 2114)"
    )
    shape = fimo.add_argument_group("output")
    add_out(shape)
    shape.add_argument("--matched-sequence", action="store_true", help="add the letters of each hit")
    some = shape.add_mutually_exclusive_group()
    some.add_argument(
        "--counts", action="store_true", help="only the number of hits of each motif: name, alternate, hits"
    )
    some.add_argument(
        "--q-values", action="store_true", help="add Benjamini-Hochberg q-values; holds all hits in memory"
    )
    fimo.add_argument("--device", help="where to run (default: the GPU where there is one)")


def _fimo(options: Any) -> None:
    import pandas as pd

    import nbinterp as nb

    from .tables import wants_bed, write_tables

    if options.counts and wants_bed(options.bed, options.out):
        raise problem("fimo", "--counts", got="--counts and BED", need="one of them", do="leave one out")
    background = _background(options.background)
    sequences = _sequences(options)
    asked: dict[str, Any] = {
        "threshold": options.threshold, "reverse_complement": not options.no_rc, "background": background,
        "device": options.device, "verbose": sys.stderr.isatty(),
    }  # fmt: skip
    motifs = nb.read_motifs(options.motifs, dtype="float64")
    if not options.counts:
        _write_hits(options, motifs, sequences, {**asked, "matched_sequence": options.matched_sequence})
        return
    hits = nb.fimo(motifs, sequences, return_counts=True, **asked)
    counted = pd.DataFrame({"name": motifs.names, "alternate": motifs.alternate, "hits": hits})
    write_tables([counted], options.out)


def _write_hits(options: Any, motifs: Any, sequences: Any, asked: dict[str, Any]) -> None:
    """Write hits a stretch at a time; into a file, so that a scan that was stopped goes on."""
    import nbinterp as nb

    from .resume import resume_tables
    from .tables import as_bed, wants_bed, write_tables

    bed = wants_bed(options.bed, options.out)
    place = _LOCUS if options.loci else ["sequence_name", "start", "end"]
    wanted = {"q-value": options.q_values, "matched_sequence": options.matched_sequence}
    more = [*(name for name in wanted if wanted[name]), *(_LOCUS if options.loci else [])]
    columns = None if bed else [*_HITS, *more, "motif_idx", "example_idx"]

    def tables(skip: int = 0) -> Iterator[Any]:
        if options.q_values:
            found = iter([nb.fimo(motifs, sequences, as_table=True, q_values=True, **asked)])
        else:
            found = nb.stream_fimo(motifs, sequences, **asked, skip=skip)
        return (as_bed(table, place) for table in found) if bed else found

    if options.out is None or options.q_values:
        write_tables(tables(), options.out, columns=columns, header=not bed)
    else:
        resume_tables(tables, options.out, _key(options, motifs), columns=columns, told=_say_kept)


def _key(options: Any, motifs: Any) -> str:
    """What rows depend on: the options, the motifs, and which files are read."""
    from ..core.cache import content_hash

    asked = {name: str(value) for name, value in vars(options).items() if name not in {"do", "out", "device", "motifs"}}
    read = [path for path in (options.sequences, options.loci) if path is not None]
    files = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in read if path.exists()]
    return content_hash(__version__, asked, files, motifs.background, motifs.names, *motifs.values())


def _say_kept(n_kept: int) -> None:
    print(f"fimo: {n_kept} stretches of sequence are there from a scan that was stopped; going on", file=sys.stderr)


def _background(given: str) -> Any:
    """None for uniform, the word "motifs", or four numbers."""
    if given in ("uniform", "motifs"):
        return None if given == "uniform" else given
    try:
        return [float(word) for word in given.split(",")]
    except ValueError:
        need = "uniform, motifs, or four numbers parted by commas"
        raise problem("fimo", "--background", got=given, need=need, do="pass for example 0.29,0.21,0.21,0.29") from None


def _sequences(options: Any) -> Any:
    import nbinterp as nb

    if options.loci is not None:
        return nb.read_sequences(loci=options.loci, genome=options.sequences, in_window=options.in_window)
    if options.in_window is not None:
        raise problem("fimo", "--in-window", got="no --loci", need="loci to lay windows around", do="pass --loci too")
    array = read_if_array("fimo", "SEQUENCES", options.sequences)
    return options.sequences if array is None else array
