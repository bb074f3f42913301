"""The table of gene names in the wheel: Ensembl and Entrez ids, today's symbols and old ones."""
