"""How tests are shared among processes."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from ci.fixtures import APART, LONGEST, ByFileAndWarehouse, pytest_collection_modifyitems
from ci.staged_sample import ROOT

split = ByFileAndWarehouse.__new__(ByFileAndWarehouse)._split_scope


@pytest.mark.parametrize("warehouse", ["redshift", "bigquery"])
def test_all_tests_of_a_warehouse_run_in_the_process_that_builds_it(warehouse):
    """A build takes a minute."""
    scope = split(f"tests/test_warehouses.py::test_one[{warehouse}]")
    assert split(f"tests/test_warehouses.py::test_two[{warehouse}-as delivered]") == scope
    assert split("tests/test_warehouses.py::test_three") != scope
    assert split("tests/test_other.py::test_one[plain]") == "tests/test_other.py"


def test_the_tests_of_a_long_file_may_run_in_different_processes():
    for name in APART:
        assert split(f"tests/{name}::test_one") != split(f"tests/{name}::test_two")
    assert split("tests/test_other.py::test_one") == split("tests/test_other.py::test_two")


def test_the_longest_files_come_first_and_then_those_with_slow_tests():
    longest, slow, quick = min(LONGEST), "test_slow.py", "test_quick.py"
    assert all([*ROOT.glob(f"*/tests/**/{name}")] for name in LONGEST)

    def item(name: str, *, is_slow: bool = False):
        return SimpleNamespace(path=Path(name), get_closest_marker=lambda marker: is_slow or None)

    items = [item(quick), item(slow), item(slow, is_slow=True), item(longest, is_slow=True)]
    pytest_collection_modifyitems(items)
    assert [item.path.name for item in items] == [longest, slow, slow, quick]
