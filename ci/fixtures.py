"""What tests of several rooms share: the project's manifest, a staged sample and the warehouse built from it."""

import json

import pytest

from ci.staged_sample import Sample, Warehouse, staged_warehouse


@pytest.fixture(scope="session")
def manifest(tmp_path_factory) -> dict:
    """dbt's manifest of the project, parsed from scratch with warnings and deprecations as errors."""
    folder = tmp_path_factory.mktemp("manifest")
    parsed = Warehouse(folder, folder / "staging").dbt(
        "parse", "--no-partial-parse", "--show-all-deprecations", "--warn-error"
    )
    assert parsed.returncode == 0, parsed.stdout
    return json.loads((folder / "target" / "manifest.json").read_text())


@pytest.fixture(scope="session")
def sample(tmp_path_factory) -> Sample:
    sample = Sample(tmp_path_factory.mktemp("sample"))
    prepared = sample.prepare()
    assert prepared.returncode == 0, prepared.stdout + prepared.stderr
    return sample


@pytest.fixture(scope="session")
def built(sample, tmp_path_factory) -> Warehouse:
    """The sample's days, built as one range."""
    warehouse = staged_warehouse(tmp_path_factory.mktemp("built"), sample.staging)
    warehouse.build(sample.DAYS[0], sample.DAYS[-1])
    return warehouse
