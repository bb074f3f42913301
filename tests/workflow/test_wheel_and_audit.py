"""The bill beside the wheel names what the wheel needs and no path; an audit says what it asked."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "workflow" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_bill_is_cut_down_to_what_is_needed_however_far():
    part = [{"name": name, "bom-ref": f"{name}-1"} for name in ("a", "b", "c", "ruff")]
    links = [{"ref": "degnext-1", "dependsOn": ["a-1"]}, {"ref": "a-1", "dependsOn": ["b-1"]}]
    links += [{"ref": "ruff-1", "dependsOn": ["c-1"]}, {"ref": "b-1", "dependsOn": ["a-1"]}]
    about = {"component": {"name": "degnext", "bom-ref": "degnext-1"}}
    bill = {"metadata": about, "components": part, "dependencies": links}
    assert load("make_wheel").needed(bill, "degnext") == {"degnext-1", "a-1", "b-1"}


@pytest.mark.slow
def test_the_bill_beside_the_wheel(tmp_path):
    bill = load("make_wheel").write_bill(tmp_path / "degnext-0.1.0-py3-none-any.whl")
    assert bill == tmp_path / "degnext-0.1.0.cdx.json"
    found = json.loads(bill.read_text())
    names = {c["name"].lower() for c in found["components"]}
    assert {"torch", "numpy", "pandas", "papermill", "safetensors"} <= names
    assert found["bomFormat"] == "CycloneDX" and "file://" not in bill.read_text()
    assert not names & {"ruff", "pytest", "snakemake"} and str(ROOT) not in bill.read_text()


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        ("", 0, "not audited, the service of known faults did not answer (no route)"),
        ('{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}', 0, "1 packages audited"),
        (
            '{"dependencies": [{"name": "a", "version": "1", "vulns": '
            '[{"id": "PYSEC-1", "fix_versions": ["2"]}]}]}',
            1,
            "a 1: PYSEC-1, mended in 2",
        ),
        ('{"dependencies": [{"name": "a", "skip_reason": "x"}]}', 0, "0 packages audited, 1 not"),
    ],
)
def test_an_audit_names_faults_and_says_when_nobody_answered(answer, status, said, capsys):
    code = f"import sys; sys.stderr.write('no route'); print({answer!r}); sys.exit(1)"
    assert load("audit_dependencies").audit([sys.executable, "-c", code]) == status
    assert said in capsys.readouterr().out
