"""The profile network: an image of sorted samples, a small mirror-symmetric network, and the weights we ship."""
