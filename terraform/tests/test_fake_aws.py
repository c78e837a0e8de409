"""What the stand-in of AWS adds to moto: a service answers with what it was sent, or a second apply would send it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from terraform.tests.emulator import client, fake_aws

Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with fake_aws(tmp_path_factory.mktemp("aws") / "log") as endpoint:
        yield lambda service: client(service, endpoint)


def test_redshift_serverless_with_a_limit(aws: Client) -> None:
    redshift = aws("redshift-serverless")
    tags = [{"key": "Project", "value": "movie-analytics"}]
    redshift.create_namespace(namespaceName="warehouse")
    workgroup = redshift.create_workgroup(namespaceName="warehouse", workgroupName="warehouse", tags=tags)
    arn = workgroup["workgroup"]["workgroupArn"]
    limit = redshift.create_usage_limit(resourceArn=arn, usageType="serverless-compute", amount=64)
    assert redshift.list_tags_for_resource(resourceArn=arn)["tags"] == tags
    id_ = limit["usageLimit"]["usageLimitId"]
    assert redshift.get_usage_limit(usageLimitId=id_)["usageLimit"]["amount"] == 64
