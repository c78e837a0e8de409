"""What the stand-in reads from ZetaSQL's syntax trees: statements, table names, and the text of a part.

A tree says where in the text each part stands, so that statements are taken apart and changed without a parser or
printer of our own. Positions count bytes of UTF-8.
"""

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

from google.protobuf.message import Message

from ci.stand_ins.bigquery.zetasql_engine import Engine


class Edit(NamedTuple):
    start: int
    end: int
    text: str


class Script:
    """A parsed script. `statements` are the nodes of its statements; `text_of(node)` is the text of any node."""

    def __init__(self, engine: Engine, sql: str, project: str):
        """Table names become flat: `p`.`d`.`t` and `p.d.t` are `p.d.t`, with the alias t where there is none."""
        edits = list(_flat_names(engine.parse(sql), project))
        self._bytes = _edited(sql.encode(), edits)
        self.statements = statements_of(engine.parse(self._bytes.decode()))

    def text_of(self, node: Message) -> str:
        start, end = location(node)
        return self._bytes[start:end].decode()


def statements_of(node: Message) -> list[Message]:
    """The statements of a script or of a BEGIN … END block."""
    return [leaf(statement) for statement in node.statement_list_node.statement_list]


def table_names(node: Message) -> set[str]:
    """The flat names of the tables under a node."""
    return {
        path.names[0].id_string
        for path, _ in _paths(node)
        if len(path.names) == 1 and path.names[0].id_string.count(".") >= 2
    }


def leaf(node: Message) -> Message:
    """The node itself: protocol buffers wrap it in one message for each of its base classes."""
    while wrapper := next((oneof for oneof in node.DESCRIPTOR.oneofs if oneof.name == "node"), None):
        inner = node.WhichOneof(wrapper.name)
        if inner is None:
            return node
        node = getattr(node, inner)
    return node


def attribute(node: Message, name: str) -> Any:
    """An attribute of a node, also where it belongs to a base class; None when it is not set."""
    node = _holder_of(leaf(node), name)
    field = node.DESCRIPTOR.fields_by_name[name]
    if field.is_repeated:
        return getattr(node, name)
    return getattr(node, name) if node.HasField(name) else None


def kind(node: Message) -> str:
    """`Merge` for ASTMergeStatementProto and for ResolvedMergeStmtProto."""
    name = leaf(node).DESCRIPTOR.name.removesuffix("Proto")
    return name.removeprefix("AST").removeprefix("Resolved").removesuffix("Statement").removesuffix("Stmt")


def location(node: Message) -> tuple[int, int]:
    place = attribute(node, "parse_location_range")
    return place.start, place.end


def _holder_of(node: Message, name: str) -> Message:
    while name not in node.DESCRIPTOR.fields_by_name:
        node = node.parent
    return node


def _flat_names(tree: Message, project: str) -> Iterator[Edit]:
    for path, owner in _paths(tree):
        parts = ".".join(name.id_string for name in path.names).split(".")
        if parts[0] != project or len(parts) < 3:
            continue
        start, end = location(path)
        needs_alias = "alias" in owner.DESCRIPTOR.fields_by_name and not owner.HasField("alias")
        alias = f" as `{parts[-1]}`" if needs_alias else ""
        yield Edit(start, end, f"`{'.'.join(parts)}`{alias}")


def _paths(
    node: Message, owner: Message | None = None, is_base: bool = False
) -> Iterator[tuple[Message, Message]]:
    """Every path expression under a node, with the node that it belongs to."""
    if node.DESCRIPTOR.name == "ASTPathExpressionProto":
        yield node, owner
        return
    # Neither a wrapper nor the part that holds a base class's attributes is a node of its own.
    owner = owner if is_base or node.DESCRIPTOR.name.startswith("Any") else node
    for name, is_repeated in _message_fields(node.DESCRIPTOR):
        if is_repeated:
            for child in getattr(node, name):
                yield from _paths(child, owner)
        elif node.HasField(name):
            yield from _paths(getattr(node, name), owner, is_base=name == "parent")


@functools.cache
def _message_fields(descriptor) -> list[tuple[str, bool]]:
    return [(field.name, field.is_repeated) for field in descriptor.fields if field.message_type]


def _edited(text: bytes, edits: list[Edit]) -> bytes:
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text.encode() + text[edit.end :]
    return text
