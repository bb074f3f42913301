"""Chapter 1, raw counts made fit for labelling: symbols, outliers, filter, normalisation."""
