"""What a document names is there: files, folders, links and their headings, `make` targets, Python modules."""

import os
import re
import tomllib
from pathlib import Path, PurePosixPath

import pytest
import yaml

ROOT = Path(__file__).parents[2]
# Built by make or by a run, or made by the user: named in documents, not in a clean checkout.
MADE = (
    ".env", ".git", ".spark41", ".uv", ".venv", "data", "dist", "dbt_project/logs", "dbt_project/profiles.yml",
    "dbt_project/target", "site", "target",
)  # fmt: skip


def documents() -> list[Path]:
    return sorted(path for path in files_and_folders() if path.suffix == ".md" and path.is_file())


def files_and_folders() -> set[Path]:
    """Everything of the checkout that is not built."""
    found = set()
    for folder, folders, files in os.walk(ROOT):
        here = Path(folder)
        folders[:] = [name for name in folders if not is_made(here / name) and name != "__pycache__"]
        found |= {here / name for name in folders + files if not is_made(here / name)}
    return found


def is_made(path: Path) -> bool:
    place = path.relative_to(ROOT).as_posix()
    return any(place == made or place.startswith((f"{made}/", f"{made}-")) for made in MADE)


EVERYTHING = files_and_folders()
DOCUMENTS = documents()
NAMES = {path.name for path in EVERYTHING}
TOP = {path.name for path in EVERYTHING if path.parent == ROOT}


def code(document: Path) -> list[str]:
    """The pieces of a document that are set as code: spans, and the lines of blocks."""
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?!mermaid)\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return spans + [line for block in blocks for line in block.splitlines()]


def prose_and_code(document: Path) -> str:
    return "\n".join(code(document))


def paths_in(piece: str) -> list[str]:
    """Words that start with a folder or file of the top level, and names of files by themselves."""
    words = [word.rstrip(".,:;") for word in re.split(r"[\s'\"=()]+", piece)]
    in_rooms = [word for word in words if "/" in word and word.split("/")[0] in TOP]
    whole = piece.strip()
    is_file = re.fullmatch(r"[\w.-]+\.(md|py|sql|yml|yaml|sh|tf|toml|csv|txt|tfvars|jinja|css)", whole)
    return in_rooms + ([whole] if is_file and whole not in in_rooms else [])


def exists(path: str, document: Path) -> bool:
    path = re.sub(r"(::.*|:\d+)$", "", path).rstrip("/")
    if any(path == made or path.startswith((f"{made}/", f"{made}-")) for made in MADE):
        return True
    if "/" not in path:
        return path in NAMES
    # <name>, … and * stand for any name
    pattern = re.sub(r"<[^>]+>|…|\{[^}]*\}", "*", path)
    return any(
        PurePosixPath(found.relative_to(ROOT)).match(pattern) or found == document.parent / path
        for found in EVERYTHING
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_path_that_a_document_names_exists(document):
    missing = {path for piece in code(document) for path in paths_in(piece) if not exists(path, document)}
    assert missing == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_make_target_that_a_document_names_exists(document):
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?<![\w-])make ([a-z][a-z-]+)", prose_and_code(document)))
    assert named - targets == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_module_that_a_document_runs_exists(document):
    named = re.findall(r"-m ((?:ci|demo|pages|spark_prep|terraform)[\w.]*)", prose_and_code(document))
    for module in named:
        place = ROOT / module.replace(".", "/")
        assert place.with_suffix(".py").exists() or (place / "__main__.py").exists(), module


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_of_a_document_leads_somewhere(document):
    links = re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8"))
    broken = []
    for link in links:
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, heading = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (heading and heading not in headings(target)):
            broken.append(link)
    assert broken == []


def headings(document: Path) -> set[str]:
    """The headings as GitHub's anchors."""
    lines = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).strip().replace(" ", "-") for line in lines}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_who_empties_staging_is_told_to_keep_the_list_of_the_erased(document):
    for to_do in re.findall(r"(?i)\b(?:empty|delete|clear) `STAGING_URI`.{30}", document.read_text()):
        assert "all but `suppression/`" in to_do


def test_every_decision_is_in_the_index_with_its_title():
    index = (ROOT / "docs/decisions/README.md").read_text()
    decisions = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
    assert decisions
    for decision in decisions:
        text = decision.read_text()
        number, title = re.match(r"# (\d+)\. (.+)\n", text).groups()
        assert decision.name.startswith(f"{int(number):04}-")
        assert f"| [{int(number):04}]({decision.name}) | {title}" in index, decision.name
        for part in ("Context", "Decision", "Consequences", "Rejected"):
            assert f"**{part}.**" in text, f"{decision.name} has no {part.lower()}"
        assert len(text.splitlines()) <= 60, f"{decision.name} is longer than a page"


def test_every_schema_that_a_document_queries_is_one_of_dbts():
    project = (ROOT / "dbt_project/dbt_project.yml").read_text()
    schemas = {*re.findall(r"\+schema: (\w+)", project), "audit", "external", "reading"}
    for document in DOCUMENTS:
        named = set(re.findall(r"\banalytics_([a-z]+)(?=\.)", document.read_text(encoding="utf-8")))
        assert named <= schemas, document.name


def test_the_readme_is_short():
    """Its first screen is what the project is and the two commands; long parts have pages in docs/."""
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) < 120
    assert {"make demo", "make test"} <= {" ".join(line.split()[:2]) for line in lines[:20]}


def test_every_table_for_analysts_is_in_the_table_of_tables():
    models = ROOT / "dbt_project/models"
    tables = [*models.glob("dimensional/*.sql"), *models.glob("customers/*.sql")]
    first_column = re.findall(r"^\| (`.*?) \|", (ROOT / "docs/tables.md").read_text(), re.MULTILINE)
    assert {table.stem for table in tables} == set(re.findall(r"`(\w+)`", " ".join(first_column)))


def test_what_github_and_pre_commit_are_pointed_at_exists():
    owners = re.findall(r"^/(\S+)", (ROOT / ".github/CODEOWNERS").read_text(), re.MULTILINE)
    assert owners and all((ROOT / place).exists() for place in owners)
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    for update in updates:
        for place in [*update.get("directories", []), *filter(None, [update.get("directory")])]:
            assert place == "/" or list(ROOT.glob(place.strip("/"))), f"dependabot: {place}"
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert hook["entry"] == "make lint"
    assert re.search(r"^lint:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_changelog_begins_with_what_is_not_released_and_knows_the_version_of_the_project():
    versions = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert versions[:2] == ["Unreleased", project["version"]]
