"""``nbinterp surrogate``: a model simple enough to read, from a shell.

In: a library's table (ours, SEAM's, or measurements); or a sequence and a model.  Out: a folder: effects of letters and
pairs, the surrogate itself, and how well it does.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..core.files import writing
from ..errors import problem
from .libraries import (
    add_library,
    add_model,
    add_reference,
    predict_kept,
    read_library,
    read_model,
    read_table,
    write_table,
)
from .options import add_verb

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["add_surrogate"]

_WHERE: Final = "surrogate"
_COLUMNS: Final = (("sequence", "prediction"), ("Sequence", "DNN"), ("sequence", "y"))  # ours, SEAM's, measurements
_FIT: Final = (
    "gpmap", "linearity", "noise", "noise_order", "penalty", "n_effects", "hidden_nodes", "gauge", "max_distance", "test",
    "validation", "n_starts", "max_iterations",
)  # fmt: skip


def add_surrogate(verbs: Any) -> None:
    """Add the subcommand."""
    verb = add_verb(verbs, _WHERE, _surrogate, "fit a simple model to a library", """
Fit a model that can be read to a library of variants: an effect of each
letter, and of pairs, under one curve (SQUID's surrogates).""", """
files in the folder:
  effects.tsv     each substitution of the first sequence (or --reference-row):
                  position, reference, base, phi and y (its effect on the latent
                  phenotype and on the prediction), theta in the gauge asked for,
                  with --bootstrap its low and high, and how often it was seen
  pairs.tsv       of a neighbour or pairwise surrogate: pairs of letters by effect
  logo.npy        theta (4, positions)
  surrogate.npz   all of it, for nb.read_surrogate
  metrics.json    r2, explained variance, information, rows held out
  library.tsv     sequences and predictions, where there was a model

examples:
  nbinterp surrogate library.tsv -o out
  nbinterp surrogate mave.csv --gpmap pairwise --noise Gaussian -o out
  nbinterp surrogate mpra.tsv --columns seq log2FC --bootstrap 40 -o out
  nbinterp surrogate enhancer.fa -m model.h5 -n 10000 --window 100 150 -o out""")  # fmt: skip
    add_reference(verb)
    verb.add_argument("-o", "--out-dir", type=Path, required=True, metavar="DIR", help="where all goes")
    table = verb.add_argument_group("a table as REFERENCE (.tsv, .csv, .gz of these, or .parquet)")
    table.add_argument("--columns", nargs=2, metavar=("SEQUENCE", "Y"),
                       help="default sequence and prediction, Sequence and DNN, or sequence and y")  # fmt: skip
    table.add_argument("--reference-row", type=int, default=0, metavar="N",
                       help="the row whose substitutions are listed (default %(default)s)")  # fmt: skip
    add_library(verb)
    add_model(verb, needed=False)
    _add_fit(verb)
    verb.add_argument("--report", action="store_true", help="write a report, too, which fits once more")


def _add_fit(verb: Any) -> None:
    fit = verb.add_argument_group("surrogate")
    fit.add_argument("--gpmap", choices=("additive", "neighbour", "neighbor", "pairwise"), default="additive",
                     help="which effects there are (default %(default)s)")  # fmt: skip
    fit.add_argument("--max-distance", type=int, metavar="N", help="farthest positions that pairwise pairs")
    fit.add_argument("--linearity", choices=("nonlinear", "linear"), default="nonlinear",
                     help="one rising curve over all effects, or none (default %(default)s)")  # fmt: skip
    fit.add_argument("--noise", choices=("Gaussian", "Cauchy", "SkewedT"),
                     help="(default SkewedT with a curve, Gaussian without)")  # fmt: skip
    fit.add_argument("--noise-order", type=int, metavar="N",
                     help="degree by which noise depends on the prediction (default 2 with a curve, 0 without)")  # fmt: skip
    fit.add_argument("--penalty", choices=("ridge", "lasso", "lime"), default="ridge",
                     help="lime keeps the first letters of the lasso's path, of a linear fit (default %(default)s)")  # fmt: skip
    fit.add_argument(
        "--n-effects", type=int, default=20, metavar="N", help="letters that lime keeps (default %(default)s)"
    )
    fit.add_argument("--reg-strength", "--alpha", "--alphas", dest="reg_strength", type=float, nargs="+", default=[0.1],
                     metavar="X", help="several are compared by cross-validation, of a linear ridge (default 0.1)")  # fmt: skip
    fit.add_argument("--hidden-nodes", type=int, default=50, metavar="N", help="of the curve (default %(default)s)")
    fit.add_argument("--gauge", choices=("empirical", "uniform", "hierarchical", "consensus", "wild-type"),
                     default="empirical", help="of theta and the logo (default %(default)s)")  # fmt: skip
    fit.add_argument("--test", type=float, default=0.2, metavar="PART", help="held out (default %(default)s)")
    fit.add_argument("--validation", type=float, default=0.2, metavar="PART",
                     help="of the rest, to stop by (default %(default)s)")  # fmt: skip
    fit.add_argument("--no-deduplicate", action="store_true", help="count rows of one sequence and value each time")
    fit.add_argument("--starts", dest="n_starts", type=int, default=1, metavar="N", help="(default %(default)s)")
    fit.add_argument("--max-iterations", type=int, default=1000, metavar="N", help="(default %(default)s)")
    fit.add_argument("--bootstrap", type=int, default=0, metavar="N",
                     help="fits to other draws of the library, for intervals (default none; 40 are good)")  # fmt: skip
    fit.add_argument("--level", type=float, default=0.95, metavar="PART", help="of the intervals (default %(default)s)")


def _surrogate(options: Any) -> None:
    from ..mechanism import bootstrap_surrogate, fit_surrogate

    if options.report and not options.test:
        raise problem(_WHERE, "--test", got="0", need="sequences held out, by which a report judges", do="raise it")
    if options.report and options.penalty == "lime":
        raise problem(
            _WHERE, "--report", got="lime", need="ridge or lasso, of which it tells", do="leave one of them out"
        )
    library, y, window = _from_model(options) if options.model else _from_table(options)
    start, end = window
    X, reference = library.codes[:, start:end], library.reference_codes[start:end]
    strengths = options.reg_strength
    fitted = fit_surrogate(
        X, y, reg_strength=strengths[0] if len(strengths) == 1 else strengths, deduplicate=not options.no_deduplicate,
        random_state=options.seed, **{**{name: getattr(options, name) for name in _FIT}, "gauge": "empirical"},
    )  # fmt: skip
    surrogate = fitted if options.gauge == "empirical" else fitted.gauge(options.gauge, reference=_one_hot(reference))
    draws = None
    if options.bootstrap:
        draws = bootstrap_surrogate(fitted, X, y, n=options.bootstrap, random_state=options.seed)
        draws = draws.gauge(options.gauge, reference=_one_hot(reference))
    _write(surrogate, draws, library, start, options)
    metrics = _metrics(surrogate)
    with writing(options.out_dir / "metrics.json") as temporary:
        temporary.write_text(json.dumps(metrics, indent=1) + "\n")
    held = (
        f"R2 {metrics['r2']:.3f} on {metrics['n_test']} sequences held out" if metrics["n_test"] else "nothing held out"
    )
    print(f"{options.gpmap} surrogate of {metrics['n_train']} sequences, {held}: {options.out_dir}")
    if options.report:
        _report(options, library, y)


def _write(surrogate: Any, draws: Any, library: Any, start: int, options: Any) -> None:
    """The surrogate, its effects and its logo."""
    import numpy as np

    from ..mechanism import write_surrogate

    out: Path = options.out_dir
    write_surrogate(out / "surrogate.npz", surrogate)
    reference = library.reference_codes[start : start + surrogate.length]
    write_table(_effects(surrogate, draws, reference, start, options.level), out / "effects.tsv")
    with writing(out / "logo.npy") as temporary:
        np.save(temporary, surrogate.attribution_map(length=library.shape[2], start=start))
    (out / "pairs.tsv").unlink(missing_ok=True)
    if len(surrogate.positions):
        pairs = surrogate.pair_table()
        write_table(pairs.assign(start=pairs["start"] + start, end=pairs["end"] + start), out / "pairs.tsv")


def _from_model(options: Any) -> tuple[Any, np.ndarray, tuple[int, int]]:
    """Make the library and predict it; its table is kept, and so are the predictions while they are made."""
    from ..mechanism import compile_library

    library = read_library(_WHERE, options)
    if options.kind == "two-hot":
        raise problem(_WHERE, "--kind", got="two-hot", need="one base a position", do="choose another kind")
    y = predict_kept(read_model(options), library, options.out_dir / "predictions.npy", options)
    write_table(compile_library(library, y), options.out_dir / "library.tsv")
    return library, y, library.window if options.kind != "global" else (0, library.shape[2])


def _from_table(options: Any) -> tuple[Any, np.ndarray, tuple[int, int]]:
    """Read sequences and what was measured of them; only positions that vary are fitted."""
    import numpy as np

    from ..mechanism import library_of

    path = Path(options.reference)
    table = read_table(_WHERE, path)
    known = [tuple(options.columns)] if options.columns else _COLUMNS
    found = next((pair for pair in known if set(pair) <= set(table)), None)
    if found is None:
        need = " or ".join(f"{sequence} and {y}" for sequence, y in known)
        got, do = (
            f"columns {', '.join(map(str, table)) or 'none'} in {path}",
            "name them with --columns; or pass a model",
        )
        raise problem(_WHERE, "REFERENCE", got=got, need=need, do=do)
    library = library_of([str(one).upper() for one in table[found[0]]], options.reference_row)
    varies = np.flatnonzero((library.codes != library.codes[0]).any(axis=0))
    if not len(varies):
        raise problem(_WHERE, "REFERENCE", got="sequences that are all the same", need="variants", do="check the table")
    return library, table[found[1]].to_numpy(np.float64), (int(varies[0]), int(varies[-1]) + 1)


def _one_hot(codes: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.asarray(codes == np.arange(4)[:, None], np.float64)


def _effects(surrogate: Any, draws: Any, reference: np.ndarray, start: int, level: float) -> pd.DataFrame:
    """A row a substitution."""
    import numpy as np
    import pandas as pd

    bases = np.array(list("ACGTN"))
    position, base = (at.ravel() for at in np.meshgrid(np.arange(len(reference)), np.arange(4), indexing="ij"))
    columns: dict[str, Any] = {
        "position": position + start,
        "reference": bases[reference[position]],
        "base": bases[base],
    }
    for scale in ("phi", "y"):
        columns[scale] = surrogate.variant_effects(reference, scale=scale)[base, position]
    columns["theta"] = surrogate.theta[base, position]
    if draws is not None:
        for name, bound in zip(("low", "high"), draws.interval(level), strict=True):
            columns[name] = bound[base, position]
    columns["frequency"] = surrogate.frequencies[base, position]
    return pd.DataFrame(columns)


def _metrics(surrogate: Any) -> dict[str, Any]:
    found = surrogate.metrics
    bits = {
        f"{name}_{part}": value
        for name in ("i_var", "i_pred")
        for part, value in getattr(found, name)._asdict().items()
    }
    plain = {name: getattr(found, name) for name in ("r2", "explained", "n_train", "n_test")}
    return {name: None if math.isnan(value) else value for name, value in {**plain, **bits}.items()}


def _report(options: Any, library: Any, y: np.ndarray) -> None:
    """The report of the same library, as measurements."""
    import pandas as pd

    from ..report import run_report

    out: Path = options.out_dir
    write_table(pd.DataFrame({"sequence": library.sequences(), "y": y}), out / "measured.tsv")
    values = {name: getattr(options, name) for name in ("linearity", "penalty", "gauge", "level")}
    values |= {
        "measured": str(out / "measured.tsv"),
        "gpmap": "neighbour" if options.gpmap == "neighbor" else options.gpmap,
        "max_distance": options.max_distance or 0,
        "noise": options.noise or "",
        "reg_strength": options.reg_strength[0],
        "held_out": options.test,
        "n_bootstrap": options.bootstrap,
        "random_state": options.seed,
    }
    print(f"report: {run_report(_WHERE, values, out, progress=sys.stderr.isatty()).resolve()}")
