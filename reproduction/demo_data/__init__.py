"""The committed demo files: twins of three cohorts, their disease genes, two hundred gene sets."""
