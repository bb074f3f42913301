"""Chapter 7: gene sets, and whether predicted genes gather in them."""
