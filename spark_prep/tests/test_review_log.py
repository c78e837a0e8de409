"""Logs as XML 1.0 has them: cases, and thousands of mutations against a tree that the standard library builds.

`FUZZ_RECORDS=1000000 FUZZ_SEED=7 pytest spark_prep/tests/test_review_log.py` reads more of them, and others.
"""

import os
import random
from xml.dom import Node
from xml.dom.expatbuilder import ExpatBuilder
from xml.parsers import expat

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from spark_prep.logs.review_log import DEEPEST, TAGS, USUAL, read_logs
from spark_prep.spark.fields import texts

RECORDS = int(os.environ.get("FUZZ_RECORDS", "10000"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
BROKEN, ONE, REPEATED, MARKUP, LONG = (
    "broken XML",
    "not exactly one <log>",
    "a tag is repeated",
    "markup in a value",
    "a value is longer than 255 bytes",
)
DATED = "<logDate>04-25-2021</logDate>"


def wrap(inner: str) -> str:
    return f"<reviewlog><log>{inner}</log></reviewlog>"


def read_one(log: str | bytes) -> dict[str, str | None]:
    raw = log if isinstance(log, bytes) else log.encode()
    (row,) = read_logs(pa.array([raw], pa.binary())).to_pylist()
    return row


WELL_FORMED: dict[str, str] = {
    "the usual shape": wrap(DATED + "<location>Ohio</location>"),
    "other order": wrap("<location>Ohio</location>" + DATED),
    "unknown tags": wrap("<x><y/></x>" + DATED + "<location>Ohio</location>"),
    "a declaration": '<?xml version="1.0"?>' + wrap(DATED + "<location>Ohio</location>"),
    # the log is a field of a file in UTF-8, whatever it claims
    "a declared encoding": '<?xml version="1.0" encoding="latin-1"?>'
    + wrap(DATED + "<location>Ohio</location>"),
    "a byte order mark": "\ufeff" + wrap(DATED + "<location>Ohio</location>"),
    "a comment before": "<!-- c -->" + wrap(DATED + "<location>Ohio</location>"),
    "a comment with tags before": "<!-- <reviewlog> -->" + wrap(DATED + "<location>Ohio</location>"),
    "a comment behind": wrap(DATED + "<location>Ohio</location>") + "\n<!-- </reviewlog> -->\n",
    "an instruction behind": wrap(DATED + "<location>Ohio</location>") + "<?note well?>",
    "a comment in a value": wrap(DATED + "<location>Oh<!-- <x/> -->io</location>"),
    "an instruction in a value": wrap(DATED + "<location>Oh<?x?>io</location>"),
    "CDATA": wrap(DATED + "<location><![CDATA[Oh]]>io</location>"),
    "references": wrap(DATED + "<location>&#79;h&#x69;o</location>"),
    "attributes": f'<reviewlog a="1"><log b="2">{DATED}<location c="3">Ohio</location></log></reviewlog>',
    "12,000 attributes": "<reviewlog "
    + " ".join(f'a{n}="{n}"' for n in range(12_000))
    + f"><log>{DATED}<location>Ohio</location></log></reviewlog>",
    "blanks around": f"\n <reviewlog>\n <log>\n{DATED}\n<location>\t Ohio \r\n</location></log> </reviewlog >\n ",
    "a log in another place": f"<reviewlog><x><log><location>Iowa</location></log></x><log>{DATED}<location>Ohio</location></log></reviewlog>",
}


@pytest.mark.parametrize("name", WELL_FORMED)
def test_well_formed_logs_are_read(name):
    nothing = dict.fromkeys((*TAGS, "reason"))
    assert read_one(WELL_FORMED[name]) == nothing | {"logDate": "04-25-2021", "location": "Ohio"}


def test_a_value_may_have_255_bytes_and_blanks_around_them():
    assert read_one(wrap(f"{DATED}<os>  {'ä' * 127}x </os>"))["os"] == "ä" * 127 + "x"


REJECTED: dict[str, tuple[str | bytes, str]] = {
    "NUL in a value": (wrap(DATED + "<location>New\0York</location>"), BROKEN),
    "NUL in a tag": (wrap(DATED + "<location>Ohio</\0location>"), BROKEN),
    "NUL behind": (wrap(DATED) + "\0", BROKEN),
    "U+FFFE": (wrap(DATED + "<location>New\ufffeYork</location>"), BROKEN),
    "U+FFFF": (wrap(DATED + "<location>New\uffffYork</location>"), BROKEN),
    "a vertical tab behind": (wrap(DATED) + "\x0b", BROKEN),
    "a control character": (wrap(DATED + "<location>\x01</location>"), BROKEN),
    "the end of CDATA in a text": (wrap(DATED + "<location>]]></location>"), BROKEN),
    "not UTF-8": (wrap(DATED + "<location>\xe9</location>").encode("latin-1"), BROKEN),
    "a surrogate": (wrap(DATED).encode() + b"<!-- \xed\xa0\x80 -->", BROKEN),
    "a second closing tag": (wrap(DATED) + "</reviewlog>", BROKEN),
    "tags behind the root": (wrap(DATED) + "</log></reviewlog>", BROKEN),
    "text behind the root": (wrap(DATED) + "junk</reviewlog>", BROKEN),
    "two roots": (wrap(DATED) * 2, BROKEN),
    "another root": (wrap(DATED).replace("reviewlog", "other"), BROKEN),
    "a tag by another case": (wrap(DATED).replace("reviewlog", "ReviewLog"), BROKEN),
    "blanks before the declaration": (' <?xml version="1.0"?>' + wrap(DATED), BROKEN),
    "a document type": ("<!DOCTYPE reviewlog>" + wrap(DATED), BROKEN),
    "an external entity": (
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + wrap(DATED + "<os>&x;</os>"),
        BROKEN,
    ),
    "an entity that nobody declared": (wrap(DATED + "<os>&nbsp;</os>"), BROKEN),
    "a reference to what XML forbids": (wrap(DATED + "<os>&#0;</os>"), BROKEN),
    "a control character of XML 1.1": (
        '<?xml version="1.1"?>' + wrap(DATED + "<os>&#x1b;</os>"),
        BROKEN,
    ),
    "a device of 256 bytes": (wrap(f"{DATED}<device>{'ä' * 128}</device>"), LONG),
    "a long phone number in another shape": (
        wrap(f"<phoneNumber>{'5' * 1000}</phoneNumber>{DATED}"),
        LONG,
    ),
    "depth of 100,000": ("<reviewlog>" + "<a>" * 100_000 + "</a>" * 100_000 + "</reviewlog>", BROKEN),
    "an attribute twice": (wrap('<logDate a="1" a="2">04-25-2021</logDate>'), BROKEN),
    "two logs": (f"<reviewlog><log>{DATED}</log><log/></reviewlog>", ONE),
    "no log": ("<reviewlog/>", ONE),
    "a repeated tag": (wrap(DATED + "<os>a</os><os>b</os>"), REPEATED),
    "a repeated tag with markup": (wrap(DATED + "<os><x/></os><os>b</os>"), REPEATED),
    "an element within a value": (wrap(DATED + "<location>New<x/> York</location>"), MARKUP),
    "a value of elements alone": (wrap(DATED + "<device><b>x</b></device>"), MARKUP),
    "a tag within another": (wrap(DATED + "<os>iO<device/></os>"), MARKUP),
}


@pytest.mark.parametrize("name", REJECTED)
def test_what_is_no_log_has_its_reason(name):
    log, reason = REJECTED[name]
    assert read_one(log)["reason"] == reason


def test_a_depth_of_a_hundred_is_deep_enough():
    deep = "<a>" * (DEEPEST - 2) + "</a>" * (DEEPEST - 2)
    assert read_one(wrap(DATED + deep))["reason"] is None


# The reference: a tree, built by the standard library, and the agreed structure looked up in it.


class TreeBuilder(ExpatBuilder):
    def createParser(self):
        return expat.ParserCreate("utf-8")


def reference(raw: bytes) -> dict[str, str | None]:
    try:
        document = TreeBuilder().parseString(raw)
    except expat.ExpatError:
        return {"reason": BROKEN}
    root = document.documentElement
    if document.doctype is not None or root.tagName != "reviewlog" or depth(root) > DEEPEST:
        return {"reason": BROKEN}
    logs = elements(root, "log")
    if len(logs) != 1:
        return {"reason": ONE}
    found = {tag: elements(logs[0], tag) for tag in TAGS}
    if any(len(values) > 1 for values in found.values()):
        return {"reason": REPEATED}
    if any(elements(value) for values in found.values() for value in values):
        return {"reason": MARKUP}
    return {
        tag: "".join(node.data for value in values for node in value.childNodes if is_text(node)).strip(" \t\r\n")
        or None
        for tag, values in found.items()
    } | {"reason": None}  # fmt: skip


def elements(parent, name: str | None = None) -> list:
    return [
        node
        for node in parent.childNodes
        if node.nodeType == Node.ELEMENT_NODE and name in (None, node.tagName)
    ]


def is_text(node) -> bool:
    return node.nodeType in (Node.TEXT_NODE, Node.CDATA_SECTION_NODE)


def depth(root) -> int:
    level, levels = [root], 0
    while level:
        level = [child for node in level for child in elements(node)]
        levels += 1
    return levels


SPLINTERS = [
    "\0", "\ufffe", "\uffff", "\ufffd", "\x0b", "\x85", "\x7f", "\u2028", "\U0001fffe", "\r", "\n", " ", "é", "\ufeff",
    "<", ">", "&", "/", "'", '"', "]]>", "]]", "<x/>", "<x>", "</x>", "<x a='1'/>", "<x a='1' a='2'/>", "<device/>", "<log/>", "<log>", "</log>",
    "</reviewlog>", "<reviewlog>", "<!-- c -->", "<!-- <reviewlog> -->", "<!-- -- -->", "<!--", "-->", "<?pi x?>", "<?xml version='1.0'?>",
    "<?xml version='1.0' encoding='utf-16'?>", "<?xml version='1.0' encoding='latin-1'?>", "<!DOCTYPE reviewlog>",
    "<!DOCTYPE r [<!ENTITY x 'y'>]>", "<![CDATA[a <b> & c]]>", "<![CDATA[", "&amp;", "&lt;x/&gt;", "&x;", "&#0;", "&#65;", "&#x1F600;", "&#xD800;",
    "<browser>Lynx</browser>", "<os> </os>", "<logDate>01-01-0000</logDate>", "<l\0og>", "xmlns:a='b'", "<a:b/>",
]  # fmt: skip


def mutated_log(rng: random.Random) -> bytes:
    texts_of_values = ["", "Ohio", " New York ", "é", "]]", "'"] + (
        ["R&amp;D", "a\nb"] if rng.random() < 0.2 else []
    )
    values = {tag: rng.choice(texts_of_values) for tag in TAGS}
    tags = [tag for tag in TAGS if tag != "browser" or rng.random() < 0.2]
    if rng.random() < 0.2:
        rng.shuffle(tags)
    log = wrap("".join(f"<{tag}>{values[tag]}</{tag}>" for tag in tags))
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        # at the borders of tags as well as anywhere
        places = [0, len(log), *(n for n, c in enumerate(log) if c in "<>"), *rng.sample(range(len(log)), 9)]
        place = rng.choice(places)
        if rng.random() < 0.7:
            log = log[:place] + rng.choice(SPLINTERS) + log[place:]
        else:
            log = log[:place] + log[place + rng.choice([1, 1, 1, 5, 20]) :]
    raw = log.encode()
    if rng.random() < 0.05:
        place = rng.randrange(len(raw))
        raw = raw[:place] + rng.choice([b"\xff", b"\xe9", b"\xed\xa0\x80", b"\xc0\x80"]) + raw[place:]
    return raw


@pytest.mark.slow
def test_mutated_logs_are_read_as_xml_1_0_says():
    rng = random.Random(f"{SEED} logs")
    logs = [mutated_log(rng) for _ in range(RECORDS)]
    outcomes = set()
    for log, found in zip(logs, read_logs(pa.array(logs, pa.binary())).to_pylist(), strict=True):
        expected = reference(log)
        outcomes.add(expected["reason"])
        assert found["reason"] == expected["reason"], log
        assert expected["reason"] or found == expected, log
    assert outcomes == {None, BROKEN, ONE, REPEATED, MARKUP}
    # both ways are well trodden
    usual = pc.sum(pc.is_valid(pc.extract_regex(texts(pa.array(logs, pa.binary())), USUAL))).as_py()
    assert RECORDS / 20 < usual < RECORDS / 2
