"""The JASPAR database: the CORE collection at hand, other sets fetched once.

In: a release and a collection.  Out: a `MotifSet`, from the package, from a folder of one's own, from the cache, or from
JASPAR's site.  What is cached keeps its checksum beside it and is held to it at every reading.

Source: Ovek Baydar et al. 2026, JASPAR 2026: expansion of transcription factor binding profiles and integration of deep
learning models, Nucleic Acids Research 54, D184.  JASPAR is licensed under CC BY 4.0: cite it.
"""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

import torch

from ..core.check import check_choice
from ..core.files import writing
from ..errors import FormatError, problem
from .jaspar_core import RELEASE, core_motifs
from .meme import read_meme
from .motifset import MotifSet

__all__ = ["load_jaspar"]

_SITE: Final = "https://jaspar.elixir.no/download/data"
_COLLECTIONS: Final = ("CORE", "UNVALIDATED")
_SECONDS: Final = 60


def load_jaspar(
    release: int | str | None = None,
    collection: str = "CORE",
    tax_group: str | None = "vertebrates",
    *,
    redundant: bool = False,
    cache: str | os.PathLike[str] | None = None,
    directory: str | os.PathLike[str] | None = None,
    sha256: str | None = None,
    site: str = _SITE,
    dtype: torch.dtype = torch.float32,
) -> MotifSet:
    r"""Load a set of JASPAR motifs: the CORE collection from the package, another set fetched once.

    Parameters
    ----------
    release : int or str, optional
        Such as 2024.  By default the release that comes with the package, 2026, which needs no network for the newest
        versions of the CORE motifs; its other sets and other releases are fetched.
    collection : {"CORE", "UNVALIDATED"}
        CORE holds the curated motifs.
    tax_group : str, optional
        Such as "vertebrates", "plants", "insects", "fungi", "nematodes", "urochordates"; None for all.
    redundant : bool
        All versions of each motif instead of the newest.
    cache : path, optional
        Folder to keep what was fetched in; by default ``nbinterp`` in the user's cache folder.
    directory : path, optional
        A folder that holds JASPAR's MEME file already, under JASPAR's name or as ``.meme``: it is read, and nothing is
        fetched.  ``NBINTERP_JASPAR`` in the environment says the same of what does not come with the package.
    sha256 : str, optional
        What the file must be.  Without it the first fetch is trusted, and later readings are held to that.  With it
        the file is read or fetched even where the package has the same.
    site : str
        Where JASPAR's download folder is: a mirror, for one.
    dtype : torch.dtype
        Of the matrices.

    Returns
    -------
    MotifSet
        Probabilities under names such as "MA0139.2 CTCF", as a JASPAR MEME file gives them, in the order of their
        identifiers; `alternate` is the factor, `n_sites` the sites behind it, `source` where it came from.  What comes
        with the package is exact, where a MEME file has six decimals.

    Raises
    ------
    FormatError
        When the file cannot be fetched or found, or is not what the checksum says; both checksums are named.
    NbinterpError
        For a taxonomic group that the package's set does not have.

    Examples
    --------
    >>> motifs = load_jaspar()
    >>> len(motifs), motifs.consensus("MA0139.2 CTCF")
    (1019, 'GCCACCAGGGGGCGC')
    >>> len(load_jaspar(tax_group="fungi")), len(load_jaspar(tax_group=None))
    (193, 2633)

    A release of one's own, in a folder:

    >>> import tempfile
    >>> from nbinterp import write_meme
    >>> folder = Path(tempfile.mkdtemp())
    >>> name = "JASPAR2024_CORE_vertebrates_non-redundant_pfms_meme.txt"
    >>> write_meme(folder / name, MotifSet({"MA0004.1 Arnt": torch.eye(4)}))
    >>> load_jaspar(2024, directory=folder).names
    ('MA0004.1 Arnt',)
    """
    check_choice("load_jaspar", "collection", collection, _COLLECTIONS)
    release = RELEASE if release is None else release
    if str(release) == str(RELEASE) and collection == "CORE" and not redundant and directory is None and sha256 is None:
        return core_motifs("load_jaspar", tax_group, dtype)
    parts = [f"JASPAR{release}", collection, *([tax_group] if tax_group else [])]
    name = f"{'_'.join(parts)}_{'redundant' if redundant else 'non-redundant'}_pfms_meme.txt"
    given = directory or os.environ.get("NBINTERP_JASPAR")
    if given is not None:
        path = Path(given) / name
        path = path if path.is_file() else path.with_suffix(".meme")
        if not path.is_file():
            raise _bad(f"{given} without {name}", "that file, or the same as .meme", "put it there, or unset directory")
        source, expected = os.fspath(path), sha256
    else:
        path = _cache_folder(cache) / name
        source = f"{site}/{release}/{collection}/{name}"
        noted = path.with_suffix(".sha256")
        if not (path.is_file() and noted.is_file()):
            _fetch(source, path, noted, sha256)
        expected = sha256 or noted.read_text().split()[0]
    actual = hashlib.sha256(path.read_bytes()).hexdigest()
    if expected is not None and actual != expected.lower():
        raise _bad(f"{path} with sha256 {actual}", f"sha256 {expected}", "remove the file and fetch it again")
    motifs = read_meme(path, dtype=dtype)
    return MotifSet(
        motifs,
        alternate=motifs.alternate,
        n_sites=motifs.n_sites,
        background=motifs.background,
        source=source,
    )


def _cache_folder(cache: str | os.PathLike[str] | None) -> Path:
    if cache is not None:
        return Path(cache)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nbinterp" / "jaspar"


def _fetch(source: str, path: Path, noted: Path, sha256: str | None) -> None:
    """Fetch a file and note its checksum; nothing is kept of a file that is not what was asked for."""
    try:
        with urllib.request.urlopen(source, timeout=_SECONDS) as answer:  # noqa: S310 - JASPAR's site, or the user's mirror
            content: bytes = answer.read()
    except (urllib.error.URLError, OSError, ValueError) as error:
        do = "check release, collection and the network, or download it by hand and pass directory="
        raise _bad(f"{source}, which cannot be fetched ({error})", "JASPAR's MEME file", do) from error
    actual = hashlib.sha256(content).hexdigest()
    if sha256 is not None and actual != sha256.lower():
        raise _bad(f"{source} with sha256 {actual}", f"sha256 {sha256}", "check which of them is right")
    if not content.startswith(b"MEME version"):
        raise _bad(f"{source}, which is no MEME file", "JASPAR's MEME file", "check release and collection")
    with writing(path) as temporary:
        temporary.write_bytes(content)
    with writing(noted) as temporary:
        temporary.write_text(f"{actual}  {path.name}\n")


def _bad(got: str, need: str, do: str) -> Exception:
    return problem("load_jaspar", "release", got=got, need=need, do=do, kind=FormatError)
