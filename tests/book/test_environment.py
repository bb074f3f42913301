"""pyproject.toml, constraints.txt and environment.yml give the same packages."""

from __future__ import annotations

import ast
import itertools
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
DIRECT = {
    canonicalize_name(r.name): r
    for r in map(Requirement, [*PROJECT["dependencies"], *itertools.chain(*EXTRAS.values())])
}


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return {
        canonicalize_name(name): version for name, version in (line.split("==") for line in lines)
    }


def conda() -> tuple[str, dict[str, str], dict[str, str]]:
    """The Python range of environment.yml; its packages with their versions and their markers."""
    python, packages, markers = "", {}, {}
    for entry in yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]:
        for item in entry["pip"] if isinstance(entry, dict) else [entry]:
            if item.startswith("python ") or item.startswith("python="):
                python = item.removeprefix("python").strip()
            elif item not in ("pip", "-e ."):
                pinned = Requirement(item)
                packages[canonicalize_name(pinned.name)] = str(pinned.specifier).removeprefix("==")
                markers[canonicalize_name(pinned.name)] = str(pinned.marker)
    return python, packages, markers


def test_constraints_are_nothing_but_exact_versions():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    odd = [line for line in lines if not re.fullmatch(r"[A-Za-z0-9][\w.-]*==[0-9][\w.!]*", line)]
    assert len(lines) > 50 and not odd
    assert len(constraints()) == len(lines), "a package is pinned twice"
    assert "degnext" not in constraints()


@pytest.mark.parametrize("name", sorted(DIRECT))
def test_every_direct_dependency_is_pinned_within_its_range(name):
    assert name in constraints(), f"constraints.txt does not pin {name}"
    assert DIRECT[name].specifier.contains(constraints()[name])


def test_conda_gets_the_same_packages_with_the_same_versions():
    _, packages, markers = conda()
    assert set(packages) == set(DIRECT)
    assert packages == {name: constraints()[name] for name in DIRECT}
    assert markers == {name: str(requirement.marker) for name, requirement in DIRECT.items()}


def test_xgboost_comes_exactly_once_on_every_platform():
    for system, machine in (
        ("linux", "x86_64"),
        ("linux", "aarch64"),
        ("darwin", "arm64"),
        ("darwin", "x86_64"),
        ("win32", "AMD64"),
    ):
        where = {"sys_platform": system, "platform_machine": machine}
        assert sum(DIRECT[name].marker.evaluate(where) for name in ("xgboost", "xgboost-cpu")) == 1
    assert constraints()["xgboost"] == constraints()["xgboost-cpu"]


def test_the_range_of_python_is_one():
    python, _, _ = conda()
    assert SpecifierSet(python) == SpecifierSet(PROJECT["requires-python"])
    tried = [Version(f"3.{minor}.5") for minor in (9, 10, 11, 12, 13, 14)]
    assert [v.minor for v in tried if SpecifierSet(PROJECT["requires-python"]).contains(v)] == [
        11,
        12,
        13,
    ]


def test_traps_that_cost_time_stay_closed():
    pinned = {name: Version(version) for name, version in constraints().items()}
    assert pinned["jupyter-book"].major == 1, "2.x ignores _config.yml"
    assert pinned["pandas"].major == 2
    assert str(pinned["torch"]) == "2.13.0"


def imported(folder: str) -> set[str]:
    """The distributions that the modules of ``folder`` import, wherever in a module they do."""
    names = {"sklearn": "scikit-learn", "yaml": "pyyaml"}
    found = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module.split(".")[0])
    found -= {*sys.stdlib_module_names, "degnext", "reproduction"}
    return {canonicalize_name(names.get(n, n)) for n in found}


def test_every_import_of_the_package_is_declared_and_nothing_else_is():
    declared = {canonicalize_name(Requirement(r).name) for r in PROJECT["dependencies"]}
    optional = {"anndata", "ipython", "nbformat"}  # an extra; with ipykernel; with papermill
    # pandas, as xgboost, papermill use the first three; seaborn is there for notebooks of users
    # openpyxl is pandas' for Excel; itables draws a table in prediction/report.ipynb
    by_others = {"pyarrow", "xgboost-cpu", "ipykernel", "seaborn", "openpyxl", "itables"}
    assert imported("degnext") <= declared | optional, imported("degnext") - declared
    assert declared <= imported("degnext") | by_others, declared - imported("degnext")


def test_binder_gets_the_same_torch_without_gpu_libraries():
    lines = (ROOT / ".binder" / "requirements.txt").read_text().splitlines()
    assert f"torch=={constraints()['torch']}+cpu" in lines and "." in lines
    assert "-c ../constraints.txt" in lines
    python = (ROOT / ".binder" / "runtime.txt").read_text().strip().removeprefix("python-")
    assert SpecifierSet(PROJECT["requires-python"]).contains(f"{python}.0")


def test_the_workflow_runs_what_a_newcomer_runs():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "book.yml").read_text())
    said = [step.get("run", "") for step in workflow["jobs"]["build"]["steps"]]
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.M)
    asked = [line.split()[1] for line in said if line.startswith("make ")]
    assert asked == ["test", "check", "pdf"] and set(asked) <= set(targets)


def test_the_conda_recipe_and_the_container_ask_for_the_same():
    text = (ROOT / "recipe" / "meta.yaml").read_text()
    recipe = yaml.safe_load(re.sub(r"{%.*?%}", "", text).replace("{{ version }}", "0"))
    names = {"matplotlib-base": "matplotlib", "pytorch": "torch", "py-xgboost": "xgboost"}
    asked = [Requirement(r.replace(" ", "")) for r in recipe["requirements"]["run"]]
    asked = {names.get(r.name, r.name): r.specifier for r in asked}
    assert asked.pop("python") == SpecifierSet(PROJECT["requires-python"])
    declared = {canonicalize_name(Requirement(r).name) for r in PROJECT["dependencies"]}
    assert set(asked) == declared - {"xgboost-cpu"} and asked["pandas"] == SpecifierSet("<3")
    version = re.search(r'__version__ = "(.+?)"', (ROOT / "degnext" / "__init__.py").read_text())
    assert f'version = "{version[1]}"' in text
    assert f"torch=={constraints()['torch']}" in (ROOT / "Containerfile").read_text()
