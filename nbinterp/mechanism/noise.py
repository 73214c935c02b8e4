"""How measurements scatter around what a surrogate predicts.

Three families: Gaussian, Cauchy, and the skewed t of Jones and Faddy, whose tails and skew are free.  The logarithm of each of
their parameters is a polynomial of the prediction, so that noise may grow with the signal.  The prediction is the mode.

In: predictions and measurements of the same scale.  Out: negative log likelihoods in nats, quantiles, means, samples.
Source: Tareen et al. 2022 (MAVE-NN); Jones and Faddy 2003.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..core.arrays import numpy_of
from ..core.check import check_choice
from ..errors import problem

__all__ = ["NOISES", "Noise", "log_likelihood_loss"]

NOISES = {"gaussian": ("sigma",), "cauchy": ("gamma",), "skewed_t": ("a", "b", "s")}
_LEAST_SHAPE = 0.01
_LOG_LIMIT = 20.0  # of a parameter's logarithm: polynomials leave every bound far from the data


def _logs(y_hat: torch.Tensor, coefficients: torch.Tensor) -> torch.Tensor:
    """Logarithms of the parameters, ``(n_parameters, N)``: Horner's rule, orders ascending in `coefficients`."""
    out = torch.zeros_like(y_hat) + coefficients[:, -1:]
    for k in range(coefficients.shape[1] - 2, -1, -1):
        out = out * y_hat + coefficients[:, k : k + 1]
    return out.clamp(-_LOG_LIMIT, _LOG_LIMIT)


def log_likelihood_loss(kind: str, y: torch.Tensor, y_hat: torch.Tensor, coefficients: torch.Tensor) -> torch.Tensor:
    """Negative log likelihood of each measurement, in nats.

    Parameters
    ----------
    kind : str
        gaussian, cauchy or skewed_t.
    y, y_hat : tensors (N,)
        Measurements and predictions.
    coefficients : tensor (n_parameters, order + 1)
        Polynomials of `y_hat`, the constant first.

    Returns
    -------
    tensor (N,)
        Differentiable.

    Examples
    --------
    >>> one = torch.zeros(1, dtype=torch.float64)
    >>> log_likelihood_loss("gaussian", one, one, one[None]).exp().pow(-2).mul(2).item()  # density 1 / sqrt(2 pi)
    0.318...
    """
    logs = _logs(y_hat, coefficients)
    if kind == "gaussian":
        return 0.5 * ((y - y_hat) * torch.exp(-logs[0])).square() + logs[0] + 0.5 * float(np.log(2 * np.pi))
    if kind == "cauchy":
        return torch.log1p(((y - y_hat) * torch.exp(-logs[0])).square()) + logs[0] + float(np.log(np.pi))
    a, b, s = logs[0].exp().clamp_min(_LEAST_SHAPE), logs[1].exp().clamp_min(_LEAST_SHAPE), logs[2].exp()
    return _skewed_t_loss((y - y_hat) / s, a, b) + logs[2]


