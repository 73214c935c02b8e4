"""Variant rows: read from VCF or a table, and held to the genome.

In: a path or a table.  Out: one row for each alternative allele (chrom, start, end, ref, alt, id, haplotype; 0-based,
half-open), and for each row the reason why it cannot be scored, or nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from ...errors import FormatError, problem, suggest
from ...sequence.fasta import Genome
from ...sequence.vcf import read_vcf

__all__ = ["COLUMNS", "allele_faults", "read_alleles"]

COLUMNS = ("chrom", "start", "end", "ref", "alt", "id", "haplotype")
_WHERE = "read_variants"
_EMPTY = ("", "-")  # an allele of no bases, where a table gives indels without their anchor
_ALONE = ("", ".", "nan", "None", "<NA>")


def read_alleles(variants: str | os.PathLike[str] | pd.DataFrame) -> pd.DataFrame:
    """Read a VCF file, a table with a header line, or take a DataFrame; one row an alternative allele.

    A VCF's rows have `record` (which line, from 0) and `allele` (which of its alternatives, from 0) too.
    """
    if isinstance(variants, pd.DataFrame):
        table = variants
    elif not isinstance(variants, (str, os.PathLike)):
        raise problem(
            _WHERE, "variants", got=f"a {type(variants).__name__}", need="a path or a DataFrame", do="convert it"
        )
    elif {".vcf", ".bcf"} & set(Path(variants).suffixes):
        table = read_vcf(variants)
    else:
        table = _read_tsv(variants)
    return _from_vcf(table) if {"CHROM", "POS"} <= set(table.columns) else _from_table(table)


def _read_tsv(path: str | os.PathLike[str]) -> pd.DataFrame:
    try:
        return pd.read_csv(path, sep="\t", dtype={"chrom": str, "ref": str, "alt": str}, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise problem(
            _WHERE,
            "variants",
            got=f"{os.fspath(path)}, which cannot be read ({error})",
            need="VCF, or a tab-separated table with a header",
            do="check the path and the file",
            kind=FormatError,
        ) from error


def _from_vcf(records: pd.DataFrame) -> pd.DataFrame:
    alternatives = [text.split(",") for text in records["ALT"].astype(str)]
    counts = np.array([len(several) for several in alternatives], np.int64)
    record = np.repeat(np.arange(len(records)), counts)
    start, ref = records["POS"].to_numpy(np.int64)[record] - 1, records["REF"].astype(str).to_numpy()[record]
    ids = records["ID"].astype(str).to_numpy()[record] if "ID" in records else "."
    return pd.DataFrame(
        {
            "chrom": records["CHROM"].astype(str).to_numpy()[record],
            "start": start,
            "end": start + np.array([len(one) for one in ref], np.int64),
            "ref": [one.upper() for one in ref],
            "alt": [one.upper() if one.isalpha() else one for several in alternatives for one in several],
            "id": ids,
            "haplotype": records["haplotype"].to_numpy()[record] if "haplotype" in records else "",
            "record": record,
            "allele": np.arange(len(record)) - np.repeat(np.cumsum(counts) - counts, counts),
        }
    ).assign(haplotype=lambda made: _labels(made["haplotype"]))


def _from_table(table: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in ("chrom", "start", "ref", "alt") if name not in table.columns]
    if missing:
        raise problem(
            _WHERE,
            "variants",
            got=f"columns {', '.join(map(str, table.columns)) or 'none'}",
            need=f"columns {', '.join(missing)} too (0-based start), or CHROM, POS, REF and ALT as in VCF",
            do="add or rename them",
        )
    made = table.reset_index(drop=True)
    for name in ("ref", "alt"):
        made[name] = [
            "" if text in _EMPTY else text.upper() if text.isalpha() else text for text in made[name].astype(str)
        ]
    try:
        made["start"] = made["start"].astype(np.int64)
    except (ValueError, TypeError) as error:
        raise problem(
            _WHERE, "variants", got=f"a start that is no number ({error})", need="integers", do="correct it"
        ) from error
    made = made.assign(
        chrom=made["chrom"].astype(str),
        end=made["start"] + np.array([len(text) for text in made["ref"]], np.int64),
        id=made["id"].astype(str) if "id" in made else ".",
        haplotype=_labels(made["haplotype"]) if "haplotype" in made else "",
    )
    return made[[*COLUMNS, *(name for name in made.columns if name not in COLUMNS)]]


def _labels(column: pd.Series) -> list[str]:
    """Give haplotype labels as text, with nothing for a variant alone."""
    return ["" if str(label) in _ALONE else str(label) for label in column]


def allele_faults(table: pd.DataFrame, genome: Genome, longest: int) -> np.ndarray:
    """Say of each row why it cannot be scored; an empty text where it can."""
    rows = table[["chrom", "start", "ref", "alt"]].itertuples(index=False, name=None)
    return np.array([_fault(genome, longest, *row) for row in rows], dtype=object)


def _fault(genome: Genome, longest: int, chrom: str, start: int, ref: str, alt: str) -> str:
    if alt == "*":
        return "alt is *: the base is deleted by another record"
    if alt == "." or ref == ".":
        return "no alternative allele"
    if alt[:1] == "<" or set(alt) & set("[]"):
        return f"symbolic allele {alt}"
    for name, text in (("ref", ref), ("alt", alt)):
        if set(text) - set("ACGT"):
            return f"{name} holds other letters than A, C, G and T: {text[:20]}"
    if ref == alt:
        return "ref and alt are the same"
    if max(len(ref), len(alt)) > longest:
        return f"an allele of {max(len(ref), len(alt))} bases, longer than {longest}"
    if chrom not in genome.lengths:
        return f"contig {chrom} is not in the genome{suggest(chrom, genome.lengths)}"
    if start < 0 or start + len(ref) > genome.lengths[chrom]:
        return f"[{start}, {start + len(ref)}) is off the end of {chrom}, which has {genome.lengths[chrom]} bases"
    found = genome.text(chrom, start, start + len(ref)).upper()
    if found != ref:
        swapped = ", as alt says: alleles swapped?" if genome_has(genome, chrom, start, alt) else ""
        return f"ref is {ref[:20]}, the genome has {found[:20]}{swapped}"
    return ""


def genome_has(genome: Genome, chrom: str, start: int, text: str) -> bool:
    """Whether the genome reads `text` at a position."""
    return text != "" and genome.text(chrom, start, min(start + len(text), genome.lengths[chrom])).upper() == text
