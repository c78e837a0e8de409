"""What the fields of all feeds have in common: texts, integers, blanks. Arrays in, arrays of the same length out."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

# Blanks and control characters around a number are no part of it.
AROUND_NUMBERS = "".join(map(chr, [*range(0x21), 0x7F]))


def texts(values: pa.Array) -> pa.Array:
    """Binary as UTF-8; what is no UTF-8 becomes U+FFFD."""
    try:
        return values.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([value.decode("utf-8", "replace") for value in values.to_pylist()], pa.string())


def integers(values: pa.Array) -> pa.Array:
    """Texts as int32; NULL for a text that is no integer of 32 bits."""
    if pc.all(pc.match_substring_regex(values, r"^[0-9]{1,9}$")).as_py() is not False:
        return values.cast(pa.int32())
    return pa.array([integer(value) for value in values.to_pylist()], pa.int32())


def integer(text: str) -> int | None:
    """The integer of 32 bits that a text is, or None."""
    digits = text.strip(AROUND_NUMBERS)
    unsigned = digits[1:] if digits[:1] in ("+", "-") else digits
    significant = unsigned.lstrip("0") or "0"
    # Python refuses to count thousands of digits, be they zeros
    if not (unsigned.isascii() and unsigned.isdecimal()) or len(significant) > 10:
        return None
    number = -int(significant) if digits[0] == "-" else int(significant)
    return number if -(2**31) <= number < 2**31 else None


def is_blank(values: pa.Array) -> pa.Array:
    """Whether texts or binaries hold nothing but blanks and line ends."""
    return pc.invert(pc.match_substring_regex(values, r"[^ \t\n\v\f\r]"))


def first_reason(*rules: tuple[pa.Array, str]) -> pa.Array:
    """For each record the reason of the first rule that applies to it, or NULL."""
    conditions = pc.make_struct(*(condition for condition, _ in rules))
    return pc.case_when(conditions, *(pa.scalar(reason) for _, reason in rules))
