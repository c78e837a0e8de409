"""No file of the repository holds a secret, by detect-secrets: keys and tokens by their form, and strings that look like chance."""

import csv
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from detect_secrets import SecretsCollection
from detect_secrets.settings import default_settings

ROOT = Path(__file__).parents[3]
# `password = "…"` in Python is ruff's to find (S105 to S107); elsewhere this one takes names of settings for secrets.
LEFT_TO_RUFF = {"KeywordDetector"}
# Hashes of packages, and pictures.
NOT_READ = ("requirements/*.txt", "*.png")
# What looks like one and is none.
NO_SECRETS = ROOT / "ci/supply_chain/no_secrets.csv"
CHANCE = sha256(b"made up for this test").hexdigest()


def found_in(root: Path, files: list[str]) -> dict[tuple[str, str], str]:
    """(file, string) -> what it looks like."""
    with default_settings() as settings:
        settings.disable_plugins(*LEFT_TO_RUFF)
        secrets = SecretsCollection(str(root))
        secrets.scan_files(*files)
    return {
        (str((root / secret.filename).relative_to(root)), secret.secret_value): secret.type
        for _, secret in secrets
    }


def test_no_file_holds_a_secret():
    excluded = [f":(exclude){pattern}" for pattern in NOT_READ]
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", ".", *excluded]
    files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(files) > 400
    found = found_in(ROOT, files)
    with NO_SECRETS.open(encoding="utf-8", newline="") as lines:
        known = {(row["file"], row["string"]): row["what"] for row in csv.DictReader(lines)}
    assert {key: kind for key, kind in found.items() if key not in known} == {}
    assert known.keys() - found.keys() == set(), "lines that nothing needs any more"
    assert all(known.values())


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("AWS Access Key", f"key = AKIA{CHANCE[:16].upper()}"),
        ("Private Key", f"-----BEGIN {'RSA'} PRIVATE KEY-----\n{CHANCE}\n{CHANCE}\n-----END {'RSA'} PRIVATE KEY-----"),
        ("GitHub Token", f"ghp_{CHANCE[:36]}"),
        ("Basic Auth Credentials", f"postgresql://shop:{CHANCE[:8]}@db.internal/shop"),
        ("Hex High Entropy String", f'key = "{CHANCE}"'),
    ],
)  # fmt: skip
def test_the_scan_finds(tmp_path, kind, text):
    (tmp_path / "settings.py").write_text(text + "\n")
    assert kind in found_in(tmp_path, ["settings.py"]).values()
