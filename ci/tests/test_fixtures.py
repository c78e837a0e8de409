"""How tests are shared among processes."""

import pytest

from ci.fixtures import ByFileAndWarehouse


@pytest.mark.parametrize("warehouse", ["redshift", "bigquery"])
def test_all_tests_of_a_warehouse_run_in_the_process_that_builds_it(warehouse):
    """A build takes a minute."""
    split = ByFileAndWarehouse.__new__(ByFileAndWarehouse)._split_scope
    scope = split(f"tests/test_warehouses.py::test_one[{warehouse}]")
    assert split(f"tests/test_warehouses.py::test_two[{warehouse}-as delivered]") == scope
    assert split("tests/test_warehouses.py::test_three") != scope
    assert split("tests/test_other.py::test_one[plain]") == "tests/test_other.py"
