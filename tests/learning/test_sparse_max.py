"""degnext.learning.sparse_max: the gradients of the separate layers, one after another."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from degnext.learning import network as model
from degnext.learning.network import DEGnextCNN
from degnext.learning.sparse_max import conv_max

SIZES = [(1, 2), (1, 3), (2, 2), (2, 3), (5, 9), (9, 5), (11, 16), (14, 31)]


def dense(x, weight, bias, pool):
    y = F.conv2d(x, weight, bias, padding=1)
    return (F.max_pool2d(y, 2) if pool else y).amax((2, 3))


def random(h, w, n=6, n_in=5, n_out=7):
    generator = torch.Generator().manual_seed(h * 100 + w)
    return [
        torch.randn(*shape, generator=generator, dtype=torch.double).requires_grad_()
        for shape in ((n, n_in, h, w), (n_out, n_in, 3, 3), (n_out,))
    ]


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", SIZES)
def test_values_and_gradients_are_those_of_the_layers(size, memory):
    x, weight, bias = random(*size)
    pool = min(size) >= 2
    seen = tuple(s // 2 * 2 for s in size) if pool else size
    out, expected = (
        conv_max(x.contiguous(memory_format=memory), weight, bias, seen),
        dense(x, weight, bias, pool),
    )
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-12)
    grad = torch.randn(out.shape, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    grad[:, ::2] *= (
        torch.rand(out[:, ::2].shape, generator=torch.Generator().manual_seed(1)) < 0.5
    )  # some channels are silent
    for ours, theirs in zip(
        torch.autograd.grad(out, (x, weight, bias), grad),
        torch.autograd.grad(expected, (x, weight, bias), grad),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_numerical_derivatives_agree():
    x, weight, bias = random(4, 5, n=2, n_in=2, n_out=3)
    assert torch.autograd.gradcheck(lambda *a: conv_max(*a, (4, 4)), (x, weight, bias))


def test_no_gene_gets_a_gradient_where_every_channel_is_silent():
    x, weight, bias = random(4, 4)
    for grad in torch.autograd.grad(
        conv_max(x, weight, bias, (4, 4)), (x, weight, bias), torch.zeros(6, 7, dtype=torch.double)
    ):
        assert not grad.any()


@pytest.mark.parametrize("relu", ["pair", "conv"])
@pytest.mark.parametrize("size", [(1, 3), (5, 9), (11, 16)])
def test_the_whole_network_learns_the_same(size, relu, monkeypatch):
    torch.manual_seed(0)
    net = DEGnextCNN(relu=relu).double()
    for name, weight in net.named_parameters():
        if name.endswith("weight"):
            torch.nn.init.kaiming_normal_(weight)
    x, y = torch.randn(8, 1, *size, dtype=torch.double), torch.arange(8) % 3

    def gradients():
        net.zero_grad()
        F.cross_entropy(net(x), y).backward()
        return [p.grad.clone() for p in net.parameters()]

    calls = []
    monkeypatch.setattr(model, "conv_max", lambda *a: calls.append(a) or conv_max(*a))
    ours = gradients()
    assert len(calls) == 1
    net.ConvLayer4.gather = False
    for a, b in zip(ours, gradients(), strict=True):
        assert b.any()
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)
    assert len(calls) == 1
