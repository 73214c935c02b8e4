"""Ask a model what it is, by running it; assume nothing.

In: a model and, when it cannot be known otherwise, a length.  Out: a `ProbeReport`: shapes, determinism, independence of
rows, receptive field, strand symmetry, how it takes unknown bases, and its speed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch

from ..core.batches import on_device, resolve_device, resolve_dtype
from ..errors import ModelError, problem
from ..sequence import random_one_hot

__all__ = ["ProbeReport", "probe"]


@dataclass(frozen=True)
class ProbeReport:
    """What was seen; errors are relative to the spread of the outputs.

    Attributes
    ----------
    length : int
        Of the sequences it was probed with.
    outputs : tuple of tuples
        Shape of each output for one sequence.
    parameters : int
        How many weights.
    dtype, device : str
        Of the computation.
    deterministic : bool
        Two runs of the same batch agree.
    independent_rows : bool
        A row's output does not depend on the batch around it.
    gradient : bool
        A gradient reaches the sequence.
    receptive_field : tuple of int or None
        First and last position + 1 that some output has a gradient at.
    strand_error : float or None
        Mean absolute difference to the reverse complement's output, over the outputs' spread; None for profiles.
    unknown_base : float
        How far an all-unknown sequence is from the mean output, in spreads.
    rows_per_second : dict
        Batch size to speed.
    """

    length: int
    outputs: tuple[tuple[int, ...], ...]
    parameters: int
    dtype: str
    device: str
    deterministic: bool
    independent_rows: bool
    gradient: bool
    receptive_field: tuple[int, int] | None
    strand_error: float | None
    unknown_base: float
    rows_per_second: dict[int, float]

    def lines(self) -> list[tuple[str, str]]:
        """The report as (question, answer)."""
        shapes = ", ".join("(N" + "".join(f", {n}" for n in shape) + ")" for shape in self.outputs)
        field = "none found" if self.receptive_field is None else "[{}, {})".format(*self.receptive_field)
        speed = ", ".join(f"{v:.3g}/s at {k}" for k, v in self.rows_per_second.items())
        strand = "not applicable" if self.strand_error is None else f"{self.strand_error:.3g} of the spread"
        return [
            ("input", f"(N, 4, {self.length}), {self.dtype} on {self.device}"),
            ("output", shapes),
            ("weights", f"{self.parameters:,}"),
            ("deterministic", "yes" if self.deterministic else "NO: dropout or batch statistics are at work"),
            ("rows independent", "yes" if self.independent_rows else "NO: a row's output depends on its batch"),
            ("gradient reaches the sequence", "yes" if self.gradient else "no: use mutagenesis"),
            ("positions that matter", field),
            ("difference between strands", strand),
            ("all-unknown sequence", f"{self.unknown_base:.3g} spreads from the mean"),
            ("speed", speed),
        ]

    def __str__(self) -> str:
        width = max(len(key) for key, _ in self.lines())
        return "\n".join(f"{key:<{width}}  {value}" for key, value in self.lines())

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{key}</th><td>{value}</td></tr>" for key, value in self.lines())
        return f'<table class="nbi-facts">{rows}</table>'


def probe(
    model: Any,
    length: int | None = None,
    *,
    n: int = 8,
    batch_sizes: tuple[int, ...] = (1, 8),
    device: torch.device | str | None = None,
    random_state: int = 0,
) -> ProbeReport:
    """Run a model on random sequences and report what it does.

    Parameters
    ----------
    model : callable
        Takes one-hot ``(N, 4, L)``.
    length : int, optional
        Length of the sequences; ``model.in_length`` when it has one.
    n : int
        How many sequences.
    batch_sizes : tuple of int
        At which to measure speed.
    device : optional
        As in `predict`.
    random_state : int
        Seed of the sequences.

    Raises
    ------
    NbinterpError
        When the length is not known and not given.
    ModelError
        When the model cannot be run on it, or gives no tensors.

    Examples
    --------
    >>> report = probe(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(40, 2)), length=10)
    >>> report.outputs, report.deterministic, report.receptive_field
    (((2,),), True, (0, 10))
    """
    length = length or getattr(model, "in_length", None)
    if not isinstance(length, int):
        raise problem("probe", "length", got=repr(length), need="the sequences' length", do="pass length=")
    device, dtype = resolve_device(device, model), resolve_dtype(None, model)
    codes = random_one_hot((n, 4, length), random_state=random_state)
    assert isinstance(codes, torch.Tensor)
    X = codes.to(device=device, dtype=dtype)
    with on_device(model, device):
        with torch.no_grad():
            first = _outputs(model, X)
            again, alone = _outputs(model, X), _outputs(model, X[:1])
            flipped = _outputs(model, X.flip(1, 2))
            unknown = _outputs(model, torch.zeros_like(X[:1]))
        gradient = _gradient(model, X)
        speed = {size: _speed(model, X, size) for size in batch_sizes}
    y = first[0].double()
    spread = max(float(y.std()), 1e-12)
    symmetric = y.ndim == 2
    return ProbeReport(
        length=length,
        outputs=tuple(tuple(one.shape[1:]) for one in first),
        parameters=sum(p.numel() for p in model.parameters()) if isinstance(model, torch.nn.Module) else 0,
        dtype=str(dtype).removeprefix("torch."),
        device=str(device),
        deterministic=all(torch.equal(a, b) for a, b in zip(first, again, strict=True)),
        independent_rows=all(_close(a[:1], b) for a, b in zip(first, alone, strict=True)),
        gradient=gradient is not None,
        receptive_field=gradient,
        strand_error=float((flipped[0].double() - y).abs().mean()) / spread if symmetric else None,
        unknown_base=float((unknown[0].double() - y.mean(dim=0, keepdim=True)).abs().mean()) / spread,
        rows_per_second=speed,
    )


def _outputs(model: Any, X: torch.Tensor) -> list[torch.Tensor]:
    try:
        y = model(X)
    except RuntimeError as error:
        raise problem(
            "probe", "model", got=f"an error on {tuple(X.shape)} ({str(error).splitlines()[0]})",
            need="a model of one-hot (N, 4, L)", do="pass another length, or adapt() its layout", kind=ModelError,
        ) from error  # fmt: skip
    flat = list(y.values()) if isinstance(y, dict) else list(y) if isinstance(y, (list, tuple)) else [y]
    if not all(isinstance(one, torch.Tensor) and one.ndim >= 1 and one.shape[0] == X.shape[0] for one in flat):
        kinds = ", ".join(type(one).__name__ for one in flat)
        raise problem(
            "probe", "model", got=f"outputs {kinds}", need="tensors with a row each", do="wrap it", kind=ModelError
        )
    return flat


def _close(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.allclose(a, b, rtol=1e-3, atol=1e-4 * float(a.abs().max() + 1e-12))


def _gradient(model: Any, X: torch.Tensor) -> tuple[int, int] | None:
    """The span of positions with a gradient, over all rows, outputs and bases."""
    leaf = X.clone().requires_grad_()
    with torch.enable_grad():
        outputs = [one.sum() for one in _outputs(model, leaf) if one.requires_grad]
        if not outputs:
            return None
        (grad,) = torch.autograd.grad(torch.stack(outputs).sum(), leaf, allow_unused=True, materialize_grads=True)
    moved = torch.nonzero(grad.abs().sum(dim=(0, 1)) > 0)[:, 0]
    return (int(moved[0]), int(moved[-1]) + 1) if len(moved) else None


def _speed(model: Any, X: torch.Tensor, size: int) -> float:
    batch = X[:1].repeat(size, 1, 1)
    with torch.no_grad():
        model(batch)
        start = time.perf_counter()
        model(batch)
        if X.is_cuda:
            torch.cuda.synchronize()
    return size / (time.perf_counter() - start)
