"""Variants from VCF.

In: a VCF file, plain or gzipped.  Out: a table with a row a variant; positions stay 1-based, as VCF has them.
"""

from __future__ import annotations

import os

import pandas as pd

from ..errors import FormatError, problem

__all__ = ["read_vcf"]

_FIXED = ("CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")


def read_vcf(filename: str | os.PathLike[str], *, samples: bool = False) -> pd.DataFrame:
    r"""Read the fixed columns of a VCF file.

    Parameters
    ----------
    filename : path
        Plain or gzipped.
    samples : bool
        Keep the genotype columns too, named by the header.

    Returns
    -------
    DataFrame
        CHROM, POS (int, 1-based), ID, REF, ALT, QUAL, FILTER, INFO and, where present, FORMAT; text as it is.

    Raises
    ------
    FormatError
        When the file cannot be read, has fewer than eight columns, or a position is no number.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.vcf"
    >>> _ = path.write_text("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\nchr1\t5\t.\tA\tG\t.\tPASS\t.\n")
    >>> read_vcf(path)[["CHROM", "POS", "REF", "ALT"]].values.tolist()
    [['chr1', 5, 'A', 'G']]
    """
    try:
        table = pd.read_csv(filename, sep="\t", comment="#", header=None, dtype=str, keep_default_na=False)
    except (OSError, ValueError, UnicodeDecodeError) as error:
        raise _bad(filename, f"a file that cannot be read ({error})") from error
    if table.shape[1] < len(_FIXED) - 1:
        raise _bad(filename, f"{table.shape[1]} columns")
    names = [*_FIXED, *_sample_names(filename, table.shape[1] - len(_FIXED))][: table.shape[1]]
    table.columns = pd.Index(names)
    try:
        table["POS"] = table["POS"].astype(int)
    except ValueError as error:
        raise _bad(filename, f"a position that is no number ({error})") from error
    return table if samples else table[[name for name in _FIXED if name in table.columns]]


def _sample_names(filename: str | os.PathLike[str], n: int) -> list[str]:
    if n <= 0:
        return []
    import gzip

    opened = gzip.open if os.fspath(filename).endswith(".gz") else open
    with opened(filename, "rt") as lines:
        for line in lines:
            if line.startswith("#CHROM"):
                return line.rstrip("\n").split("\t")[len(_FIXED) :]
    return [f"sample{i}" for i in range(n)]


def _bad(filename: str | os.PathLike[str], got: str) -> Exception:
    return problem(
        "read_vcf",
        os.fspath(filename),
        got=got,
        need="tab-separated VCF with 8 columns or more",
        do="check it",
        kind=FormatError,
    )
