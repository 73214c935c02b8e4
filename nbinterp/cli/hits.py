"""``nbinterp hits``: Fi-NeMo's commands, from a shell.

In: Fi-NeMo's words; a script that said ``finemo call-hits`` says ``nbinterp hits call-hits``.  Out: Fi-NeMo's files.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from .mappings import read_mapping, read_names

__all__ = ["add_hits"]

# Fi-NeMo's names of what ``parameters.json`` says
_PARAMETERS: Final = {
    "regions": "regions_path", "peaks": "peaks_path", "modisco_h5": "modisco_h5_path", "chrom_order": "chrom_order_path",
    "motifs_include": "motifs_include_path", "motif_names": "motif_names_path", "motif_lambdas": "motif_lambdas_path",
    "cwm_trim_coords": "cwm_trim_coords_path", "cwm_trim_thresholds": "cwm_trim_thresholds_path",
    "cwm_trim_threshold": "cwm_trim_threshold_default", "global_lambda": "lambda_default", "compile": "compile_optimizer",
}  # fmt: skip


def add_hits(verbs: Any) -> None:
    """Add the group of subcommands."""
    group = verbs.add_parser(
        "hits", help="call motif instances that compete for the contributions (Fi-NeMo's commands)",
        description="Fi-NeMo's commands, its options and its files; solved exactly.",
    )  # fmt: skip
    parts = group.add_subparsers(required=True, metavar="COMMAND")
    _add_bigwig(parts)
    _add_h5(parts, "chrombpnet", "ChromBPNet", "extract-regions-h5")
    _add_h5(parts, "bpnet", "BPNet")
    _add_modisco(parts)
    _add_call(parts)
    _add_report(parts)
    _add_collapse(parts)
    _add_intersect(parts)


def _verb(parts: Any, name: str, call: Callable[[Any], None], about: str, says: str, *aliases: str) -> Any:
    """A subcommand; the aliases are Fi-NeMo's names for it."""
    shape = argparse.RawDescriptionHelpFormatter
    verb = parts.add_parser(name, aliases=aliases, help=about, description=says.strip(), formatter_class=shape)
    verb.set_defaults(do=call)
    return verb


def _extractor(
    parts: Any, kind: str, read: Callable[[Any], Any], about: str, *aliases: str, peaks: bool = False
) -> Any:
    verb = _verb(parts, f"extract-regions-{kind}", lambda options: _extract(options, read), f"regions from {about}", """
Cut regions of one width out of what an interpretation left behind, and write
them as one file, a few regions at a time.  Files of several models are averaged.""", *aliases)  # fmt: skip
    need = "" if peaks else "; without it hits have no places in the genome"
    verb.add_argument("-p", "--peaks", required=peaks, metavar="BED", help=f"narrowPeak or BED, a row a region{need}")
    verb.add_argument("-C", "--chrom-order", metavar="TSV", help="chromosomes in order; by default that of the peaks")
    verb.add_argument("-o", "--out-path", required=True, metavar="NPZ", help="regions")
    verb.add_argument("-w", "--region-width", type=int, default=1000, metavar="N", help="even (default %(default)s)")
    verb.add_argument("--dtype", choices=("float16", "float32"), default="float16",
                      help="of the contributions (default %(default)s)")  # fmt: skip
    return verb


def _extract(options: Any, read: Callable[[Any], Any]) -> None:
    from ..hit import write_regions

    notes = write_regions(options.out_path, read(options), dtype=options.dtype)
    for region, name, note in notes.itertuples(index=False):
        print(f"nbinterp: region {region}{f' ({name})' if name else ''}: {note}", file=sys.stderr)
    print(options.out_path)


def _windows(options: Any) -> dict[str, Any]:
    return {name: getattr(options, name) for name in ("region_width", "chrom_order")}


def _add_bigwig(parts: Any) -> None:
    def read(options: Any) -> Any:
        from ..hit import regions_from_bigwig

        return regions_from_bigwig(options.peaks, options.fasta, options.bigwigs, **_windows(options))

    verb = _extractor(parts, "bw", read, "bigWig files and a genome", peaks=True)
    verb.add_argument("-f", "--fasta", required=True, help="the genome")
    verb.add_argument("-b", "--bigwigs", required=True, nargs="+", metavar="BW", help="contributions")


