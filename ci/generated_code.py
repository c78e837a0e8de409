"""For the process from which commands are forked (ci/resident.py): what dbt makes in every command, made once.

It generates the code that reads, writes and checks each of its classes when that is first needed, which took a second of the two
that a command without models takes.
"""

import contextlib
import inspect
from collections.abc import Iterator

from dbt.adapters.contracts.connection import Credentials
from dbt.contracts.project import Configuration, PackageConfig, Project, ProjectFlags
from dbt_common.dataclass_schema import dbtClassMixin


def _classes_of(base: type[dbtClassMixin]) -> Iterator[type[dbtClassMixin]]:
    for derived in base.__subclasses__():
        yield derived
        yield from _classes_of(derived)


for _class in set(_classes_of(dbtClassMixin)):
    for _use in (
        lambda of: of.from_dict({}),
        lambda of: of.from_msgpack(b"\x80"),
        lambda of: of.to_dict(object.__new__(of)),
    ):
        # An object without values is refused, once the code is there.
        with contextlib.suppress(Exception):
            _use(_class)
for _class in (Configuration, Project, ProjectFlags, PackageConfig, *_classes_of(Credentials)):
    _class.json_schema()
# Finds the file of each module, for all that asks for a source.
inspect.getmodule(_classes_of.__code__)
