"""Long runs on the authors' data, one command each; tables and records go to ``data/results``."""