def _add_h5(parts: Any, kind: str, whose: str, *aliases: str) -> None:
    def read(options: Any) -> Any:
        from .. import hit

        return getattr(hit, f"regions_from_{kind}_h5")(options.h5s, peaks=options.peaks, **_windows(options))

    verb = _extractor(parts, f"{kind}-h5", read, f"{whose}'s HDF5", *aliases)
    verb.add_argument("-c", "--h5s", required=True, nargs="+", metavar="H5", help="what was interpreted")


def _add_modisco(parts: Any) -> None:
    def read(options: Any) -> Any:
        from ..hit import regions_from_modisco_fmt

        return regions_from_modisco_fmt(
            options.sequences, options.attributions, peaks=options.peaks, **_windows(options)
        )

    verb = _extractor(parts, "modisco-fmt", read, "arrays as TF-MoDISco takes them, npy or npz")
    verb.add_argument("-s", "--sequences", required=True, metavar="NPZ", help="one-hot (N, 4, L)")
    verb.add_argument("-a", "--attributions", required=True, nargs="+", metavar="NPZ",
                      help="hypothetical contributions (N, 4, L)")  # fmt: skip


def _add_call(parts: Any) -> None:
    verb = _verb(parts, "call", _call, "call hits in regions", """
Explain each region's contributions by as few motifs as it takes, and write
hits.tsv, hits_unique.tsv, hits.bed, peaks_qc.tsv, motif_data.tsv,
motif_cwms.npy, parameters.json, and hits_details.tsv, which Fi-NeMo does not
have.  A run that was interrupted goes on where it stopped when it is started
again.""", "call-hits")  # fmt: skip
    verb.add_argument("-M", "--mode", choices=("pp", "ph", "hp", "hh"), default="pp",
                      help="motifs, then contributions: projected (p) or hypothetical (h) (default %(default)s)")  # fmt: skip
    verb.add_argument("-r", "--regions", required=True, metavar="NPZ", help="regions of extract-regions-*")
    verb.add_argument(
        "-m", "--modisco-h5", required=True, metavar="H5", help="TF-MoDISco's patterns; or any motif file"
    )
    verb.add_argument("-o", "--out-dir", required=True, metavar="DIR", help="where all goes")
    _add_motif_options(verb)
    _add_solver_options(verb)
    more = verb.add_argument_group("more files")
    more.add_argument("--parquet", action="store_true", help="hits.parquet: hits.tsv and hits_details.tsv in one")
    more.add_argument("--bigbed", action="store_true", help="hits.bb: the unique hits, for a genome browser")
    more.add_argument(
        "--bigwig", action="store_true", help="hits.bw: sum of the unique hits' global coefficients at each base"
    )
    more.add_argument("--chrom-sizes", metavar="FILE", help="for these two: chrom.sizes, .fai, or the genome's FASTA")
    old = verb.add_argument_group("accepted for old scripts, and without effect here")
    old.add_argument("-J", "--compile", action="store_true", help="there is nothing to compile")
    old.add_argument("-p", "--peaks", help="regions know their peaks")
    old.add_argument("-C", "--chrom-order", help="regions know their order")


def _add_motif_options(verb: Any) -> None:
    motifs = verb.add_argument_group(
        "motifs (tab-separated files without a header; a motif goes by either of its names)"
    )
    motifs.add_argument("-I", "--motifs-include", metavar="TSV", help="names of the motifs to use, in the first column")
    motifs.add_argument("-N", "--motif-names", metavar="TSV", help="name, new name")
    motifs.add_argument("-t", "--cwm-trim-threshold", type=float, default=0.3, metavar="PART",
                        help="trim columns below this part of the largest (default %(default)s)")  # fmt: skip
    motifs.add_argument("-T", "--cwm-trim-thresholds", metavar="TSV", help="name, part")
    motifs.add_argument("-R", "--cwm-trim-coords", metavar="TSV", help="name, start, end; goes before -T")
    motifs.add_argument("-l", "--global-lambda", "-a", "--alpha", dest="global_lambda", type=float, default=0.7,
                        metavar="LAMBDA", help="about the least cosine of a hit (default %(default)s)")  # fmt: skip
    motifs.add_argument("-L", "--motif-lambdas", "-A", "--motif-alphas", dest="motif_lambdas", metavar="TSV",
                        help="name, lambda")  # fmt: skip


