"""Gene sets by name: embedded, from ``DEGNEXT_DATA/gene_sets``, or downloaded once with version and checksum."""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

from degnext._common.download import Retry, download
from degnext._common.errors import InputError, nearest
from degnext._common.files import disk_errors, file_checksum, folder_lock, write_atomic
from degnext._common.paths import cache_dir, data_dir, shared_data


@dataclass(frozen=True)
class Library:
    """One file of gene sets: its name on disk, what it is, where it is fetched from, its checksum (empty: the address is not versioned)."""

    file: str
    version: str
    url: str
    checksum: str = ""


_GSEAPY = "https://raw.githubusercontent.com/zqfang/GSEApy/476d0aabb275ffd9b764b5035b085d8a2897fbee/tests/extdata/"
LIBRARIES = {
    "go_bp": Library(
        "enrichr.GO_Biological_Process_2021.gmt",
        "GO biological process 2021, Enrichr's cut",
        _GSEAPY + "enrichr.GO_Biological_Process_2021.gmt",
        "sha256:5987ce789053fdd5533393cd65b9abdb5e08e4fade7b0625a1fe234a1207eea4",
    ),
    "kegg": Library(
        "enrichr.KEGG_2016.gmt",
        "KEGG 2016, Enrichr's cut",
        _GSEAPY + "enrichr.KEGG_2016.gmt",
        "sha256:f4344b643e92a53398a24852c41261f108825b3c819adf27ec5fa056773edd9d",
    ),
    "hallmark": Library(
        "h.all.v7.0.symbols.gmt",
        "MSigDB Hallmark 7.0",
        _GSEAPY + "h.all.v7.0.symbols.gmt",
        "sha256:4803c09aae50bbd96d53fc681bd5545a4c89278993c15145dd7b7c994f893516",
    ),
    "reactome": Library(
        "ReactomePathways.gmt",
        "Reactome, the release of the day of the download",
        "https://reactome.org/download/current/ReactomePathways.gmt.zip",
    ),
}


def read_gmt(path: str | Path) -> dict[str, list[str]]:
    """Read gene sets from a GMT file: name, description, genes, separated by tabs."""
    path = Path(path).expanduser()
    if not path.is_file():
        raise InputError(f"no gene-set file {str(path)!r}: check the path")
    sets: dict[str, list[str]] = {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InputError(
            f"{path.name} is no text: save the gene sets as a plain UTF-8 GMT file"
        ) from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        name, *rest = line.split("\t")
        if len(rest) < 2:
            raise InputError(
                f"{path.name} line {number} is no GMT line: it needs a name, a description and genes, separated by tabs"
            )
        # some Enrichr files carry a weight after a comma
        sets[name] = sorted({g.split(",")[0].strip() for g in rest[1:] if g.strip()})
    if not sets:
        raise InputError(
            f"{path.name} holds no gene set: write one per line, a name, a description and genes, separated by tabs"
        )
    return sets


def load_gene_sets(name: str = "demo", fetch: bool = True) -> dict[str, list[str]]:
    """Load gene sets: ``demo`` (embedded), ``go_bp``, ``kegg``, ``hallmark``, ``reactome``, or the path of a GMT file.

    A named library is taken from ``DEGNEXT_DATA/gene_sets``, else from the cache, else downloaded into the cache (``fetch``).
    Raises InputError when it is nowhere and the server cannot be read.
    """
    if name == "demo":
        return read_gmt(data_dir() / "gene_sets" / "demo.gmt")
    if name not in LIBRARIES:
        if not str(name).lower().endswith(".gmt"):
            raise InputError(
                f"unknown gene sets {name!r}: {nearest(name, ['demo', *LIBRARIES])}, or give the path of a .gmt file"
            )
        return read_gmt(name)
    return read_gmt(library_path(name, fetch))


def library_path(name: str, fetch: bool = True) -> Path:
    """Return the file of a named library; see :func:`load_gene_sets`."""
    library = LIBRARIES[name]
    shared = shared_data()
    if shared and (shared / "gene_sets" / library.file).exists():
        return shared / "gene_sets" / library.file
    cached = cache_dir() / "gene_sets" / library.file
    if cached.exists() and _unchanged(cached, library):
        return cached
    if not fetch:
        raise InputError(
            f"gene sets {name!r} are not at hand: put {library.file} into gene_sets/ under DEGNEXT_DATA, or use 'demo'"
        )
    return fetch_library(name)


def fetch_library(
    name: str, url: str | None = None, retry: Retry = Retry(attempts=3), progress: bool = True
) -> Path:
    """Download one library into the cache and return its path; beside it a record of address, version and checksum.

    The address is ``url``, else a folder named by ``DEGNEXT_GENE_SETS_URL`` (a mirror), else the library's own. A library with a checksum must fit
    it; of one without, the checksum of what came is recorded and held against the file from then on.
    """
    library, mirror = LIBRARIES[name], os.environ.get("DEGNEXT_GENE_SETS_URL", "").rstrip("/")
    url = url or (f"{mirror}/{library.url.rsplit('/', 1)[1]}" if mirror else library.url)
    folder = cache_dir() / "gene_sets"
    path = folder / library.file
    with folder_lock(folder), disk_errors(folder):
        if path.exists() and not _unchanged(path, library):
            path.unlink()
        arrived = folder / (library.file + (".zip" if url.endswith(".zip") else ""))
        try:
            download(url, arrived, library.checksum or None, progress=progress, retry=retry)
        except InputError as error:
            why = (
                "the server sends another file than the one expected"
                if "checksum" in str(error)
                else "the server cannot be read"
            )
            raise InputError(
                f"gene sets {name!r} could not be fetched from {url}, {why}: try again later, put {library.file} into gene_sets/ under DEGNEXT_DATA, or use 'demo'"
            ) from error
        if arrived.suffix == ".zip":
            write_atomic(path, _unzip(arrived, library.file))
            arrived.unlink()
        read_gmt(path)  # a page of apologies is no gene set
        write_atomic(
            _record(path),
            {
                "library": name,
                "version": library.version,
                "url": url,
                "checksum": file_checksum(path, "sha256"),
            },
        )
    return path


def library_facts(name: str) -> dict[str, str]:
    """Return name, version and checksum of gene sets for a run record; a path is given by its file name."""
    if name in LIBRARIES:
        return {
            "library": name,
            "version": LIBRARIES[name].version,
            "checksum": file_checksum(library_path(name, fetch=False), "sha256"),
        }
    path = data_dir() / "gene_sets" / "demo.gmt" if name == "demo" else Path(name).expanduser()
    return {"library": path.name, "version": "", "checksum": file_checksum(path, "sha256")}


def _record(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _unchanged(path: Path, library: Library) -> bool:
    """Say whether a cached file is what was downloaded."""
    record = _record(path)
    expected = library.checksum or (
        json.loads(record.read_text())["checksum"] if record.exists() else ""
    )
    return bool(expected) and file_checksum(path, "sha256") == expected


def _unzip(path: Path, file: str) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            return archive.read(file)
    except (zipfile.BadZipFile, KeyError):
        path.unlink()
        raise InputError(
            f"{path.name} does not hold {file}: the server sent something else, try again later"
        ) from None
