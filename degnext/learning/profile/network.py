"""The network that reads profile images: small, and mirror-symmetric by construction."""

from __future__ import annotations

import torch
from torch import nn


class ProfileCNN(nn.Module):
    """Read a profile image (B, C, 2, W) and return one logit per class (B, n_classes).

    Classes are 0 = DR, 1 = UR and, with ``n_classes=3``, 2 = neutral. About 40,000 weights.
    """

    def __init__(self, n_channels: int, n_classes: int = 2, n_filters: int = 32) -> None:
        super().__init__()
        f, self.n_classes = n_filters, n_classes
        self.along = nn.Sequential(  # (B, C, 2, W): each group by itself
            nn.Conv2d(n_channels, f, (1, 3), padding=(0, 1)),
            nn.GELU(),
            nn.Conv2d(f, f, (1, 3), padding=(0, 1)),
            nn.GELU(),
            nn.AvgPool2d((1, 2)),  # (B, f, 2, W/2)
        )
        self.across = nn.Sequential(  # normal against tumor
            nn.Conv2d(f, 2 * f, (2, 3), padding=(0, 1)),
            nn.GELU(),  # (B, 2f, 1, W/2)
            nn.Conv2d(2 * f, 2 * f, (1, 3), padding=(0, 1)),
            nn.GELU(),
        )
        self.head = nn.Sequential(
            nn.Linear(4 * f, 2 * f), nn.GELU(), nn.Dropout(0.1), nn.Linear(2 * f, n_classes)
        )

    def to_two_class(self) -> ProfileCNN:
        """Drop the neutral output; DR and UR keep what they learned. Return self."""
        last = self.head[-1]
        head = nn.Linear(last.in_features, 2)
        with torch.no_grad():
            head.weight.copy_(last.weight[:2]), head.bias.copy_(last.bias[:2])
        self.head[-1], self.n_classes = head, 2
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits in which swapping normal and tumor (x.flip(2)) swaps DR and UR, exactly.

        In training one pass will do, since flipped images are shown too.
        """
        if self.training:
            return self._half(x)
        swapped = self._half(x.flip(2))
        return (self._half(x) + swapped[:, [1, 0, 2][: self.n_classes]]) / 2

    def _half(self, x: torch.Tensor) -> torch.Tensor:
        x = self.across(self.along(x)).flatten(2)  # (B, 2f, W/2)
        return self.head(torch.cat([x.mean(2), x.amax(2)], 1))  # (B, n_classes)
