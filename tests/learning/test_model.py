"""degnext.learning.network: the paper's layers by name and shape, and an input of any size."""

from __future__ import annotations

import pytest
import torch

from degnext._common.errors import InputError
from degnext.learning.network import DEGnextCNN

# of DEGnextModel.pth, the authors' released state dict
RELEASED = {
    "ConvLayer1.0.weight": (6, 1, 3, 3),
    "ConvLayer1.0.bias": (6,),
    "ConvLayer1.1.weight": (12, 6, 3, 3),
    "ConvLayer1.1.bias": (12,),
    "ConvLayer2.0.weight": (24, 12, 3, 3),
    "ConvLayer2.0.bias": (24,),
    "ConvLayer2.1.weight": (48, 24, 3, 3),
    "ConvLayer2.1.bias": (48,),
    "ConvLayer3.0.weight": (64, 48, 3, 3),
    "ConvLayer3.0.bias": (64,),
    "ConvLayer3.1.weight": (102, 64, 3, 3),
    "ConvLayer3.1.bias": (102,),
    "ConvLayer4.0.weight": (164, 102, 3, 3),
    "ConvLayer4.0.bias": (164,),
    "ConvLayer4.1.weight": (256, 164, 3, 3),
    "ConvLayer4.1.bias": (256,),
    "Lin1.0.weight": (120, 256),
    "Lin1.0.bias": (120,),
    "Lin2.0.weight": (64, 120),
    "Lin2.0.bias": (64,),
    "Lin3.0.weight": (32, 64),
    "Lin3.0.bias": (32,),
    "Lin4.0.weight": (8, 32),
    "Lin4.0.bias": (8,),
    "Lin5.weight": (1, 8),
    "Lin5.bias": (1,),
}


def network(seed: int = 0, **settings) -> DEGnextCNN:
    """Weights so large that other images give other answers; torch's defaults do not."""
    torch.manual_seed(seed)
    net = DEGnextCNN(**settings).eval()
    for name, weight in net.named_parameters():
        if name.endswith("weight"):
            torch.nn.init.kaiming_normal_(weight)
    return net


def images(h: int = 5, w: int = 9, n: int = 4) -> torch.Tensor:
    return torch.randn(n, 1, h, w, generator=torch.Generator().manual_seed(1)) * 3


def test_names_and_shapes_are_those_of_the_released_weights():
    assert {k: tuple(v.shape) for k, v in network(n_outputs=1).state_dict().items()} == RELEASED


def test_the_released_weights_load(real_data):
    path = real_data / "released_weights" / "DEGnextModel.pth"
    weights = torch.load(path, map_location="cpu", weights_only=True)
    assert {k: tuple(v.shape) for k, v in weights.items()} == RELEASED
    net = network(n_outputs=1)
    net.load_state_dict(weights)
    assert net(images() * 100).std() > 0


@pytest.mark.parametrize("size", [(1, 2), (1, 3), (2, 2), (5, 9), (9, 10), (11, 16), (29, 42)])
@torch.inference_mode()
def test_images_of_any_size_go_through(size):
    assert network()(images(*size)).shape == (4, 3)


@torch.inference_mode()
def test_the_pooling_is_over_the_whole_image():
    net = network()
    with torch.no_grad():
        for pair in (net.ConvLayer1, net.ConvLayer2, net.ConvLayer3, net.ConvLayer4):
            for conv in (pair.get_submodule("0"), pair.get_submodule("1")):
                conv.weight[:, :, [0, 0, 0, 1, 1, 2, 2, 2], [0, 1, 2, 0, 2, 0, 1, 2]] = (
                    0  # each pixel on its own
                )
    x = images(6, 8)
    shuffled = (
        x.reshape(4, 3, 2, 4, 2).flip(1).reshape(4, 1, 6, 8)
    )  # whole 2 × 2 blocks change places
    torch.testing.assert_close(net(x), net(shuffled))
    assert (net(x) - net(x[..., :2, :2])).abs().max() > 0.01


@torch.inference_mode()
def test_the_relu_variants_share_weights_and_differ_in_answers():
    pair, conv = network(relu="pair"), network(relu="conv")
    assert all(
        torch.equal(a, b) for a, b in zip(pair.state_dict().values(), conv.state_dict().values())
    )
    assert (pair(images()) - conv(images())).abs().max() > 0.01
    with pytest.raises(InputError, match="unknown relu 'both': choose one of: pair, conv"):
        DEGnextCNN(relu="both")


@torch.inference_mode()
def test_the_released_stack_computed_by_hand():
    net, x = network(), images()
    f = torch.nn.functional
    h = x
    for i in range(1, 5):
        pair = net.get_submodule(f"ConvLayer{i}")
        first, second = pair.get_submodule("0"), pair.get_submodule("1")
        h = f.conv2d(
            f.conv2d(h, first.weight, first.bias, padding=1), second.weight, second.bias, padding=1
        )
        h = torch.relu(f.max_pool2d(h, 2) if i == 4 else h)
    h = h.flatten(2).max(dim=2).values
    for i in range(1, 5):
        linear = net.get_submodule(f"Lin{i}")[0]
        h = torch.relu(h @ linear.weight.T + linear.bias)
    assert net(x).std(dim=0).min() > 0.01
    torch.testing.assert_close(net(x), h @ net.Lin5.weight.T + net.Lin5.bias)


@torch.inference_mode()
def test_squashed_outputs_are_a_softmax_of_clipped_logits():
    plain, squashed = network()(images()), network(squash=True)(images())
    torch.testing.assert_close(squashed, torch.softmax(plain.clamp(min=0), dim=1))
    assert (plain < 0).any() and torch.allclose(squashed.sum(1), torch.ones(4))


def test_the_two_class_stage_keeps_all_but_the_last_layer():
    net = network(squash=True)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    assert net.to_two_class() is net
    after = net.state_dict()
    assert {k: tuple(v.shape) for k, v in after.items()} == RELEASED
    assert all(torch.equal(before[k], after[k]) for k in before if not k.startswith("Lin5"))
    assert net(images()).shape == (4, 1) and not net.squash
