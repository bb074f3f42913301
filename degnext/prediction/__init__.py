"""Chapter 9: predictions for any cohort with the pretrained networks, and their model card."""
