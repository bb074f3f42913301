"""Chapters 3 to 6 and 8: metrics, baselines, experiments with every method on the same genes."""
