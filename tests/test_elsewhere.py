"""The second device of the tests: it computes, and it refuses what a GPU refuses."""

from __future__ import annotations

import pytest
import torch

from tests import elsewhere


@pytest.fixture(autouse=True)
def _device(second_device: str) -> None:
    if second_device != elsewhere.NAME:
        pytest.skip("of the simulated device")


def test_it_computes_and_says_where() -> None:
    x = torch.arange(6.0).reshape(2, 3).to(elsewhere.NAME)
    assert (x + 1).device.type == elsewhere.NAME
    assert torch.equal((x.T @ x).cpu(), x.cpu().T @ x.cpu())
    zeros = torch.zeros(3, device=elsewhere.NAME)
    zeros[1] = 5
    assert zeros.cpu().tolist() == [0, 5, 0]
    assert torch.equal(torch.eye(3, device=elsewhere.NAME).cpu(), torch.eye(3))
    assert torch.equal(torch.arange(1, 4, device=elsewhere.NAME).cpu(), torch.arange(1, 4))
    assert torch.tensor([1, 2], device=elsewhere.NAME).device.type == elsewhere.NAME


def test_gradients_flow() -> None:
    model = torch.nn.Sequential(torch.nn.Conv1d(4, 2, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(16, 1))
    X = torch.rand(3, 4, 10)
    here = torch.autograd.grad(model(X.requires_grad_()).sum(), X)[0]
    model.to(elsewhere.NAME)
    there = X.detach().to(elsewhere.NAME).requires_grad_()
    model(there).sum().backward()
    assert there.grad is not None
    assert there.grad.device.type == elsewhere.NAME
    torch.testing.assert_close(there.grad.cpu(), here)


def test_it_refuses_a_mixture() -> None:
    x = torch.ones(3, device=elsewhere.NAME)
    with pytest.raises(RuntimeError, match="same device"):
        x + torch.ones(3)
    with pytest.raises(RuntimeError, match="same device"):
        x[torch.tensor([True, False, True])] = torch.ones(2)
    with pytest.raises((RuntimeError, TypeError)):
        x.numpy()
    assert (x + 1).sum().item() == 6
