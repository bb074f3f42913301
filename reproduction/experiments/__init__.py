"""Long runs on the authors' data, one command each; tables and their records go to ``data/results``."""
