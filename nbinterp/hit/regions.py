"""Regions to call hits in: sequences, contributions, and where they are.

In: what a model's interpretation left behind: bigWig files, ChromBPNet's or BPNet's HDF5, arrays as TF-MoDISco takes them.
Out: `Regions`, read as they are needed, and the npz file that Fi-NeMo calls regions.
"""

from __future__ import annotations

import os
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..core.files import writing
from ..errors import FormatError, NbinterpWarning, problem
from .peaks import PEAKS, read_peaks
from .rows import FastaRows, H5Rows, MeanRows, NpyRows, Rows, SignalRows, WindowRows, centred

__all__ = [
    "Regions",
    "read_regions",
    "regions_from_bigwig",
    "regions_from_bpnet_h5",
    "regions_from_chrombpnet_h5",
    "regions_from_modisco_fmt",
    "write_regions",
]

Path = str | os.PathLike[str]
_DTYPES = {"chr": str, "chr_id": np.int64, "start": np.int32, "peak_id": np.uint32, "peak_name": str}


@dataclass(frozen=True, eq=False)
class Regions:
    """Regions of one length.

    Attributes
    ----------
    sequences : rows (N, 4, L)
        One-hot, int8.
    contributions : rows (N, L) or (N, 4, L)
        Projected on the sequence, or hypothetical.
    peaks : DataFrame or None
        chr, chr_id, start, peak_id, peak_name; a row a region.
    notes : DataFrame
        region, peak_name, note: what was padded.
    """

    sequences: Rows
    contributions: Rows
    peaks: pd.DataFrame | None
    notes: pd.DataFrame

    def __len__(self) -> int:
        return int(self.sequences.shape[0])

    @property
    def length(self) -> int:
        """Of each region."""
        return int(self.sequences.shape[2])

    @property
    def hypothetical(self) -> bool:
        """Whether contributions of bases that are not there are known."""
        return len(self.contributions.shape) == 3


def _whole(where: str, width: int) -> int:
    """Fi-NeMo's width: an even one."""
    if width < 2:
        raise problem(where, "region_width", got=width, need="at least 2", do="raise it")
    if width % 2:
        warnings.warn(f"{where}: width {width} is odd; {width - 1} is used", NbinterpWarning, stacklevel=4)
    return width - width % 2


def _peaks_of(where: str, peaks: Any, n: int, width: int, chrom_order: Path | None, source: Any) -> pd.DataFrame | None:
    if peaks is None:
        return None
    table = read_peaks(peaks, width, chrom_order=chrom_order)
    if len(table) != n:
        name = "the table" if isinstance(peaks, pd.DataFrame) else os.fspath(peaks)
        do = "pass the peaks that were interpreted: tools drop those at the ends of chromosomes, and write what they kept"
        raise problem(
            where, "peaks", got=f"{len(table)} peaks in {name}, {n} regions in {source}", need="as many", do=do
        )
    return table


