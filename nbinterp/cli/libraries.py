"""What the subcommands about libraries share: the sequence that is mutated, how, the model, and the library's table.

In: an `argparse` parser, and what it read.  Out: options; a `Library`; the model's output that is asked about; a table in a
file.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..core.files import writing
from ..errors import FormatError, problem

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = [
    "add_library",
    "add_model",
    "add_reference",
    "check_table_path",
    "predict_kept",
    "read_library",
    "read_model",
    "read_table",
    "span_of",
    "write_table",
]

_KINDS: Final = ("random", "combinatorial", "global", "two-hot")
_ROWS: Final = 1 << 14  # of a table, written together


def add_reference(verb: Any, *, needed: bool = True) -> None:
    """Add which sequence is mutated."""
    verb.add_argument("reference", metavar="REFERENCE", nargs=None if needed else "?",
                      help="the sequence: its letters, or a FASTA file")  # fmt: skip
    verb.add_argument(
        "--example", metavar="NAME", help="which record of the FASTA, by name or number (default the first)"
    )


def add_library(verb: Any) -> None:
    """Add how it is mutated: SQUID's options."""
    made = verb.add_argument_group("library")
    made.add_argument("--kind", choices=_KINDS, default="random",
                      help="random substitutions; all combinations of up to --max-order; the window in drawn contexts; or "
                      "random genotypes of two copies (default %(default)s)")  # fmt: skip
    made.add_argument("-n", "--n", "--num-sim", dest="n", type=int, default=20_000, metavar="N",
                      help="sequences, the reference first (default %(default)s); a combinatorial library has all")  # fmt: skip
    made.add_argument("-r", "--rate", "--mut-rate", dest="rate", type=float, metavar="PART",
                      help="substitutions a position (default 0.1; 0 for the motif of a global library)")  # fmt: skip
    made.add_argument("--counts", choices=("poisson", "exact"), default="poisson",
                      help="substitutions a sequence (default %(default)s)")  # fmt: skip
    made.add_argument("-w", "--window", "--mut-window", dest="window", nargs=2, type=int, metavar=("START", "END"),
                      help="positions that vary, from 0, half-open; of a global library those of the motif")  # fmt: skip
    made.add_argument("--max-order", type=int, default=-1, metavar="N",
                      help="of a combinatorial library (default all: 4 to the window's width)")  # fmt: skip
    made.add_argument("--gap", "--inter-window", dest="gaps", nargs=2, type=int, action="append", default=[],
                      metavar=("START", "END"), help="positions in the window of a global library that are drawn, too")  # fmt: skip
    made.add_argument("--context", choices=("random", "dinucleotide"), default="random",
                      help="of a global library: uniform letters, or shuffles (default %(default)s)")  # fmt: skip
    made.add_argument("--stream", choices=("row", "squid"), default="row",
                      help="random numbers: ours, or SQUID 0.4.9's (default %(default)s)")  # fmt: skip
    made.add_argument("--seed", type=int, default=0, metavar="N", help="of all that is drawn (default %(default)s)")


def add_model(verb: Any, *, needed: bool) -> None:
    """Add the model, and which output of it."""
    model = verb.add_argument_group("model")
    model.add_argument("-m", "--model", required=needed, default="", metavar="FILE",
                       help="checkpoint: TorchScript, state dict, Keras .h5 or .json")  # fmt: skip
    model.add_argument("--weights", default="", metavar="FILE", help="weights, when the model is an architecture")
    model.add_argument("--trust", action="store_true", help="allow a pickled module (it runs code from the file)")
    model.add_argument("--head", default="", metavar="NAME", help="output, by name or number")
    model.add_argument("--task", default="0", metavar="NAME", help="column, by name or number (default %(default)s)")
    model.add_argument("--transform", choices=("identity", "profile", "logcounts", "sum", "mean"), default="",
                       help="of the output to one number")  # fmt: skip
    model.add_argument("-b", "--batch-size", type=int, default=64, metavar="N", help="(default %(default)s)")
    model.add_argument("-d", "--device", metavar="NAME", help="cpu, cuda, ... (default a GPU where there is one)")


def read_model(options: Any) -> Any:
    """The output that is asked about, ``(n, 4, L)`` to ``(n, 1)``."""
    from ..report import read_explained

    asked = type("Asked", (), {"demo": False, "reverse_complement": False, **vars(options)})
    return read_explained(asked).model  # type: ignore[arg-type]


