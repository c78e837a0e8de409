"""What becomes known while the steps run, by the names that appear as `<name>` in them.

Public values may appear in commands and in what is printed. Secret ones reach a program only through its standard input.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Json: TypeAlias = "str | Sequence[Json] | Mapping[str, Json]"
PLACEHOLDER = re.compile(r"<([a-z_]+(?:\.\w+)?)>")


class DeployError(Exception):
    """Why nothing more was run, for the person at the terminal, and the exit code that says so."""

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass
class Values:
    public: dict[str, str] = field(default_factory=dict)
    secret: dict[str, str] = field(default_factory=dict, repr=False)


# What becomes of a command's output: a function that adds to the values.
Answer: TypeAlias = Callable[[str, Values], None]


def new_secrets() -> Values:
    """Every password and key that a deployment may have to set. A key that is set already stays as it is."""
    passwords = ("shop_password", "metadata_password", "airflow_password")
    keys = ("fernet_key", "api_secret_key", "jwt_secret")
    return Values(
        secret={"pseudonym_key": secrets.token_hex(32), "suppression_key": secrets.token_hex(32)}
        | {name: secrets.token_hex(24) for name in passwords}
        | {name: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode() for name in keys}
    )


def shown(template: str, values: Values) -> str:
    """The text with what is public and known; every other placeholder stays."""
    return PLACEHOLDER.sub(lambda found: values.public.get(found[1], found[0]), template)


def filled_argument(template: str, values: Values) -> str:
    """The text with its values. Raises DeployError for one that is secret, since every process can read arguments."""
    return _filled(template, values.public)


def filled_input(template: str, values: Values) -> str:
    """The same for standard input, which may hold secrets."""
    return _filled(template, values.public | values.secret)


def _filled(template: str, known: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in known:
            raise DeployError(
                f"<{found[1]}> is not known here: no output of Terraform has this name, and no step before gave it"
            )
        return known[found[1]]

    return PLACEHOLDER.sub(value, template)


def as_text(content: Json, fill: Callable[[str], str]) -> str:
    """Text as it is, anything else as JSON, with `fill` applied to every string first: quotes in a value do no harm."""
    return fill(content) if isinstance(content, str) else json.dumps(_mapped(content, fill))


def _mapped(content: Json, fill: Callable[[str], str]) -> Json:
    if isinstance(content, str):
        return fill(content)
    if isinstance(content, Mapping):
        return {key: _mapped(value, fill) for key, value in content.items()}
    return [_mapped(value, fill) for value in content]


# Answers


def text(name: str) -> Answer:
    """The output, under this name."""

    def keep(output: str, values: Values) -> None:
        values.public[name] = output

    return keep


def secret(name: str) -> Answer:
    """The output, which is a secret."""

    def keep(output: str, values: Values) -> None:
        values.secret[name] = output

    return keep


def login(name: str) -> Answer:
    """A secret in JSON: NAME.username, which is public, and NAME.password."""

    def keep(output: str, values: Values) -> None:
        try:
            found = json.loads(output)
            values.public[f"{name}.username"] = found["username"]
            values.secret[f"{name}.password"] = found["password"]
        except (ValueError, TypeError, KeyError):
            # Without the cause, which may quote the secret.
            raise DeployError(f"the secret of {name} is not JSON with username and password") from None

    return keep


def outputs(derived: Mapping[str, tuple[str, Callable[[str], str]]]) -> Answer:
    """Terraform's outputs by name, those of a map as NAME.KEY, a list as words; and what is derived from them.

    `derived`: name -> the output that it comes from, and how.
    """

    def keep(output: str, values: Values) -> None:
        for name, found in json.loads(output).items():
            value = found["value"]
            for key, inner in value.items() if isinstance(value, dict) else [("", value)]:
                words = " ".join(inner) if isinstance(inner, list) else str(inner)
                values.public[f"{name}.{key}" if key else name] = words
        for name, (source, derive) in derived.items():
            if source in values.public:
                values.public[name] = derive(values.public[source])

    return keep
