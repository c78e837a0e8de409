"""The program terraform, run so that a developer's own settings and state stay out of the tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

TREE = Path(__file__).parents[1]
CLOUDS = ("aws", "gcp")


def terraform(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["terraform", *arguments], cwd=folder, env=_environment(), text=True, capture_output=True, check=False
    )


def _environment() -> dict[str, str]:
    """The caller's, without what a user has set for their own stack."""
    for_stacks = ("TF_VAR_", "TF_CLI_ARGS", "TF_DATA_DIR", "TF_WORKSPACE", "AWS_", "GOOGLE_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(for_stacks)}
    environment |= {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
    if not Path(environment.get("TF_CLI_CONFIG_FILE", "")).is_file():
        environment.pop("TF_CLI_CONFIG_FILE", None)
        # Providers come from the registry, hundreds of megabytes each: once.
        plugins = Path.home() / ".cache/movie-analytics/terraform"
        plugins.mkdir(parents=True, exist_ok=True)
        environment.setdefault("TF_PLUGIN_CACHE_DIR", str(plugins))
    return environment
