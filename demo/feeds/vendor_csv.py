"""Writing the vendors' CSV (RFC 4180, quotes only where needed) with room for lines that break its rules."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path


@contextlib.contextmanager
def vendor_file(
    out: Path, feed: str, insert_date: object, name: str, header: str, line_end: str = "\n", mark: str = ""
) -> Iterator[Callable[[str], object]]:
    """Open raw/<feed>/insert_date=D/<name>, write `mark` (for a BOM) and header, yield `write_line`."""
    folder = out / "raw" / feed / f"insert_date={insert_date}"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / name, "w", encoding="utf-8", newline="") as file:
        file.write(mark + header + line_end)
        yield lambda line: file.write(line + line_end)


def field(text: str) -> str:
    """The text as a CSV field."""
    if any(character in text for character in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
