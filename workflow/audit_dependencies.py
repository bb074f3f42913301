"""Say which installed packages have known faults, as far as the service that knows can be asked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

AUDIT = (
    sys.executable,
    "-m",
    "pip_audit",
    "--format=json",
    "--progress-spinner=off",
    "--timeout=5",
)


def audit(command: Sequence[str] = (*AUDIT, "--skip-editable", "--timeout=5")) -> int:
    """Return 1 and name the packages if one has a known fault, else 0 and say what was asked."""
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        said = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        print(
            f"dependencies: not audited, the service of known faults did not answer ({said[:99]})"
        )
        return 0
    for package in packages:
        for fault in package.get("vulns", ()):
            cure = " or ".join(fault["fix_versions"]) or "none yet"
            print(f"{package['name']} {package['version']}: {fault['id']}, mended in {cure}")
    unknown = sum("skip_reason" in package for package in packages)
    print(f"dependencies: {len(packages) - unknown} packages audited, {unknown} not known there")
    return int(any(package.get("vulns") for package in packages))


if __name__ == "__main__":
    sys.exit(audit())
