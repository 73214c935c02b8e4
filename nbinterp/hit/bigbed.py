"""bigBed: BED that a genome browser reads a piece at a time over the web.

In: rows of BED, lengths of chromosomes.  Out: one file: a tree of chromosomes, packed blocks of rows, a tree over the blocks;
and for wide views how many rows cover the bases of longer and longer stretches.

Source: Kent et al. 2010, Bioinformatics 26, 2204, supplementary tables.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np
import pandas as pd

from ..core.files import writing
from ..errors import problem
from .coverage import SUMMARY, covered, summed

__all__ = ["write_bigbed"]

_MAGIC, _CHROMS, _INDEX = 0x8789F2EB, 0x78CA8C91, 0x2468ACE0
_HEADER: Final = struct.Struct("<IHHQQQHHQQIQ")
_BLOCK: Final = 512  # rows packed together
_FAN: Final = 256  # children of a node
_ZOOM: Final = struct.Struct("<IIQQ")
_LEVELS: Final = 10  # of summaries, of stretches so many times
_LONGER: Final = (10, 4)  # as long as a mean row, and as those of the level before
_SCHEMA: Final = {
    "chr": "string chrom",
    "start": "uint chromStart",
    "end": "uint chromEnd",
    "name": "string name",
    "score": "uint score",
    "strand": "char[1] strand",
    "thick_start": "uint thickStart",
    "thick_end": "uint thickEnd",
}


class _Span(NamedTuple):
    """What a block of rows, or a node, covers, and where it is in the file."""

    first: tuple[int, int]
    last: tuple[int, int]
    offset: int
    size: int


def write_bigbed(path: str | os.PathLike[str], table: pd.DataFrame, chrom_sizes: Mapping[str, int]) -> None:
    """Write rows of BED.

    Parameters
    ----------
    path : path
        Written whole or not at all.
    table : DataFrame
        chr, start, end first, then the further columns of BED in their order: name, score, strand, thick_start, thick_end.
    chrom_sizes : mapping
        Length of each chromosome; those without rows are left out.

    Raises
    ------
    NbinterpError
        For a row on an unknown chromosome, or outside of its chromosome.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.bb"
    >>> write_bigbed(path, pd.DataFrame({"chr": ["chr1"], "start": [5], "end": [9], "name": ["GATA"]}), {"chr1": 100})
    >>> path.stat().st_size > 0
    True
    """
    _check(table, chrom_sizes)
    table = table.sort_values(["chr", "start", "end"], kind="stable")
    chroms = sorted(set(table["chr"]), key=str.encode)
    number = {chrom: i for i, chrom in enumerate(chroms)}
    sizes = np.array([chrom_sizes[chrom] for chrom in chroms], np.int64)
    chrom = table["chr"].map(number).to_numpy(np.int64)
    runs = covered(chrom, table["start"].to_numpy(np.int64), table["end"].to_numpy(np.int64))
    levels = _levels(runs, sizes, len(table))
    with writing(path) as temporary, temporary.open("w+b") as out:
        out.write(bytes(_HEADER.size + _ZOOM.size * len(levels)))
        schema = out.tell()
        out.write(_schema(list(table.columns)).encode() + b"\0")
        summary = out.tell()
        out.write(_whole(runs))
        tree = out.tell()
        _write_chroms(out, chroms, chrom_sizes)
        data = out.tell()
        out.write(struct.pack("<Q", len(table)))
        spans, largest = _write_rows(out, table, number)
        index = out.tell()
        _write_index(out, spans)
        zooms = [_write_level(out, length, records) for length, records in levels.items()]
        out.write(struct.pack("<I", _MAGIC))
        out.seek(0)
        fields = table.shape[1]
        largest = max(largest, _BLOCK * SUMMARY.itemsize if zooms else 0)
        out.write(_HEADER.pack(_MAGIC, 4, len(zooms), tree, data, index, fields, fields, schema, summary, largest, 0))
        out.writelines(zooms)


def _levels(runs: np.ndarray, sizes: np.ndarray, n: int) -> dict[int, np.ndarray]:
    """Summaries by the length of their stretches; the last ones are of whole chromosomes, or nearly so."""
    out: dict[int, np.ndarray] = {}
    length = _LONGER[0] * max(int(((runs["end"] - runs["start"]) * runs["depth"]).sum()) // max(n, 1), 1)
    while n > len(sizes) and len(out) < _LEVELS:
        out[length] = summed(runs, length, sizes)
        n, length = len(out[length]), length * _LONGER[1]
    return out


def _whole(runs: np.ndarray) -> bytes:
    """What is covered in all."""
    bases, depth = runs["end"] - runs["start"], runs["depth"]
    extremes = (depth.min(), depth.max()) if len(runs) else (0, 0)
    return struct.pack("<Qdddd", bases.sum(), *extremes, (bases * depth).sum(), (bases * depth**2).sum())


def _write_level(out: BinaryIO, length: int, records: np.ndarray) -> bytes:
    """Packed blocks of summaries and a tree over them; what the file's beginning says of them."""
    data = out.tell()
    out.write(struct.pack("<I", len(records)))
    spans = []
    for begin in range(0, len(records), _BLOCK):
        part = records[begin : begin + _BLOCK]
        packed = zlib.compress(part.tobytes())
        first, last = (int(part["chrom"][0]), int(part["start"][0])), (int(part["chrom"][-1]), int(part["end"][-1]))
        spans.append(_Span(first, last, out.tell(), len(packed)))
        out.write(packed)
    index = out.tell()
    _write_index(out, spans)
    return _ZOOM.pack(length, 0, data, index)