def _skewed_t_loss(from_mode: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Of a standard variable, measured from its mode."""
    total = a + b
    t = from_mode + (a - b) * total.sqrt() / ((2 * a + 1).sqrt() * (2 * b + 1).sqrt())
    root = (total + t.square()).sqrt()
    # 1 - |t| / root, without the cancellation of far tails: total / (root (root + |t|))
    small = torch.log(total) - torch.log(root) - torch.log(root + t.abs())
    large = torch.log1p(t.abs() / root)
    plus, minus = torch.where(t >= 0, large, small), torch.where(t >= 0, small, large)
    constant = (total - 1) * float(np.log(2)) + 0.5 * torch.log(total)
    beta = torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(total)
    return constant + beta - (a + 0.5) * plus - (b + 0.5) * minus


@dataclass(frozen=True, eq=False)
class Noise:
    """A noise model with its parameters.

    Attributes
    ----------
    kind : str
        gaussian, cauchy or skewed_t.
    coefficients : float64 array (n_parameters, order + 1)
        Polynomials of the standardised prediction; logarithms of sigma, of gamma, or of a, b and s.
    center, scale : float
        What is subtracted from measurements and predictions, and what they are then divided by.

    Examples
    --------
    >>> noise = Noise("gaussian", np.log([[0.5]]))
    >>> noise.quantile([1.0], 0.5).tolist(), noise.std([1.0]).tolist()
    ([1.0], [0.5])
    """

    kind: str
    coefficients: np.ndarray
    center: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        check_choice("Noise", "kind", self.kind, NOISES)
        if np.ndim(self.coefficients) != 2 or len(self.coefficients) != len(NOISES[self.kind]):
            got, need = f"shape {np.shape(self.coefficients)}", f"shape ({len(NOISES[self.kind])}, order + 1)"
            raise problem("Noise", "coefficients", got=got, need=need, do=f"give {', '.join(NOISES[self.kind])}")

    def parameters(self, y_hat: Any) -> dict[str, np.ndarray]:
        """Parameters at each prediction, by name; widths are in the units of `y_hat`."""
        standard = self._standard(y_hat)
        logs = _logs(standard.reshape(-1), torch.as_tensor(self.coefficients)).exp().numpy()
        found = {name: log.reshape(standard.shape) for name, log in zip(NOISES[self.kind], logs, strict=True)}
        shapes = ("a", "b")
        return {k: np.maximum(v, _LEAST_SHAPE) if k in shapes else v * self.scale for k, v in found.items()}

    def loss(self, y: Any, y_hat: Any) -> np.ndarray:
        """Negative log density of each measurement, in nats."""
        measured, predicted = self._standard(y), self._standard(y_hat)
        coefficients = torch.as_tensor(self.coefficients)
        nats = log_likelihood_loss(self.kind, measured.reshape(-1), predicted.reshape(-1), coefficients)
        return np.asarray(nats.reshape(predicted.shape).numpy() + np.log(self.scale))

    def quantile(self, y_hat: Any, q: Any) -> np.ndarray:
        """Quantile `q` of the measurement at each prediction; `q` broadcasts against `y_hat`."""
        from scipy import special

        predicted, level = np.asarray(y_hat, np.float64), np.asarray(q, np.float64)
        if not ((level > 0) & (level < 1)).all():
            raise problem(
                "Noise.quantile", "q", got=q, need="between 0 and 1, both excluded", do="pass for example 0.975"
            )
        own = self.parameters(predicted)
        if self.kind == "gaussian":
            return np.asarray(predicted + own["sigma"] * special.ndtri(level))
        if self.kind == "cauchy":
            return np.asarray(predicted + own["gamma"] * np.tan(np.pi * (level - 0.5)))
        a, b, s = own["a"], own["b"], own["s"]
        x = special.betaincinv(a, b, level)
        t = (2 * x - 1) * np.sqrt(a + b) / (2 * np.sqrt(x * (1 - x)))
        return np.asarray(predicted + s * (t - _mode(a, b)))

    def mean(self, y_hat: Any) -> np.ndarray:
        """Expected measurement: the prediction itself, but for skewed noise; NaN where there is none."""
        predicted = np.asarray(y_hat, np.float64)
        if self.kind == "gaussian":
            return predicted.copy()
        if self.kind == "cauchy":
            return np.full_like(predicted, np.nan)
        own = self.parameters(predicted)
        return np.asarray(predicted + own["s"] * (_mean(own["a"], own["b"]) - _mode(own["a"], own["b"])))

    def std(self, y_hat: Any) -> np.ndarray:
        """Standard deviation of the measurement; infinite for Cauchy noise, and for a skewed t with a or b up to 1."""
        own = self.parameters(y_hat)
        if self.kind != "skewed_t":
            return own["sigma"] if self.kind == "gaussian" else np.full_like(own["gamma"], np.inf)
        a, b = own["a"], own["b"]
        with np.errstate(divide="ignore", invalid="ignore"):
            square = 0.25 * (a + b) * ((a - b) ** 2 + (a - 1) + (b - 1)) / ((a - 1) * (b - 1))
            spread = own["s"] * np.sqrt(square - _mean(a, b) ** 2)
        return np.where((a > 1) & (b > 1), spread, np.inf)

    def sample(self, y_hat: Any, random_state: int | None = None) -> np.ndarray:
        """One measurement a prediction."""
        predicted = np.asarray(y_hat, np.float64)
        u = np.random.RandomState(random_state).uniform(size=predicted.shape)
        return self.quantile(predicted, np.clip(u, 1e-12, 1 - 1e-12))

    def _standard(self, values: Any) -> torch.Tensor:
        return torch.as_tensor((numpy_of(values, np.float64) - self.center) / self.scale)


def _mode(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray((a - b) * np.sqrt(a + b) / (np.sqrt(2 * a + 1) * np.sqrt(2 * b + 1)))


def _mean(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    from scipy.special import gammaln

    least = np.maximum(np.minimum(a, b) - 0.5, np.finfo(float).tiny)  # there is a mean above 1/2 alone
    logs = gammaln(np.maximum(a - 0.5, least)) + gammaln(np.maximum(b - 0.5, least)) - gammaln(a) - gammaln(b)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = 0.5 * (a - b) * np.sqrt(a + b) * np.exp(logs)
    return np.where((a > 0.5) & (b > 0.5), mean, np.nan)
