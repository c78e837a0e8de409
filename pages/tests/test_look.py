"""The docs site and the report have one look, and neither needs the other."""

import ast
import re

import pytest

from ci.staged_sample import ROOT
from pages.look.render import script_policy

PAGES = ROOT / "pages"


@pytest.mark.parametrize(("part", "other"), [("docs_site", "report"), ("report", "docs_site")])
def test_neither_part_imports_the_other(part, other):
    imported = {
        node.module or ""
        for file in (PAGES / part).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom)
    }
    assert "pages.look.render" in imported
    assert not [name for name in imported if name.startswith(f"pages.{other}")]


def test_colours_and_variables_are_in_the_look_alone():
    styles = [file for part in ("docs_site", "report") for file in (PAGES / part).glob("*.css")]
    assert len(styles) == 3
    look = (PAGES / "look/look.css").read_text()
    variables = set(re.findall(r"(--[a-z0-9-]+):", look))
    for style in styles:
        text = style.read_text()
        assert not re.findall(r"(?:#[0-9a-f]{3,8}\b(?=[; ])|--[a-z0-9-]+:)", text), style.name
        assert set(re.findall(r"var\((--[a-z0-9-]+)\)", text)) <= variables, style.name


def test_both_schemes_have_every_colour():
    light, dark = re.findall(r":root \{(.*?)\}", (PAGES / "look/look.css").read_text(), re.DOTALL)
    assert re.findall(r"(--[a-z0-9-]+):", light) == re.findall(r"(--[a-z0-9-]+):", dark)


def test_a_policy_names_its_scripts_and_refuses_one_that_would_end_early():
    """The digests are those of: printf %s 'a()' | openssl dgst -sha256 -binary | base64"""
    assert (
        script_policy("a()", "b()")
        == "script-src 'sha256-qVpDBgj7bpq5hMAcGp3AOc79J3Y1Z4HvySTwKrWDoy4=' 'sha256-cf242PFc/kb7xD0Qzhsmd9vvRkc+cWFmbi+k+YvtdKc='"
    )
    for code in ("'</SCRIPT>'", "1 <!--2"):
        with pytest.raises(ValueError, match="cannot be written into HTML"):
            script_policy("a()", code)
