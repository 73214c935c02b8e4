"""What every report reads first: sequences, the model, and the output that is asked about.

In: a checked record of parameters.  Out: `Inputs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..core.cache import content_hash
from .parameters import ReportParameters

__all__ = ["Inputs", "read_inputs"]


@dataclass(frozen=True)
class Inputs:
    """What a report is about.

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
    network : torch.nn.Module
        The whole model.
    model : torch.nn.Module
        The output that is asked about, ``(N, 4, L)`` to ``(N, 1)``.
    target : str
        Its name.
    device : str or None
    key : str
        Changes with the model, the output or the sequences; what a step's result depends on.
    """

    X: Any
    names: list[str]
    loci: pd.DataFrame | None
    dropped: pd.DataFrame
    truth: pd.DataFrame | None
    network: Any
    model: Any
    target: str
    device: str | None
    key: str

    @property
    def model_hash(self) -> str:
        """Of the network's structure and weights."""
        return content_hash(self.network)

    def __len__(self) -> int:
        return len(self.X)

    def __str__(self) -> str:
        dropped = f"; {len(self.dropped)} dropped" if len(self.dropped) else ""
        return f"{len(self.X)} sequences of {self.X.shape[-1]:,} bp{dropped}"


def read_inputs(asked: ReportParameters) -> Inputs:
    """Read the model, the sequences and the output that is asked about.

    Examples
    --------
    >>> from nbinterp.report import check_parameters
    >>> print(read_inputs(check_parameters("attribution", {"demo": True, "n_demo": 3})))
    3 sequences of 400 bp
    """
    from ..model import load_model
    from ..sequence import read_sequences

    device = asked.device or None
    if asked.demo:
        network, sequences, truth = _demo(asked)
    else:
        network, truth = load_model(asked.model, weights=asked.weights or None, trust=asked.trust), None
        sequences = read_sequences(
            fasta=asked.fasta or None, loci=asked.loci or None, genome=asked.genome or None,
            in_window=asked.in_window or getattr(network, "in_length", None), summits=asked.summits,
            n_loci=asked.n_loci or None, drop_unknown=True,
        )  # fmt: skip
    model, name = read_target(network, asked)
    said = (asked.head, asked.task, asked.transform, asked.reverse_complement)
    key = content_hash(network, sequences.X.data, *said)
    return Inputs(
        sequences.X, sequences.names, sequences.loci, sequences.dropped, truth, network, model, name, device, key
    )


def _demo(asked: ReportParameters) -> tuple[Any, Any, pd.DataFrame]:
    from .. import demo
    from ..sequence import PackedSequence, Sequences

    X, truth = demo.sequences(asked.n_demo, random_state=asked.random_state)
    dropped = pd.DataFrame(columns=["name", "chrom", "start", "end", "reason"])
    names = [f"demo_{i}" for i in range(asked.n_demo)]
    return demo.load_model(), Sequences(PackedSequence.from_one_hot(X), names, None, dropped), truth


def read_target(network: Any, asked: ReportParameters) -> tuple[Any, str]:
    """The output that is asked about, and its name."""
    from ..model import target

    head = int(asked.head) if asked.head.isdigit() else asked.head or None
    task = int(asked.task) if asked.task.lstrip("-").isdigit() else asked.task
    chosen = target(
        network, head=head, task=task, transform=asked.transform or None, reverse_complement=asked.reverse_complement
    )
    names = getattr(network, "task_names", None)
    if asked.transform:
        return chosen, asked.transform
    return chosen, str(names[task]) if isinstance(task, int) and names else str(task)
