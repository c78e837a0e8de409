"""Under which licence a package comes, by what it says of itself where it is installed."""

from collections.abc import Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.utils import canonicalize_name

Licences = Mapping[tuple[str, str], str]
# A longer field holds the licence's text, not its name.
LONGEST_NAME = 80
CLASSIFIER = "License :: "


def installed_licences(root: Path) -> Licences:
    """(canonical name, version) -> licence, of all packages in the environments .venv*; what says nothing has none."""
    found: dict[tuple[str, str], str] = {}
    for folder in sorted(root.glob(".venv*/lib/python*/site-packages")):
        for distribution in distributions(path=[str(folder)]):
            if name := licence(distribution):
                found[canonicalize_name(distribution.metadata["Name"]), distribution.version] = name
    return found


def licence(distribution: Distribution) -> str | None:
    """The SPDX expression, or else a short name, or else the classifiers."""
    metadata = distribution.metadata
    for expression in metadata.get_all("License-Expression") or []:
        return str(expression)
    name = "".join(metadata.get_all("License") or []).strip()
    if (
        name
        and name.lower() not in ("unknown", "dual license")
        and len(name) <= LONGEST_NAME
        and "\n" not in name
    ):
        return str(name)
    classifiers = [line for line in metadata.get_all("Classifier") or [] if line.startswith(CLASSIFIER)]
    return " or ".join(line.rpartition(" :: ")[2] for line in classifiers) or None
