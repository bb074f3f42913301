"""R's tests for two groups in NumPy: edgeR's three, and limma-voom, each equal to R's numbers."""
