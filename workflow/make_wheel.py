"""Build the wheel and, beside it, the bill of what it runs with (CycloneDX, JSON): dist/."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def build(folder: Path) -> Path:
    """Return the wheel that pip builds in ``folder``."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--no-index", "--wheel-dir", folder, ROOT], check=True)
    return max(folder.glob("degnext-*.whl"), key=lambda path: path.stat().st_mtime)


def needed(bill: dict, name: str) -> set[str]:
    """Return the references of all that ``name`` depends on, however far, and its own."""
    depends = {one["ref"]: one.get("dependsOn", []) for one in bill["dependencies"]}
    start = bill["metadata"]["component"]
    found = {c["bom-ref"] for c in (*bill["components"], start) if c["name"] == name}
    while more := {ref for one in found for ref in depends.get(one, [])} - found:
        found |= more
    return found


def write_bill(wheel: Path) -> Path:
    """Write the bill of this environment's packages, cut down to those that the wheel needs."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible"]
    command += ["--pyproject", str(ROOT / "pyproject.toml"), "--of", "JSON", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    bill = json.loads(done.stdout)
    keep = needed(bill, "degnext")
    bill["components"] = [c for c in bill["components"] if c["bom-ref"] in keep]
    bill["dependencies"] = [d for d in bill["dependencies"] if d["ref"] in keep]
    for component in (bill["metadata"]["component"], *bill["components"]):
        component.pop("externalReferences", None)  # an editable install's is a path of this machine
    path = wheel.with_name(re.sub(r"-py3-none-any\.whl$", ".cdx.json", wheel.name))
    path.write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    made = build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist")
    print(made, write_bill(made), sep="\n")
