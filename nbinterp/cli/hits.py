"""``nbinterp hits``: Fi-NeMo's commands, from a shell.

In: Fi-NeMo's words; a script that said ``finemo call-hits`` says ``nbinterp hits call-hits``.  Out: Fi-NeMo's files.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import problem

__all__ = ["add_hits"]

_EXTRACT = """
Cut regions of one width out of what an interpretation left behind, and write
them as one file, a few regions at a time.  Files of several models are averaged."""


def add_hits(verbs: Any) -> None:
    """Add the group of subcommands."""
    group = verbs.add_parser(
        "hits", help="call motif instances that compete for the contributions (Fi-NeMo's commands)",
        description="Fi-NeMo's commands, its options and its files; solved exactly.",
    )  # fmt: skip
    parts = group.add_subparsers(required=True, metavar="COMMAND")
    _add_extract(parts, "bw", _bigwig, "bigWig files and a genome", peaks_needed=True)
    _add_extract(parts, "chrombpnet-h5", _chrombpnet, "ChromBPNet's HDF5", aliases=["extract-regions-h5"])
    _add_extract(parts, "bpnet-h5", _bpnet, "BPNet's HDF5")
    _add_extract(parts, "modisco-fmt", _modisco, "arrays as TF-MoDISco takes them, npy or npz")
    _add_call(parts)
    _add_report(parts)
    _add_collapse(parts)
    _add_intersect(parts)


def _verb(parts: Any, name: str, call: Callable[[Any], None], about: str, says: str, aliases: list[str]) -> Any:
    """A subcommand that has Fi-NeMo's name for it, too."""
    verb = parts.add_parser(
        name,
        aliases=aliases,
        help=about,
        description=says.strip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.set_defaults(do=call)
    return verb


def _add_extract(
    parts: Any, kind: str, call: Callable[[Any], Any], about: str, *, peaks_needed: bool = False, aliases: Any = ()
) -> None:
    verb = _verb(
        parts,
        f"extract-regions-{kind}",
        lambda options: _extract(options, call),
        f"regions from {about}",
        _EXTRACT,
        list(aliases),
    )
    need = "" if peaks_needed else "; without it hits have no places in the genome"
    verb.add_argument("-p", "--peaks", required=peaks_needed, help=f"narrowPeak or BED, a row a region{need}")
    verb.add_argument("-C", "--chrom-order", help="file with the chromosomes in order; that of the peaks by default")
    if kind == "bw":
        verb.add_argument("-f", "--fasta", required=True, help="the genome")
        verb.add_argument("-b", "--bigwigs", required=True, nargs="+", help="contributions")
    elif kind == "modisco-fmt":
        verb.add_argument("-s", "--sequences", required=True, help="one-hot (N, 4, L)")
        verb.add_argument("-a", "--attributions", required=True, nargs="+", help="hypothetical contributions (N, 4, L)")
    else:
        verb.add_argument("-c", "--h5s", required=True, nargs="+", help="what was interpreted")
    verb.add_argument("-o", "--out-path", required=True, help="npz file")
    verb.add_argument("-w", "--region-width", type=int, default=1000, help="even (default %(default)s)")
    verb.add_argument(
        "--dtype", choices=("float16", "float32"), default="float16", help="of the contributions (default %(default)s)"
    )


def _extract(options: Any, call: Callable[[Any], Any]) -> None:
    from ..hit import write_regions

    notes = write_regions(options.out_path, call(options), dtype=options.dtype)
    for region, name, note in notes.itertuples(index=False):
        print(f"nbinterp: region {region}{f' ({name})' if name else ''}: {note}", file=sys.stderr)
    print(options.out_path)


def _bigwig(options: Any) -> Any:
    from ..hit import regions_from_bigwig as read

    return read(
        options.peaks,
        options.fasta,
        options.bigwigs,
        region_width=options.region_width,
        chrom_order=options.chrom_order,
    )


def _chrombpnet(options: Any) -> Any:
    from ..hit import regions_from_chrombpnet_h5 as read

    return read(options.h5s, **_around(options))


def _bpnet(options: Any) -> Any:
    from ..hit import regions_from_bpnet_h5 as read

    return read(options.h5s, **_around(options))


def _modisco(options: Any) -> Any:
    from ..hit import regions_from_modisco_fmt as read

    return read(options.sequences, options.attributions, **_around(options))


def _around(options: Any) -> dict[str, Any]:
    return {name: getattr(options, name) for name in ("peaks", "region_width", "chrom_order")}


def _add_call(parts: Any) -> None:
    verb = _verb(parts, "call", _call, "call hits in regions", """
Explain each region's contributions by as few motifs as it takes, and write
hits.tsv, hits_unique.tsv, hits.bed, peaks_qc.tsv, motif_data.tsv,
motif_cwms.npy, parameters.json, hits_details.tsv.  A run that was interrupted
goes on where it stopped when it is started again.""", ["call-hits"])  # fmt: skip
    verb.add_argument("-M", "--mode", choices=("pp", "ph", "hp", "hh"), default="pp",
                      help="motifs, then contributions: projected (p) or hypothetical (h) (default %(default)s)")  # fmt: skip
    verb.add_argument("-r", "--regions", required=True, help="npz file of extract-regions-*")
    verb.add_argument("-m", "--modisco-h5", required=True, help="TF-MoDISco's patterns; or any motif file")
    verb.add_argument("-o", "--out-dir", required=True, help="folder")
    motifs = verb.add_argument_group(
        "motifs (tab-separated files without a header; a motif goes by either of its names)"
    )
    motifs.add_argument("-I", "--motifs-include", metavar="TSV", help="names of the motifs to use, in the first column")
    motifs.add_argument("-N", "--motif-names", metavar="TSV", help="name, new name")
    motifs.add_argument(
        "-t",
        "--cwm-trim-threshold",
        type=float,
        default=0.3,
        metavar="PART",
        help="trim columns below this part of the largest (default %(default)s)",
    )
    motifs.add_argument("-T", "--cwm-trim-thresholds", metavar="TSV", help="name, part")
    motifs.add_argument("-R", "--cwm-trim-coords", metavar="TSV", help="name, start, end; goes before -T")
    motifs.add_argument(
        "-l",
        "--global-lambda",
        "-a",
        "--alpha",
        dest="global_lambda",
        type=float,
        default=0.7,
        metavar="LAMBDA",
        help="about the least cosine of a hit (default %(default)s)",
    )
    motifs.add_argument(
        "-L", "--motif-lambdas", "-A", "--motif-alphas", dest="motif_lambdas", metavar="TSV", help="name, lambda"
    )
    calling = verb.add_argument_group("calling")
    calling.add_argument(
        "-f", "--no-post-filter", action="store_true", help="keep hits whose similarity is below lambda"
    )
    calling.add_argument(
        "-q", "--sqrt-transform", action="store_true", help="signed square roots of contributions and motifs"
    )
    calling.add_argument(
        "--solver",
        choices=("exact", "fista"),
        default="exact",
        help="the optimum, or Fi-NeMo's iteration (default %(default)s)",
    )
    calling.add_argument(
        "-b", "--batch-size", type=int, default=64, help="regions that are solved together (default %(default)s)"
    )
    calling.add_argument(
        "--chunk",
        type=int,
        default=1024,
        help="regions that are kept together, for a run to go on (default %(default)s)",
    )
    calling.add_argument("-d", "--device", help="where to run (default: the GPU where there is one)")
    fista = verb.add_argument_group("Fi-NeMo's iteration (--solver fista)")
    for short, word, kind, default in (
        ("-s", "step-size-max", float, 3.0), ("-i", "step-size-min", float, 0.08), ("-j", "step-adjust", float, 0.7),
        ("-c", "convergence-tol", float, 0.0005), ("-S", "max-steps", int, 10000),
    ):  # fmt: skip
        fista.add_argument(short, f"--{word}", type=kind, default=default, metavar="X", help="(default %(default)s)")
    old = verb.add_argument_group("accepted for old scripts, and without effect here")
    old.add_argument("-J", "--compile", action="store_true", help="there is nothing to compile")
    old.add_argument("-p", "--peaks", help="regions know their peaks")
    old.add_argument("-C", "--chrom-order", help="regions know their order")


def _call(options: Any) -> None:
    from ..hit import FistaOptions, call_to_folder, hit_motifs, read_regions

    regions, motifs = read_regions(options.regions), _motifs(options.modisco_h5)
    trims, lambdas = (_mapping(options, name, float) for name in ("cwm_trim_thresholds", "motif_lambdas"))
    included = None if options.motifs_include is None else [row[0] for row in _rows(options, "motifs_include", 1)]
    ready = hit_motifs(
        motifs,
        hypothetical=options.mode[0] == "h",
        lambdas={"*": options.global_lambda, **lambdas},
        trim={"*": options.cwm_trim_threshold, **trims},
        spans={row[0]: (int(row[1]), int(row[2])) for row in _rows(options, "cwm_trim_coords", 3)},
        include=included,
        rename=_mapping(options, "motif_names", str),
        sqrt_transform=options.sqrt_transform,
        half=options.solver == "fista",
    )
    fista = FistaOptions(*(getattr(options, name) for name in FistaOptions._fields))
    asked = {name: value for name, value in vars(options).items() if name != "do"}
    hits = call_to_folder(
        options.out_dir, regions, ready, chunk=options.chunk, batch_size=options.batch_size, device=options.device,
        parameters=asked, verbose=sys.stderr.isatty(), mode=options.mode, sqrt_transform=options.sqrt_transform,
        post_filter=not options.no_post_filter, solver=options.solver, fista=fista,
    )  # fmt: skip
    print(f"{len(hits.table)} hits in {len(hits.regions)} regions: {options.out_dir}")


def _motifs(path: str) -> Any:
    from ..motif import read_modisco, read_motifs

    return read_modisco(path, arrays=False) if Path(path).suffix in (".h5", ".hdf5") else read_motifs(path)


def _rows(options: Any, argument: str, columns: int) -> list[list[str]]:
    """Rows of a tab-separated file, of at least so many columns; none of no file."""
    path = getattr(options, argument)
    if path is None:
        return []
    try:
        lines = Path(path).read_text().splitlines()
    except OSError as error:
        raise problem("hits call", argument, got=f"{path} ({error})", need="a file", do="check the path") from error
    rows = [line.split("\t") for line in lines if line.strip()]
    for number, row in enumerate(rows, 1):
        if len(row) < columns:
            got = f"{len(row)} columns in row {number} of {path}"
            raise problem("hits call", argument, got=got, need=f"{columns}, separated by tabs", do="mend the file")
    return rows


def _mapping(options: Any, argument: str, kind: Callable[[str], Any]) -> dict[str, Any]:
    try:
        return {row[0]: kind(row[1]) for row in _rows(options, argument, 2)}
    except ValueError as error:
        do = "mend the file"
        raise problem("hits call", argument, got=str(error), need="names and numbers", do=do) from error


def _add_report(parts: Any) -> None:
    verb = _verb(
        parts, "report", _report, "a report of a call", "Write one offline page about a call, and its tables.", []
    )
    verb.add_argument("-r", "--regions", required=True, help="npz file that was called")
    verb.add_argument("-H", "--hits", required=True, help="folder of the call, ours or Fi-NeMo's")
    verb.add_argument("-o", "--out-dir", required=True, help="folder")
    verb.add_argument("-m", "--modisco-h5", default="", help="TF-MoDISco's patterns, to compare with its seqlets")
    verb.add_argument(
        "-W",
        "--modisco-region-width",
        type=int,
        default=400,
        help="width in which TF-MoDISco sought (default %(default)s)",
    )
    verb.add_argument(
        "-n", "--no-recall", action="store_true", help="leave the seqlets out, as with patterns of other regions"
    )


def _report(options: Any) -> None:
    from ..report import run_report

    values = {
        "regions": options.regions, "hits": options.hits, "modisco": options.modisco_h5,
        "modisco_window": options.modisco_region_width, "recall": not options.no_recall,
    }  # fmt: skip
    print(f"report: {run_report('hits', values, Path(options.out_dir), progress=sys.stderr.isatty()).resolve()}")


def _add_collapse(parts: Any) -> None:
    verb = _verb(parts, "collapse", _collapse, "mark the best of overlapping hits",
                 "Mark hits that no overlapping hit beats: a column is_primary.", ["collapse-hits"])  # fmt: skip
    verb.add_argument("-i", "--hits", required=True, help="hits.tsv or hits_unique.tsv")
    verb.add_argument("-o", "--out-path", required=True, help="table")
    verb.add_argument(
        "-O",
        "--overlap-frac",
        type=float,
        default=0.2,
        help="part of the mean length that two hits share at least (default %(default)s)",
    )


def _collapse(options: Any) -> None:
    from ..hit import collapse_hits, read_hits

    _save(options, collapse_hits(read_hits(options.hits), options.overlap_frac))


def _add_intersect(parts: Any) -> None:
    verb = _verb(parts, "intersect", _intersect, "hits that several calls share",
                 "Keep the hits that are in every table.", ["intersect-hits"])  # fmt: skip
    verb.add_argument("-i", "--hits", required=True, nargs="+", help="hits.tsv of several calls")
    verb.add_argument("-o", "--out-path", required=True, help="table")
    verb.add_argument("-r", "--relaxed", action="store_true", help="the same motif in the same place is enough")


def _intersect(options: Any) -> None:
    from ..hit import intersect_hits, read_hits

    _save(options, intersect_hits([read_hits(path) for path in options.hits], options.relaxed))


def _save(options: Any, table: Any) -> None:
    from ..core.files import writing

    with writing(options.out_path) as path:
        table.to_csv(path, sep="\t", index=False)
    print(options.out_path)