def _add_solver_options(verb: Any) -> None:
    calling = verb.add_argument_group("calling")
    calling.add_argument(
        "-f", "--no-post-filter", action="store_true", help="keep hits whose similarity is below lambda"
    )
    calling.add_argument("-q", "--sqrt-transform", action="store_true",
                         help="signed square roots of contributions and motifs")  # fmt: skip
    calling.add_argument("--solver", choices=("exact", "fista"), default="exact",
                         help="the optimum, or Fi-NeMo's iteration (default %(default)s)")  # fmt: skip
    calling.add_argument("-b", "--batch-size", type=int, default=32, metavar="N",
                         help="regions that are solved together, at most a chunk; hits do not depend on it, memory does "
                         "(default %(default)s)")  # fmt: skip
    calling.add_argument("--chunk", type=int, default=256, metavar="N",
                         help="regions that are kept together, for a run to go on (default %(default)s)")  # fmt: skip
    calling.add_argument("-d", "--device", help="cpu, cuda, or the number of a GPU (default: a GPU where there is one)")
    fista = verb.add_argument_group("Fi-NeMo's iteration (--solver fista)")
    for short, word, kind, default in (
        ("-s", "step-size-max", float, 3.0), ("-i", "step-size-min", float, 0.08), ("-j", "step-adjust", float, 0.7),
        ("-c", "convergence-tol", float, 0.0005), ("-S", "max-steps", int, 10000),
    ):  # fmt: skip
        fista.add_argument(short, f"--{word}", type=kind, default=default, metavar="X", help="(default %(default)s)")


def _call(options: Any) -> None:
    from ..hit import FistaOptions, call_to_folder, read_regions
    from ..hit.exports import EXPORTS, check_exports, export_hits

    formats = [one for one in EXPORTS if getattr(options, one)]
    regions, motifs = read_regions(options.regions), _motifs(options)
    sizes = check_exports(formats, None if regions.peaks is None else set(regions.peaks["chr"]), options.chrom_sizes)
    asked = {_PARAMETERS.get(name, name): value for name, value in vars(options).items() if name != "do"}
    device = f"cuda:{options.device}" if (options.device or "").isdigit() else options.device
    found = call_to_folder(
        options.out_dir, regions, motifs, chunk=options.chunk, batch_size=options.batch_size, device=device,
        parameters=asked, verbose=sys.stderr.isatty(), mode=options.mode, sqrt_transform=options.sqrt_transform,
        post_filter=not options.no_post_filter, solver=options.solver,
        fista=FistaOptions(*(getattr(options, name) for name in FistaOptions._fields)),
    )  # fmt: skip
    if found.n_kept:
        print(f"nbinterp: {found.n_kept} regions were kept from a run that was interrupted", file=sys.stderr)
    export_hits(options.out_dir, formats, sizes)
    print(f"{found.n_hits} hits in {found.n_regions} regions: {options.out_dir}")


def _is_hdf5(path: Path) -> bool:
    if not path.is_file():
        return path.suffix in (".h5", ".hdf5")
    with path.open("rb") as opened:
        return opened.read(4) == b"\x89HDF"


def _read_motifs(path: Path) -> Any:
    from ..motif import read_motifs

    return read_motifs(path)


def _motifs(options: Any) -> Any:
    """The motifs as the options and their files want them."""
    from ..hit import hit_motifs
    from ..motif.modisco import read_modisco

    path = Path(options.modisco_h5)
    trims = read_mapping("cwm_trim_thresholds", options.cwm_trim_thresholds, float)
    lambdas = read_mapping("motif_lambdas", options.motif_lambdas, float)
    return hit_motifs(
        read_modisco(path, arrays=False) if _is_hdf5(path) else _read_motifs(path),
        hypothetical=options.mode[0] == "h",
        lambdas={"*": options.global_lambda, **lambdas},
        trim={"*": options.cwm_trim_threshold, **trims},
        spans=read_mapping("cwm_trim_coords", options.cwm_trim_coords, int, columns=2),
        include=read_names("motifs_include", options.motifs_include),
        rename=read_mapping("motif_names", options.motif_names, str),
        sqrt_transform=options.sqrt_transform,
        half=options.solver == "fista",
    )


