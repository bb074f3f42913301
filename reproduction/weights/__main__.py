"""Train every set of weights of the package anew, one after the other.

DEGNEXT_DATA=/path/to/data python -m reproduction.weights
"""

from __future__ import annotations

import time

from reproduction.command import call, parser
from reproduction.weights import standard, standard_few, train


def main() -> None:
    """Train the paper's three networks, the standard rule's, and that for few samples."""
    parser(__doc__).parse_args()
    start = time.perf_counter()
    for module in (train, standard, standard_few):
        then = time.perf_counter()
        module.main()
        print(f"{module.__name__}: {time.perf_counter() - then:.0f} s", flush=True)
    print(f"all weights: {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    call(main)
