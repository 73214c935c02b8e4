"""A space in a folder, and SEAM's files as a space.

In: a `MechanismSpace`.  Out: a folder of arrays, a table and ``space.json``, which is written last: a folder without it is
not whole.  Maps and sequences are memory-mapped when it is read.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

from ..core.files import writing
from ..errors import FormatError, problem
from .cluster import Clusters
from .compile_sequence import LazySequences
from .library import Library, Stored
from .library_letters import as_codes, as_strings
from .space import MechanismSpace
from .stability import Stability
from .summary_sums import FineSums

__all__ = ["SPACE_FILE", "load_space", "read_seam", "save_space"]

SPACE_FILE: Final = "space.json"
_FORMAT: Final = 1
_OPTIONAL: Final = ("linkage", "fine_tree", "axes")
_CROP: Final = re.compile(r"_crop_?(\d+)_(\d+)")


def save_space(space: MechanismSpace, folder: str | os.PathLike[str]) -> None:
    """`MechanismSpace.save`."""
    home = Path(folder)
    home.mkdir(parents=True, exist_ok=True)
    (home / SPACE_FILE).unlink(missing_ok=True)
    library, clusters = space.library, space.clusters
    span = (0, library.shape[2]) if library.kind == "global" else library.window
    arrays = {
        "codes": library.codes[:, slice(*span)], "maps": space.maps, "y": space.y, "labels": clusters.labels,
        "fine_labels": space.fine_labels, "embedding": space.embedding,
        "linkage": clusters.linkage, "fine_tree": space.fine_tree, "axes": space.axes,
    }  # fmt: skip
    for name, array in arrays.items():
        path = home / f"{name}.npy"
        if array is None:
            path.unlink(missing_ok=True)
        else:
            _put(array, path)
    for name, record in (("fine", space.fine), ("stability", clusters.stability)):
        held = {one.name: getattr(record, one.name) for one in fields(record) if getattr(record, one.name) is not None}
        _save(home / f"{name}.npz", lambda opened, held=held: np.savez(opened, **held))
    table = space.table.drop(columns="sequence")
    with writing(home / "table.tsv") as temporary:
        table.to_csv(temporary, sep="\t", index=False, lineterminator="\n")
    note = {
        "format": _FORMAT,
        "n": len(space),
        "reference": as_strings(space.reference[None], library.letters)[0],
        "library": {"kind": library.kind, "window": list(library.window), "codes": list(span), "seed": library.seed,
                    "letters": library.letters},
        "start": space.start,
        "columns": {str(name): _kind(column) for name, column in table.items()},
        "clusters": {"k": clusters.k, "height": clusters.height, "method": clusters.method, "gauge": clusters.gauge},
        "names": {str(label): name for label, name in space.names.items()},
        "facts": dict(space.facts),
    }  # fmt: skip
    with writing(home / SPACE_FILE) as temporary:
        temporary.write_text(json.dumps(note, indent=1, default=str))


def _save(path: Path, save: Any) -> None:
    with writing(path) as temporary, temporary.open("wb") as opened:
        save(opened)


def _put(array: np.ndarray, path: Path) -> None:
    """Write an array; one that is a file of this folder is left, and one of another space is linked to.

    Spaces rename files into place, and never write to one that is there.
    """
    name = Path(getattr(array, "filename", None) or "")
    here = path.exists() and name.is_file() and path.samefile(name)
    whole = (here or (name.parent / SPACE_FILE).is_file()) and array.flags.c_contiguous
    if whole and name.suffix == ".npy" and np.load(name, mmap_mode="r").shape == array.shape:
        if here:
            return
        try:
            with writing(path) as temporary:
                os.link(name, temporary)
        except OSError:
            pass  # another disk, or one without links
        else:
            return
    _save(path, lambda opened: np.save(opened, array))


def _kind(column: pd.Series[Any]) -> str:
    return str(column.dtype) if column.dtype.kind in "biuf" else "str"


def load_space(folder: str | os.PathLike[str]) -> MechanismSpace:
    """`MechanismSpace.load`."""
    home = Path(folder)
    note = read_note(home)
    if note is None:
        got = f"{home} without {SPACE_FILE}"
        do = "call mechanism_space with this folder again, which goes on where it stopped"
        raise _bad(home, got, "a folder that is whole", do)
    try:
        arrays = {name: _array(home, name) for name in ("maps", "y", "labels", "fine_labels", "embedding", "codes")}
        more = {name: _array(home, name) if (home / f"{name}.npy").exists() else None for name in _OPTIONAL}
        with np.load(home / "fine.npz") as held:
            fine = FineSums(**{name: held[name] if held[name].ndim else held[name].item() for name in held.files})
        with np.load(home / "stability.npz") as held:
            stability = Stability(**{name: held[name] if held[name].ndim else held[name].item() for name in held.files})
        table = _columns(home / "table.tsv", note["columns"])
        about, made = note["library"], note["clusters"]
        library = Library(
            as_codes("load", "reference", note["reference"], about["letters"]), about["kind"], tuple(about["window"]),
            about["seed"], Stored(arrays["codes"], tuple(about["codes"])), range(note["n"]), about["letters"],
        )  # fmt: skip
        clusters = Clusters(
            arrays["labels"], made["k"], stability, more["linkage"], made["height"], made["method"], made["gauge"]
        )
        names = {int(label): str(name) for label, name in note["names"].items()}
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise _bad(home, f"{home} ({error})", "the files that save wrote", "make it again") from error
    table["sequence"] = pd.Series(LazySequences(library))
    return MechanismSpace(
        library=library, maps=arrays["maps"], y=arrays["y"], table=table, clusters=clusters,
        embedding=arrays["embedding"], fine_labels=arrays["fine_labels"], fine=fine, fine_tree=more["fine_tree"],
        start=note["start"], axes=more["axes"], names=MappingProxyType(names), facts=MappingProxyType(note["facts"]),
    )  # fmt: skip


def _columns(path: Path, kinds: Mapping[str, str]) -> pd.DataFrame:
    """The table; numbers are read from their digits by Python, which is exact."""
    text = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, na_values=[""])
    found = {}
    for name, kind in kinds.items():
        found[name] = (
            text[name] == "True"
            if kind == "bool"
            else text[name]
            if kind == "str"
            else text[name].astype(np.dtype(kind))
        )
    return pd.DataFrame(found)


def read_note(folder: Path) -> dict[str, Any] | None:
    """What a whole folder says of itself; None of one that is not whole."""
    path = folder / SPACE_FILE
    if not path.exists():
        return None
    try:
        note = json.loads(path.read_text())
        if note["format"] != _FORMAT:
            got = f"{path} of format {note['format']}"
            raise _bad(folder, got, f"format {_FORMAT}", "read it with the version that wrote it")
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise _bad(folder, f"{path} ({error})", "what save wrote", "make the space again") from error
    return dict(note)


def _array(home: Path, name: str) -> np.ndarray:
    mapped = name in ("maps", "codes")
    return np.asanyarray(np.load(home / f"{name}.npy", mmap_mode="r" if mapped else None))


def _bad(folder: Path, got: str, need: str, do: str) -> Exception:
    return problem("MechanismSpace.load", "folder", got=got, need=need, do=do, kind=FormatError)


def read_seam(
    mave: str | os.PathLike[str],
    maps: str | os.PathLike[str] | None = None,
    *,
    linkage: str | os.PathLike[str] | None = None,
    embedding: str | os.PathLike[str] | None = None,
    labels: str | os.PathLike[str] | None = None,
    reference: int | str = 0,
    start: int | None = None,
    n_clusters: int | None = None,
    n_fine: int = 2000,
    n_refits: int = 5,
    random_state: int = 0,
) -> MechanismSpace:
    r"""Read what SEAM's scripts leave behind.

    Parameters
    ----------
    mave : path
        Its table: a .csv with Sequence and DNN; GIA and other columns are kept.  Or a folder that holds one, in which the
        arrays that are not named here are told apart by their shapes: maps (N, L, 4), linkage (N - 1, 4), embedding
        (N, 2 or more), labels (N,).
    maps, linkage, embedding, labels : path, optional
        ``.npy`` files.  Of an embedding the first two columns are kept.  Labels go before a linkage; with neither, maps are
        clustered here.
    reference : int or str
        A row, or a sequence.
    start : int, optional
        Where the maps begin in the sequences; by default what ``_crop_START_STOP`` in the name of the maps' file says, or 0.
    n_clusters, n_fine, n_refits, random_state
        As in `MechanismSpace.from_parts`.

    Returns
    -------
    MechanismSpace

    Raises
    ------
    FormatError
        When a file cannot be read, or one that is needed is missing or ambiguous.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "mave.csv").write_text("DNN,Hamming,Sequence\n0.5,0,ACG\n0.1,1,ATG\n0.2,1,ACC\n")
    >>> np.save(folder / "maps.npy", np.array([0, 0.1, 1], np.float32)[:, None, None] * np.ones((3, 4), np.float32))
    >>> read_seam(folder, n_clusters=2, n_refits=0)
    MechanismSpace(3 sequences, maps of [0, 3), 2 clusters by ward, 3 fine)
    """
    given = {"maps": maps, "linkage": linkage, "embedding": embedding, "labels": labels}
    files = {name: Path(file) for name, file in given.items() if file is not None}
    path = _one_table(Path(mave))
    table = _table(path)
    if Path(mave).is_dir():
        files = {**_found(Path(mave), len(table), files), **files}
    arrays = {name: _load(name, file) for name, file in files.items()}
    if "maps" not in arrays:
        need, do = "maps (N, L, 4) of its sequences", "pass maps="
        raise problem("read_seam", "maps", got=f"none beside {path}", need=need, do=do, kind=FormatError)
    crop = _CROP.search(files["maps"].name)
    begin = start if start is not None else int(crop[1]) if crop else 0
    more = table.drop(columns=[name for name in ("Sequence", "DNN", "Hamming") if name in table])
    more = more.rename(columns={"GIA": "global_importance"})
    return MechanismSpace.from_parts(
        table["Sequence"].tolist(), arrays["maps"], table["DNN"].to_numpy(), reference=reference, start=begin,
        clusters=arrays.get("labels", arrays.get("linkage")), n_clusters=n_clusters,
        embedding=arrays["embedding"][:, :2] if "embedding" in arrays else None,
        columns=more if len(more.columns) else None, n_fine=n_fine, n_refits=n_refits, random_state=random_state,
        facts={"source": "SEAM", "embedding": "given" if "embedding" in arrays else "pca"},
    )  # fmt: skip


def _one_table(path: Path) -> Path:
    tables = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if len(tables) != 1:
        got = f"{len(tables)} tables (.csv) in {path}"
        raise problem("read_seam", "mave", got=got, need="one", do="name the file", kind=FormatError)
    return tables[0]


def _found(folder: Path, n: int, named: Mapping[str, Path]) -> dict[str, Path]:
    """The arrays of a folder by what they are, but for kinds that were named."""
    found: dict[str, Path] = {}
    for file in sorted(folder.glob("*.npy")):
        kind = _told_apart(_load("mave", file), n)
        if kind is None or kind in named:
            continue
        if kind in found:
            got = f"{found[kind].name} and {file.name}"
            raise problem("read_seam", kind, got=got, need="one", do=f"pass {kind}=", kind=FormatError)
        found[kind] = file
    return found


def _table(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        got = f"{path} ({error})"
        raise problem("read_seam", "mave", got=got, need="a .csv table", do="check it", kind=FormatError) from error
    table = table.drop(columns=[name for name in table if str(name).startswith("Unnamed")])  # an index that was written
    if not {"Sequence", "DNN"} <= set(table):
        got, need = f"columns {', '.join(map(str, table)) or 'none'}", "Sequence and DNN"
        raise problem("read_seam", "mave", got=got, need=need, do="write SEAM's mave_df", kind=FormatError)
    return table


def _load(argument: str, path: Path) -> np.ndarray:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        got = f"{path} ({error})"
        raise problem(
            "read_seam", argument, got=got, need="an array (.npy)", do="check it", kind=FormatError
        ) from error
    return np.asanyarray(array)


def _told_apart(array: np.ndarray, n: int) -> str | None:
    shape: Mapping[str, bool] = {
        "maps": array.ndim == 3 and len(array) == n and 4 in array.shape[1:],
        "linkage": array.shape == (n - 1, 4),
        "embedding": array.ndim == 2 and len(array) == n and array.shape[1] >= 2 and array.dtype.kind == "f",
        "labels": array.shape == (n,) and array.dtype.kind in "iu",
    }
    return next((kind for kind, fits in shape.items() if fits), None)
