"""The README's pictures, and the command that takes them."""

import re

import pytest

from ci.staged_sample import ROOT
from demo import screenshots
from pages.browser import chromium, running_browser

IMAGES = ROOT / "docs/images"
LARGEST = 150_000


def test_a_document_shows_every_picture_and_each_is_small():
    shown = [
        document.parent / image
        for document in (ROOT / "README.md", ROOT / "docs/tables.md")
        for image in re.findall(r"\]\(((?:docs/)?images/[^)]+)\)", document.read_text())
    ]
    assert sorted(shown) == sorted(IMAGES.iterdir())
    for image in IMAGES.iterdir():
        assert image.stat().st_size < LARGEST, image.name


def test_without_the_demo_the_command_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(screenshots, "SITE", tmp_path)
    monkeypatch.setattr(screenshots, "chromium", lambda: "chromium")
    with pytest.raises(SystemExit, match="run make demo first"):
        screenshots.main(str(tmp_path / "images"))
    assert not (tmp_path / "images").exists()


def test_a_picture_is_of_a_page_or_of_a_part(tmp_path):
    if not chromium():
        pytest.skip("no Chromium (make test-site says more): no picture is taken")
    page = tmp_path / "page.html"
    page.write_text(
        '<!doctype html><title>x</title><h1>x</h1><svg width="9" height="9"></svg><div id="part" style="position:absolute;top:200px;width:300px;height:90px">'
    )
    with running_browser() as browser:
        screenshots.take_page(browser, page, tmp_path / "page.png")
        screenshots.take_page(browser, page, tmp_path / "part.png", "#part")
    assert [size_of(tmp_path / f"{name}.png") for name in ("page", "part")] == [(1200, 750), (300, 90)]


def size_of(image) -> tuple[int, int]:
    """Width and height, as they are in the head of a PNG file."""
    head = image.read_bytes()[16:24]
    return int.from_bytes(head[:4]), int.from_bytes(head[4:])
