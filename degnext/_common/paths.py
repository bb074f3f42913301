"""Where things lie, by this file and the environment, never by the working directory."""

from __future__ import annotations

import os
from pathlib import Path

from degnext._common.errors import InputError

_PACKAGE = Path(__file__).resolve().parents[1]
_ROOT = _PACKAGE.parent


def data_dir() -> Path:
    """Return the small committed data: ``data/`` of a checkout, ``degnext/_data`` of a wheel."""
    checkout, wheel = _ROOT / "data", _PACKAGE / "_data"
    return checkout if (checkout / "cohorts.csv").exists() else wheel


def shared_data() -> Path | None:
    """Return the folder that ``DEGNEXT_DATA`` names (real data, not carried), or None if unset."""
    if not (value := os.environ.get("DEGNEXT_DATA", "").strip()):
        return None
    folder = Path(value).expanduser()
    if not folder.is_dir():
        fault = f"DEGNEXT_DATA names {value!r}, which is no folder"
        raise InputError(f"{fault}: point it at the data folder or unset it")
    return folder


def results_dir(results: str | Path | None = None) -> Path:
    """Return where runs write: the argument, DEGNEXT_RESULTS, or results/ (checkout, else cwd)."""
    named = results or os.environ.get("DEGNEXT_RESULTS")
    if named:
        return Path(os.path.realpath(Path(named).expanduser()))
    return (_ROOT if (_ROOT / "pyproject.toml").exists() else Path.cwd()) / "results"


def cache_dir() -> Path:
    """Return the folder for downloads: ``DEGNEXT_CACHE``, else the platform's cache folder."""
    if named := os.environ.get("DEGNEXT_CACHE"):
        return Path(os.path.realpath(Path(named).expanduser()))
    import pooch

    return Path(pooch.os_cache("degnext"))
