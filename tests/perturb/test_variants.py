"""Variants to windows: every row is in a window, or listed with the reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from nbinterp import characters
from nbinterp.errors import FormatError, NbinterpError
from nbinterp.perturb.variants import Variants, read_variants

GENOME = "".join("ACGT"[i] for i in np.random.default_rng(0).integers(0, 4, 300))


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    """Two contigs: one with lower case, an N and an M, and a short one."""
    path = tmp_path / "genome.fa"
    text = GENOME[:100] + "N" + GENOME[101:150].lower() + "M" + GENOME[151:]
    path.write_text(f">chr1\n{text}\n>chr2\n{GENOME[:30]}\n")
    return path


def other(base: str) -> str:
    return "ACGT"[("ACGT".index(base) + 1) % 4]


def table(*rows: tuple[object, ...]) -> pd.DataFrame:
    names = ["chrom", "start", "ref", "alt", "haplotype"]
    return pd.DataFrame([(*row, *("",) * (5 - len(row))) for row in rows], columns=names)


def texts(found: Variants, i: int) -> tuple[str, str]:
    return tuple(characters(X[i].to_one_hot(), allow_N=True) for X in (found.X_ref, found.X_alt))  # type: ignore[return-value]


def test_a_substitution_is_in_the_middle(fasta: Path) -> None:
    for length in (20, 21):
        found = read_variants(table(("chr1", 60, GENOME[60], other(GENOME[60]))), fasta, in_window=length)
        ref, alt = texts(found, 0)
        first = 60 - length // 2
        assert ref == GENOME[first : first + length]
        assert alt == ref[: length // 2] + other(GENOME[60]) + ref[length // 2 + 1 :]
        assert found.variants["window_start"].tolist() == [first]


def naive(changes: list[tuple[int, str, str]], first: int, length: int) -> str:
    """Make changes from the right, so that nothing has to be moved."""
    text = GENOME
    for start, ref, alt in sorted(changes, reverse=True):
        assert text[start : start + len(ref)] == ref
        text = text[:start] + alt + text[start + len(ref) :]
    return text[first : first + length]


@pytest.mark.parametrize("ref", [1, 2, 5])
@pytest.mark.parametrize("alt", ["", "G", "AC", "TTTTTT"])
def test_indels_are_aligned_on_the_left(fasta: Path, ref: int, alt: str) -> None:
    taken = GENOME[40 : 40 + ref]
    if taken == alt:
        pytest.skip("no change")
    found = read_variants(table(("chr1", 40, taken, alt)), fasta, in_window=20, max_shift=3)
    first = 40 + ref // 2 - 10
    assert texts(found, 0) == (GENOME[first : first + 20], naive([(40, taken, alt)], first, 20))
    assert characters(torch.from_numpy(np.eye(4, dtype=np.int8)[found.alternatives([0])[0]].T)) == naive(
        [(40, taken, alt)], first - 3, 26
    )
    for i, j in enumerate(found.alignment(0).tolist()):
        if j >= 0 and not 40 <= first + i < 40 + ref:
            assert texts(found, 0)[0][i] == texts(found, 0)[1][j]


def test_changes_of_a_haplotype_are_made_together(fasta: Path) -> None:
    changes = [
        (52, GENOME[52], other(GENOME[52])),
        (40, GENOME[40:44], GENOME[40]),
        (47, GENOME[47], GENOME[47] + "AA"),
    ]
    rows = [("chr1", *change, "a") for change in changes]
    found = read_variants(table(*rows, ("chr1", 60, GENOME[60], other(GENOME[60]))), fasta, in_window=24)
    assert len(found) == 2
    assert found.variants["example_idx"].tolist() == [0, 0, 0, 1]
    first = 40 + 13 // 2 - 12
    assert texts(found, 0) == (GENOME[first : first + 24], naive(changes, first, 24))
    places = found.alignment(0)
    assert places[:6].tolist() == [0, 1, 2, 3, 4, 5]
    # three bases after 40 are gone, two came in after 47
    assert places[40 - first : 49 - first].tolist() == [6, -1, -1, -1, 7, 8, 9, 10, 13]
    both = found.examples
    assert both["ref"].tolist() == [",".join(row[2] for row in rows), GENOME[60]]
    assert both["start"].tolist() == [40, 60]


def test_indels_at_the_edge_of_a_window(fasta: Path) -> None:
    loci = pd.DataFrame({"chrom": ["chr1"], "start": [50], "end": [70]})  # the window is [50, 70)
    rows = [
        ("chr1", 50, GENOME[50], GENOME[50] + "GATTACA"),  # inserted after the first base
        ("chr1", 69, GENOME[69], GENOME[69] + "GATTACA"),  # inserted just outside
        ("chr1", 68, GENOME[68:70], GENOME[68]),  # the last base deleted
        ("chr1", 68, GENOME[68:71], GENOME[68]),  # a deletion that leaves the window
        ("chr1", 50, GENOME[50], ""),
        ("chr1", 200, GENOME[200], other(GENOME[200])),
    ]
    found = read_variants(table(*rows), fasta, in_window=20, loci=loci)
    assert [texts(found, i)[1] for i in range(4)] == [
        naive([row[1:4]], 50, 20) for row in (rows[0], rows[1], rows[2], rows[4])
    ]
    assert len(found.windows) == 1
    assert found.dropped["reason"].tolist() == ["in no window of loci"] * 2


def test_indels_at_the_end_of_a_contig(fasta: Path) -> None:
    rows = [
        ("chr2", 20, GENOME[20], other(GENOME[20])),  # [10, 30): the contig ends with the window
        ("chr2", 19, GENOME[19:22], GENOME[19]),  # draws two bases in that are not there
        ("chr2", 20, GENOME[20], GENOME[20] + "AA"),
        ("chr2", 21, GENOME[21], other(GENOME[21])),
        ("chr2", 9, GENOME[9], other(GENOME[9])),
        ("chr2", 29, GENOME[29] + "A", "A"),
    ]
    found = read_variants(table(*rows), fasta, in_window=20)
    assert found.variants["start"].tolist() == [20, 20]
    assert texts(found, 1)[1] == naive([rows[2][1:4]], 10, 20)
    assert found.dropped["reason"].tolist() == [
        "window [10, 32) leaves chr2, which has 30 bases",
        "window [11, 31) leaves chr2, which has 30 bases",
        "window [-1, 19) leaves chr2, which has 30 bases",
        "[29, 31) is off the end of chr2, which has 30 bases",
    ]


def test_near_variants_share_a_window_when_asked(fasta: Path) -> None:
    rows = [("chr1", at, GENOME[at], other(GENOME[at])) for at in (48, 55, 63, 64)]
    found = read_variants(table(*rows), fasta, in_window=32, snap=16)
    assert found.variants["window_start"].tolist() == [40, 40, 40, 56]
    assert len(found.windows) == 2
    for i, (_, at, ref, alt) in enumerate(rows):
        assert texts(found, i)[1] == naive([(at, ref, alt)], 40 if i < 3 else 56, 32)
    wide = [("chr1", at, GENOME[at], other(GENOME[at]), "a") for at in (65, 91)]
    found = read_variants(table(*wide, rows[0]), fasta, in_window=32, snap=16)
    assert found.dropped["reason"].tolist() == ["spans 27 bases, which leave the window of its bin"] * 2
    with pytest.raises(NbinterpError, match="snap from 1 to half a window"):
        read_variants(table(*rows), fasta, in_window=30, snap=16)


def test_beyond_a_contig_is_unknown_when_asked(fasta: Path) -> None:
    rows = [("chr2", 3, GENOME[3], other(GENOME[3])), ("chr2", 25, GENOME[25:28], GENOME[25])]
    found = read_variants(table(*rows), fasta, in_window=20, max_shift=1, pad=True)
    assert len(found.dropped) == 0
    assert texts(found, 0)[0] == "NNNNNNN" + GENOME[:13]
    assert texts(found, 1) == (GENOME[16:30] + "N" * 6, GENOME[16:26] + GENOME[28:30] + "N" * 8)


def test_what_cannot_be_scored_is_listed_with_the_reason(fasta: Path) -> None:
    base = GENOME[60]
    wrong = other(base)
    rows = [
        ("chr1", 60, wrong, base),
        ("chr1", 60, wrong, other(wrong)),
        ("chr3", 60, base, wrong),
        ("1", 60, base, wrong),
        ("chr1", 60, base, "*"),
        ("chr1", 60, base, "<DEL>"),
        ("chr1", 60, base, f"{base}[chr2:5["),
        ("chr1", 60, base, "."),
        ("chr1", 60, base, base),
        ("chr1", 60, base, "N"),
        ("chr1", 100, "N", "A"),
        ("chr1", 100, GENOME[100], other(GENOME[100])),
        ("chr1", 60, base, base + "A" * 11),
        ("chr1", -1, base, wrong),
        ("chr1", 60, base, wrong),
    ]
    found = read_variants(table(*rows), fasta, in_window=20)
    assert len(found) == 1
    reasons = found.dropped["reason"].tolist()
    for got, expected in zip(
        reasons,
        [
            f"ref is {wrong}, the genome has {base}, as alt says: alleles swapped?",
            f"ref is {wrong}, the genome has {base}",
            "contig chr3 is not in the genome (did you mean",
            "contig 1 is not in the genome",
            "alt is *",
            "symbolic allele <DEL>",
            "symbolic allele",
            "no alternative allele",
            "the same",
            "alt holds other letters",
            "ref holds other letters",
            "the genome has N",
            "an allele of 12 bases, longer than 10",
            "[-1, 0) is off the end",
        ],
        strict=True,
    ):
        assert expected in got
    assert found.dropped["start"].tolist() == [row[1] for row in rows[:-1]]


def test_lower_case_and_unknown_letters_of_the_genome(fasta: Path) -> None:
    found = read_variants(table(("chr1", 120, GENOME[120].lower(), other(GENOME[120]).lower())), fasta, in_window=80)
    ref, alt = texts(found, 0)
    assert ref == GENOME[80:100] + "N" + GENOME[101:150] + "N" + GENOME[151:160]
    assert alt[40] == other(GENOME[120])
    assert found.variants["ref"].tolist() == [GENOME[120]]


def test_overlapping_variants_of_a_haplotype_are_listed_together(fasta: Path) -> None:
    snv = ("chr1", 62, GENOME[62], other(GENOME[62]))
    rows = [
        ("chr1", 60, GENOME[60:64], GENOME[60], "a"),
        (*snv, "a"),
        ("chr1", 65, GENOME[65], other(GENOME[65]), "a"),
        (*snv, "b"),
        ("chr1", 63, other(GENOME[63]), "A" if GENOME[63] != "A" else "C", "b"),
        (*snv, "c"),
        ("chr1", 90, GENOME[90], other(GENOME[90]), "c"),
        # the anchor of a deletion is no base of it
        ("chr1", 60, GENOME[60:62], GENOME[60], "d"),
        ("chr1", 60, GENOME[60], other(GENOME[60]), "d"),
        ("chr1", 60, GENOME[60], GENOME[60] + "A", "e"),
        ("chr1", 60, GENOME[60], GENOME[60] + "C", "e"),
    ]
    found = read_variants(table(*rows), fasta, in_window=20)
    assert found.variants["haplotype"].tolist() == ["d", "d"]
    reasons = found.dropped["reason"].tolist()
    assert "chr1:61" in reasons[0]
    assert "of haplotype a overlap" in reasons[0]
    assert reasons[1] == reasons[2] == reasons[0]
    assert "another variant of haplotype b was left out" in reasons[3]
    assert reasons[4].startswith("ref is")
    assert reasons[5] == "haplotype c spans 29 bases, more than a window"
    assert "of haplotype e overlap" in reasons[-1]


def test_variants_from_vcf_and_from_tables_are_the_same(fasta: Path, tmp_path: Path) -> None:
    base = GENOME[60]
    alternatives = [b for b in "ACGT" if b != base]
    vcf, tsv = tmp_path / "a.vcf", tmp_path / "a.tsv"
    vcf.write_text(
        "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        f"chr1\t61\trs1\t{base.lower()}\t{','.join(alternatives)},*\t.\tPASS\t.\n"
        f"chr1\t71\trs2\t{GENOME[70:73]}\t{GENOME[70]}\t.\tPASS\t.\n"
    )
    rows = [("chr1", 60, base, b) for b in alternatives] + [("chr1", 70, GENOME[70:73], GENOME[70])]
    table(*rows).to_csv(tsv, sep="\t", index=False)
    a = read_variants(vcf, fasta, in_window=20)
    b = read_variants(tsv, str(fasta), in_window=20)
    assert torch.equal(a.X_alt.to_one_hot(), b.X_alt.to_one_hot())
    assert a.variants["id"].tolist() == ["rs1"] * 3 + ["rs2"]
    assert a.variants["allele"].tolist() == [0, 1, 2, 0]
    assert a.dropped["id"].tolist() == ["rs1"]
    assert len(a.windows) == 2


def test_errors_say_what_to_do(fasta: Path, tmp_path: Path) -> None:
    with pytest.raises(NbinterpError, match=r"read_variants\(variants\).*columns ref, alt too"):
        read_variants(pd.DataFrame({"chrom": ["a"], "start": [1]}), fasta)
    with pytest.raises(NbinterpError, match=r"none left \(1 x contig x is not"):
        read_variants(table(("x", 60, "A", "C")), fasta)
    with pytest.raises(NbinterpError, match="none left"):
        read_variants(table(), fasta)
    with pytest.raises(NbinterpError, match="a list"):
        read_variants([1], fasta)  # type: ignore[arg-type]
    with pytest.raises(FormatError, match="cannot be read"):
        read_variants(tmp_path / "absent.tsv", fasta)
    with pytest.raises(NbinterpError, match="a start that is no number"):
        read_variants(table(("chr1", "x", "A", "C")), fasta)
    with pytest.raises(NbinterpError, match="max_shift"):
        read_variants(table(("chr1", 60, "A", "C")), fasta, max_shift=-1)
