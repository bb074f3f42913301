"""The paper's network, nothing but modules; training is in :mod:`degnext.learning.training`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from degnext._common.errors import check_choice
from degnext.learning.sparse_max import conv_max

CHANNELS = ((1, 6, 12), (12, 24, 48), (48, 64, 102), (102, 164, 256))
_WIDTHS = (256, 120, 64, 32, 8)


class ConvPair(nn.Sequential):
    """Two 3×3 convolutions with one ReLU (the released code) or one each (the paper's text)."""

    gather = True  # False: train through torch's own layers, to compare with

    def __init__(self, n_in: int, n_mid: int, n_out: int, relu: str, pool: bool) -> None:
        widths = (n_in, n_mid), (n_mid, n_out)
        super().__init__(*(nn.Conv2d(*n, kernel_size=3, padding=1) for n in widths))
        self.relu_each, self.pool = relu == "conv", pool

    def forward(self, x: Tensor) -> Tensor:
        x = self[1](self._first(x))
        if self.pool and min(x.shape[-2:]) >= 2:  # a 1-pixel-high image cannot be halved
            x = nn.functional.max_pool2d(x, 2)
        return torch.relu(x)

    def largest(self, x: Tensor) -> Tensor:
        """Return each channel's largest value of ``forward(x)``, (B, n_out); to train, gathered."""
        on_cpu = x.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
        if not (self.gather and on_cpu and torch.is_grad_enabled()):
            return torch.amax(self.forward(x), dim=(2, 3))
        height, width = x.shape[-2:]
        # max pooling leaves out an odd last row or column
        if self.pool and min(height, width) >= 2:
            height, width = height // 2 * 2, width // 2 * 2
        largest = conv_max(self._first(x), self[1].weight, self[1].bias, (height, width))
        return torch.relu(largest)  # a ReLU keeps the order

    def _first(self, x: Tensor) -> Tensor:
        return torch.relu(self[0](x)) if self.relu_each else self[0](x)


class DEGnextCNN(nn.Module):
    """Eight convolutions in four pairs, global max pool, five linear layers, named as released.

    n_outputs : 3 for DR/UR/neutral, 1 for the two-class stage
    relu      : ``pair`` as in the released code, ``conv`` as in the paper's text
    squash    : ReLU and softmax before the loss sees the output (the released code; AUDIT 6)

    Input (B, 1, H, W) of any H and W, output (B, n_outputs).
    """

    def __init__(self, n_outputs: int = 3, relu: str = "pair", squash: bool = False) -> None:
        super().__init__()
        check_choice("relu", relu, ("pair", "conv"))
        for i, channels in enumerate(CHANNELS, start=1):
            self.add_module(f"ConvLayer{i}", ConvPair(*channels, relu=relu, pool=i == 4))
        for i, (n_in, n_out) in enumerate(zip(_WIDTHS, _WIDTHS[1:]), start=1):
            self.add_module(f"Lin{i}", nn.Sequential(nn.Linear(n_in, n_out), nn.ReLU()))
        self.Lin5 = nn.Linear(_WIDTHS[-1], n_outputs)
        self.squash = squash

    def forward(self, x: Tensor) -> Tensor:
        for i in range(1, 4):
            x = self.get_submodule(f"ConvLayer{i}")(x)  # (B, 12 | 48 | 102, H, W)
        x = self.ConvLayer4.largest(x)  # (B, 256)
        for i in range(1, 6):
            x = self.get_submodule(f"Lin{i}")(x)  # (B, 120 | 64 | 32 | 8 | n_outputs)
        return torch.softmax(torch.relu(x), dim=1) if self.squash else x

    def to_two_class(self) -> DEGnextCNN:
        """Replace the output by a fresh single logit, unsquashed (Experiment 2); return self."""
        self.Lin5 = nn.Linear(_WIDTHS[-1], 1)
        self.squash = False
        return self
