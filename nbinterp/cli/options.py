"""What the subcommands about motifs share: their look, and options of the same meaning.

In: an `argparse` parser.  Out: the same, with options.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np

__all__ = ["MOTIFS", "add_nearest", "add_out", "add_verb", "read_if_array"]

MOTIFS: Final = "MEME, JASPAR, TRANSFAC, HOMER, TF-MoDISco HDF5, .npz; or jaspar, jaspar:plants, ..., jaspar:all"
_ARRAYS: Final = (".npz", ".npy")


def add_verb(verbs: Any, name: str, call: Any, about: str, says: str, epilog: str) -> argparse.ArgumentParser:
    """Add a subcommand that says what it does, what it gives, and how it is called."""
    shape = argparse.RawDescriptionHelpFormatter
    verb: argparse.ArgumentParser = verbs.add_parser(
        name, help=about, description=says.strip(), epilog=epilog.strip(), formatter_class=shape
    )
    verb.set_defaults(do=call)
    return verb


def add_out(verb: Any, *, bed: bool = True) -> None:
    """Add where the table goes."""
    named = "; .bed makes it BED, .gz compresses it" if bed else "; .gz compresses it"
    verb.add_argument("-o", "--out", type=Path, metavar="FILE", help=f"default: standard output{named}")
    if bed:
        verb.add_argument("--bed", action="store_true", help="BED: place, name, -10 log10 p, strand, score, p-value")


def add_nearest(verb: Any, n: int) -> None:
    """Add which matches are given, `n` of them by default."""
    verb.add_argument("-n", "--n-nearest", type=int, default=n, metavar="N",
                      help="matches of each, nearest first; 0 for all (default %(default)s)")  # fmt: skip
    verb.add_argument(
        "--q-threshold", type=float, default=1.0, metavar="Q", help="largest q-value of a match (default all)"
    )
    verb.add_argument("--no-rc", action="store_true", help="compare with the given strand of the motifs only")


def read_if_array(verb: str, argument: str, path: Path) -> np.ndarray | None:
    """Read an array, or give None of a path that is a text file's."""
    from .files import read_array

    return read_array(verb, argument, path) if path.suffix in _ARRAYS else None
