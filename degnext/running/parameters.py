"""The one model of notebook parameters: which notebooks there are, what theirs are and may be."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from math import inf
from pathlib import Path
from typing import Any

from degnext._common.errors import InputError, check_choice, nearest

_PACKAGE = Path(__file__).resolve().parents[1]
_FOLDERS = (_PACKAGE.parent / "notebooks", _PACKAGE.parent / "book", _PACKAGE / "_notebooks")
_TYPES = {"str": str, "int": int, "float": (int, float), "bool": bool}
_BOUNDS = {"draws": (1, inf), "small_draws": (1, inf), "image_draws": (1, inf), "n_folds": (1, 5)}
_FILES = ("counts_path", "groups_path", "transcripts", "bio_source", "gene_sets", "data_dir")
_CHOICES = {"protocol": ("paper", "corrected"), "network": ("paper", "profile")}
_CHOICES |= {"train_part": ("T1", "T2", "none"), "relu": ("pair", "conv")}
_CHOICES |= {"symbols": ("auto", "map", "keep"), "device": ("auto", "cpu", "cuda")}
_CHOICES |= {"de_method": ("lrt", "exact", "ql", "voom")}
_CHOICES |= {"library_size": ("", "total", "tmm", "upper_quartile")}
_CHOICES |= {"label_rule": ("", "paper", "standard")}
FILTERING = {"outlier_cut": 0.6, "quantile_cut": 0.25, "symbols": "auto"}  # of chapter 1
LABELING = {"label_rule": "", "de_method": "lrt", "library_size": "", "fdr": 0.01, "log_fc": 0.0}
LABELING |= {"bio_source": ""}


def notebook_names() -> list[str]:
    """Return the names of the chapters, in order; those of a checkout, else those of the wheel."""
    return sorted({p.stem for f in _FOLDERS for p in f.glob("[0-9][0-9]_*.ipynb")})


def notebook_path(name: str) -> Path:
    """Return the path of a chapter, or of a page of the book, by its name."""
    for folder in _FOLDERS:
        if (folder / f"{name}.ipynb").is_file():
            return folder / f"{name}.ipynb"
    raise InputError(f"no notebook {name!r} here: {nearest(name, notebook_names())}")


def notebook_parameters(name: str) -> dict[str, tuple[str, Any]]:
    """Return type and default of every parameter of a notebook, as papermill reads them.

    They stand in the cell tagged ``parameters``, and in one above it tagged ``more-parameters``,
    which a page folds away: papermill puts what it is given below the former, so it wins over both.
    """
    from papermill.iorw import load_notebook_node
    from papermill.translators import PythonTranslator

    cells = load_notebook_node(str(notebook_path(name))).cells
    cells = [c for c in cells if {"parameters", "more-parameters"} & set(c.metadata["tags"])]
    found = [p for cell in cells for p in PythonTranslator.inspect(cell)]
    return {p.name: (p.inferred_type_name, ast.literal_eval(p.default)) for p in found}


def read_parameters(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the checked parameters of a notebook's run.

    ``given`` replaces the notebook's defaults. With nothing given, inside a notebook, they are
    what its parameters cells, and the cell that papermill puts below them, assigned: a name
    assigned there that is no parameter is refused, where plain papermill only warns and runs the
    default. Raises InputError with the nearest valid name.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython and not given else None
    if shell is None:
        found = notebook_parameters(name)
        values = {k: default for k, (_, default) in found.items()} | dict(given)
        return check_parameters({k: kind for k, (kind, _) in found.items()}, values)
    annotated = shell.user_ns.get("__annotations__", {})
    types = {k: getattr(kind, "__name__", kind) for k, kind in annotated.items()}
    cells = [c for c in shell.user_ns.get("In", ()) if c.startswith("# Parameters")]
    assigned = [n for c in cells for n in ast.parse(c).body if isinstance(n, ast.Assign)]
    names = [t.id for n in assigned for t in n.targets if isinstance(t, ast.Name)]
    return check_parameters(types, {k: shell.user_ns[k] for k in [*types, *names]})


def check_parameters(types: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``values``; raise InputError for an unknown name or a value of another kind."""
    for name, value in values.items():
        if name not in types:
            raise InputError(f"unknown parameter {name!r}: {nearest(name, types)}")
        kind = types[name]
        expected = _TYPES.get(kind, object)
        if not isinstance(value, expected) or (isinstance(value, bool) and kind != "bool"):
            cure = "give True or False" if kind == "bool" else f"pass it as -p {name} VALUE"
            raise InputError(f"parameter {name} must be of type {kind}, not {value!r}: {cure}")
        if name in _CHOICES:
            check_choice(name, value, _CHOICES[name])
        least, most = _BOUNDS.get(name, (0, inf))
        if kind in ("int", "float") and not least <= value <= most:
            bound = f"{most} or less" if value > most else f"{least} or more"
            raise InputError(f"parameter {name} is {value!r}: give {bound}")
    if "cancer" in values:
        check_name(values["cancer"], values.get("source", "demo"))
    return dict(values)


def check_name(cancer: str, source: str) -> str:
    """Return the name of a cohort: one's own is a plain word, any other one of the paper's."""
    from degnext.cohorts.cohort import CANCERS
    from degnext.cohorts.load import SOURCES
    from degnext.cohorts.user_tables import check_cohort_name

    check_choice("source", source, SOURCES)
    own = source == "file"
    return check_cohort_name(cancer) if own else check_choice("cancer", cancer, CANCERS)


def from_text(name: str, kind: str, value: Any) -> Any:
    """Return a value that may have come as text, from a command line, in its type, if it is one.

    Files get absolute paths, since a notebook works in a folder of its own, and must be there.
    """
    if not isinstance(value, str):
        return value
    if name in _FILES and value:
        one = name != "counts_path" or Path(value).exists()
        pieces = [value] if one else value.split(",")
        return ",".join(_absolute(name, piece.strip()) for piece in pieces)
    try:
        if kind == "bool":
            return {"true": True, "false": False}[value.lower()]
        return {"int": int, "float": float}.get(kind, str)(value)
    except (ValueError, KeyError):
        return value


def _absolute(name: str, value: str) -> str:
    path = Path(value).expanduser()
    if path.is_file() or (path.is_dir() and name in ("data_dir", "counts_path")):
        return str(path.resolve())
    if name == "counts_path" and any(c in value for c in "*?["):
        return str(Path.cwd() / path)
    if name in ("bio_source", "gene_sets") and not (path.suffix or "/" in value):
        return value  # a source with a name
    raise InputError(f"no file {value!r}: check {name.upper().removesuffix('_PATH')}")
