"""Data: ``Cohort``, its sources, their checks, library sizes, drawing and perturbing samples."""
