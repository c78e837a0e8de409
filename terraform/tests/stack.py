"""A Terraform state to ask questions of: its resources, its outputs, and on AWS what IAM's policies let whom do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

# The fixtures of conftest.py.
Initialised: TypeAlias = Callable[[str], Path]
Mocked: TypeAlias = Callable[[str], dict[str, SimpleNamespace]]


class Stack:
    """`values` is what `terraform show -json` calls values, and `terraform test -json -verbose` a run's test_state."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.outputs = {name: output.get("value") for name, output in values.get("outputs", {}).items()}
        self.resources = [
            resource for resource in _resources(values["root_module"]) if resource["mode"] == "managed"
        ]
        self.text = json.dumps([self.outputs, self.resources])

    @property
    def runtime(self) -> str:
        return str(self.outputs["spark_runtime"])

    def all(self, type_: str) -> dict[str, SimpleNamespace]:
        """The resources of a type, as attributes, by their addresses."""
        return {
            resource["address"]: SimpleNamespace(**resource["values"])
            for resource in self.resources
            if resource["type"] == type_
        }

    def one(self, type_: str, name: str = "") -> SimpleNamespace:
        """The only resource of a type, or of those the one whose address holds the name."""
        (found,) = [values for address, values in self.all(type_).items() if name in address]
        return found

    def statements(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each statement of the policies written here, with the name of the role that it is for."""
        for policy in self.all("aws_iam_role_policy").values():
            for statement in json.loads(policy.policy)["Statement"]:
                yield policy.role, statement

    def who_may(self, action: str, resource: str) -> set[str]:
        """The roles with a policy that allows it. Conditions count as met, so it is rather one too many."""
        return {
            role
            for role, statement in self.statements()
            if statement["Effect"] == "Allow"
            and any(fnmatchcase(action.lower(), pattern.lower()) for pattern in as_list(statement["Action"]))
            and any(fnmatchcase(resource, pattern) for pattern in as_list(statement["Resource"]))
        }


def as_list(one_or_more: str | list[str]) -> list[str]:
    return [one_or_more] if isinstance(one_or_more, str) else one_or_more


def _resources(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from _resources(child)
