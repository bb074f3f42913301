"""The profile network: an image of sorted samples, a small symmetric network, its weights."""
