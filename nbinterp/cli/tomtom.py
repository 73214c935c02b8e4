"""``nbinterp tomtom``: what known motifs a motif may be, from a shell.

In: two motif files (or ``jaspar``, or letters).  Out: the nearest targets of each query, as TSV.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from .options import MOTIFS, add_nearest, add_out, add_verb

__all__ = ["add_tomtom"]

_MATCHES: Final = [
    "query", "target", "p-value", "q-value", "score", "offset", "overlap", "strand", "query_consensus",
    "target_consensus", "query_idx", "target_idx",
]  # fmt: skip
_TRIM: Final = 0.3


def add_tomtom(verbs: Any) -> None:
    """Add the subcommand."""
    tomtom = add_verb(verbs, "tomtom", _tomtom, "compare motifs with known motifs", """
Compare every query with every target, and give the nearest targets of each.""", """
columns:
  query, target, p-value, q-value (within the query), score, offset (of the
  query's first column in the target), overlap, strand (of the target),
  query_consensus, target_consensus (on that strand), query_idx, target_idx

examples:
  nbinterp tomtom TGACTCA
  nbinterp tomtom modisco.h5 jaspar -n 3 -o matches.tsv
  nbinterp tomtom mine.meme theirs.meme --q-threshold 0.05""")  # fmt: skip
    tomtom.add_argument("queries", metavar="QUERIES", help=f"{MOTIFS}; or letters, such as TGACTCA")
    tomtom.add_argument("targets", metavar="TARGETS", nargs="?", default="jaspar", help="the same (default jaspar)")
    add_nearest(tomtom, 10)
    tomtom.add_argument("--trim", type=float, metavar="FRACTION",
                        help="cut flanks of the queries whose columns hold less than this share of the strongest's weight; "
                        f"0 for none (default {_TRIM} for patterns with contributions, else 0)")  # fmt: skip
    add_out(tomtom, bed=False)


def _tomtom(options: Any) -> None:
    import nbinterp as nb

    from .tables import write_tables

    queries = _queries(options.queries)
    trim = options.trim if options.trim is not None else _TRIM if queries.has_contributions else 0.0
    if trim > 0:
        queries = queries.trim(trim)
    targets = nb.read_motifs(options.targets, dtype="float64")
    table = nb.tomtom(
        queries, targets, n_nearest=options.n_nearest or None, reverse_complement=not options.no_rc, as_table=True
    )
    table = table[table["q-value"] <= options.q_threshold]
    forward = [targets.consensus(i) for i in table["target_idx"]]
    pairs = zip(forward, table["strand"], strict=True)
    table = table.assign(
        query_consensus=[queries.consensus(i) for i in table["query_idx"]],
        target_consensus=[nb.reverse_complement(text) if strand == "-" else text for text, strand in pairs],
    )
    write_tables([table], options.out, columns=_MATCHES)


def _queries(given: str) -> Any:
    """Motifs of a file, or letters as one motif."""
    import nbinterp as nb

    if given and set(given) <= set("ACGTNacgtn") and not Path(given).is_file():
        return nb.MotifSet({given: nb.one_hot_encode(given.upper())})
    return nb.read_motifs(given, dtype="float64")
