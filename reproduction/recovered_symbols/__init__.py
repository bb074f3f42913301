"""The genes of the published rows, recovered from another pipeline's counts of the same samples."""
