"""Which operation of a model keeps its attributions from adding up, and by how much.

In: a model and a few sequences.  Out: every operation that DeepLIFT has no rule for, where it is, its share of the gap
between summed scores and the difference in prediction, and the way out; and what tools with rules for modules alone
would take as linear without a word.

An operation that maps a to b and passes the gradient g back as h leaves ``<g, b_x - b_r> - <h, a_x - a_r>`` unexplained.
Summed over all operations this is the whole gap, by the chain rule, so shares are exact and need no bisection.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
import torch

from ..core.batches import autocast, on_device, resolve_device, resolve_dtype, take_rows
from ..errors import ModelError, problem
from ..model.predict import call_model, check_inputs
from ..sequence import dinucleotide_shuffle
from .deep_lift_shap_run import choose_columns
from .diagnose_watch import Watcher
from .engine import Pairing, Tensor, UserRule, frozen, module_label
from .operations import HANDLERS, LINEAR
from .references import ReferenceMaker

__all__ = ["Diagnosis", "diagnose"]

ROWS: Final = 4  # sequences looked at
NOISE: Final = 1e-3  # relative deltas below this are rounding


@dataclass(frozen=True)
class Diagnosis:
    """What keeps scores from adding up.

    Attributes
    ----------
    findings : DataFrame
        ``operation, where, problem, share, remedy``: what has no rule here.  `share` is the part of the delta that the
        operation makes (parts add up to 1, and one may be negative), NaN where it cannot be measured.
    elsewhere : DataFrame
        ``operation, where, problem, tools, remedy``: what has its rule here, but which tools that know rules for modules
        alone take as linear, or refuse.
    delta : float
        Mean over pairs of the gap between summed scores and the difference in prediction, with derivatives where
        there is no rule.
    relative_delta : float
        The same, over the mean absolute difference in prediction.
    """

    findings: pd.DataFrame
    elsewhere: pd.DataFrame
    delta: float
    relative_delta: float

    @property
    def complete(self) -> bool:
        """Whether scores add up and nothing is without a rule."""
        return not len(self.findings) and self.relative_delta < NOISE

    def _headline(self) -> str:
        size = f"delta {self.delta:.3g}, {self.relative_delta:.2%} of the differences in prediction"
        if self.complete:
            return f"Scores add up ({size})."
        if not len(self.findings):
            return f"Scores do not add up ({size}), though every operation has a rule."
        return f"{len(self.findings)} operation(s) without a rule ({size})."

    def __str__(self) -> str:
        lines = [self._headline()]
        for operation, where, what, share, remedy in self.findings.to_numpy():
            part = "share unknown" if math.isnan(share) else f"{share:.0%} of the delta"
            lines += [f"- {operation} at {where}: {what} ({part}).", f"  {remedy}"]
        if len(self.elsewhere):
            lines.append("Handled here; tools with rules for modules alone differ:")
        for operation, where, what, tools, _ in self.elsewhere.to_numpy():
            lines.append(f"- {operation} at {where}: {what} ({tools}).")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts = [f"<p><b>{self._headline()}</b></p>"]
        if len(self.findings):
            parts.append(self.findings.to_html(index=False, float_format=lambda v: f"{v:.0%}", na_rep="?"))
        if len(self.elsewhere):
            parts.append("<p>Handled here; tools with rules for modules alone differ:</p>")
            parts.append(self.elsewhere.to_html(index=False))
        return "\n".join(parts)


def diagnose(
    model: Any,
    X: Any,
    args: Sequence[torch.Tensor] | None = None,
    target: int = 0,
    references: Any = dinucleotide_shuffle,
    n_shuffles: int = 5,
    additional_nonlinear_ops: Mapping[type, UserRule] | None = None,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    random_state: int | None = 0,
) -> Diagnosis:
    """Name what keeps a model's DeepLIFT/SHAP scores from adding up.

    Parameters
    ----------
    model, X, args, target, references, n_shuffles, additional_nonlinear_ops, dtype, device, random_state
        As in `deep_lift_shap`; the first four sequences are used.

    Returns
    -------
    Diagnosis
        Prints as text, shows as tables in a notebook.

    Raises
    ------
    ModelError
        When the output has no such column, or does not depend on X.

    Examples
    --------
    >>> class Multiplies(torch.nn.Module):
    ...     def forward(self, X):
    ...         return X[:, 0].cumsum(dim=-1).cumprod(dim=-1).sum(dim=-1, keepdim=True)
    >>> from nbinterp import random_one_hot
    >>> found = diagnose(Multiplies(), random_one_hot((2, 4, 10), random_state=0))
    >>> found.findings[["operation", "share"]].values.tolist()
    [['cumprod', 1.0]]
    """
    extra = check_inputs("diagnose", X, args)
    device, dtype = resolve_device(device, model), resolve_dtype(dtype, model)
    n = min(ROWS, int(X.shape[0]))
    maker = ReferenceMaker("diagnose", X, references, n_shuffles, random_state)
    rows = take_rows(X, 0, n, device=device, dtype=dtype)
    more = [take_rows(one, 0, n, device=device, dtype=dtype) for one in extra]
    rules = dict(additional_nonlinear_ops or {})
    watcher = Watcher(HANDLERS, LINEAR, strict=False, known=_by_label(model))
    idle = _left_training(model)
    with on_device(model, device), frozen(model, watcher, rules), autocast(device, dtype):
        delta, relative = _measure(watcher, model, rows, maker.rows(0, n, device, dtype), more, target)
    columns = ["operation", "where", "problem"]
    findings = [[f.operation, f.where, f.problem, f.share, f.remedy] for f in watcher.faults]
    return Diagnosis(
        pd.DataFrame(findings, columns=[*columns, "share", "remedy"]).sort_values(
            "share", ascending=False, key=abs, ignore_index=True
        ),
        pd.DataFrame([*watcher.differs, *idle], columns=[*columns, "tools", "remedy"]),
        delta,
        relative,
    )


def _by_label(model: Any) -> dict[str, torch.nn.Module]:
    """Modules by the label under which the tracer knows them."""
    if not isinstance(model, torch.nn.Module):
        return {}
    return {module_label(path, module): module for path, module in model.named_modules()}


def _left_training(model: Any) -> list[tuple[str, ...]]:
    """Modules that behave differently in training, and were left there."""
    if not isinstance(model, torch.nn.Module):
        return []
    kinds = (torch.nn.modules.batchnorm._BatchNorm, torch.nn.modules.dropout._DropoutNd, torch.nn.RReLU)
    return [
        (
            type(module).__name__,
            module_label(path, module),
            "left in training mode, where rows depend on each other or on chance; nbinterp evaluates it and puts it back",
            "captum",
            "call model.eval()",
        )
        for path, module in model.named_modules()
        if module.training and isinstance(module, kinds)
    ]


def _measure(
    watcher: Watcher, model: Any, X: Tensor, references: Tensor, args: list[Tensor], target: int
) -> tuple[float, float]:
    """Run both passes, then weigh each finding; give the delta, absolute and relative."""
    n, k = references.shape[:2]
    try:
        with watcher.passing():
            y_x = _forward(watcher, model, X.clone(), args, target).detach()
        watcher.second_pass(Pairing(n, k))
        rows = references.flatten(0, 1).clone()
        with watcher.passing():
            y_r = _forward(watcher, model, rows, [one.repeat_interleave(k, dim=0) for one in args], target)
        if not y_r.requires_grad:
            raise problem(
                "diagnose", "model", got="an output that does not depend on X", need="one that does",
                do="check the model for detach() or no_grad()", kind=ModelError,
            )  # fmt: skip
        (m,) = torch.autograd.grad(y_r.sum(), rows, retain_graph=True)
        differences = y_x.repeat_interleave(k) - y_r.detach()
        gaps = differences - ((X.repeat_interleave(k, dim=0) - rows.detach()) * m).sum(dim=(-2, -1))
        total = float(gaps.abs().sum())
        if watcher.faults and total > 0:
            watcher.weight = 1 / total
            torch.autograd.grad(y_r, rows, gaps.sign())
    except ModelError as error:
        if not str(error).startswith("deep_lift_shap"):  # the door's own errors are not findings
            raise
        watcher.halted(error)
        return float("nan"), float("nan")
    return total / (n * k), total / max(float(differences.abs().sum()), 1e-12)


def _forward(watcher: Watcher, model: Any, X: Tensor, args: list[Tensor], target: int) -> Tensor:
    with torch.enable_grad():
        X.requires_grad_()
        with watcher:
            y = call_model("diagnose", model, X, *args)
    return choose_columns("diagnose", y, [target])[:, 0]
