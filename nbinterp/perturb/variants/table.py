"""Variant effects as files: nothing that was read is lost.

In: the table of effects, and the variants.  Out: TSV, with the variants that were left out below the scored ones; or
VCF, in which every score is an INFO field with a value for each alternative allele, and `NB_DROPPED` says why an allele
has none.
"""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np
import pandas as pd

from ...core.files import writing
from ...errors import problem
from ...sequence.vcf import InfoField, read_vcf, write_vcf
from .windows import Variants

__all__ = ["write_effects_tsv", "write_effects_vcf"]

_PREFIX = "NB_"
_WHERE = "to_vcf"


def write_effects_tsv(filename: str | os.PathLike[str], table: pd.DataFrame, variants: Variants) -> None:
    """Write one table, with a column `reason` that is empty for what was scored."""
    dropped = variants.dropped.drop(columns=["record", "allele"], errors="ignore")
    with writing(filename) as temporary:
        whole = table.assign(reason="")
        if len(dropped):
            whole = pd.concat([whole.astype({"example_idx": "Int64", "window_start": "Int64"}), dropped])
        whole.to_csv(temporary, sep="\t", index=False)


def write_effects_vcf(
    filename: str | os.PathLike[str],
    table: pd.DataFrame,
    variants: Variants,
    source: str | os.PathLike[str] | pd.DataFrame | None,
) -> None:
    """Write every record with its scores; the variants of a haplotype have the haplotype's."""
    members = variants.variants.merge(table[["example_idx"]], on="example_idx")
    alleles = pd.concat([members, variants.dropped], ignore_index=True)
    records: Any = source
    if source is None:
        records, alleles = _as_records(alleles)
    else:
        _check_source(alleles, source)
    n = len(read_vcf(records)) if not isinstance(records, pd.DataFrame) else len(records)
    counts = np.bincount(alleles["record"].to_numpy(np.int64), minlength=n)
    info: dict[str, list[Any]] = {}
    fields: dict[str, InfoField] = {}
    scores = table.set_index("example_idx").drop(columns=variants.examples.columns, errors="ignore")
    for name in scores.columns:
        key = _PREFIX + re.sub(r"[^A-Za-z0-9_]+", "_", str(name))
        kind = "Float" if pd.api.types.is_numeric_dtype(scores[name]) else "String"
        values = alleles["example_idx"].map(scores[name])
        info[key] = _by_record(alleles, values.tolist(), counts)
        fields[key] = InfoField("A", kind, f"nbinterp: {str(name).replace('_', ' ')}, for each alternative allele")
    further = {
        "HAPLOTYPE": (alleles["haplotype"].replace("", None), "haplotype that was scored as one"),
        "DROPPED": (alleles.get("reason", pd.Series([None] * len(alleles))), "why the allele was not scored"),
    }
    for name, (values, text) in further.items():
        if values.notna().any():
            info[_PREFIX + name] = _by_record(alleles, [v if isinstance(v, str) else None for v in values], counts)
            fields[_PREFIX + name] = InfoField("A", "String", f"nbinterp: {text}")
    write_vcf(filename, records, info, fields)


def _by_record(alleles: pd.DataFrame, values: list[Any], counts: np.ndarray) -> list[list[Any] | None]:
    """Sort the values of alleles by their record; None for a record none of whose alleles has a value."""
    made: list[list[Any]] = [[None] * count for count in counts]
    places = zip(alleles["record"].astype(int), alleles["allele"].astype(int), values, strict=True)
    for record, allele, value in places:
        made[record][allele] = None if pd.isna(value) else float(value) if not isinstance(value, str) else value
    return [one if any(value is not None for value in one) else None for one in made]


def _check_source(alleles: pd.DataFrame, source: Any) -> None:
    """Hold the source to the variants: the same alleles at the same places."""
    records = source if isinstance(source, pd.DataFrame) else read_vcf(source)
    good = "record" in alleles and len(alleles) == int(records["ALT"].str.count(",").sum()) + len(records)
    if good:
        mine = alleles["record"].to_numpy(np.int64)
        good = bool(
            (mine < len(records)).all()
            and (records["POS"].to_numpy()[mine] - 1 == alleles["start"].to_numpy()).all()
            and (records["CHROM"].to_numpy()[mine] == alleles["chrom"].to_numpy()).all()
        )
    if not good:
        raise problem(
            _WHERE, "source", got="records other than those that were scored", need="the VCF that read_variants read",
            do="pass that file, or no source",
        )  # fmt: skip


def _as_records(alleles: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make a record of each variant."""
    if (alleles["ref"].eq("") | alleles["alt"].eq("")).any():
        raise problem(
            _WHERE, "variants", got="indels without an anchor base", need="alleles of at least one base, as VCF has",
            do="read them with the base before, or write TSV",
        )  # fmt: skip
    records = pd.DataFrame(
        {
            "CHROM": alleles["chrom"],
            "POS": alleles["start"] + 1,
            "ID": alleles["id"],
            "REF": alleles["ref"],
            "ALT": alleles["alt"],
        }
    )
    return records, alleles.assign(record=np.arange(len(alleles)), allele=0)
