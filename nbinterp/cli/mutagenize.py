"""``nbinterp mutagenize``: a library of variants, from a shell.

In: a sequence, how it is mutated, perhaps a model.  Out: the library's table, with predictions where there is a model.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from .libraries import (
    add_library,
    add_model,
    add_reference,
    check_table_path,
    predict_kept,
    read_library,
    read_model,
    write_table,
)
from .options import add_verb

__all__ = ["add_mutagenize"]


def add_mutagenize(verbs: Any) -> None:
    """Add the subcommand."""
    verb = add_verb(verbs, "mutagenize", _mutagenize, "make variants of a sequence, and predict them", """
Make a library of variants of one sequence (SQUID's mutagenizers), and predict
every one of them where a model is given.  A prediction that was interrupted
goes on where it stopped when the command is given again.""", """
columns:
  prediction, with a model; hamming: positions that differ from the reference;
  global_importance, of a global library with a model: prediction less that of
  the same context without the motif; sequence.  --names seam calls them DNN,
  Hamming, GIA, Sequence, as SEAM and its viewer do.

examples:
  nbinterp mutagenize enhancer.fa -o library.tsv
  nbinterp mutagenize enhancer.fa -m model.h5 --task Dev -n 30000 -o library.parquet
  nbinterp mutagenize enhancer.fa -m model.h5 --names seam -o mave.csv
  nbinterp mutagenize ACGTACGT --kind combinatorial -o all.tsv
  nbinterp mutagenize enhancer.fa --kind global --window 120 127 -m model.h5 -o ap1.tsv""")  # fmt: skip
    add_reference(verb)
    add_library(verb)
    add_model(verb, needed=False)
    verb.add_argument("-o", "--out", type=Path, required=True, metavar="FILE",
                      help="the table: .tsv, .csv, .gz of these, or .parquet")  # fmt: skip
    verb.add_argument(
        "--names", choices=("nbinterp", "seam"), default="nbinterp", help="of columns (default %(default)s)"
    )


def _mutagenize(options: Any) -> None:
    where = "mutagenize"
    check_table_path(where, options.out)
    library = read_library(where, options)
    if not options.model:
        table = _plain(library, options.names)
        write_table(table, options.out)
    else:
        beside = options.out.with_name(f".{options.out.name}.partial")
        table = _predicted(options, library, beside)
        write_table(table, options.out)
        shutil.rmtree(beside)
    print(f"{len(table)} sequences: {options.out}")


def _plain(library: Any, names: str) -> Any:
    """The table of a library that nothing was predicted of."""
    import numpy as np

    from ..mechanism import compile_library

    table = compile_library(library, np.zeros(len(library), np.float32), names=names)
    return table.drop(columns=["DNN" if names == "seam" else "prediction"])


def _predicted(options: Any, library: Any, beside: Path) -> Any:
    """The table with predictions, which are kept in a folder until it is written."""
    from ..mechanism import backgrounds_of, compile_library

    model = read_model(options)
    y = predict_kept(model, library, beside / "predictions.npy", options)
    contexts = None
    if options.kind == "global":
        contexts = predict_kept(model, backgrounds_of(library), beside / "backgrounds.npy", options)
    return compile_library(library, y, contexts, names=options.names)
