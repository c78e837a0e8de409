"""profiles_template.yml as dbt and its adapters read it."""

from argparse import Namespace

import pytest
import yaml
from dbt.adapters.redshift.connections import is_serverless
from dbt.config.profile import Profile
from dbt.config.renderer import ProfileRenderer
from dbt.flags import set_from_args
from dbt_common.context import set_invocation_context

from ci.staged_sample import ROOT


def credentials(target: str, **settings: str):
    """The adapter's own, from the environment `settings` alone."""
    set_invocation_context(settings)
    set_from_args(Namespace(), None)
    template = yaml.safe_load((ROOT / "profiles_template.yml").read_text())
    return Profile.from_raw_profiles(
        template, "movie_analytics", ProfileRenderer({}), target_override=target
    ).credentials


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"REDSHIFT_HOST": "warehouse.example.com", "REDSHIFT_WORK_GROUP": "movie-analytics"}, True),
        ({"REDSHIFT_HOST": "warehouse.example.com", "REDSHIFT_CLUSTER_ID": "movie-analytics"}, False),
    ],
)
def test_redshift_is_serverless_by_setting_not_by_the_name_of_its_host(settings, expected):
    assert is_serverless(credentials("redshift", **settings)) is expected


def test_no_setting_ends_a_query_of_redshift():
    """The driver keeps the time to connect as the timeout of all that follows: https://github.com/dbt-labs/dbt-redshift/issues/427"""
    assert credentials("redshift").connect_timeout is None


def test_a_user_that_is_not_set_is_none():
    """dbt looks for None where a method needs a user; an empty one would fail somewhere in boto3."""
    assert credentials("redshift", REDSHIFT_METHOD="iam").user is None
    assert credentials("redshift", REDSHIFT_METHOD="iam", REDSHIFT_USER="me").user == "me"


def test_a_query_of_bigquery_has_a_largest_size_and_a_longest_time():
    default = credentials("bigquery")
    assert (default.maximum_bytes_billed, default.job_execution_timeout_seconds) == (10**10, 3600)
    own = credentials("bigquery", BIGQUERY_MAXIMUM_BYTES_BILLED="5", BIGQUERY_JOB_TIMEOUT="7")
    assert (own.maximum_bytes_billed, own.job_execution_timeout_seconds) == (5, 7)
