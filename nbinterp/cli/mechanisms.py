"""``nbinterp mechanisms``: SEAM's pipeline, from a shell.

In: a sequence and a model; or SEAM's own files; or a space that was made before.  Out: a folder of tables, logos, the space,
and a report.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

from ..errors import problem
from .libraries import add_library, add_model, add_reference, check_table_path, read_library, read_model, span_of
from .options import MOTIFS, add_verb

__all__ = ["add_mechanisms"]

_WHERE: Final = "mechanisms"
_METHODS: Final = {  # ours, and what SEAM calls it
    "saliency": "saliency", "smooth_grad": "smoothgrad", "integrated_gradients": "intgrad", "deep_lift_shap": "deepshap",
    "saturation_mutagenesis": "ism", "expected_gradients": None,
}  # fmt: skip
_CLUSTERERS: Final = ("ward", "average", "complete", "kmeans", "dbscan", "leiden")


def add_mechanisms(verbs: Any) -> None:
    """Add the subcommand."""
    verb = add_verb(verbs, "mechanisms", _mechanisms, "cluster the attribution maps of a library into mechanisms", """
Mutate a sequence, predict and attribute every variant, cluster the maps, and
say which sites the clusters keep (SEAM's pipeline).  Started again with the
same options, an interrupted run goes on where it stopped; with other clusters
it keeps predictions and maps.""", """
files in the folder:
  report.html        all of it on one offline page
  library.tsv        prediction, hamming, cluster, sequence; --parquet instead
  clusters.tsv       size, activity, stability and sites of each cluster
  summary.tsv.gz     the mechanism summary matrix: entropy, consensus, mismatch
  sites.tsv          what is kept or lost together; effects.tsv what it adds
  logos.npz          (clusters, 4, positions): average, pwm, enrichment, and
                     foreground, with the background (4, positions)
  space/             maps.npy (N, 4, W), linkage.npy, embedding.npy and all that
                     nb.MechanismSpace.load reads

examples:
  nbinterp mechanisms enhancer.fa -m model.h5 --task Dev -o out
  nbinterp mechanisms enhancer.fa -m model.h5 -o out --clusters 60
  nbinterp mechanisms enhancer.fa -m model.h5 --method intgrad --window 80 180 -o out
  nbinterp mechanisms --seam folder/ -o out
  nbinterp mechanisms --space out/space --height 2.5 -o lower""")  # fmt: skip
    add_reference(verb, needed=False)
    read = verb.add_argument_group("instead of a sequence and a model")
    read.add_argument("--seam", type=Path, metavar="PATH",
                      help="SEAM's mave.csv, or the folder that it lies in with its arrays")  # fmt: skip
    for name, about in (("maps", "(N, L, 4)"), ("linkage", "(N - 1, 4)"), ("embedding", "(N, 2)"), ("labels", "(N,)")):
        read.add_argument(f"--{name}", type=Path, metavar="NPY", help=f"beside --seam: {about}")
    read.add_argument("--space", type=Path, metavar="DIR", help="a space that was made before, to cut it elsewhere")
    add_library(verb)
    add_model(verb, needed=False)
    _add_stages(verb)
    verb.add_argument("-o", "--out-dir", type=Path, required=True, metavar="DIR", help="where all goes")
    verb.add_argument("--parquet", action="store_true", help="library.parquet instead of library.tsv")
    verb.add_argument("--no-report", action="store_true", help="leave the report out")
    verb.add_argument("--overwrite", action="store_true", help="replace predictions and maps of something else")


def _add_stages(verb: Any) -> None:
    maps = verb.add_argument_group("maps")
    words = [word for pair in _METHODS.items() for word in pair if word]
    maps.add_argument("--method", choices=list(dict.fromkeys(words)), default="saliency",
                      metavar="NAME", help=f"{', '.join(dict.fromkeys(words))} (default %(default)s)")  # fmt: skip
    maps.add_argument("--steps", "--num-steps", dest="n_steps", type=int, metavar="N", help="of integrated gradients")
    maps.add_argument("--samples", "--num-samples", dest="n_samples", type=int, metavar="N", help="of smooth_grad")
    maps.add_argument(
        "--shuffles", "--num-shuffles", dest="n_shuffles", type=int, metavar="N", help="of deep_lift_shap"
    )
    maps.add_argument("--log2fc", action="store_true", help="of saturation mutagenesis")
    maps.add_argument("--span", "--save-window", dest="span", nargs=2, type=int, metavar=("START", "END"),
                      help="positions of the maps (default those that vary)")  # fmt: skip
    clusters = verb.add_argument_group("clusters")
    clusters.add_argument("--clusterer", "--cluster-method", dest="clusterer", choices=_CLUSTERERS, default="ward",
                          metavar="NAME", help=f"{', '.join(_CLUSTERERS)} (default %(default)s)")  # fmt: skip
    clusters.add_argument("-k", "--clusters", "--n-clusters", dest="n_clusters", type=int, metavar="N",
                          help="(default 30)")  # fmt: skip
    clusters.add_argument("--height", "--max-distance", dest="height", type=float, metavar="X",
                          help="cut the tree there instead")  # fmt: skip
    clusters.add_argument("--gauge", choices=("none", "hierarchical", "wild-type"), default="none",
                          help="in which maps are compared (default %(default)s)")  # fmt: skip
    clusters.add_argument("--eps", type=float, metavar="X", help="of dbscan")
    clusters.add_argument("--min-samples", type=int, metavar="N", help="of dbscan")
    clusters.add_argument("--resolution", type=float, metavar="X", help="of leiden")
    clusters.add_argument("--refits", type=int, default=5, metavar="N",
                          help="by which stability is measured (default %(default)s)")  # fmt: skip
    clusters.add_argument("--embedding-method", choices=("pca", "umap", "tsne"), default="pca",
                          help="how maps are laid out (default %(default)s)")  # fmt: skip
    read = verb.add_argument_group("background and sites")
    read.add_argument("--multiplier", "--entropy-multiplier", dest="multiplier", type=float, default=0.5, metavar="PART",
                      help="a position is free above this part of a free one's entropy (default %(default)s)")  # fmt: skip
    read.add_argument("--site-multiplier", type=float, default=0.8, metavar="PART",
                      help="a cluster keeps a site below this part of it (default %(default)s)")  # fmt: skip
    read.add_argument("--adaptive", action="store_true", help="scale the background to each cluster")
    read.add_argument("--motifs", metavar="MOTIFS", help=f"name sites by these: {MOTIFS}")


def _mechanisms(options: Any) -> None:
    from ..motif import read_motifs
    from .space_tables import write_space_tables

    given = [name for name in ("reference", "seam", "space") if getattr(options, name)]
    if len(given) != 1:
        got = " and ".join(given) or "none of them"
        raise problem(_WHERE, "REFERENCE, --seam, --space", got=got, need="exactly one", do="choose what to read")
    out: Path = options.out_dir
    check_table_path(_WHERE, out / f"library.{'parquet' if options.parquet else 'tsv'}")
    motifs = None if options.motifs is None else read_motifs(options.motifs)
    space = {"reference": _made, "seam": _read, "space": _cut}[given[0]](options)
    print(f"{space.clusters.k} clusters of {len(space)} sequences: {space.clusters.stability}")
    n_sites = write_space_tables(
        space,
        out,
        parquet=options.parquet,
        multiplier=options.multiplier,
        site_multiplier=options.site_multiplier,
        adaptive=options.adaptive,
        motifs=motifs,
    )
    print(f"{n_sites} sites: {out}")
    if not options.no_report:
        _report(options)


def _made(options: Any) -> Any:
    """Every stage, from the sequence on."""
    from ..mechanism import mechanism_space

    if not options.model:
        raise problem(_WHERE, "--model", got="none", need="a model, to predict the library", do="pass --model FILE")
    ours = {theirs: name for name, theirs in _METHODS.items() if theirs}
    told = {name: getattr(options, name) for name in ("n_steps", "n_samples", "n_shuffles") if getattr(options, name)}
    if options.log2fc:
        told["log2fc"] = True
    names = ("eps", "min_samples", "resolution", "height")
    clustering = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return mechanism_space(
        read_model(options), library=read_library(_WHERE, options), method=ours.get(options.method, options.method),
        span=span_of(options.span), n_clusters=options.n_clusters, cluster_method=options.clusterer, gauge=options.gauge,
        n_refits=options.refits, embedding=options.embedding_method, attribution_options=told, cluster_options=clustering,
        folder=options.out_dir / "space", overwrite=options.overwrite, random_state=options.seed, device=options.device,
        batch_size=options.batch_size, verbose=sys.stderr.isatty(),
    )  # fmt: skip


def _read(options: Any) -> Any:
    """SEAM's files."""
    from ..mechanism import read_seam

    if options.height is not None:
        need, do = "--clusters for SEAM's files", "cut the space afterwards: --space"
        raise problem(_WHERE, "--height", got=options.height, need=need, do=do)
    arrays = {name: getattr(options, name) for name in ("maps", "linkage", "embedding", "labels")}
    space = read_seam(
        options.seam, n_clusters=options.n_clusters, n_refits=options.refits, random_state=options.seed, **arrays,
    )  # fmt: skip
    space.save(options.out_dir / "space")
    return space


def _cut(options: Any) -> Any:
    """A space that exists, cut elsewhere when that is asked."""
    from ..mechanism import MechanismSpace

    space = MechanismSpace.load(options.space)
    if options.n_clusters is not None or options.height is not None:
        space = space.cut(options.n_clusters, height=options.height, n_refits=options.refits)
    space.save(options.out_dir / "space")
    return space


def _report(options: Any) -> None:
    from ..report import run_report

    values = {name: getattr(options, name) for name in ("multiplier", "site_multiplier", "adaptive")}
    values["space"] = str(options.out_dir / "space")
    if options.motifs and not options.motifs.startswith("jaspar"):
        values["motifs"] = options.motifs
    elif options.motifs:
        values["tax_group"] = {"all": ""}.get(group := options.motifs.partition(":")[2] or "vertebrates", group)
    page = run_report(_WHERE, values, options.out_dir, progress=sys.stderr.isatty())
    print(f"report: {page.resolve()}")
