"""An environment: CLOUD/environments/NAME.tfvars and the configuration of Terraform's backend beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from terraform.deploy.steps import ROOT
from terraform.deploy.values import DeployError

# Names and settings become words of commands.
PLAIN_WORD = r"[\w./:-]+"


@dataclass(frozen=True)
class Environment:
    """Raises DeployError if one of its two files is missing, or if its name is no plain word."""

    cloud: str
    name: str
    # Terraform's name of the kind of backend: s3 or gcs.
    backend_kind: str

    def __post_init__(self) -> None:
        if not re.fullmatch(PLAIN_WORD, self.name):
            raise DeployError(f"the environment must be one plain word, it is {self.name!r}")
        for file in (self.variables, self.backend):
            if not (ROOT / self.tree / file).is_file():
                raise DeployError(f"{self.tree}/{file} is missing: copy that of dev and fill it in")

    @property
    def tree(self) -> str:
        return f"terraform/{self.cloud}"

    @property
    def terraform(self) -> str:
        """The beginning of each of Terraform's commands."""
        return f"terraform -chdir={self.tree}"

    @property
    def variables(self) -> str:
        return f"environments/{self.name}.tfvars"

    @property
    def backend(self) -> str:
        return f"environments/{self.name}.{self.backend_kind}.tfbackend"

    @property
    def is_ephemeral(self) -> bool:
        return self._read(self.variables, "ephemeral") == "true"

    @property
    def state_bucket(self) -> str:
        return self._required(self.backend, "bucket")

    def setting(self, name: str) -> str:
        """One word of the variables file. Raises DeployError if it does not set it."""
        return self._required(self.variables, name)

    def _required(self, file: str, name: str) -> str:
        value = self._read(file, name)
        if not value:
            raise DeployError(f"{self.tree}/{file} does not set {name}: add it")
        if not re.fullmatch(PLAIN_WORD, value):
            raise DeployError(f"{self.tree}/{file}: {name} must be one plain word, it is {value!r}")
        return value

    def _read(self, file: str, name: str) -> str:
        """One line each, as `terraform fmt` leaves it: name = "value" # comment."""
        text = (ROOT / self.tree / file).read_text()
        found = re.search(rf'^{name}[ \t]*=[ \t]*"?([^"#\n]*[^"# \t\n])', text, re.MULTILINE)
        return found[1] if found else ""
