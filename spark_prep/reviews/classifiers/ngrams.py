"""The words, pairs and triples of words of a text, as hashed slots: all that a model knows of it.

Words are runs of letters and digits in lower case, with apostrophes inside; ! and ? are words, too, and so is every run of characters
beyond ASCII. Everything works on the bytes of many texts at once: a string for each word would cost more than the rest of a job.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# A change of what follows, SLOTS and LONGEST included, makes every model wrong: raise FORMAT_VERSION in model.py.
SLOTS = 1 << 22
SLOT_BITS = 22
LONGEST = 3
# Texts are hashed in batches of about this size, which bounds the memory: some 100 bytes for each byte of text.
BATCH_BYTES = 1 << 20
MARKUP = "<br />"

# Odd, hence invertible among 64-bit numbers: so a word has the same hash wherever it is.
BASE = 0x9E3779B97F4A7C15
JOIN = np.uint64(0xC2B2AE3D27D4EB4F)

APOSTROPHE = ord("'")
IS_LETTER = np.zeros(256, bool)
IS_LETTER[[*b"abcdefghijklmnopqrstuvwxyz0123456789"]] = True
IS_LETTER[0x80:] = True
IS_MARK = np.zeros(256, bool)
IS_MARK[[*b"!?"]] = True


def slots_of(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Which slots each text has: (place of the text, slot) as two int64 arrays, each pair once, ordered by text and slot. NULL has none."""
    places, slots = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for first, batch in _batches(texts):
        pairs = _pairs(batch)
        places.append(first + (pairs >> SLOT_BITS))
        slots.append(pairs & (SLOTS - 1))
    return np.concatenate(places), np.concatenate(slots)


def ngrams_of(text: str) -> dict[int, str]:
    """The n-grams of one text in words, by slot: slow, to name the slots of a model."""
    codes, _ = _bytes_of(pa.array([text]))
    first, end = _words(codes)
    words = [codes[a:b].tobytes().decode() for a, b in zip(first.tolist(), end.tolist(), strict=True)]
    hashes = _hashes(codes, first, end)
    return {
        slot: " ".join(words[place : place + n])
        for n in range(LONGEST, 0, -1)
        for place, slot in enumerate(_slots(hashes, n).tolist())
    }


def _batches(texts: pa.Array) -> Iterator[tuple[int, pa.Array]]:
    """(place of its first text, texts)"""
    lengths = pc.fill_null(pc.binary_length(texts), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    batch_of = np.cumsum(lengths) // BATCH_BYTES
    starts = np.flatnonzero(np.diff(batch_of, prepend=-1)).tolist()
    for start, end in zip(starts, [*starts, len(texts)][1:], strict=True):
        yield start, texts.slice(start, end - start)


def _pairs(texts: pa.Array) -> np.ndarray:
    """place of the text × SLOTS + slot, each once, in order."""
    codes, text_of_byte = _bytes_of(texts)
    first, end = _words(codes)
    hashes, text_of_word = _hashes(codes, first, end), text_of_byte[first]
    pairs = [np.empty(0, np.int64)]
    for n in range(1, min(LONGEST, len(hashes)) + 1):
        text = text_of_word[: len(text_of_word) - n + 1]
        is_of_one_text = text == text_of_word[n - 1 :]
        pairs.append((text[is_of_one_text] << SLOT_BITS) | _slots(hashes, n)[is_of_one_text])
    # not np.unique, which hashes and takes several times as long
    ordered = np.sort(np.concatenate(pairs))
    unique: np.ndarray = ordered[np.diff(ordered, prepend=-1) != 0]
    return unique


def _bytes_of(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The texts' bytes in lower case, with a blank behind each text; and the text of each byte."""
    clean = pc.replace_substring(pc.utf8_lower(pc.fill_null(texts, "")), MARKUP, " ").cast(pa.large_string())
    padded = pc.binary_join_element_wise(
        clean, pa.scalar("", pa.large_string()), pa.scalar(" ", pa.large_string())
    )
    offsets = np.frombuffer(padded.buffers()[1], np.int64)[padded.offset : padded.offset + len(padded) + 1]
    codes = np.frombuffer(padded.buffers()[2], np.uint8)[offsets[0] : offsets[-1]]
    return codes, np.repeat(np.arange(len(padded)), np.diff(offsets))


def _words(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each word begins, and the place behind its end."""
    is_letter, is_mark = IS_LETTER[codes], IS_MARK[codes]
    is_word = is_letter.copy()
    is_word[1:-1] |= (codes[1:-1] == APOSTROPHE) & is_letter[:-2] & is_letter[2:]
    changes = np.diff(is_word.view(np.int8), prepend=0, append=0)
    first = np.flatnonzero((changes[:-1] == 1) | is_mark)
    last = np.flatnonzero((changes[1:] == -1) | is_mark)
    return first, last + 1


def _hashes(codes: np.ndarray, first: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Of the bytes from first to end: a polynomial in BASE, as the difference of two running sums."""
    # powers for the next power of two, so that a few arrays serve all batches
    powers, inverses = _powers(1 << len(codes).bit_length())
    terms = (codes.astype(np.uint64) + np.uint64(1)) * powers[: len(codes)]
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(terms)))
    return _mixed((sums[end] - sums[first]) * inverses[first])


@cache
def _powers(count: int) -> tuple[np.ndarray, np.ndarray]:
    """BASE to the powers 0, 1 … count - 1 among 64-bit numbers, and their inverses."""
    factors = np.ones((2, count), np.uint64)
    factors[:, 1:] = np.array([[BASE], [pow(BASE, -1, 1 << 64)]], np.uint64)
    powers, inverses = np.cumprod(factors, axis=1)
    return powers, inverses


def _slots(hashes: np.ndarray, n: int) -> np.ndarray:
    """Of every n words in a row, whether or not they are of one text."""
    count = max(len(hashes) - n + 1, 0)
    joined = np.full(count, np.uint64(n))
    for k in range(n):
        joined = _mixed(joined * JOIN + hashes[k : k + count])
    slots: np.ndarray = (joined & np.uint64(SLOTS - 1)).astype(np.int64)
    return slots


def _mixed(hashes: np.ndarray) -> np.ndarray:
    """Every bit of the result depends on every bit: the low bits of a sum know nothing of its high ones."""
    hashes = hashes ^ (hashes >> np.uint64(33))
    hashes = hashes * np.uint64(0xFF51AFD7ED558CCD)
    hashes = hashes ^ (hashes >> np.uint64(33))
    hashes = hashes * np.uint64(0xC4CEB9FE1A85EC53)
    hashes = hashes ^ (hashes >> np.uint64(33))
    return hashes
