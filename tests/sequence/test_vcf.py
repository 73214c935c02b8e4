"""VCF in and out: what is read is written again, plain and compressed, and INFO fields are put in."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nbinterp.errors import FormatError, NbinterpError
from nbinterp.sequence.vcf import InfoField, read_vcf, write_vcf

HEADER = """##fileformat=VCFv4.2
##FILTER=<ID=q10,Description="Quality # below 10">
##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency">
##contig=<ID=chr1,length=1000>
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tmother\tchild
"""
ROWS = [
    'chr1\t7\trs1\tA\tG,T\t.\tPASS\tAF=0.1,0.2;NOTE=a#b"c\tGT:DP\t0/1:3\t1/2:"4',
    "chr1\t9\t.\tACG\tA\t50\tq10\t.\tGT:DP\t0|0:1\t0|1:2",
    "chr2\t1\trs3\tn\t<DEL>\t.\t.\tDB;AF=.\tGT\t./.\t1/1",
]


@pytest.fixture
def vcf(tmp_path: Path) -> Path:
    path = tmp_path / "a.vcf"
    path.write_text(HEADER + "\n".join(ROWS) + "\n")
    return path


def test_without_new_fields_a_file_is_copied_to_the_letter(vcf: Path, tmp_path: Path) -> None:
    write_vcf(tmp_path / "b.vcf", vcf)
    assert (tmp_path / "b.vcf").read_text() == vcf.read_text()


def test_quotes_and_hashes_are_letters(vcf: Path) -> None:
    table = read_vcf(vcf, samples=True)
    assert table["INFO"][0] == 'AF=0.1,0.2;NOTE=a#b"c'
    assert table["child"].tolist() == ['1/2:"4', "0|1:2", "1/1"]
    assert table["POS"].tolist() == [7, 9, 1]


@pytest.mark.parametrize("suffix", [".vcf.gz", ".vcf.bgz"])
def test_compressed_files_hold_the_same(vcf: Path, tmp_path: Path, suffix: str) -> None:
    packed = tmp_path / f"a{suffix}"
    write_vcf(packed, vcf)
    assert gzip.decompress(packed.read_bytes()).decode() == vcf.read_text()
    pd.testing.assert_frame_equal(read_vcf(packed, samples=True), read_vcf(vcf, samples=True))
    whole = packed.read_bytes()
    assert whole[12:16] == b"BC\x02\x00"  # the extra field by which tabix knows bgzip
    assert whole.endswith(bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000"))


def test_blocks_of_bgzip_say_their_size(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    letters = rng.integers(33, 127, (3000, 80), dtype=np.uint8)
    table = pd.DataFrame({"CHROM": "c", "POS": range(3000), "REF": "A", "ALT": "C"})
    table["ID"] = [bytes(row).decode() for row in letters]
    write_vcf(tmp_path / "big.vcf.gz", table)
    data, at, blocks = (tmp_path / "big.vcf.gz").read_bytes(), 0, 0
    while at < len(data):
        size = int.from_bytes(data[at + 16 : at + 18], "little") + 1
        gzip.decompress(data[at : at + size])
        at, blocks = at + size, blocks + 1
    assert at == len(data)
    assert blocks > 3
    assert read_vcf(tmp_path / "big.vcf.gz")["ID"].tolist() == table["ID"].tolist()


def test_fields_are_put_in_and_replaced(vcf: Path, tmp_path: Path) -> None:
    info = {
        "DIFF": [[0.123456789, None], [float("nan")], None],
        "AF": [[0.5, 0.25], None, "x"],
        "WHY": [None, "a; b=c,d %", ["p", "q"]],
        "SEEN": [True, False, True],
        "COUNT": [3, np.int64(4), np.float64(0.5)],
    }
    fields = {"DIFF": InfoField("A", "Float", 'alt "minus" ref'), "SEEN": InfoField("0", "Flag", "seen")}
    write_vcf(tmp_path / "b.vcf", vcf, info, fields)
    back = read_vcf(tmp_path / "b.vcf", samples=True)
    pd.testing.assert_frame_equal(back.drop(columns="INFO"), read_vcf(vcf, samples=True).drop(columns="INFO"))
    assert back["INFO"].tolist() == [
        'NOTE=a#b"c;DIFF=0.123457,.;AF=0.5,0.25;SEEN;COUNT=3',
        "DIFF=.;WHY=a%3B%20b%3Dc%2Cd%20%25;COUNT=4",
        "DB;AF=x;WHY=p,q;SEEN;COUNT=0.5",
    ]
    lines = (tmp_path / "b.vcf").read_text().splitlines()
    assert sum(line.startswith("##INFO=<ID=AF,") for line in lines) == 1
    assert '##INFO=<ID=DIFF,Number=A,Type=Float,Description="alt \\"minus\\" ref">' in lines
    assert lines[0] == "##fileformat=VCFv4.2"
    assert lines.index("##contig=<ID=chr1,length=1000>") == 7
    assert vcf.read_text().startswith(HEADER)


def test_a_header_alone_is_no_records(tmp_path: Path) -> None:
    path = tmp_path / "empty.vcf"
    path.write_text(HEADER)
    assert read_vcf(path).shape == (0, 9)
    write_vcf(tmp_path / "b.vcf", path, {"A": []})
    assert read_vcf(tmp_path / "b.vcf", samples=True).columns[-1] == "child"


def test_windows_line_ends_and_missing_headers(tmp_path: Path) -> None:
    path = tmp_path / "a.vcf"
    path.write_bytes("\r\n".join(ROWS).encode())
    assert read_vcf(path, samples=True)["sample1"].tolist() == ['1/2:"4', "0|1:2", "1/1"]


def test_errors_say_what_to_do(vcf: Path, tmp_path: Path) -> None:
    out = tmp_path / "b.vcf"
    with pytest.raises(NbinterpError, match="the key '1 A'"):
        write_vcf(out, vcf, {"1 A": [1, 2, 3]})
    with pytest.raises(NbinterpError, match="2 values of A; need 3"):
        write_vcf(out, vcf, {"A": [1, 2]})
    with pytest.raises(NbinterpError, match=r"write_vcf\(records\).*columns ALT too"):
        write_vcf(out, pd.DataFrame({"CHROM": ["c"], "POS": [1], "REF": ["A"]}))
    with pytest.raises(FormatError, match="cannot be read"):
        write_vcf(out, tmp_path / "absent.vcf")
    (tmp_path / "bad.vcf.gz").write_bytes(b"plain text")
    with pytest.raises(FormatError, match="cannot be read"):
        read_vcf(tmp_path / "bad.vcf.gz")
    (tmp_path / "bad.vcf").write_text(HEADER + ROWS[0].replace("\t7\t", "\tx\t") + "\n")
    with pytest.raises(FormatError, match="a position that is no number"):
        read_vcf(tmp_path / "bad.vcf")
    assert not out.exists()
