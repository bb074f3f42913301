"""The network that reads profile images: small, and mirror-symmetric by construction."""

from __future__ import annotations

import torch
from torch import nn


class ProfileCNN(nn.Module):
    """Read a profile image (B, C, 2, W) and return one logit per class (B, n_classes).

    Classes are 0 = DR, 1 = UR and, with ``n_classes=3``, 2 = neutral. About 40,000 weights.
    """

    def __init__(
        self, n_channels: int, n_classes: int = 2, n_filters: int = 32, dropout: float = 0.1
    ):
        super().__init__()
        f = n_filters
        self.n_classes = n_classes
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
            nn.Linear(4 * f, 2 * f), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * f, n_classes)
        )

    def half(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits of one pass, not yet symmetric (used in training, where flipped images are shown too)."""
        x = self.across(self.along(x)).flatten(2)  # (B, 2f, W/2)
        return self.head(torch.cat([x.mean(2), x.amax(2)], 1))  # (B, n_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return symmetric logits: swapping normal and tumor (x.flip(2)) swaps DR and UR, exactly."""
        swapped = self.half(x.flip(2))
        order = [1, 0, 2][: self.n_classes]
        return (self.half(x) + swapped[:, order]) / 2
