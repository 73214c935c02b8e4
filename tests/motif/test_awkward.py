"""Motifs and files that nobody means to make: each is read, scanned and compared as it should be, or refused in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp.errors import FormatError, NbinterpError
from nbinterp.motif import MotifSet, align_motifs, fimo, motif_similarity, read_meme, read_motifs, stream_fimo, tomtom

FLAT = np.full((4, 6), 0.25)  # says nothing
ZERO = np.zeros((4, 6))  # is nothing
WIDE = np.eye(4)[:, np.arange(40) % 4] * 0.96 + 0.01


def motifs(n: int = 30, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {f"m{i}": rng.dirichlet([0.4] * 4, int(rng.integers(5, 12))).T for i in range(n)}


def one_hot(n: int, length: int) -> torch.Tensor:
    return nb.random_one_hot((n, 4, length), random_state=0)


# ---- what says nothing, and what does not fit ---------------------------------------------------------------------


@pytest.mark.parametrize("length", [3, 200, 40_000])  # shorter than any, and the ways of short and of long sequence
def test_a_scan_goes_on_around_odd_motifs(length: int) -> None:
    """They never hit, and leave the hits of the others as they are."""
    X = one_hot(1, length)
    usual = motifs(5)
    odd = {"flat": FLAT, "zero": ZERO, **usual, "hole": np.concatenate([np.eye(4), ZERO[:, :1]], axis=1)}
    alone, among = (fimo(one, X, threshold=1e-3, as_table=True) for one in (usual, odd))
    kept = among[among["name"] != "hole"].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept.drop(columns="motif_idx"), alone.drop(columns="motif_idx"))
    for threshold in (1e-4, 0.5, 1.0):
        counts = fimo({"flat": FLAT, "zero": ZERO}, X, threshold=threshold, return_counts=True)
        assert counts.tolist() == [0, 0]


@pytest.mark.parity
def test_a_scan_with_odd_motifs_equals_memelite() -> None:
    memelite = pytest.importorskip("memelite")
    X = one_hot(3, 60).numpy()
    odd = {"flat": FLAT, "wide": WIDE, "wider": np.tile(WIDE, 2), **motifs(4)}
    for threshold in (1e-3, 0.3):
        ours, theirs = fimo(odd, X, threshold=threshold), memelite.fimo(odd, X, threshold=threshold)
        assert [len(one) for one in ours] == [len(one) for one in theirs]
        assert [len(one) for one in ours][::2][:2] == [0, 0]
        for a, b in zip(ours, theirs, strict=True):
            assert a[["start", "strand"]].to_numpy().tolist() == b[["start", "strand"]].to_numpy().tolist()


def test_a_motif_wider_than_some_sequences(tmp_path: Path) -> None:
    """It is found where it fits, down to a sequence of its own width."""
    text = nb.characters(WIDE, force=True)
    (tmp_path / "x.fa").write_text(f">shorter\n{text[1:]}\n>none\n>own\n{text}\n>longer\nA{text}\n")
    for found in (fimo({"w": WIDE}, tmp_path / "x.fa", as_table=True), *stream_fimo({"w": WIDE}, tmp_path / "x.fa")):
        assert found[["sequence_name", "start", "end", "strand"]].to_numpy().tolist()[::2] == [
            ["own", 0, 40, "+"], ["longer", 1, 41, "+"]
        ]  # fmt: skip
    assert fimo({"w": WIDE}, tmp_path / "x.fa", q_values=True)[0]["q-value"].between(0, 1).all()
    assert fimo({"w": WIDE}, one_hot(2, 39), return_counts=True).tolist() == [0]


def test_odd_motifs_are_compared() -> None:
    """A flat or empty motif among others is a motif; a p-value stays a p-value; the others find themselves."""
    usual = motifs(30)
    odd = {"flat": FLAT, "zero": ZERO, "wide": WIDE, "one": np.eye(4)[:, :1]}
    planes = tomtom({**usual, **odd}, {**usual, **odd}, q_values=True)
    assert np.isfinite(planes).all()
    for plane in (planes[0], planes[5]):
        assert ((plane >= 0) & (plane <= 1)).all()
    assert planes[0].argmin(axis=1)[:30].tolist() == list(range(30))
    nothing = tomtom(usual, [FLAT] * 30)  # targets that are all alike: nothing is nearer than chance
    assert (nothing[0] == 1).all()
    similar = motif_similarity({**usual, **odd})
    assert np.isfinite(similar.similarity).all()
    assert (similar.similarity[30] == 0).all()
    assert MotifSet({**usual, **odd}).trim().widths[30] == 6
    for argument, pair in (("Qs", ([ZERO], usual)), ("Ts", (usual, [ZERO]))):
        with pytest.raises(NbinterpError, match=rf"tomtom\({argument}\): got only zeros"):
            tomtom(*pair)


@pytest.mark.parametrize("matrix", [np.zeros((4, 0)), np.zeros((4,)), np.zeros((3, 5)), np.full((4, 2), np.inf)])
@pytest.mark.parametrize(
    "call",
    [
        lambda one: fimo({"ok": np.eye(4), "bad": one}, one_hot(1, 9)),
        lambda one: stream_fimo({"ok": np.eye(4), "bad": one}, one_hot(1, 9)),
        lambda one: tomtom({"ok": np.eye(4), "bad": one}, motifs()),
        lambda one: tomtom(motifs(), {"ok": np.eye(4), "bad": one}),
        lambda one: motif_similarity({"ok": np.eye(4), "bad": one}),
        lambda one: align_motifs(one, np.eye(4), 0),
        lambda one: MotifSet({"ok": np.eye(4), "bad": one}),
        lambda one: nb.write_meme("never.meme", {"ok": np.eye(4), "bad": one}),
    ],
    ids=["fimo", "stream_fimo", "tomtom Qs", "tomtom Ts", "motif_similarity", "align_motifs", "MotifSet", "write_meme"],
)
def test_what_is_no_motif_is_refused(call: Any, matrix: np.ndarray) -> None:
    with pytest.raises(NbinterpError):
        call(matrix)
    assert not Path("never.meme").exists()


def test_a_name_means_one_motif(tmp_path: Path) -> None:
    with pytest.raises(NbinterpError, match=r"MotifSet\(names\): got 'a' twice"):
        MotifSet([np.eye(4), np.eye(4)], ["a", "a"])
    rows = "0.97 0.01 0.01 0.01\n0.01 0.97 0.01 0.01\n"
    matrix = "letter-probability matrix: w= 2\n"
    texts = {
        "meme": f"MEME version 4\n\nMOTIF a b\n{matrix}{rows}\nMOTIF c\n{matrix}{rows}\nMOTIF a b\n{matrix}{rows}",
        "jaspar": ">a b\nA 1 0\nC 0 1\nG 0 0\nT 0 0\n" * 2,
        "homer": f">AC\ta b\t1\n{rows}" * 2,
        "transfac": "AC a\nID b\nP0 A C G T\n01 1 0 0 0\n//\n" * 2,
    }
    for format_, text in texts.items():
        path = tmp_path / f"m.{format_}"
        path.write_text(text)
        with pytest.raises(
            FormatError, match=rf"read_{format_}\(.*m\.{format_}\): got motif 'a b' twice; need distinct"
        ):
            read_motifs(path)
    assert len(read_meme(tmp_path / "m.meme", n_motifs=2)) == 2  # the rest is not read
    both = {"a": np.eye(4), "a-rc": np.eye(4)}
    with pytest.raises(NbinterpError, match="'a-rc' twice"):
        MotifSet(both).both_strands()


def test_sequences_of_one_name_stay_apart(tmp_path: Path) -> None:
    text = nb.characters(WIDE, force=True)
    (tmp_path / "x.fa").write_text(f">a\n{text}\n>b\nA\n>a\nAA{text}\n")
    found = fimo({"w": WIDE}, tmp_path / "x.fa", reverse_complement=False, as_table=True)
    assert found[["example_idx", "sequence_name", "start"]].to_numpy().tolist() == [[0, "a", 0], [2, "a", 2]]


# ---- malformed files ----------------------------------------------------------------------------------------------

HEAD = "MEME version 4\n\nALPHABET= ACGT\n\n"
BODY = "letter-probability matrix: alength= 4 w= 2 nsites= 20 E= 0\n 1 0 0 0\n 0 1 0 0\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no 'MEME version'"),
        ("\0\1\2", "no 'MEME version'"),
        (f"MOTIF a\n{BODY}", "no 'MEME version'"),
        (HEAD, "got no motif"),
        (f"{HEAD}MOTIF a\nlog-odds matrix: alength= 4 w= 1\n 1 0 0 0\n", "got no motif"),
        (f"{HEAD}MOTIF\n{BODY}", "a motif without a name in line 5"),
        (f"{HEAD}{BODY}", "a matrix without MOTIF before it in line 5"),
        (f"{HEAD}MOTIF a\n{BODY}{BODY}", "a matrix without MOTIF before it in line 9"),
        (f"{HEAD}MOTIF a\nMOTIF b\n{BODY}", "a matrix without MOTIF before it in line 7"),
        (f"{HEAD}MOTIF a\n{BODY}\nMOTIF cut off\n", "motif 'cut off' without a matrix; need one each"),
        (f"{HEAD}MOTIF a\n{BODY[:-9]}", "1 rows up to line 7; need 2 rows"),
        (f"{HEAD}MOTIF a\n{BODY[:-3]}", r"'0 1 0' in line 8; need row 2 of 2, four finite numbers"),
        (f"{HEAD}MOTIF a\n{BODY}0 0 0 1\n", "a further row in line 9; need 2 rows, as w= says"),
        (f"{HEAD}MOTIF a\n{BODY.replace('0 1 0', '0 x 0')}", "'0 x 0 0' in line 8"),
        (f"{HEAD}MOTIF a\n{BODY.replace('0 1 0', '0 inf 0')}", "'0 inf 0 0' in line 8"),
        (f"{HEAD}MOTIF a\n{BODY.replace('0 1 0', '0 1 0 0')}", "'0 1 0 0 0' in line 8"),
        (f"{HEAD}MOTIF a\n{BODY.replace('w= 2', 'w= 0')}", "w= 0 in line 6; need at least one column"),
        (f"{HEAD}MOTIF a\n{BODY.replace('w= 2', 'w= two')}", "w= two in line 6"),
        (f"{HEAD.replace('ACGT', 'ACGU')}MOTIF a\n{BODY}", "ACGU' in line 3; need ALPHABET= ACGT"),
        (f"{HEAD}Background letter frequencies\nA 0.3 C x G 0.2 T 0.2\nMOTIF a\n{BODY}", "in line 6; need frequencies"),
        (f"{HEAD}Background letter frequencies\nA -1 C 1 G 1 T 1\nMOTIF a\n{BODY}", "in line 6; need frequencies"),
    ],
)
def test_malformed_meme_files_say_where(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "m.meme"
    path.write_text(text)
    X, span = one_hot(1, 9), pd.DataFrame({"example_idx": [0], "start": [1], "end": [6]})
    ways: list[Any] = [read_meme, lambda one: read_motifs(one, "meme")]
    if text.startswith("MEME"):  # else it is not taken for one
        ways += [
            lambda one: fimo(one, X),
            lambda one: stream_fimo(one, X),
            lambda one: nb.annotate_seqlets(X, span, one),
        ]
    for read in ways:
        with pytest.raises(FormatError, match=rf"read_meme\(.*m\.meme\): got .*{words.removeprefix('got ')}"):
            read(path)


def test_files_that_are_odd_but_whole(tmp_path: Path) -> None:
    path = tmp_path / "m.meme"
    expected = torch.eye(4)[:, :2]
    no_width = BODY.replace(" w= 2", "")
    for text in (
        f"{HEAD}MOTIF a\n{BODY}".replace("\n", "\r\n"),
        f"{HEAD}MOTIF a\n{no_width}",
        f"{HEAD}MOTIF a\n{no_width}URL x\n",
        f"MEME version 5.5\nMOTIF a\n\n{BODY.replace(':', ': ').replace('0E', '0 E')}\n\n",
        f"{HEAD}Background letter frequencies\n\nMOTIF a\n{BODY}",
    ):
        path.write_bytes(text.encode())
        motif = read_meme(path)
        assert torch.equal(motif["a"], expected)
        assert motif.background == (0.25,) * 4


@pytest.mark.parametrize("kept", [9, 100, 2000, 0.5, 0.95])
def test_a_cut_off_hdf5_file_is_no_file(kept: float, tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    spans = pd.DataFrame({"example_idx": [0], "start": [0], "end": [6], "strand": ["+"]})
    one = nb.motif.Pattern("pos_patterns.pattern_0", FLAT, FLAT, FLAT, spans, {})
    nb.write_modisco(tmp_path / "m.h5", nb.motif.PatternSet((one,)))
    whole = (tmp_path / "m.h5").read_bytes()
    (tmp_path / "m.h5").write_bytes(whole[: int(kept * len(whole)) if kept < 1 else int(kept)])
    for read in (nb.read_modisco, read_motifs, lambda path: fimo(path, one_hot(1, 9))):
        with pytest.raises(FormatError, match=r"read_modisco\(.*m\.h5\): got a file that cannot be read"):
            read(tmp_path / "m.h5")


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("sequence", None),
        ("sequence", np.ones((6, 5))),
        ("sequence", np.full((6, 4), np.nan)),
        ("sequence", np.array([[b"a"] * 4] * 6)),
        ("contrib_scores", np.ones((5, 4))),
        ("hypothetical_contribs", np.ones(6)),
        ("seqlets/start", None),
        ("seqlets/start", np.zeros(7, int)),
        ("seqlets/is_revcomp", None),
        ("seqlets/sequence", np.zeros((7, 6, 4), "f4")),
    ],
)
def test_malformed_patterns_name_the_part(part: str, value: Any, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    spans = pd.DataFrame({"example_idx": [0, 1], "start": [0, 1], "end": [6, 7], "strand": ["+", "-"]})
    arrays = {key: np.zeros((2, 4, 6), "f4") for key in ("sequence", "contrib_scores", "hypothetical_contribs")}
    one = nb.motif.Pattern("pos_patterns.pattern_0", FLAT, FLAT, FLAT, spans, arrays)
    nb.write_modisco(tmp_path / "m.h5", nb.motif.PatternSet((one,)))
    assert len(nb.read_modisco(tmp_path / "m.h5")) == 1
    with h5py.File(tmp_path / "m.h5", "a") as file:
        del file[f"pos_patterns/pattern_0/{part}"]
        if value is not None:
            file[f"pos_patterns/pattern_0/{part}"] = value
    named = (
        "example_idx" if value is not None and part == "seqlets/start" else part.rpartition("/")[2]
    )  # held to its length
    with pytest.raises(FormatError, match=rf"read_modisco\(.*m\.h5\): got .*{named}"):
        nb.read_modisco(tmp_path / "m.h5")


def test_patterns_of_no_width_and_groups_that_are_none(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        for key in ("sequence", "contrib_scores", "hypothetical_contribs"):
            file[f"pos_patterns/pattern_0/{key}"] = np.zeros((0, 4))
        for key in ("start", "end", "example_idx", "is_revcomp"):
            file[f"pos_patterns/pattern_0/seqlets/{key}"] = np.zeros(0, int)
    with pytest.raises(NbinterpError, match="width at least 1"):
        read_motifs(path)


# ---- devices ------------------------------------------------------------------------------------------------------


def test_a_set_is_the_same_from_any_device(second_device: str, tmp_path: Path) -> None:
    here = {name: torch.from_numpy(one).float() for name, one in motifs(4).items()}
    there = {name: one.to(second_device).requires_grad_() for name, one in here.items()}
    a, b = MotifSet(here, contributions=list(here.values())), MotifSet(there, contributions=list(there.values()))
    for key in here:
        assert b[key].device.type == "cpu"
        assert torch.equal(a.pwm(key), b.pwm(key))
        assert torch.equal(a.cwm(key), b.cwm(key))
    assert a.reverse_complement().consensus(0) == b.reverse_complement().consensus(0)
    assert np.array_equal(a.to_array()[0], b.to_array()[0])
    assert a.trim().widths == b.trim().widths
    nb.write_meme(tmp_path / "a.meme", here)
    nb.write_meme(tmp_path / "b.meme", there)
    assert (tmp_path / "a.meme").read_bytes() == (tmp_path / "b.meme").read_bytes()


def test_every_shape_of_a_scan_on_a_second_device(second_device: str, tmp_path: Path) -> None:
    """Tables, counts, q-values, loci, backgrounds, FASTA and streams, with the CPU's hits."""
    X, some = one_hot(3, 150), motifs(8)
    X[1, :, 50:70] = 0
    nb.one_hot_to_fasta(X, tmp_path / "x.fa")
    loci = pd.DataFrame({"chrom": "chr1", "start": [0, 500, 1000], "end": [150, 650, 1150]})
    given: list[tuple[Any, dict[str, Any]]] = [
        (X, {"as_table": True, "q_values": True, "loci": loci}),
        (X, {"as_table": True, "background": (0.3, 0.2, 0.2, 0.3), "reverse_complement": False}),
        (tmp_path / "x.fa", {"as_table": True}),
        (nb.PackedSequence.from_one_hot(X), {"as_table": True}),
    ]
    for sequences, options in given:
        here, there = (fimo(some, sequences, threshold=0.01, device=d, **options) for d in ("cpu", second_device))
        pd.testing.assert_frame_equal(here, there, check_exact=True)
        assert len(here) > 10
    counts = [fimo(some, X, threshold=0.01, return_counts=True, device=d).tolist() for d in ("cpu", second_device)]
    assert counts[0] == counts[1]
    parts = [pd.concat(stream_fimo(some, X, threshold=0.01, size=200, device=d)) for d in ("cpu", second_device)]
    pd.testing.assert_frame_equal(*parts, check_exact=True)


def test_alignments_from_a_second_device(second_device: str) -> None:
    one, other = (torch.from_numpy(m).float() for m in motifs(2).values())
    here = align_motifs(one, other, 1, "-")
    there = align_motifs(one.to(second_device), other.to(second_device), 1, "-")
    assert np.array_equal(here.query, there.query)
    assert np.array_equal(here.target, there.target)
