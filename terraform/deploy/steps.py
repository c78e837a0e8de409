"""A deployment as data: a list of steps. A dry run prints the list, a real run prints and runs the same one."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TypeAlias

from terraform.deploy.values import (
    Answer,
    DeployError,
    Json,
    Values,
    as_text,
    filled_argument,
    filled_input,
    shown,
)

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Step:
    """One command, what it is for, and why it is the way it is.

    `<name>` is a value that is known only when the steps before have run. A step without a command is only
    printed.
    """

    what: str
    # Split as a shell does it, but run without one.
    command: str = ""
    why: str = ""
    # A file, below the repository's root, whose text is the command's last argument.
    script: str = ""
    # Given to the command; the only place that may name a secret. What is not text is given as JSON.
    stdin: Json | None = None
    # Takes what the command prints, which is not shown then.
    answer: Answer | None = None
    # The command only asks: success makes the value of this name "yes", failure "". Its output is not shown.
    asks: str = ""
    # Names of values: the step is left out where the first is empty, or where the second is not.
    only_if: str = ""
    unless: str = ""


@dataclass(frozen=True)
class Each:
    """Steps for each word of the value `of`, which they know as `name`."""

    name: str
    of: str
    steps: tuple[Step | Each, ...]


Steps: TypeAlias = Sequence[Step | Each]


def dry_run(steps: Steps) -> None:
    """Print the steps and run none. A question is marked ?, a command +, its standard input <."""
    _print_all(steps, heading="", loops=())


def _print_all(steps: Steps, heading: str, loops: tuple[str, ...]) -> str:
    for step in steps:
        if isinstance(step, Each):
            heading = _print_all(step.steps, heading, (*loops, f"for each {step.name} in <{step.of}>"))
            continue
        conditions = [f"only if there is <{step.only_if}>"] if step.only_if else []
        conditions += [f"unless {step.unless.replace('_', ' ')}"] if step.unless else []
        heading = _print(step, Values(), heading, (*loops, *conditions))
    return heading


def run(steps: Steps, values: Values, environment: Mapping[str, str]) -> None:
    """Print and run the steps in their order, at the repository's root.

    Raises DeployError after the first command that fails, with its exit code. Ctrl-C and SIGTERM also end the list, but
    never the command that is running: it gets the signal from the terminal itself, and Terraform, killed, would leave
    its state locked and half written.
    """
    heading = ""
    with _noted_signals() as signals:
        for step in _expanded(steps, values):
            if (step.only_if and not values.public.get(step.only_if)) or values.public.get(step.unless):
                continue
            heading = _print(step, values, heading)
            if step.command:
                _execute(step, values, environment)
            if signals:
                raise DeployError("interrupted: nothing more is run", 128 + signals[0])


def _expanded(steps: Steps, values: Values) -> Iterator[Step]:
    for step in steps:
        if isinstance(step, Step):
            yield step
        else:
            for word in values.public.get(step.of, "").split():
                values.public[step.name] = word
                yield from _expanded(step.steps, values)


def _print(step: Step, values: Values, heading: str, conditions: Sequence[str] = ()) -> str:
    """Returns the heading, which is printed once for the steps below it."""
    what = shown(step.what, values)
    if what != heading:
        print(f"\n== {what}", flush=True)
    if step.command:
        words = [_quoted(shown(word, values)) for word in shlex.split(step.command)]
        script = [f'"$(cat {step.script})"'] if step.script else []
        print("?" if step.asks else "+", *words, *script, flush=True)
    for line in (*conditions, step.why):
        if line:
            print(f"  # {line}", flush=True)
    if step.stdin is not None:
        for line in as_text(step.stdin, lambda template: shown(template, values)).splitlines():
            print(f"  < {line}", flush=True)
    return what


def _quoted(word: str) -> str:
    """As a shell takes it, but for the placeholders, which are to be read."""
    return word if re.fullmatch(r"[\w@%+=:,./<>-]+", word, re.ASCII) else shlex.quote(word)


def _execute(step: Step, values: Values, environment: Mapping[str, str]) -> None:
    command = [filled_argument(word, values) for word in shlex.split(step.command)]
    if step.script:
        command.append((ROOT / step.script).read_text().rstrip("\n"))
    stdin = None
    if step.stdin is not None:
        stdin = as_text(step.stdin, lambda template: filled_input(template, values))
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, input=stdin, encoding="utf-8", check=False,
            stdout=subprocess.PIPE if step.answer or step.asks else None,
            stderr=subprocess.DEVNULL if step.asks else None,
        )  # fmt: skip
    except FileNotFoundError:
        raise DeployError(f"{command[0]} is not installed, or not on PATH", 127) from None
    if step.asks:
        values.public[step.asks] = "yes" if done.returncode == 0 else ""
    elif done.returncode != 0:
        code = done.returncode if done.returncode > 0 else 128 - done.returncode
        raise DeployError(
            f"{command[0]} ended with exit code {code}, so nothing more was run. "
            "Every step can be repeated: fix the cause, then give the same command again",
            code,
        )
    elif step.answer:
        step.answer(done.stdout.rstrip("\n"), values)


@contextmanager
def _noted_signals() -> Iterator[list[int]]:
    """The signals that came, in a list. Handlers of our own are not inherited by a command, ignored signals would be."""
    noted: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        noted.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
