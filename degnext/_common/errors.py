"""Errors that a user can act on: one sentence that says what is wrong and what cures it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Say in one sentence which input is wrong and how to put it right."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return a hint such as "did you mean 'READ'?" that ends with every valid name."""
    valid = list(valid)
    by_lower = {v.lower(): v for v in valid}
    close = difflib.get_close_matches(str(name).lower(), by_lower, n=2, cutoff=0.5)
    if not close:
        return f"choose one of: {', '.join(valid)}"
    meant = " or ".join(repr(by_lower[c]) for c in close)
    return f"did you mean {meant}? (valid: {', '.join(valid)})"


def check_choice(name: str, value: str, valid: Iterable[str]) -> str:
    """Return ``value`` if it is one of ``valid``, else raise InputError naming the nearest ones."""
    valid = list(valid)
    if value not in valid:
        raise InputError(f"unknown {name} {value!r}: {nearest(value, valid)}")
    return value
