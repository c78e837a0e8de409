"""What dbt's manifest says of a table by its data tests."""

from typing import Any


def tests_of(manifest: dict[str, Any], table: str) -> list[dict[str, Any]]:
    """The tests of the table with this unique_id, in the order of their names."""
    tests = [node for node in manifest["nodes"].values() if node.get("attached_node") == table]
    return sorted(tests, key=lambda test: str(test["name"]))


def kind_of(test: dict[str, Any]) -> str | None:
    """Such as unique or relationships; None for a test that is a query of its own."""
    kind: str | None = (test.get("test_metadata") or {}).get("name")
    return kind


def key_of(tests: list[dict[str, Any]]) -> list[str]:
    """The columns of a table's grain, as its tests have them; empty without such a test."""
    together = [
        list(test["test_metadata"]["kwargs"]["columns"])
        for test in tests
        if kind_of(test) == "unique_together"
    ]
    alone = [[test["column_name"]] for test in tests if kind_of(test) == "unique"]
    return next(iter(together + alone), [])
