"""Files that are whole or absent.

In: a path to write.  Out: the file under that name once everything was written, and nothing at all otherwise.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import FormatError, problem

__all__ = ["explained", "writing"]


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` on success, remove it on failure.

    The temporary name keeps the suffix, since many writers choose a format by it.

    Raises
    ------
    FormatError
        When the disk is full or the folder cannot be written, naming the path.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> with writing(folder / "a.tsv") as temporary:
    ...     _ = temporary.write_text("x")
    >>> [p.name for p in folder.iterdir()]
    ['a.tsv']
    """
    final = Path(path)
    temporary = final.with_name(f".{final.stem}.{os.getpid()}.partial{final.suffix}")
    try:
        with explained(final):
            final.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            temporary.replace(final)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def explained(path: str | os.PathLike[str]) -> Iterator[None]:
    """Say in words that a disk is full, or a folder cannot be written."""
    try:
        yield
    except OSError as error:
        reason = {
            errno.ENOSPC: ("a full disk", "free space on the disk", "free some space, or choose another folder"),
            errno.EDQUOT: ("an exhausted quota", "free space on the disk", "free some space, or choose another folder"),
            errno.EACCES: ("a folder that cannot be written", "write permission", "choose another folder"),
            errno.EROFS: ("a read-only disk", "write permission", "choose another folder"),
        }.get(error.errno or 0)
        if reason is None:
            raise
        got, need, do = reason
        raise problem("write", str(path), got=got, need=need, do=do, kind=FormatError) from error
