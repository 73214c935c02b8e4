"""What every report reads first: the model, the output that is asked about, and sequences.

In: a checked record of parameters.  Out: `Explained`, the model alone; or `Inputs`, with the sequences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..core.cache import content_hash
from .parameters import ReportParameters

__all__ = ["Explained", "Inputs", "read_explained", "read_inputs"]


@dataclass(frozen=True)
class Explained:
    """The model that a report is about.

    Attributes
    ----------
    network : torch.nn.Module
        The whole model.
    model : torch.nn.Module
        The output that is asked about, ``(N, 4, L)`` to ``(N, 1)``.
    target : str
        Its name.
    length : int or None
        Of the sequences that it takes, where it says so.
    device : str or None
    key : str
        Changes with the model, the output and the sequences; what a step's result depends on.
    """

    network: Any
    model: Any
    target: str
    length: int | None
    device: str | None
    key: str

    @property
    def model_hash(self) -> str:
        """Of the network's structure and weights."""
        return content_hash(self.network)


@dataclass(frozen=True)
class Inputs(Explained):
    """The model and the sequences that a report is about.

    Attributes
    ----------
    X : compact container (N, 4, L)
        The sequences.
    names : list of str
    loci : DataFrame or None
    dropped : DataFrame
        What was not used, and why.
    truth : DataFrame or None
        Where motifs were planted, in the demo.
    """

    X: Any
    names: list[str]
    loci: pd.DataFrame | None
    dropped: pd.DataFrame
    truth: pd.DataFrame | None

    def __len__(self) -> int:
        return len(self.X)

    def __str__(self) -> str:
        dropped = f"; {len(self.dropped)} dropped" if len(self.dropped) else ""
        return f"{len(self.X)} sequences of {self.X.shape[-1]:,} bp{dropped}"


def read_explained(asked: ReportParameters) -> Explained:
    """Read the model, and choose the output that is asked about."""
    from .. import demo
    from ..model import load_model, target

    network = demo.load_model() if asked.demo else load_model(
        asked.model, weights=asked.weights or None, trust=asked.trust
    )  # fmt: skip
    head = int(asked.head) if asked.head.isdigit() else asked.head or None
    task = int(asked.task) if asked.task.lstrip("-").isdigit() else asked.task
    model = target(
        network, head=head, task=task, transform=asked.transform or None, reverse_complement=asked.reverse_complement
    )
    names = getattr(network, "task_names", None)
    name = asked.transform or (str(names[task]) if isinstance(task, int) and names else str(task))
    key = content_hash(network, (asked.head, asked.task, asked.transform, asked.reverse_complement))
    return Explained(network, model, name, getattr(network, "in_length", None), asked.device or None, key)


def read_inputs(asked: ReportParameters) -> Inputs:
    """Read the model, and the sequences.

    Examples
    --------
    >>> from nbinterp.report import check_parameters
    >>> print(read_inputs(check_parameters("attribution", {"demo": True, "n_demo": 3})))
    3 sequences of 400 bp
    """
    from ..sequence import read_sequences

    explained, truth = read_explained(asked), None
    if asked.demo:
        sequences, truth = _demo(asked)
    else:
        sequences = read_sequences(
            fasta=asked.fasta or None, loci=asked.loci or None, genome=asked.genome or None,
            in_window=asked.in_window or explained.length, summits=asked.summits,
            chroms=asked.chroms.split(",") if asked.chroms else None, n_loci=asked.n_loci or None, drop_unknown=True,
        )  # fmt: skip
    known = {**vars(explained), "key": content_hash(explained.key, sequences.X.data)}
    return Inputs(
        **known, X=sequences.X, names=sequences.names, loci=sequences.loci, dropped=sequences.dropped, truth=truth
    )


def _demo(asked: ReportParameters) -> tuple[Any, pd.DataFrame]:
    from .. import demo
    from ..sequence import PackedSequence, Sequences

    X, truth = demo.sequences(asked.n_demo, random_state=asked.random_state)
    dropped = pd.DataFrame(columns=["name", "chrom", "start", "end", "reason"])
    names = [f"demo_{i}" for i in range(asked.n_demo)]
    return Sequences(PackedSequence.from_one_hot(X), names, None, dropped), truth
