"""Networks that learn labels: the paper's on its grid image (this room), ours on profile images (``profile``)."""
