"""One contract, two clouds: the same modules, variables and outputs, each with its description and type."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from terraform.tests.cli import CLOUDS, TREE

# What only one of the two needs, and why.
KNOWN_DIFFERENCES = {
    "cluster_administrators": "on AWS a cluster has a list of its own; on Google IAM alone decides (roles/container.admin)",
    "zones": "on AWS a subnet lies in one zone; on Google subnets, cluster and databases span the region",
    "gcp_project_id": "a Google project is named apart from the region; an AWS account comes with the credentials",
}
MODULES = {"network", "lake", "shop", "spark", "warehouse", "orchestrator"}
FOLDERS = [Path(cloud) for cloud in CLOUDS] + [
    Path("modules", cloud, name) for cloud in CLOUDS for name in sorted(MODULES)
]


def test_both_clouds_have_the_same_modules() -> None:
    for cloud in CLOUDS:
        assert {folder.name for folder in (TREE / "modules" / cloud).iterdir()} == MODULES
        called = {name: call["source"].strip('"') for name, call in blocks(Path(cloud), "module").items()}
        assert called == {name: f"../modules/{cloud}/{name}" for name in MODULES}


def test_both_clouds_have_the_same_variables() -> None:
    aws, gcp = (
        {name: value["type"] for name, value in blocks(Path(cloud), "variable").items()} for cloud in CLOUDS
    )
    assert aws.keys() ^ gcp.keys() == KNOWN_DIFFERENCES.keys()
    assert {name: (aws[name], gcp[name]) for name in aws.keys() & gcp.keys() if aws[name] != gcp[name]} == {}


def test_both_clouds_have_the_same_defaults() -> None:
    """So that the same tfvars mean the same."""
    aws, gcp = (
        {name: value.get("default", "(none)") for name, value in blocks(Path(cloud), "variable").items()}
        for cloud in CLOUDS
    )
    assert {name: (aws[name], gcp[name]) for name in aws.keys() & gcp.keys() if aws[name] != gcp[name]} == {}


def test_both_clouds_have_the_same_outputs() -> None:
    aws, gcp = (blocks(Path(cloud), "output").keys() for cloud in CLOUDS)
    assert aws ^ gcp == set()


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_every_variable_and_output_is_described_and_typed(folder: Path) -> None:
    variables, outputs = blocks(folder, "variable"), blocks(folder, "output")
    assert [
        name for name, value in variables.items() if not value.get("description") or "type" not in value
    ] == []
    assert [name for name, value in outputs.items() if not value.get("description")] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_every_variable_is_used(folder: Path) -> None:
    code = "".join(file.read_text() for file in (TREE / folder).glob("*.tf"))
    assert [name for name in blocks(folder, "variable") if f"var.{name}" not in code] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_every_folder_has_its_files(folder: Path) -> None:
    names = {file.name for file in (TREE / folder).glob("*.tf")}
    wanted = {"main.tf", "variables.tf", "outputs.tf", "versions.tf"}
    if folder.parent == Path("."):
        wanted |= {"providers.tf", "backend.tf"}
    assert wanted <= names
    for kind in ("variable", "output"):
        assert blocks(folder, kind).keys() == _in(folder / f"{kind}s.tf", kind).keys(), (
            f"a {kind} stands elsewhere"
        )


def blocks(folder: Path, kind: str) -> dict[str, dict[str, str]]:
    """The blocks variable, output or module of a folder's files: name -> attribute -> its text."""
    return {
        name: attributes
        for file in (TREE / folder).glob("*.tf")
        for name, attributes in _in(folder / file.name, kind).items()
    }


def _in(file: Path, kind: str) -> dict[str, dict[str, str]]:
    """Read line by line: `terraform fmt`, which another test demands, leaves one way to write it."""
    found = re.findall(rf'^{kind} "(\w+)" {{\n(.*?)^}}', (TREE / file).read_text(), re.MULTILINE | re.DOTALL)
    return {name: dict(re.findall(r"^  (\w+) += (.+)$", body, re.MULTILINE)) for name, body in found}
