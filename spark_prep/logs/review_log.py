"""Reads the XML of a log: what is well-formed by XML 1.0 and has the agreed structure, whatever it looks like.

The usual shape is read by one pattern that no text but well-formed XML fits; everything else by a real XML parser (expat),
record by record. A document type is refused, and with it every entity that is not XML's own.
"""

from __future__ import annotations

from functools import reduce
from xml.parsers import expat

import pyarrow as pa
import pyarrow.compute as pc

from spark_prep.spark.fields import is_blank, texts

TAGS = ("logDate", "device", "location", "os", "browser", "ipAddress", "phoneNumber")
BROKEN_XML = "broken XML"
NOT_ONE_LOG = "not exactly one <log>"
REPEATED_TAG = "a tag is repeated"
MARKUP_IN_A_VALUE = "markup in a value"
# No device, place or address has more; Redshift counts bytes (dbt's sources.yml), and a report would have to draw it.
MOST_BYTES = 255
TOO_LONG_A_VALUE = f"a value is longer than {MOST_BYTES} bytes"
DEEPEST = 100

# The tags in the vendor's order, without the browser that no delivery has had. A value holds no markup, no reference and no
# character that XML forbids or that needs a second look.
VALUE = r"[^<>&\x00-\x1f\x{7f}-\x{9f}\x{FFFE}\x{FFFF}]*"
USUAL_TAGS = [tag for tag in TAGS if tag != "browser"]
USUAL = (
    "^<reviewlog><log>"
    + "".join(f"<{tag}>(?P<{tag}>{VALUE})</{tag}>" for tag in USUAL_TAGS)
    + "</log></reviewlog>$"
)


def read_logs(logs: pa.Array) -> pa.Table:
    """From binary texts of XML: a string column for each of TAGS, trimmed, NULL where it is missing or blank; and `reason`,
    why a text is no log, or NULL. The columns of a text with a reason are of no use."""
    decoded = texts(logs)
    usual = pc.extract_regex(decoded, USUAL)
    # what is no UTF-8 is no XML: the pattern sees U+FFFD in its place, a character like any other
    is_usual = pc.and_(pc.is_valid(usual), pc.equal(decoded.cast(pa.binary()), logs))
    columns = {tag: usual.field(tag) for tag in USUAL_TAGS} | {"browser": pa.nulls(len(logs), pa.string())}
    table = pa.table({tag: columns[tag] for tag in TAGS} | {"reason": pa.nulls(len(logs), pa.string())})
    unusual = pc.indices_nonzero(pc.invert(is_usual))
    if len(unusual):
        read = [_read(raw) for raw in logs.take(unusual).to_pylist()]
        parsed = pa.table(
            {name: pa.array([row.get(name) for row in read], pa.string()) for name in table.column_names}
        )
        # behind the usual rows, each at the place where it belongs
        places = pa.array(range(len(logs)), pa.int64()).to_numpy(zero_copy_only=False).copy()
        places[unusual.to_numpy()] = range(len(logs), len(logs) + len(unusual))
        table = pa.concat_tables([table, parsed]).take(pa.array(places))
    values = {name: _value(table.column(name)) for name in TAGS}
    too_long = [pc.greater(pc.binary_length(value), MOST_BYTES).fill_null(False) for value in values.values()]
    found_long = pc.if_else(reduce(pc.or_, too_long), TOO_LONG_A_VALUE, pa.scalar(None, pa.string()))
    return pa.table(values | {"reason": pc.coalesce(table.column("reason"), found_long)}).combine_chunks()


def _value(column: pa.ChunkedArray) -> pa.ChunkedArray:
    trimmed = pc.utf8_trim(column, " \t\r\n")
    return pc.if_else(is_blank(trimmed), None, trimmed)


def _read(raw: bytes) -> dict[str, str | None]:
    """The values by their tags, or why there are none as `reason`."""
    log = _Log()
    try:
        log.parser.Parse(raw, True)
    except (expat.ExpatError, _Broken):
        return {"reason": BROKEN_XML}
    if log.number != 1:
        return {"reason": NOT_ONE_LOG}
    return {"reason": log.fault, **{tag: "".join(parts) for tag, parts in log.values.items()}}


class _Broken(Exception):
    """Well-formed, perhaps, but nothing that may be read on."""


class _Log:
    """Collects what expat finds in one text."""

    def __init__(self) -> None:
        self.path: list[str] = []
        self.number = 0
        self.values: dict[str, list[str]] = {}
        self.fault: str | None = None
        # Always UTF-8, whatever the declaration claims: it is a field of a file.
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text
        self.parser.StartDoctypeDeclHandler = self.refuse

    def refuse(self, *_: object) -> None:
        raise _Broken

    def start(self, name: str, attributes: dict[str, str]) -> None:
        depth = len(self.path)
        if depth == DEEPEST or (depth == 0 and name != "reviewlog"):
            raise _Broken
        if depth == 1 and name == "log":
            self.number += 1
        elif depth == 2 and self.path[1] == "log" and name in TAGS:
            if name in self.values:
                self.fault = REPEATED_TAG
            self.values.setdefault(name, [])
        elif depth > 2 and self.path[1] == "log" and self.path[2] in TAGS:
            self.fault = self.fault or MARKUP_IN_A_VALUE
        self.path.append(name)

    def end(self, name: str) -> None:
        self.path.pop()

    def text(self, characters: str) -> None:
        if len(self.path) == 3 and self.path[1] == "log" and self.path[2] in TAGS:
            self.values[self.path[2]].append(characters)
