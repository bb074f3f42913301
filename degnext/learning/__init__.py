"""Networks that learn labels: the paper's here, ours on profile images in ``profile``."""
