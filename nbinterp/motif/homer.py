"""The HOMER motif format, in and out.

In: text with a header ``>consensus<tab>name<tab>log-odds threshold...`` and one row of four probabilities a position.
Out: a `MotifSet`.  Source: HOMER's page on its motif files.
"""

from __future__ import annotations

import math
import os

import torch

from ..core.files import writing
from .motifset import MotifSet
from .score import motif_arrays, score_model
from .text import bad_file, check_names, from_counts, numbers, read_lines

__all__ = ["read_homer", "write_homer"]


def read_homer(filename: str | os.PathLike[str], *, dtype: torch.dtype = torch.float32) -> MotifSet:
    r"""Read motifs from a HOMER file.

    Parameters
    ----------
    filename : path
        Gzipped or not.
    dtype : torch.dtype
        Of the matrices.

    Returns
    -------
    MotifSet
        Named by the second field of the header (or the first, where it is the only one); the alternate name is the
        consensus.  HOMER's detection threshold is not kept: a scan's threshold is a p-value here.

    Raises
    ------
    FormatError
        Naming the line, when a row does not hold four probabilities, or a motif no row.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "m.motif"
    >>> _ = path.write_text(">GA\tGata/Homer\t6.0\n0.01\t0.01\t0.97\t0.01\n0.97\t0.01\t0.01\t0.01\n")
    >>> motifs = read_homer(path)
    >>> motifs.names, motifs.alternate, motifs.consensus(0)
    (('Gata/Homer',), ('GA',), 'GA')
    """
    where = "read_homer"
    lines = read_lines(where, filename, "a HOMER file")
    heads = [i for i, line in enumerate(lines) if line.startswith(">")]
    if not heads:
        raise bad_file(where, filename, "no line that begins with '>'", "a HOMER file")
    names, alternate, matrices = [], [], []
    for head, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        words = [word.strip() for word in lines[head][1:].split("\t")]
        name = words[1] if len(words) > 1 and words[1] else words[0]
        rows = []
        for i in range(head + 1, end):
            values = numbers(lines[i].split())
            if values is None or len(values) not in (0, 4):
                raise bad_file(where, filename, f"{lines[i].strip()!r} in line {i + 1}", "four probabilities")
            rows += [values] if values else []
        if not name or not rows:
            got = f"a motif without {'rows' if name else 'a name'} in line {head + 1}"
            raise bad_file(where, filename, got, "a header and rows of four probabilities")
        columns = [list(column) for column in zip(*rows, strict=True)]
        matrices.append(from_counts(where, filename, name, columns, dtype)[0])
        names.append(name)
        alternate.append(words[0] if name != words[0] else "")
    check_names(where, filename, names)
    return MotifSet(matrices, names, alternate=alternate, source=os.fspath(filename))


def write_homer(filename: str | os.PathLike[str], motifs: MotifSet, *, threshold: float = 0.0001) -> None:
    r"""Write motifs in HOMER's format.

    Parameters
    ----------
    filename : path
        Written whole or not at all.
    motifs : MotifSet
        Probabilities (4, w), rows ACGT; they are written with six decimals.
    threshold : float
        P-value under uniform letters; the score that it begins at becomes HOMER's detection threshold (natural
        log-odds).

    Notes
    -----
    The format: http://homer.ucsd.edu/homer/motif/creatingCustomMotifs.html.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "m.motif"
    >>> write_homer(path, MotifSet({"Gata": torch.eye(4)[:, [2, 0, 3, 0]]}), threshold=0.01)
    >>> path.read_text().splitlines()[0].split("\t")[:2]
    ['>GATA', 'Gata']
    """
    arrays = motif_arrays("write_homer", {name: motifs.pwm(name).double() for name in motifs})
    model = score_model(
        list(arrays.values()), bin_size=0.1, eps=1e-4, threshold=threshold, reverse_complement=False,
        background=(0.25, 0.25, 0.25, 0.25),
    )  # fmt: skip
    parts = []
    for (name, matrix), bits in zip(arrays.items(), model.threshold.tolist(), strict=True):
        rows = ["\t".join(f"{value:.6f}" for value in column) for column in matrix.T.tolist()]
        parts.append("\n".join([f">{motifs.consensus(name)}\t{name}\t{bits * math.log(2):.6f}", *rows]))
    with writing(filename) as temporary:
        temporary.write_text("\n".join(parts) + "\n")