def span_of(given: list[int] | None) -> tuple[int, int] | None:
    """Two numbers as a span."""
    return None if given is None else (given[0], given[1])


def read_library(where: str, options: Any) -> Any:
    """Make the library."""
    from .. import mechanism

    reference, window = _reference(where, options), span_of(options.window)
    if options.kind == "combinatorial":
        return mechanism.combinatorial_library(reference, options.max_order, window=window)
    if options.kind == "global":
        if window is None:
            raise problem(where, "window", got="none", need="the motif's positions", do="pass --window START END")
        return mechanism.global_library(
            reference, options.n, window, gaps=[(start, end) for start, end in options.gaps], rate=options.rate or 0.0,
            context=options.context, random_state=options.seed,
        )  # fmt: skip
    draw = mechanism.random_library if options.kind == "random" else mechanism.two_hot_library
    return draw(
        reference, options.n, 0.1 if options.rate is None else options.rate, counts=options.counts, window=window,
        random_state=options.seed, stream=options.stream,
    )  # fmt: skip


def _reference(where: str, options: Any) -> Any:
    """Letters; of letters as they are, of a file one record's."""
    from ..sequence import read_fasta

    text = options.reference
    if not Path(text).is_file():
        if not text.isalpha() or len(text) < 1:
            raise problem(where, "REFERENCE", got=text, need="letters, or a FASTA file", do="check the path")
        return text.upper()
    records = read_fasta(text)
    names, wanted = list(records), options.example
    if wanted is None and names:
        return records[names[0]]
    if wanted in records:
        return records[wanted]
    if wanted is not None and wanted.isdigit() and int(wanted) < len(names):
        return records[names[int(wanted)]]
    got, need = f"{wanted!r}", f"a record of {text}, such as {', '.join(names[:3]) or 'none'}"
    raise problem(where, "--example", got=got, need=need, do="choose by name or number")


def predict_kept(model: Any, library: Any, path: Path, options: Any) -> np.ndarray:
    """Predictions, float32 ``(N,)``, going on with those in a file, unless they were begun with other options."""
    from ..mechanism import predict_to_file

    told = {"batch_size": options.batch_size, "device": options.device, "verbose": sys.stderr.isatty()}
    try:
        y = predict_to_file(model, library, path, **told)
    except FormatError:
        y = predict_to_file(model, library, path, overwrite=True, **told)
    return y.astype("float32")


def check_table_path(where: str, path: Path) -> None:
    """Refuse a table that could not be written, before there is anything to lose."""
    from importlib.util import find_spec

    if path.suffix == ".parquet" and find_spec("polars") is None:
        do = "pip install 'nbinterp[parquet]', or name it .tsv"
        raise problem(where, "--out", got=".parquet without polars", need="polars", do=do)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet, CSV or TSV, by its name, with all digits; sequences are made a part at a time."""
    import gzip

    with writing(path) as temporary:
        if path.suffix == ".parquet":
            import polars as pl

            columns = {
                str(name): column.to_numpy() for name, column in table.items() if name not in ("sequence", "Sequence")
            }
            letters = {name: list(table[name]) for name in ("sequence", "Sequence") if name in table}
            pl.DataFrame({**columns, **letters}).select([str(name) for name in table]).write_parquet(temporary)
            return
        plain = path.with_suffix("") if path.suffix == ".gz" else path
        opened: Any = gzip.open if path.suffix == ".gz" else open
        with opened(temporary, "wt", encoding="utf-8", newline="") as text:
            for start in range(0, max(len(table), 1), _ROWS):
                table.iloc[start : start + _ROWS].to_csv(
                    text,
                    sep="," if plain.suffix == ".csv" else "\t",
                    header=start == 0,
                    index=False,
                    lineterminator="\n",
                )


def read_table(where: str, path: Path) -> pd.DataFrame:
    """Read such a table."""
    import pandas as pd

    try:
        if path.suffix == ".parquet":
            check_table_path(where, path)
            import polars as pl

            return pd.DataFrame(pl.read_parquet(path).to_dict(as_series=False))
        plain = path.with_suffix("") if path.suffix == ".gz" else path
        return pd.read_csv(path, sep="," if plain.suffix == ".csv" else "\t")
    except (OSError, ValueError, UnicodeDecodeError) as error:
        need = "a table: .tsv, .csv, .gz of these, or .parquet"
        raise problem(where, str(path), got=str(error), need=need, do="check it", kind=FormatError) from error
