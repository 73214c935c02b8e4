"""Products of two activations as a module, so that attribution rules can find them.

The product of two tensors that both depend on the sequence (attention scores, gates) is not linear; written as a module
it gets the exact rule for bilinear forms.
"""

from __future__ import annotations

import torch

__all__ = ["BilinearOp"]


class BilinearOp(torch.nn.Module):
    """A bilinear form of two tensors.

    Parameters
    ----------
    equation : str, optional
        ``None`` is ``torch.matmul``; ``"...,...->..."`` the elementwise product; anything else goes to
        ``torch.einsum``.

    Examples
    --------
    >>> a = torch.tensor([[1.0, 2.0]])
    >>> BilinearOp("...,...->...")(a, a).tolist()
    [[1.0, 4.0]]
    """

    def __init__(self, equation: str | None = None) -> None:
        super().__init__()
        self.equation = equation

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Combine `a` and `b`."""
        if self.equation is None:
            return torch.matmul(a, b)
        if self.equation.replace(" ", "") == "...,...->...":
            return a * b
        return torch.einsum(self.equation, a, b)

    def extra_repr(self) -> str:
        """Show the equation."""
        return repr(self.equation or "matmul")
