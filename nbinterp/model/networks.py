"""The field's profile networks, made of registered modules, to hold their checkpoints.

In: one-hot ``(N, 4, L)`` and, where trained with them, control tracks.  Out: (profile logits, log counts).
Sources: BPNet (Avsec et al. 2021, in the shape of bpnet-lite), ChromBPNet (Pampari et al. 2024), Cherimoya.
"""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["BPNet", "Cherimoya", "ChromBPNet"]


class BPNet(nn.Module):
    """A wide convolution, dilated residual convolutions, a profile head and a count head.

    Parameters
    ----------
    n_filters, n_layers : int
        Channels, and dilated layers (dilation 2, 4, ... 2**n_layers).
    n_outputs, n_control_tracks : int
        Profile channels, and control tracks taken as the second input (zeros when absent).
    n_count_outputs : int
        Columns of the count head.
    trimming : int, optional
        Positions cut off each end of the profile; ``47 + sum(2**i)`` by default.

    Examples
    --------
    >>> profile, counts = BPNet(n_filters=4, n_layers=2, n_outputs=2)(torch.zeros(1, 4, 200))
    >>> tuple(profile.shape), tuple(counts.shape)
    ((1, 2, 94), (1, 1))
    """

    def __init__(
        self,
        n_filters: int = 64,
        n_layers: int = 8,
        n_outputs: int = 2,
        n_control_tracks: int = 0,
        n_count_outputs: int = 1,
        trimming: int | None = None,
    ) -> None:
        super().__init__()
        self.n_control_tracks = n_control_tracks
        self.trimming = 47 + sum(2**i for i in range(1, n_layers + 1)) if trimming is None else trimming
        self.iconv = nn.Conv1d(4, n_filters, 21, padding=10)
        self.irelu = nn.ReLU()
        self.rconvs = nn.ModuleList(
            nn.Conv1d(n_filters, n_filters, 3, padding=2**i, dilation=2**i) for i in range(1, n_layers + 1)
        )
        self.rrelus = nn.ModuleList(nn.ReLU() for _ in range(n_layers))
        self.fconv = nn.Conv1d(n_filters + n_control_tracks, n_outputs, 75, padding=37)
        self.linear = nn.Linear(n_filters + (1 if n_control_tracks else 0), n_count_outputs)
        self.head_names = ["profile", "logcounts"]

    def forward(self, X: torch.Tensor, X_ctl: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Give profile logits ``(N, n_outputs, L - 2 * trimming)`` and log counts ``(N, n_count_outputs)``."""
        start, end = self.trimming, X.shape[2] - self.trimming
        h = self.irelu(self.iconv(X))
        for conv, relu in zip(self.rconvs, self.rrelus, strict=True):
            h = h + relu(conv(h))
        low, high = max(start - 37, 0), end + 37
        pooled = h[:, :, low:high].mean(dim=2)
        wide = h
        if self.n_control_tracks:
            control = X.new_zeros(X.shape[0], self.n_control_tracks, X.shape[2]) if X_ctl is None else X_ctl
            wide = torch.cat([h, control], dim=1)
            pooled = torch.cat([pooled, torch.log1p(control[:, :, low:high].sum(dim=(1, 2)))[:, None]], dim=1)
        return self.fconv(wide)[:, :, start:end], self.linear(pooled)


class Exp(nn.Module):
    """``exp`` as a module, so that attribution rules find it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Exponentiate."""
        return torch.exp(x)


class Log(nn.Module):
    """``log`` as a module, so that attribution rules find it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Take the natural logarithm."""
        return torch.log(x)


class ChromBPNet(nn.Module):
    """Accessibility and enzyme bias: logits add, counts add on the natural scale.

    Parameters
    ----------
    bias, accessibility : BPNet
        The bias model may give a longer profile, which is cropped to its centre.
    """

    def __init__(self, bias: BPNet, accessibility: BPNet) -> None:
        super().__init__()
        self.bias, self.accessibility = bias, accessibility
        self.exp_bias, self.exp_accessibility, self.log = Exp(), Exp(), Log()
        self.head_names = ["profile", "logcounts"]

    def forward(self, X: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Give (profile logits, log counts)."""
        profile, counts = self.accessibility(X)
        bias_profile, bias_counts = self.bias(X)
        extra = (bias_profile.shape[-1] - profile.shape[-1]) // 2
        bias_profile = bias_profile[:, :, extra : extra + profile.shape[-1]]
        return profile + bias_profile, self.log(self.exp_accessibility(counts) + self.exp_bias(bias_counts))


class _CherimoyaBlock(nn.Module):
    """Depthwise dilated convolution, normalisation over the whole plane, and a two-layer perceptron, with a residual."""

    def __init__(self, n_filters: int, dilation: int, expansion: int, residual_scale: float) -> None:
        super().__init__()
        self.conv_weight = nn.Parameter(torch.zeros(3, n_filters))
        self.linear1 = nn.Linear(n_filters, expansion * n_filters, bias=False)
        self.activation = nn.GELU(approximate="tanh")
        self.linear2 = nn.Linear(expansion * n_filters, n_filters, bias=False)
        self.dilation, self.residual_scale = dilation, residual_scale

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """(N, L, C) to (N, L, C)."""
        weight = self.conv_weight.T[:, None]
        conv = nn.functional.conv1d(
            h.transpose(1, 2), weight, padding=self.dilation, dilation=self.dilation, groups=h.shape[2]
        ).transpose(1, 2)
        normed = nn.functional.layer_norm(conv, conv.shape[1:], eps=1e-3)
        update: torch.Tensor = self.linear2(self.activation(self.linear1(normed)))
        return h + update * self.residual_scale


class Cherimoya(nn.Module):
    """The Cherimoya network.

    Parameters
    ----------
    n_filters, n_layers, expansion, residual_scale
        Of the body.
    signal_groups : sequence of int
        Strands in each group of signals; a profile channel for each strand, a count for each group.
    n_control_tracks : int
        Control tracks taken as the second input.
    trimming : int, optional
        Positions cut off each end; ``46 + sum(2**i)`` by default.
    """

    def __init__(
        self,
        n_filters: int = 128,
        n_layers: int = 9,
        signal_groups: tuple[int, ...] = (1,),
        n_control_tracks: int = 0,
        expansion: int = 2,
        residual_scale: float = 0.15,
        trimming: int | None = None,
    ) -> None:
        super().__init__()
        self.n_control_tracks, self.signal_groups = n_control_tracks, tuple(signal_groups)
        self.trimming = 46 + sum(2**i for i in range(n_layers)) if trimming is None else trimming
        self.iconv = nn.Conv1d(4, n_filters, 21, padding=10)
        self.activation = nn.GELU(approximate="tanh")
        self.blocks = nn.ModuleList(
            _CherimoyaBlock(n_filters, 2**i, expansion, residual_scale) for i in range(n_layers)
        )
        self.fconv = nn.Conv1d(n_filters + n_control_tracks, sum(self.signal_groups), 75, padding=37)
        self.linear = nn.Linear(n_filters + (1 if n_control_tracks else 0), len(self.signal_groups))
        self.head_names = ["profile", "logcounts"]

    def forward(self, X: torch.Tensor, X_ctl: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Give profile logits and log counts."""
        start, end = self.trimming, X.shape[2] - self.trimming
        h = self.activation(self.iconv(X)).transpose(1, 2)
        for block in self.blocks:
            h = block(h)
        h = h.transpose(1, 2)
        pooled, wide = h[:, :, start:end].mean(dim=2), h
        if self.n_control_tracks:
            control = X.new_zeros(X.shape[0], self.n_control_tracks, X.shape[2]) if X_ctl is None else X_ctl
            wide = torch.cat([h, control], dim=1)
            pooled = torch.cat([pooled, torch.log1p(control[:, :, start:end].sum(dim=(1, 2)))[:, None]], dim=1)
        return self.fconv(wide)[:, :, start:end], self.linear(pooled)
