"""The profile network's weights: training, and the searches by which its pieces were chosen."""
