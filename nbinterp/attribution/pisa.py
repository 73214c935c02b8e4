"""Which input base moves which output position: DeepLIFT/SHAP of every output.

In: a model with T outputs and N sequences.  Out: scores ``(N, T, 4, L)``.  The sequence is run forward once, its
references once; then the outputs are gone through in blocks, each block being one backward pass of batched
vector-Jacobian products over the references.

Sources: PISA, McAnany et al. 2025 (bioRxiv 2025.04.07.647613); DeepSHAP, Lundberg and Lee 2017.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import torch

from ..core.batches import autocast, n_rows, on_device, resolve_device, resolve_dtype, run_batches, take_rows
from ..core.results import AttributionReferencesResult
from ..errors import NbinterpWarning, problem
from ..model.predict import check_inputs
from ..sequence import dinucleotide_shuffle
from .deep_lift_shap import check_rules, check_sequences
from .deep_lift_shap_run import complaints, forward, hypothetical_scores
from .engine import Pairing, Tracer, UserRule, frozen
from .operations import HANDLERS, LINEAR
from .references import ReferenceMaker

__all__ = ["pisa"]

_WHERE: Final = "pisa"
_CALLER: Final = 6  # frames from a warning in a step up to the caller of pisa


def pisa(
    model: Any,
    X: Any,
    args: Sequence[torch.Tensor] | None = None,
    batch_size: int = 32,
    references: Any = dinucleotide_shuffle,
    n_shuffles: int = 20,
    return_references: bool = False,
    hypothetical: bool = False,
    warning_threshold: float = 0.001,
    additional_nonlinear_ops: Mapping[type, UserRule] | None = None,
    print_convergence_deltas: bool = False,
    raw_outputs: bool = False,
    device: torch.device | str | None = None,
    random_state: int | None = None,
    verbose: bool = False,
    *,
    outputs: Sequence[int] | None = None,
    dtype: torch.dtype | str | None = None,
) -> Any:
    """Attribute every output of a model to bases, against references.

    For a model of profiles this is pairwise: entry ``[n, t, :, l]`` is what the base at input position l does for output
    position t.  Over the bases, the scores of an output add up to the difference between its prediction for the sequence
    and the mean of those for the references.

    Parameters
    ----------
    model : callable
        Takes ``(X, *args)`` and gives ``(N, T)``; further axes of length 1 are dropped.
    X : one-hot (N, 4, L) or compact container
        Without unknown bases.
    args : sequence of tensors, optional
        Further inputs, which have no references.
    batch_size : int
        Rows of gradient at a time, a row being a reference of one output, and rows of references in a forward pass.
        It bounds the memory, beside the result itself, and is halved when the device runs out of it.  Results do not
        depend on it.  With R references ``batch_size // R`` outputs share a backward pass, so that on a GPU some
        hundreds are quickest.
    references : callable, tensor (N, R, 4, L) or compact container
        Called as ``references(X[i:i+1], n=R, random_state=random_state)``; unknown bases are allowed.
    n_shuffles : int
        R, for a callable.
    return_references : bool
        Give the references too.
    hypothetical : bool
        Score all four bases of each position, not only the one that is there.
    warning_threshold : float
        Warn when the scores of an output and a reference miss the difference in prediction by more.
    additional_nonlinear_ops : dict, optional
        As in `deep_lift_shap`.  With rules of one's own, outputs are gone through one at a time.
    print_convergence_deltas : bool
        Report the deltas of each step as a warning.
    raw_outputs : bool
        Give the multipliers of each reference, ``(N, R, T, 4, L)``.
    device : str or torch.device, optional
        As in `predict`.
    random_state : int, optional
        Seed, the same for every sequence.
    verbose : bool
        Show a progress bar.
    outputs : sequence of int, optional
        The outputs to attribute; all by default.
    dtype : torch.dtype or str, optional
        Of the computation; that of the model's first parameter by default.

    Returns
    -------
    torch.Tensor, shape (N, T, 4, L); or `AttributionReferencesResult`
        On the CPU.

    Raises
    ------
    ModelError
        When an operation has no rule (it is named, with its module), or the output has other axes than ``(N, T)``.
    NbinterpError
        When `X` or `references` is not one-hot.
    Interrupted
        On a keyboard interrupt, with what was finished.

    Warns
    -----
    RuntimeWarning
        When scores do not add up; `diagnose` names the operation at fault.

    Notes
    -----
    The references are not those of `deep_lift_shap` with the same seed: here all of a sequence are drawn in one call,
    as tangermeme does in either function.

    Examples
    --------
    >>> from nbinterp import random_one_hot
    >>> model = torch.nn.Sequential(torch.nn.Conv1d(4, 1, 3), torch.nn.ReLU(), torch.nn.Flatten())
    >>> X = random_one_hot((2, 4, 10), random_state=0)
    >>> tuple(pisa(model, X, n_shuffles=3, random_state=0).shape)
    (2, 8, 4, 10)
    """
    extra = check_inputs(_WHERE, X, args)
    check_sequences(_WHERE, X)
    rules = dict(additional_nonlinear_ops or {})
    check_rules(_WHERE, model, rules)
    maker = ReferenceMaker(_WHERE, X, references, n_shuffles, random_state, at_once=True)
    on, of = resolve_device(device, model), resolve_dtype(dtype, model)
    run = _Run(
        model, X, extra, maker, None if outputs is None else _columns(outputs), batch_size, hypothetical, raw_outputs,
        return_references, warning_threshold, print_convergence_deltas, rules, on, of,
    )  # fmt: skip
    with on_device(model, on):
        run_batches(
            n_rows(X), min(batch_size, max(1, batch_size // maker.n)), run.step, desc=_WHERE, verbose=verbose,
            partial=lambda _: run.result(),
        )  # fmt: skip
    return run.result()


def _columns(outputs: Any) -> list[int]:
    columns = list(outputs) if hasattr(outputs, "__iter__") else []
    if not columns or not all(isinstance(one, (int, np.integer)) for one in columns):
        raise problem(
            _WHERE, "outputs", got=repr(outputs), need="column numbers", do="pass for example outputs=range(100, 200)"
        )
    return [int(one) for one in columns]


@dataclass
class _Run:
    """One call: what each step needs, and what was finished."""

    model: Any
    X: Any
    extra: tuple[torch.Tensor, ...]
    maker: ReferenceMaker
    outputs: list[int] | None
    rows: int
    hypothetical: bool
    raw: bool
    keep_references: bool
    threshold: float
    report_deltas: bool
    rules: dict[type, UserRule]
    device: torch.device
    dtype: torch.dtype
    scores: list[torch.Tensor] = field(default_factory=list)
    references: list[torch.Tensor] = field(default_factory=list)

    def step(self, start: int, end: int) -> None:
        """Attribute the outputs of sequences ``[start, end)``; one that does not fit the memory takes fewer rows."""
        references = self.maker.rows(start, end, self.device, self.dtype)
        while True:
            try:
                scores = self._attribute(start, end, references)
                break
            except torch.OutOfMemoryError:
                if end - start > 1 or self.rows == 1:
                    raise
                self.rows //= 2
        self.scores.append(scores)
        if self.keep_references:
            self.references.append(references.cpu())

    def _attribute(self, start: int, end: int, references: torch.Tensor) -> torch.Tensor:
        """Scores (n, T, 4, L), or multipliers (n, R, T, 4, L), on the CPU."""
        X, *args = (take_rows(a, start, end, device=self.device, dtype=self.dtype) for a in (self.X, *self.extra))
        tracer, deltas = Tracer(HANDLERS, LINEAR, asked_by=_WHERE), []
        n, R, span = len(X), self.maker.n, max(1, self.rows // len(X))
        with frozen(self.model, tracer, self.rules), autocast(self.device, self.dtype):
            y_x = forward(tracer, self.model, X.clone(), args, self.outputs).detach()
            T = y_x.shape[1]
            made = torch.zeros((n, R, T, *X.shape[1:]) if self.raw else (n, T, *X.shape[1:]), dtype=self.dtype)
            for j in range(0, R, span):
                r = references[:, j : j + span]
                rows, k = r.flatten(0, 1).clone(), r.shape[1]
                tracer.second_pass(Pairing(n, k, _WHERE))
                y_r = forward(tracer, self.model, rows, [a.repeat_interleave(k, dim=0) for a in args], self.outputs)
                differences = y_x[:, None] - y_r.detach().unflatten(0, (n, k))
                for at, grads in self._blocks(y_r, rows):
                    m = grads.unflatten(1, (n, k)).movedim(0, 2)  # (n, k, outputs of the block, 4, L)
                    summed = ((X[:, None] - r).unsqueeze(2) * m).sum(dim=(-2, -1))
                    deltas.append((differences[:, :, at] - summed).abs())
                    if self.raw:
                        made[:, j : j + k, at] = m.cpu()
                    else:
                        made[:, at] += hypothetical_scores(m, r.unsqueeze(2)).sum(dim=1).cpu()
        self._check(deltas)
        if self.raw:
            return made
        made /= R
        return made if self.hypothetical else made * X.cpu().unsqueeze(1)

    def _blocks(self, y: torch.Tensor, rows: torch.Tensor) -> Iterator[tuple[slice, torch.Tensor]]:
        """The gradients of blocks of outputs at all rows, (outputs, rows, 4, L)."""
        T = y.shape[1]
        size = 1 if self.rules else max(1, self.rows // len(rows))  # the user's rules are not written for batches
        unit = torch.eye(T, dtype=y.dtype, device=y.device)

        def pull(weights: torch.Tensor) -> torch.Tensor:
            return torch.autograd.grad(y, rows, weights.expand_as(y), retain_graph=True)[0]

        for t in range(0, T, size):
            at = slice(t, t + size)
            chosen = unit[at]
            yield at, pull(chosen[0])[None] if len(chosen) == 1 else torch.vmap(pull)(chosen)

    def _check(self, deltas: list[torch.Tensor]) -> None:
        """Warn when scores do not add up to the difference in prediction."""
        if self.report_deltas:
            listed = [delta for block in deltas for delta in block.flatten().tolist()]
            warnings.warn(f"convergence deltas: {listed}", NbinterpWarning, stacklevel=_CALLER)
        worst = torch.stack([block.max() for block in deltas]).max()
        for message in complaints(float(worst), self.threshold):
            warnings.warn(message, RuntimeWarning, stacklevel=_CALLER)

    def result(self) -> Any:
        """What is finished, in the shape that was asked for."""
        if not self.scores:
            return None
        scores = torch.cat(self.scores)
        return AttributionReferencesResult(scores, torch.cat(self.references)) if self.keep_references else scores
