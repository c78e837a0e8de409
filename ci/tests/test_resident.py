"""Commands as forks: each with its own environment, folder, output and end, and what they may share of a parse."""

import os

import pytest

from ci import resident

PROGRAM = """
import atexit, os, sys, textwrap
atexit.register(lambda: open("ended", "w").close())
print(sys.argv[1:], os.getcwd(), os.environ.get("MINE"), hasattr(textwrap, "changed"))
print("a complaint", file=sys.stderr)
textwrap.changed = os.environ["OTHER"] = "by an earlier command"
sys.exit(3)
"""


def test_a_command_has_environment_folder_output_and_end_of_its_own(tmp_path):
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "program.py").write_text(PROGRAM)
        ran = resident.module("program", ["a", name], cwd=folder, environment={"MINE": name})
        assert ran.returncode == 3
        assert ran.stdout == f"['a', '{name}'] {folder} {name} False\n"
        assert ran.stderr == "a complaint\n"
        assert (folder / "ended").exists(), "what a program leaves to its end was not done"
    assert "MINE" not in os.environ and "OTHER" not in os.environ


def test_a_command_finds_the_code_that_dbt_generates(tmp_path):
    (tmp_path / "program.py").write_text(
        "from dbt.contracts.project import Project\n"
        "from dbt.contracts.graph.nodes import ModelNode\n"
        "print(Project.json_schema.__func__.cache_info().currsize > 5, any('_serialize_' in name for name in vars(ModelNode)))"
    )
    ran = resident.module("program", [], cwd=tmp_path, environment={})
    assert ran.stdout == "True True\n", ran.stderr


def test_an_exception_is_a_failure_with_its_traceback(tmp_path):
    (tmp_path / "broken.py").write_text("raise ValueError('no such day')")
    ran = resident.module("broken", [], cwd=tmp_path, environment={})
    assert ran.returncode == 1 and "ValueError: no such day" in ran.stderr


def test_a_command_that_does_not_end_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(resident, "TIMEOUT_SECONDS", 1)
    (tmp_path / "endless.py").write_text("import signal; signal.pause()")
    with pytest.raises(TimeoutError, match="took more than 1 s"):
        resident.module("endless", [], cwd=tmp_path, environment={})


def test_a_parse_is_shared_by_commands_with_the_same_settings_whatever_their_days_and_caps(tmp_path):
    profiles, other_profiles = tmp_path / "profiles.yml", tmp_path / "other.yml"
    profiles.write_text("one: {}")
    other_profiles.write_text("other: {}")
    settings = {"DBT_TARGET": "dev", "STAGING_URI": "/one", "DUCKDB_PATH": "/one.duckdb"}

    def file(variables: str = "{}", profiles=profiles, **others: str):
        return resident.parsed_file(
            tmp_path, profiles, settings | others, ["build", "--vars", variables, "--select", "dim_os"]
        )

    assert file("{from_date: 2021-01-01, to_date: 2021-01-02}") == file() == file(DUCKDB_PATH="/other")
    assert file("{as_of_date: 2021-01-01, bytes_per_day_warn: 1, bytes_per_day_fail: 2}") == file()
    assert resident.parsed_file(tmp_path, profiles, settings, ["compile"]) == file()
    different = [
        file("{explore_rows: 1}"),
        file("{from_date: 2021-01-01}"),
        file(STAGING_URI="/other"),
        file(DBT_TARGET="redshift"),
        file(profiles=other_profiles),
    ]
    different.append(resident.parsed_file(tmp_path, profiles, settings, ["build", "--target", "redshift"]))
    assert len({file(), *different}) == 7
