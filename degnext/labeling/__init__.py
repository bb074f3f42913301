"""Chapter 2: differential expression, disease genes, and the labels and parts they make."""
