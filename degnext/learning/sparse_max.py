"""A convolution of which only the largest value per channel is kept, and its backward pass.

The paper's network ends its convolutions by a global maximum: of 164 → 256 channels over a whole
image, one pixel per output channel gets a gradient. A library that sees two separate layers
multiplies all the zeros; here the 256 patches that won are gathered. The numbers are the same;
benchmarks/bench_network.py says how much faster a training step is.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def conv_max(x: Tensor, weight: Tensor, bias: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the largest value per channel (B, n_out) of a 3×3 convolution of x (B, n_in, H, W).

    x is padded by one pixel, and the first ``size`` rows and columns of the output are looked at.
    Differentiable once, in x, weight and bias. Of pixels with equal values one gets the whole
    gradient (``torch.amax`` would share it out).
    """
    right, below = size[1] + 1 - x.shape[3], size[0] + 1 - x.shape[2]
    return _ConvMax.apply(F.pad(x, (1, right, 1, below)), weight, bias)


class _ConvMax(torch.autograd.Function):
    """The largest value per channel of an unpadded 3×3 convolution of x (B, n_in, H + 2, W + 2)."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        y = F.conv2d(x, weight, bias)
        width = y.shape[3]
        value, at = y.permute(0, 2, 3, 1).flatten(1, 2).max(1)  # (B, n_out): which pixel won
        corner = (at // width) * x.shape[3] + at % width  # of its patch, in the padded image
        ctx.save_for_backward(x, weight, corner)
        return value

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, weight, corner = ctx.saved_tensors
        (n, n_in, height, width), n_out = x.shape, weight.shape[0]
        pixels = x.permute(0, 2, 3, 1).reshape(-1, n_in)
        corner = corner + torch.arange(n)[:, None] * (height * width)
        patch = torch.tensor([i * width + j for i in range(3) for j in range(3)])
        # weights: each of the n_out × 9 rows is a sum over the n genes
        index = (corner.t()[:, None, :] + patch[:, None]).flatten()
        share = grad.t()[:, None, :].expand(n_out, 9, n).flatten()
        by_weight = _sums(pixels, index, torch.arange(n_out * 9) * n, share)
        # pixels: each is a sum over the weights of the patches that it lies in
        live = grad.flatten().nonzero()[:, 0]  # channels that the ReLU has silenced are left out
        lies_in = (corner.flatten()[live, None] + patch).flatten()
        order = torch.argsort(lies_in.int(), stable=True)
        rows = ((live % n_out)[:, None] * 9 + torch.arange(9)).flatten()[order]
        first = torch.searchsorted(lies_in[order], torch.arange(len(pixels)))
        taps = weight.permute(0, 2, 3, 1).reshape(n_out * 9, n_in)
        by_pixel = _sums(taps, rows, first, grad.flatten()[live].repeat_interleave(9)[order])
        return (
            by_pixel.view(n, height, width, n_in).permute(0, 3, 1, 2),
            by_weight.view(n_out, 3, 3, n_in).permute(0, 3, 1, 2),
            grad.sum(0),
        )


def _sums(table: Tensor, index: Tensor, first: Tensor, share: Tensor) -> Tensor:
    """Return sums of rows of ``table`` times shares, the k-th over index[first[k]:first[k + 1]]."""
    return F.embedding_bag(index, table, first, mode="sum", per_sample_weights=share)
