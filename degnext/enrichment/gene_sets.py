"""Gene sets by name: embedded, in ``DEGNEXT_DATA/gene_sets``, or downloaded once by checksum."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

from degnext._common.download import Retry, download
from degnext._common.errors import InputError, nearest
from degnext._common.files import file_checksum, folder_lock, read_record, write_atomic
from degnext._common.paths import cache_dir, data_dir, shared_data


@dataclass(frozen=True)
class Library:
    """A file of gene sets: name on disk, what it is, address, checksum (empty: not versioned)."""

    file: str
    version: str
    url: str
    checksum: str = ""


_TABLE = (data_dir() / "gene_sets" / "libraries.csv").read_text(encoding="utf-8")
LIBRARIES = {row.pop("name"): Library(**row) for row in csv.DictReader(_TABLE.splitlines())}
_PATIENT = Retry(attempts=3)


def load_gene_sets(name: str = "demo", fetch: bool = True) -> dict[str, list[str]]:
    """Load gene sets by name, or from the path of a GMT file.

    Names: ``demo`` (embedded), ``go_bp``, ``kegg``, ``hallmark`` and ``reactome``. A named library
    is taken from ``DEGNEXT_DATA/gene_sets``, else from the cache, else downloaded into the cache
    (``fetch``). Raises InputError when it is nowhere and the server cannot be read.
    """
    if name == "demo":
        return read_gmt(data_dir() / "gene_sets" / "demo.gmt")
    if name in LIBRARIES:
        return read_gmt(library_path(name, fetch))
    if not str(name).lower().endswith(".gmt"):
        hint = nearest(name, ["demo", *LIBRARIES])
        raise InputError(f"unknown gene sets {name!r}: {hint}, or give the path of a .gmt file")
    return read_gmt(name)


def read_gmt(path: str | Path) -> dict[str, list[str]]:
    """Read gene sets from a GMT file: name, description, genes, separated by tabs."""
    path = Path(path).expanduser()
    if not path.is_file():
        raise InputError(f"no gene-set file {str(path)!r}: check the path")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        fault = f"{path.name} is no text: save the gene sets as a plain UTF-8 GMT file"
        raise InputError(fault) from None
    sets: dict[str, list[str]] = {}
    needs = "a name, a description and genes, separated by tabs"
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        name, *rest = line.split("\t")
        if len(rest) < 2:
            raise InputError(f"{path.name} line {number} is no GMT line: it needs {needs}")
        # some Enrichr files carry a weight after a comma
        sets[name] = sorted({g.split(",")[0].strip() for g in rest[1:] if g.strip()})
    if not sets:
        raise InputError(f"{path.name} holds no gene set: write one per line, {needs}")
    return sets


def library_path(name: str, fetch: bool = True) -> Path:
    """Return the file of a named library; see :func:`load_gene_sets`."""
    library, shared = LIBRARIES[name], shared_data()
    if shared and (shared / "gene_sets" / library.file).exists():
        return shared / "gene_sets" / library.file
    cached = cache_dir() / "gene_sets" / library.file
    if cached.exists() and _unchanged(cached, library):
        return cached
    if not fetch:
        raise InputError(f"gene sets {name!r} are not at hand: {_cure(library)}")
    return fetch_library(name)


def fetch_library(name: str) -> Path:
    """Download one library into the cache and return its path; a record lies beside it.

    The address is a folder named by ``DEGNEXT_GENE_SETS_URL`` (a mirror), else the library's own.
    A library with a checksum must fit it; of one without, the checksum of what came is recorded and
    held against the file from then on.
    """
    library, mirror = LIBRARIES[name], os.environ.get("DEGNEXT_GENE_SETS_URL", "").rstrip("/")
    url = f"{mirror}/{library.url.rsplit('/', 1)[1]}" if mirror else library.url
    folder = cache_dir() / "gene_sets"
    path = folder / library.file
    with folder_lock(folder):
        if path.exists() and not _unchanged(path, library):
            path.unlink()
        arrived = folder / (library.file + (".zip" if url.endswith(".zip") else ""))
        try:
            download(url, arrived, library.checksum or None, _PATIENT)
        except InputError as error:
            other = "checksum" in str(error)
            why = "sends another file than the one expected" if other else "cannot be read"
            raise InputError(
                f"gene sets {name!r} could not be fetched from {url}, the server {why}: try again "
                f"later, {_cure(library)}"
            ) from error
        if arrived != path:
            write_atomic(path, _unzip(arrived, library.file))
            arrived.unlink()
        read_gmt(path)  # a page of apologies is no gene set
        facts = {"library": name, "version": library.version, "url": url}
        write_atomic(_record(path), facts | {"checksum": file_checksum(path, "sha256")})
    return path


def library_facts(name: str) -> dict[str, str]:
    """Return name (of a path the file's), version and checksum of gene sets for a run record."""
    demo = data_dir() / "gene_sets" / "demo.gmt"
    known = LIBRARIES.get(name)
    path = library_path(name, False) if known else demo if name == "demo" else Path(name)
    about = {"library": name if known else path.name, "version": known.version if known else ""}
    return about | {"checksum": file_checksum(path.expanduser(), "sha256")}


def _cure(library: Library) -> str:
    return f"put {library.file} into gene_sets/ under DEGNEXT_DATA, or use 'demo'"


def _record(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _unchanged(path: Path, library: Library) -> bool:
    """Say whether a cached file is what was downloaded."""
    expected = library.checksum or read_record(_record(path)).get("checksum")
    return bool(expected) and file_checksum(path, "sha256") == expected


def _unzip(path: Path, file: str) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            return archive.read(file)
    except (zipfile.BadZipFile, KeyError):
        path.unlink()
        fault = f"{path.name} does not hold {file}: the server sent something else, try again later"
        raise InputError(fault) from None
