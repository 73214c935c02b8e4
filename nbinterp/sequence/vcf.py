"""Variants from VCF, and back with what was learned of them.

In: a VCF file, plain, gzipped or bgzipped.  Out: a table with a row a record, positions 1-based, as VCF has them; or a
VCF file with the header, the records and the genotypes of another, and further INFO fields.
"""

from __future__ import annotations

import gzip
import io
import math
import os
import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from ..core.files import writing
from ..errors import FormatError, problem

__all__ = ["InfoField", "read_vcf", "write_vcf"]

_FIXED = ("CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
_REQUIRED = _FIXED[:8]
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_BLOCK = 65280  # bytes of text in a block of bgzip, so that the block stays below 64 KiB
_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")  # the empty block that ends bgzip


class InfoField(NamedTuple):
    """What a VCF header says of an INFO field.

    Attributes
    ----------
    number : str
        How many values a record has: ``"1"``, ``"A"`` (one an alternative allele), ``"."`` (any), ...
    type : str
        "Float", "Integer", "String" or "Flag".
    description : str
        In words.
    """

    number: str
    type: str
    description: str


def read_vcf(filename: str | os.PathLike[str], *, samples: bool = False) -> pd.DataFrame:
    r"""Read the fixed columns of a VCF file.

    Parameters
    ----------
    filename : path
        Plain, gzipped or bgzipped (told by its name: ``.gz`` or ``.bgz``).
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
    header, table = _read(filename)
    if table.shape[1] < len(_REQUIRED):
        raise _bad(filename, f"{table.shape[1]} columns")
    named = header[-1].split("\t")[len(_FIXED) :] if header and header[-1].startswith("#CHROM") else []
    extra = table.shape[1] - len(_FIXED)
    if len(named) != extra:
        named = [f"sample{i}" for i in range(extra)]
    table.columns = pd.Index([*_FIXED, *named][: table.shape[1]])
    try:
        table["POS"] = table["POS"].astype(int)
    except ValueError as error:
        raise _bad(filename, f"a position that is no number ({error})") from error
    return table if samples else table[[name for name in _FIXED if name in table.columns]]


def _read(filename: str | os.PathLike[str]) -> tuple[list[str], pd.DataFrame]:
    """Give the header's lines and the records as text."""
    opened = gzip.open if os.fspath(filename).endswith((".gz", ".bgz")) else open
    header: list[str] = []
    try:
        with opened(filename, "rt", encoding="utf-8", newline="") as lines:
            first = ""
            for line in lines:
                if line.strip() and not line.startswith("#"):
                    first = line
                    break
                header += [line.rstrip("\r\n")] if line.strip() else []
            if not first and header and header[-1].startswith("#CHROM"):  # a header alone is a VCF of no records
                return header, pd.DataFrame(columns=range(len(header[-1].split("\t"))), dtype=str)
            body = io.StringIO(first + lines.read())
        # a quote or a hash is a letter like others in a VCF
        return header, pd.read_csv(body, sep="\t", header=None, dtype=str, keep_default_na=False, quoting=3)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise _bad(filename, f"a file that cannot be read ({error})") from error


def write_vcf(
    filename: str | os.PathLike[str],
    records: pd.DataFrame | str | os.PathLike[str],
    info: Mapping[str, Sequence[Any]] | None = None,
    fields: Mapping[str, InfoField] | None = None,
) -> None:
    r"""Write records as VCF, with further INFO fields.

    Parameters
    ----------
    filename : path
        Written whole or not at all; bgzipped when its name ends in ``.gz`` or ``.bgz``.
    records : path or DataFrame
        A VCF file, whose header, records and genotypes are kept as they are; or a table with CHROM, POS, REF and ALT
        and any other columns of `read_vcf` (missing ones become ``.``; columns after FORMAT are samples).
    info : mapping, optional
        From an INFO key to its values, one a record: text, a number, a list of those (one an alternative allele; None
        and NaN become ``.``), True for a flag, or None for no such field.  A field that the record has already is
        replaced.
    fields : mapping, optional
        From each key to what its header line says; keys without one are ``Number=., Type=String``.

    Raises
    ------
    FormatError
        When `records` is a file that is no VCF.
    NbinterpError
        When the table lacks a column, a key is no INFO key, or values do not have a row a record.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.vcf"
    >>> table = pd.DataFrame({"CHROM": ["chr1"], "POS": [5], "REF": ["A"], "ALT": ["G,T"]})
    >>> write_vcf(path, table, {"DIFF": [[0.5, None]]}, {"DIFF": InfoField("A", "Float", "Alternative minus reference")})
    >>> print(path.read_text().splitlines()[1])
    ##INFO=<ID=DIFF,Number=A,Type=Float,Description="Alternative minus reference">
    >>> read_vcf(path)["INFO"].tolist()
    ['DIFF=0.5,.']
    """
    header, table = _from_table(records) if isinstance(records, pd.DataFrame) else _read(records)
    if table.shape[1] < len(_REQUIRED):
        raise _bad(os.fspath(filename), f"{table.shape[1]} columns")
    info, fields = info or {}, fields or {}
    _check_info(info, len(table))
    columns = [table[i].tolist() for i in range(table.shape[1])]
    for key, values in info.items():
        columns[7] = [_with_field(old, key, value) for old, value in zip(columns[7], values, strict=True)]
    lines = [*_with_lines(header, info, fields), *("\t".join(row) for row in zip(*columns, strict=True)), ""]
    text = "\n".join(lines).encode()
    with writing(filename) as temporary:
        temporary.write_bytes(_bgzip(text) if Path(filename).suffix in (".gz", ".bgz") else text)


def _from_table(table: pd.DataFrame) -> tuple[list[str], pd.DataFrame]:
    missing = [name for name in ("CHROM", "POS", "REF", "ALT") if name not in table.columns]
    if missing:
        raise problem(
            "write_vcf",
            "records",
            got=f"columns {', '.join(map(str, table.columns))}",
            need=f"columns {', '.join(missing)} too",
            do="add or rename them",
        )
    after = [name for name in table.columns if name not in _FIXED]
    names = [*_REQUIRED, *(["FORMAT", *after] if "FORMAT" in table.columns else [])]
    full = table.reindex(columns=names, fill_value=".").astype(str)
    contigs = [f"##contig=<ID={chrom}>" for chrom in dict.fromkeys(full["CHROM"])]
    full.columns = pd.RangeIndex(len(names))
    return ["##fileformat=VCFv4.3", *contigs, "#" + "\t".join(names)], full


def _check_info(info: Mapping[str, Sequence[Any]], n: int) -> None:
    for key, values in info.items():
        if not _KEY.fullmatch(key):
            raise problem(
                "write_vcf", "info", got=f"the key {key!r}", need="letters, digits, _ and .", do="rename the field"
            )
        if len(values) != n:
            raise problem(
                "write_vcf", "info", got=f"{len(values)} values of {key}", need=f"{n}, one a record", do="match them"
            )


def _with_lines(header: list[str], info: Mapping[str, Sequence[Any]], fields: Mapping[str, InfoField]) -> list[str]:
    """Put the fields' lines before the line of columns, in place of what the header said of those keys."""
    new = []
    for key in info:
        number, kind, description = fields.get(key, InfoField(".", "String", key))
        description = description.replace("\\", "\\\\").replace('"', '\\"')
        new.append(f'##INFO=<ID={key},Number={number},Type={kind},Description="{description}">')
    replaced = tuple(f"##INFO=<ID={key}," for key in info)
    kept = [line for line in header if not line.startswith(replaced)] if replaced else header
    at = max((i for i, line in enumerate(kept) if line.startswith("##")), default=-1) + 1
    # contigs stay last, as most writers have them
    while at and kept[at - 1].startswith("##contig"):
        at -= 1
    return [*kept[:at], *new, *kept[at:]]


def _with_field(old: str, key: str, value: Any) -> str:
    """Give an INFO column with one field put in."""
    parts = [part for part in old.split(";") if part not in ("", ".") and part.split("=", 1)[0] != key]
    if value is True:
        parts.append(key)
    elif value is not None and value is not False:
        values = value if isinstance(value, (list, tuple)) else [value]
        parts.append(f"{key}={','.join(map(_text, values))}")
    return ";".join(parts) or "."


def _text(value: Any) -> str:
    """Write a value as VCF does; what would break the column is escaped in percent."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "."
    if isinstance(value, float):
        return f"{value:.6g}"
    return re.sub(r"[%;=,:\s]", lambda found: f"%{ord(found[0]):02X}", str(value)) or "."


def _bgzip(text: bytes) -> bytes:
    """Compress in blocks that can be indexed (the BGZF of the SAM specification)."""
    blocks = []
    for start in range(0, len(text), _BLOCK):
        piece = text[start : start + _BLOCK]
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = packer.compress(piece) + packer.flush()
        head = struct.pack("<4BI2BH2BHH", 31, 139, 8, 4, 0, 0, 255, 6, 66, 67, 2, len(packed) + 25)
        blocks.append(head + packed + struct.pack("<II", zlib.crc32(piece), len(piece)))
    return b"".join([*blocks, _END])


def _bad(filename: str | os.PathLike[str], got: str) -> Exception:
    return problem(
        "read_vcf",
        os.fspath(filename),
        got=got,
        need="tab-separated VCF with 8 columns or more",
        do="check it",
        kind=FormatError,
    )
