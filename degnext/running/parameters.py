"""TODO."""

from __future__ import annotations

import ast
from typing import Any

from degnext._common.errors import InputError, check_choice, nearest
from degnext.cohorts.cohort import CANCERS
from degnext.cohorts.load import SOURCES

_CHOICES = {
    "source": SOURCES,
    "protocol": ("paper", "corrected"),
    "network": ("paper", "profile"),
    "train_part": ("T1", "T2"),
    "de_method": ("lrt", "exact", "ql"),
    "relu": ("pair", "conv"),
    "symbols": ("auto", "map", "keep"),
    "device": ("auto", "cpu", "cuda"),
}


_TYPES = {"str": str, "int": int, "float": (int, float), "bool": bool}


def check_parameters(namespace: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook's parameters, or raise :class:`InputError` for a name or a value that it does not know.

    The parameters are the annotated names of the notebook's first cell. Papermill puts its own values into a cell
    that starts with ``# Parameters``; a name assigned there but not annotated is one that the notebook does not have,
    which plain papermill would only warn about.
    """
    annotated = dict(namespace.get("__annotations__", {}))
    for cell in namespace.get("In", []):
        if not cell.startswith("# Parameters"):
            continue
        given = [
            t.id
            for n in ast.parse(cell).body
            if isinstance(n, ast.Assign)
            for t in n.targets
            if isinstance(t, ast.Name)
        ]
        for name in given:
            if name not in annotated:
                raise InputError(f"unknown parameter {name!r}: {nearest(name, annotated)}")
    parameters = {name: namespace[name] for name in annotated}
    for name, value in parameters.items():
        kind = (
            annotated[name]
            if isinstance(annotated[name], str)
            else getattr(annotated[name], "__name__", "")
        )
        expected = _TYPES.get(kind)
        if expected and (
            not isinstance(value, expected) or (isinstance(value, bool) and kind != "bool")
        ):
            raise InputError(
                f"parameter {name} must be of type {kind}, not {value!r}: pass it as -p {name} VALUE"
            )
        if name in _CHOICES:
            check_choice(name, value, _CHOICES[name])
        if kind in ("int", "float") and value < 0:
            raise InputError(
                f"parameter {name} must not be negative, not {value!r}: give 0 or more"
            )
    if parameters.get("source") != "file" and "cancer" in parameters:
        check_choice("cancer", parameters["cancer"], CANCERS)
    return parameters