def _check(table: pd.DataFrame, sizes: Mapping[str, int]) -> None:
    unknown = sorted(set(table["chr"]) - set(sizes))
    if unknown:
        raise problem(
            "write_bigbed", "chrom_sizes", got=f"no {', '.join(unknown[:3])}", need="every chromosome", do="add it"
        )
    outside = table[(table["start"] < 0) | (table["end"] > table["chr"].map(sizes)) | (table["start"] >= table["end"])]
    if len(outside):
        chrom, start, end = outside.iloc[0, :3]
        got = f"{chrom}:{start}-{end}, of {sizes[chrom]} bases"
        raise problem(
            "write_bigbed", "table", got=got, need="rows within chromosomes", do="pass the sizes of its genome"
        )


def _schema(columns: list[str]) -> str:
    """AutoSql: what the columns are."""
    lines = [f'    {_SCHEMA.get(name, f"string {name}")}; "{name}"' for name in columns]
    return "\n".join(["table hits", '"Motif hits"', "(", *lines, ")\n"])


def _write_chroms(out: BinaryIO, chroms: list[str], sizes: Mapping[str, int]) -> None:
    """One leaf with all of them."""
    width = max((len(chrom.encode()) for chrom in chroms), default=1)
    out.write(struct.pack("<IIIIQQ", _CHROMS, max(len(chroms), 1), width, 8, len(chroms), 0))
    out.write(struct.pack("<BBH", 1, 0, len(chroms)))
    out.writelines(
        chrom.encode().ljust(width, b"\0") + struct.pack("<II", i, sizes[chrom]) for i, chrom in enumerate(chroms)
    )


def _write_rows(out: BinaryIO, table: pd.DataFrame, number: Mapping[str, int]) -> tuple[list[_Span], int]:
    """Blocks of rows of one chromosome each, and the size of the largest before it was packed."""
    spans, largest = [], 0
    for chrom, rows in _blocks(table):
        raw = b"".join(
            struct.pack("<III", number[chrom], start, end) + "\t".join(map(str, rest)).encode() + b"\0"
            for _, start, end, *rest in rows
        )
        packed = zlib.compress(raw)
        first, last = (number[chrom], rows[0][1]), (number[chrom], max(row[2] for row in rows))
        spans.append(_Span(first, last, out.tell(), len(packed)))
        out.write(packed)
        largest = max(largest, len(raw))
    return spans, largest


def _blocks(table: pd.DataFrame) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    for chrom, group in groupby(table.itertuples(index=False, name=None), key=lambda row: row[0]):
        rows = list(group)
        for begin in range(0, len(rows), _BLOCK):
            yield chrom, rows[begin : begin + _BLOCK]


def _write_index(out: BinaryIO, spans: list[_Span]) -> None:
    """A tree, root first: each node knows what the nodes below it cover."""
    levels = [spans]
    while len(levels[-1]) > _FAN:
        groups = [levels[-1][i : i + _FAN] for i in range(0, len(levels[-1]), _FAN)]
        levels.append([_Span(group[0].first, max(one.last for one in group), 0, 0) for group in groups])
    whole = [spans[0].first, max(span.last for span in spans)] if spans else [(0, 0), (0, 0)]
    end = out.tell()
    out.write(struct.pack("<IIQIIIIQII", _INDEX, _FAN, len(spans), *whole[0], *whole[1], end, _BLOCK, 0))
    for depth in reversed(range(len(levels))):
        level = levels[depth]
        nodes = [level[i : i + _FAN] for i in range(0, len(level), _FAN)] or [[]]
        child = out.tell() + sum(4 + (24 if depth else 32) * len(node) for node in nodes)  # the level below
        for node in nodes:
            out.write(struct.pack("<BBH", depth == 0, 0, len(node)))
            for span in node:
                out.write(struct.pack("<IIII", *span.first, *span.last))
                out.write(struct.pack("<Q", child) if depth else struct.pack("<QQ", span.offset, span.size))
                child += 4 + (24 if depth > 1 else 32) * _FAN  # all nodes but a level's last one are full
