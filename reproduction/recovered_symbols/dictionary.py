"""Carry recovered symbols over to cohorts that were not paired, by the rule of doubled positions.

The authors' names are every second entry of a list of genes by Ensembl id (row 2 has name 3, row 3
name 5, …), so position(published) = 2 · position(true) + d, where d counts the entries by which
today's list and the authors' older one differ up to there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

COLUMNS = ("published_symbol", "symbol", "how", "published_position", "position")


def extend_dictionary(
    direct: pd.Series, published: Iterable[str], order: Sequence[str]
) -> tuple[pd.DataFrame, tuple[int, int]]:
    """Carry a dictionary published symbol → true symbol over to symbols that no paired cohort has.

    direct: true symbols indexed by published ones, found row by row. published: the symbols to
    look up. order: all gene symbols by Ensembl id. A symbol is determined where its two neighbours
    in ``direct`` have the same d and it fits: position − d must be even, for it and for every
    published symbol between the neighbours.

    Returns the table (published_symbol, symbol, how, published_position, position) and, of the
    direct pairs that the rule decides when each is left out in turn, how many it gets right and how
    many there are.
    """
    place = pd.Series(np.arange(len(order)), index=pd.Index(order))
    place = place[~place.index.duplicated(keep=False) & (place.index != "")]
    at, drift = _anchors(direct, place)
    asked = place.reindex(sorted(set(published) | set(direct.index))).dropna().astype(int)
    asked = asked.sort_values()
    where = asked.to_numpy()

    def decide(position: int, left: int, right: int) -> int:
        """The true position, or −1: neighbours disagree, or someone's parity does not fit."""
        between = where[(where > at[left]) & (where < at[right])]
        fits = drift[left] == drift[right] and not ((between - drift[left]) % 2).any()
        return (position - drift[left]) // 2 if fits else -1

    inner = range(1, len(at) - 1)
    held_out = [(decide(at[k], k - 1, k + 1), (at[k] - drift[k]) // 2) for k in inner]
    decided = [guess == truth for guess, truth in held_out if guess >= 0]
    rows = [
        (name, gene, "row by row", place.get(name, -1), place.get(gene, -1))
        for name, gene in direct.items()
    ]
    for name, position in asked[~asked.index.isin(direct.index)].items():
        right = int(np.searchsorted(at, position))
        true = decide(position, right - 1, right) if 0 < right < len(at) else -1
        if true >= 0 and order[true] in place.index:
            rows.append((name, order[true], "by rule", position, true))
    table = pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(COLUMNS[0], ignore_index=True)
    return table, (sum(decided), len(decided))


def _anchors(direct: pd.Series, place: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the published positions of the pairs known directly, in order, and their drifts d."""
    true = place.reindex(direct.to_numpy()).to_numpy()
    anchors = pd.DataFrame({"at": place.reindex(direct.index), "true": true}).dropna().astype(int)
    anchors = anchors.sort_values("at")
    # an anchor far out of line is a symbol that has changed hands between annotations
    usual = anchors["true"].rolling(7, center=True, min_periods=1).median()
    anchors = anchors[(anchors["true"] - usual).abs() < 400]
    return anchors["at"].to_numpy(), (anchors["at"] - 2 * anchors["true"]).to_numpy()
