"""What remakes ``data/`` and the weights from the authors' files: never imported by ``degnext``.

- ``experiments``: the paper's, baselines, noise, enrichment, small samples → ``data/results``
- ``audit``: the claims of the audit chapter, measured → ``data/results/audit_*.csv``
- ``weights``: the profile network's weights, and how its pieces were chosen
- ``demo_data``, ``recovered_symbols``: the other committed files of ``data/``
- ``drawings``: the book's drawings, SVG in ``book/images``
- ``tables``, ``readme_tables``: finished tables from those results, for the book and the README

Every one of them is a command, ``python -m reproduction.experiments.noise --help``, run from a
checkout.
"""
