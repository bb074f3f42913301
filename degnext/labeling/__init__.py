"""Chapter 2: differential expression, disease genes, and the labels and parts that follow from them."""
