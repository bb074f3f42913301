"""The book's drawings, as SVG in ``book/images``: ``python -m reproduction.drawings``."""
