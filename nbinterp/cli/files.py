"""``attribute``, ``seqlets`` and ``marginalize`` from parameter files of Cherimoya's form.

In: a JSON file.  Out: ``.ohe.npz``, ``.attr.npz`` (hypothetical scores, float32) and ``.idx.npy``, which modisco and
Fi-NeMo read, with a bigWig when asked; or a BED file of seqlets; or the marginalization report.  Keys and defaults are
Cherimoya's; an unknown key is refused, where Cherimoya ignores it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from ..core.files import writing
from ..errors import FormatError, problem, suggest

__all__ = ["attribute_from_file", "marginalize_from_file", "read_array", "read_json", "seqlets_from_file"]

_NEEDED: Final = object()
ATTRIBUTE: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "model": _NEEDED,
        "sequences": _NEEDED,
        "loci": _NEEDED,
        "chroms": None,
        "in_window": 2114,
        "batch_size": 64,
        "algorithm": "deep_lift_shap",
        "output": "logcounts",
        "group": 0,
        "attr_window": 400,
        "n_shuffles": 20,
        "warning_threshold": 1e-3,
        "random_state": 0,
        "fast": True,
        "compile": False,
        "device": None,
        "summits": False,
        "exclusion_lists": None,
        "ohe_filename": "attributions.ohe.npz",
        "attr_filename": "attributions.attr.npz",
        "idx_filename": "attributions.idx.npy",
        "bigwig_filename": None,  # ours
        "verbose": False,
        "skip": False,
    }
)
SEQLETS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "loci": _NEEDED,
        "chroms": None,
        "ohe_filename": _NEEDED,
        "attr_filename": _NEEDED,
        "idx_filename": _NEEDED,
        "output_filename": "seqlets.bed",
        "threshold": 0.01,
        "min_seqlet_len": 4,
        "max_seqlet_len": 25,
        "additional_flanks": 3,
        "summits": False,
        "verbose": False,
        "skip": False,
    }
)
MARGINALIZE: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "model": _NEEDED,
        "sequences": _NEEDED,
        "loci": _NEEDED,
        "motifs": _NEEDED,
        "chroms": None,
        "in_window": 2114,
        "output": "logcounts",
        "group": 0,
        "batch_size": 512,
        "n_loci": 100,
        "shuffle": False,
        "attributions": False,
        "minimal": True,  # one table has all there is; kept so that files of the peer are read
        "random_state": 0,
        "device": None,
        "summits": False,
        "output_filename": "marginalize/",
        "verbose": False,
        "skip": False,
    }
)


def read_json(where: str, path: Path) -> dict[str, Any]:
    """Read a file of names and values."""
    try:
        given = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise problem(where, str(path), got=f"{error}", need="a JSON file", do="check it", kind=FormatError) from error
    if not isinstance(given, dict):
        raise problem(
            where, str(path), got=f"a {type(given).__name__}", need="an object", do="write {...}", kind=FormatError
        )
    return given


def read_array(where: str, argument: str, path: str | Path) -> np.ndarray:
    """Read one array (N, 4, L): a .npy file, or ``arr_0`` of a .npz file."""
    try:
        array = np.load(path, allow_pickle=False)
        if not isinstance(array, np.ndarray):
            with array as stored:
                array = stored["arr_0"]
    except (OSError, KeyError, ValueError, EOFError, BadZipFile) as error:
        raise problem(
            where,
            argument,
            got=f"{path} ({error})",
            need="an npz with arr_0, or an npy",
            do="check it",
            kind=FormatError,
        ) from error
    if array.ndim != 3 or array.shape[1] != 4:
        raise problem(where, argument, got=f"{path} of shape {array.shape}", need="(N, 4, L)", do="transpose it")
    given: np.ndarray = array
    return given


def read_parameters(where: str, path: Path, known: Mapping[str, Any]) -> dict[str, Any]:
    """Read a JSON file, fill in defaults, and refuse what is unknown or missing."""
    given = read_json(where, path)
    for key in given:
        if key not in known:
            raise problem(
                where,
                key,
                got=f"an unknown key{suggest(key, known)}",
                need=f"one of {', '.join(known)}",
                do="correct it",
            )
    merged = {**known, **{key: value for key, value in given.items() if value is not None}}
    missing = [key for key, value in merged.items() if value is _NEEDED]
    if missing:
        raise problem(where, ", ".join(missing), got="no value", need="one", do=f"add it to {path}")
    return merged


def attribute_from_file(path: Path) -> list[Path]:
    """Run ``nbinterp attribute -p FILE``; give the files written."""
    import nbinterp as nb

    p = read_parameters("attribute", path, ATTRIBUTE)
    if p["skip"]:
        return []
    X, mask, loci, _ = nb.extract_loci(
        p["loci"], p["sequences"], chroms=p["chroms"], in_window=p["in_window"], summits=p["summits"],
        exclusion_lists=p["exclusion_lists"], return_packed=True, return_mask=True, return_loci=True,
    )  # fmt: skip
    known = np.setdiff1d(np.arange(len(X)), X.n_runs[:, 0].numpy())  # sequences with N are dropped, as Cherimoya does
    index = mask.numpy().copy()
    index[np.flatnonzero(index)[np.setdiff1d(np.arange(len(X)), known)]] = False
    X, loci = X[known], loci.iloc[known].reset_index(drop=True)
    model = nb.load_model(p["model"])
    transforms = {"profile": "profile", "logcounts": "logcounts", "counts": "logcounts"}
    heads = getattr(model, "head_names", None) or []
    explained = nb.target(model, head="profile", transform="profile") if p["output"] == "profile" else (
        nb.target(model, task=p["group"], transform=transforms[p["output"]] if "logcounts" in heads else None)
    )  # fmt: skip
    scores = nb.attribute(
        explained, X, p["algorithm"], n_shuffles=p["n_shuffles"], batch_size=p["batch_size"],
        random_state=p["random_state"], device=p["device"], verbose=p["verbose"],
    )  # fmt: skip
    start = X.shape[-1] // 2 - p["attr_window"] // 2
    middle = slice(max(start, 0), max(start, 0) + min(p["attr_window"], X.shape[-1]))
    one_hot = X.to_one_hot().numpy()[:, :, middle]
    values = scores.numpy()[:, :, middle].astype(np.float32)
    written = [
        _save(p["ohe_filename"], lambda f: np.savez_compressed(f, one_hot)),
        _save(p["attr_filename"], lambda f: np.savez_compressed(f, values)),
        _save(p["idx_filename"], lambda f: np.save(f, index)),
    ]
    if p["bigwig_filename"]:
        places = loci.assign(start=loci["start"] + middle.start, end=loci["start"] + middle.stop)
        nb.write_bigwig(p["bigwig_filename"], (values * one_hot).sum(axis=1), places, _sizes(p["sequences"]))
        written.append(Path(p["bigwig_filename"]))
    return written


def _save(name: str, save: Any) -> Path:
    with writing(name) as temporary, temporary.open("wb") as opened:
        save(opened)
    return Path(name)


def _sizes(genome: str) -> dict[str, int]:
    from ..sequence.fasta import open_genome

    with open_genome("attribute", genome) as opened:
        return dict(opened.lengths)


def seqlets_from_file(path: Path) -> Path:
    """Run ``nbinterp seqlets -p FILE``; give the BED file written."""
    import nbinterp as nb

    from ..sequence.loci import read_loci

    p = read_parameters("seqlets", path, SEQLETS)
    if p["skip"]:
        return Path(p["output_filename"])
    one_hot, scores = (read_array("seqlets", key, p[key]) for key in ("ohe_filename", "attr_filename"))
    index = np.load(p["idx_filename"])
    loci = read_loci("seqlets", p["loci"], summits=p["summits"])
    if p["chroms"] is not None:
        loci = loci[loci["chrom"].isin(p["chroms"])].reset_index(drop=True)
    if len(index) != len(loci):
        raise problem(
            "seqlets", "idx_filename", got=f"{len(index)} entries", need=f"{len(loci)}, one a locus", do="match them"
        )
    found = nb.recursive_seqlets(
        (one_hot * scores).sum(axis=1), p["threshold"], p["min_seqlet_len"], p["max_seqlet_len"], p["additional_flanks"]
    ).sort_values("attribution", ascending=False, kind="stable")
    placed = nb.example_to_fasta_coords(found, loci[index].reset_index(drop=True), window=one_hot.shape[-1])
    table: pd.DataFrame = placed
    with writing(p["output_filename"]) as temporary:
        table.to_csv(temporary, sep="\t", index=False, header=False)
    return Path(p["output_filename"])


def marginalize_from_file(path: Path) -> Path:
    """Run ``nbinterp marginalize -p FILE``; give the report."""
    import nbinterp as nb

    from ..report import run_report

    p = read_parameters("marginalize", path, MARGINALIZE)
    page = Path(p["output_filename"]) / "report.html"
    if p["skip"]:
        return page
    names = (
        "model",
        "loci",
        "motifs",
        "in_window",
        "batch_size",
        "n_loci",
        "shuffle",
        "attributions",
        "random_state",
        "summits",
    )
    profile = p["output"] == "profile"
    counts = "logcounts" in (
        nb.load_model(p["model"]).head_names or []
    )  # of a model with one output, that is what is asked
    asked = {
        **{name: p[name] for name in names},
        "genome": p["sequences"],
        "chroms": ",".join(p["chroms"] or ()),
        "task": str(p["group"]),
        "head": "profile" if profile else "",
        "transform": "profile" if profile else "logcounts" if counts else "",
        "device": p["device"] or "",
    }
    return run_report("marginalization", asked, p["output_filename"], progress=p["verbose"])