def _notes(rows: list[tuple[int, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["region", "peak_name", "note"])


def regions_from_bigwig(
    peaks: Path | pd.DataFrame,
    fasta: Any,
    bigwigs: Sequence[Path],
    *,
    region_width: int = 1000,
    chrom_order: Path | None = None,
) -> Regions:
    """Regions around peaks, with contributions from bigWig files (averaged) and sequence from a genome.

    Parameters
    ----------
    peaks : path or DataFrame
        narrowPeak or BED; see `read_peaks`.
    fasta : path
        Of the genome.
    bigwigs : sequence of paths
    region_width : int
        An even number.
    chrom_order : path, optional

    Returns
    -------
    Regions
        Projected contributions.  Regions that leave their chromosome are padded with unknown bases, and noted.

    Raises
    ------
    NbinterpError
        For files that cannot be read, or chromosomes that the genome does not have.
    """
    where = "regions_from_bigwig"
    width = _whole(where, region_width)
    table = read_peaks(peaks, width, chrom_order=chrom_order)
    chroms, starts = table["chr"].tolist(), table["start"].to_numpy(np.int64)
    sequences = FastaRows(where, fasta, chroms, starts, width)
    mean = MeanRows(where, "bigwigs", [SignalRows(where, one, chroms, starts, width) for one in bigwigs], bigwigs)
    ends = np.array([sequences.lengths[chrom] for chrom in chroms], np.int64)
    before, after = np.clip(-starts, 0, width), np.clip(starts + width - ends, 0, width)
    noted = [
        (int(i), table["peak_name"][i], f"{before[i] + after[i]} positions beyond {chroms[i]} are unknown bases")
        for i in np.flatnonzero(before + after)
    ]
    return Regions(sequences, mean, table, _notes(noted))


def _regions_from_h5(
    where: str,
    h5s: Sequence[Path],
    names: tuple[str, str],
    last: bool,
    peaks: Any,
    width: int,
    chrom_order: Path | None,
) -> Regions:
    width = _whole(where, width)
    mean = MeanRows(where, "h5s", [H5Rows(where, one, names[1], width, last) for one in h5s], h5s)
    sequences = H5Rows(where, h5s[0], names[0], width, last)
    if sequences.shape != mean.shape:
        got = f"sequences of shape {sequences.shape} and contributions of shape {mean.shape}"
        raise problem(where, "h5s", got=got, need="one shape", do="check the file", kind=FormatError)
    table = _peaks_of(where, peaks, mean.shape[0], width, chrom_order, h5s[0])
    return Regions(sequences, mean, table, _notes([]))


def regions_from_chrombpnet_h5(
    h5s: Sequence[Path],
    *,
    peaks: Path | pd.DataFrame | None = None,
    region_width: int = 1000,
    chrom_order: Path | None = None,
) -> Regions:
    """The middles of what ChromBPNet interpreted: ``raw/seq`` and ``shap/seq``, both (N, 4, L); files are averaged."""
    return _regions_from_h5(
        "regions_from_chrombpnet_h5", h5s, ("raw/seq", "shap/seq"), False, peaks, region_width, chrom_order
    )


def regions_from_bpnet_h5(
    h5s: Sequence[Path],
    *,
    peaks: Path | pd.DataFrame | None = None,
    region_width: int = 1000,
    chrom_order: Path | None = None,
) -> Regions:
    """The middles of what BPNet interpreted: ``input_seqs`` and ``hyp_scores``, both (N, L, 4); files are averaged."""
    return _regions_from_h5(
        "regions_from_bpnet_h5", h5s, ("input_seqs", "hyp_scores"), True, peaks, region_width, chrom_order
    )


def regions_from_modisco_fmt(
    sequences: Path,
    attributions: Sequence[Path],
    *,
    peaks: Path | pd.DataFrame | None = None,
    region_width: int = 1000,
    chrom_order: Path | None = None,
) -> Regions:
    """The middles of arrays as TF-MoDISco takes them: npy or npz, (N, 4, L); attributions are averaged.

    These are also the files that `nbinterp attribute` writes.
    """
    where = "regions_from_modisco_fmt"
    width = _whole(where, region_width)
    letters, *scores = (_window(where, one, width) for one in (sequences, *attributions))
    mean = MeanRows(where, "attributions", scores, list(attributions))
    if letters.shape != mean.shape:
        got = f"sequences of shape {letters.shape} and attributions of shape {mean.shape}"
        raise problem(where, "attributions", got=got, need="one shape", do="pass those of the same sequences")
    table = _peaks_of(where, peaks, int(letters.shape[0]), width, chrom_order, sequences)
    return Regions(letters, mean, table, _notes([]))


def _window(where: str, path: Path, width: int) -> WindowRows:
    rows = NpyRows(where, path)
    if len(rows.shape) != 3 or rows.shape[1] != 4:
        got = f"shape {rows.shape} in {path}"
        raise problem(where, "path", got=got, need="(N, 4, L)", do="transpose it", kind=FormatError)
    return WindowRows(rows, centred(where, "region_width", os.fspath(path), rows.shape[2], width))


def write_regions(path: Path, regions: Regions, *, dtype: str = "float16", chunk: int = 512) -> pd.DataFrame:
    """Write regions as Fi-NeMo does, a few at a time.

    Parameters
    ----------
    path : path
        An npz file, written whole or not at all.
    regions : Regions
    dtype : {"float16", "float32"}
        Of the contributions; Fi-NeMo's is float16, which holds three digits of numbers from 6e-5 to 65504.
    chunk : int
        Regions at a time.

    Returns
    -------
    DataFrame
        The notes: padded regions, and regions with contributions that were no numbers and are 0 now.

    Warns
    -----
    NbinterpWarning
        When a region's contributions are too large or too small for 16 bits.
    """
    n, length = len(regions), regions.length
    shapes = {"sequences": (n, 4, length), "contributions": tuple(regions.contributions.shape)}
    dtypes = {"sequences": np.dtype(np.int8), "contributions": np.dtype(dtype)}
    rows = {"sequences": regions.sequences, "contributions": regions.contributions}
    lost: list[int] = []
    with writing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for name, source in rows.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                _header(stream, shapes[name], dtypes[name])
                for start in range(0, n, chunk):
                    part = source[start : min(start + chunk, n)]
                    if dtypes[name] == np.float16:
                        lost += (start + np.flatnonzero(_beyond_half(part))).tolist()
                    stream.write(np.ascontiguousarray(part, dtypes[name]).tobytes())
        if regions.peaks is not None:
            for column in PEAKS:
                with archive.open(f"{column}.npy", "w") as stream:
                    np.lib.format.write_array(stream, np.array(regions.peaks[column].tolist(), _DTYPES[column]))
    if lost:
        warnings.warn(
            f"write_regions: contributions of {len(lost)} regions (the first is {lost[0]}) are beyond 16 bits; "
            "pass dtype='float32'",
            NbinterpWarning,
            stacklevel=2,
        )
    missing = getattr(regions.contributions, "missing", {})
    names = regions.peaks["peak_name"] if regions.peaks is not None else None
    noted = [
        (i, "" if names is None else names[i], f"{count} contributions were no numbers and are 0")
        for i, count in sorted(missing.items())
    ]
    return pd.concat([regions.notes, _notes(noted)], ignore_index=True) if noted else regions.notes


def _header(stream: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)


def _beyond_half(part: np.ndarray) -> np.ndarray:
    """Regions whose largest contribution is not what 16 bits can hold."""
    largest = np.abs(part).reshape(len(part), -1).max(axis=1)
    return np.asarray((largest > 65504) | ((largest > 0) & (largest < 6e-5)))


def read_regions(path: Path) -> Regions:
    """Open a file of regions: Fi-NeMo's, or one of `write_regions`; rows are read as they are needed.

    Raises
    ------
    FormatError
        When it is no npz file, or lacks sequences or contributions.
    """
    where = "read_regions"
    sequences, contributions = (NpyRows(where, path, name) for name in ("sequences", "contributions"))
    n = sequences.shape[0]
    shapes = [(n, sequences.shape[2]), (n, 4, sequences.shape[2])] if len(sequences.shape) == 3 else []
    if contributions.shape not in shapes or sequences.shape[1] != 4:
        got = f"sequences of shape {sequences.shape} and contributions of shape {contributions.shape}"
        need = "(N, 4, L), and (N, L) or (N, 4, L)"
        raise problem(
            where, "path", got=f"{got} in {path}", need=need, do="extract the regions again", kind=FormatError
        )
    with np.load(path) as held:
        table = pd.DataFrame({name: held[name] for name in PEAKS}) if "chr" in held else None
    return Regions(sequences, contributions, table, _notes([]))