def _add_report(parts: Any) -> None:
    verb = _verb(parts, "report", _report, "a report of a call", "Write one offline page about a call, and its tables.")
    verb.add_argument("-r", "--regions", required=True, metavar="NPZ", help="regions that were called")
    verb.add_argument("-H", "--hits", required=True, metavar="DIR", help="folder of the call, ours or Fi-NeMo's")
    verb.add_argument("-o", "--out-dir", required=True, metavar="DIR", help="where all goes")
    verb.add_argument("-m", "--modisco-h5", metavar="H5", help="TF-MoDISco's patterns, to compare with its seqlets")
    verb.add_argument("-W", "--modisco-region-width", type=int, default=400, metavar="N",
                      help="width in which TF-MoDISco sought (default %(default)s)")  # fmt: skip
    verb.add_argument("-n", "--no-recall", action="store_true",
                      help="leave the seqlets out, as with patterns of other regions")  # fmt: skip
    old = verb.add_argument_group("accepted for old scripts")
    old.add_argument("-s", "--no-seqlets", action="store_true", help="the same as no --modisco-h5")
    for short, word in (("-p", "peaks"), ("-I", "motifs-include"), ("-N", "motif-names")):
        old.add_argument(short, f"--{word}", help="without effect: the call knows")
    old.add_argument("-t", "--cwm-trim-threshold", type=float, default=0.3, help="without effect: the call knows")


def _report(options: Any) -> None:
    from ..report import run_report

    hits = Path(options.hits)
    values = {
        "regions": options.regions,
        "hits": str(hits.parent if hits.is_file() else hits),  # Fi-NeMo took hits.tsv itself, once
        "modisco": "" if options.no_seqlets else options.modisco_h5 or "",
        "modisco_window": options.modisco_region_width,
        "recall": not options.no_recall,
    }
    print(f"report: {run_report('hits', values, Path(options.out_dir), progress=sys.stderr.isatty()).resolve()}")


def _add_collapse(parts: Any) -> None:
    verb = _verb(parts, "collapse", _collapse, "mark the best of overlapping hits", """
Mark the hits that no overlapping hit beats in similarity, in a column
is_primary.  (Fi-NeMo 0.41 says so, and marks the worst.)""", "collapse-hits")  # fmt: skip
    verb.add_argument("-i", "--hits", required=True, metavar="TSV", help="hits.tsv or hits_unique.tsv")
    verb.add_argument("-o", "--out-path", required=True, metavar="TSV", help="the same with is_primary")
    verb.add_argument("-O", "--overlap-frac", type=float, default=0.2, metavar="PART",
                      help="part of the mean length that two hits share at least (default %(default)s)")  # fmt: skip


def _collapse(options: Any) -> None:
    from ..hit import collapse_hits, read_hits

    _save(options, collapse_hits(read_hits(options.hits), options.overlap_frac))


def _add_intersect(parts: Any) -> None:
    verb = _verb(parts, "intersect", _intersect, "hits that several calls share", """
Keep the hits that are in every table; other columns of the second table and
the further ones have its number at the end.""", "intersect-hits")  # fmt: skip
    verb.add_argument("-i", "--hits", required=True, nargs="+", metavar="TSV", help="hits.tsv of several calls")
    verb.add_argument("-o", "--out-path", required=True, metavar="TSV", help="the shared hits")
    verb.add_argument("-r", "--relaxed", action="store_true", help="the same motif in the same place is enough")


def _intersect(options: Any) -> None:
    from ..hit import intersect_hits, read_hits

    _save(options, intersect_hits([read_hits(path) for path in options.hits], options.relaxed))


def _save(options: Any, table: Any) -> None:
    from ..core.files import writing

    with writing(options.out_path) as path:
        table.to_csv(path, sep="\t", index=False)
    print(options.out_path)
