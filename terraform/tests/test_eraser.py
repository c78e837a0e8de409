"""The identity that erases customers: not there unless it is asked for, and with the rights that `make erase` and `make rejected` need."""

from __future__ import annotations

import json

import pytest

from terraform.tests.aws_stack import AIRFLOW, NAME, SPARK, bucket_policy, objects, role_arn
from terraform.tests.stack import Mocked, Stack
from terraform.tests.test_gcp_promises import AIRFLOW as GCP_AIRFLOW
from terraform.tests.test_gcp_promises import READING_ROLES, WRITING_ROLES, who_may
from terraform.tests.test_gcp_promises import SPARK as GCP_SPARK

ERASER = f"{NAME}-eraser"
GCP_ERASER = "serviceAccount:eraser@demo-project.iam.gserviceaccount.com"
TABLES = ("classified_movie_review", "other_classification", "review_logs", "user_purchase")
DAY, RUN = "insert_date=2021-01-31", "run=20210201T030501-1a2b3c4d"


@pytest.fixture(scope="module")
def aws(mocked: Mocked) -> Stack:
    run = mocked("aws")["with_an_eraser"]
    assert run.stack, run.errors
    stack: Stack = run.stack
    return stack


@pytest.fixture(scope="module")
def gcp(mocked: Mocked) -> Stack:
    run = mocked("gcp")["with_an_eraser"]
    assert run.stack, run.errors
    stack: Stack = run.stack
    return stack


def test_nobody_may_erase_unless_it_is_asked_for(mocked: Mocked) -> None:
    for cloud in ("aws", "gcp"):
        stack = mocked(cloud)["serverless"].stack
        assert stack.outputs["eraser_identity"] == "none"
        assert "eraser@" not in stack.text and f"{NAME}-eraser" not in stack.text


def test_aws_the_eraser_rewrites_staging_and_quarantine_and_the_list(aws: Stack) -> None:
    part = f"{DAY}/{RUN}/part-00000.parquet"
    for table in TABLES:
        for layer in ("staging", "quarantine"):
            for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
                assert ERASER in aws.who_may(action, objects(layer, f"{table}/{part}")), (
                    action,
                    layer,
                    table,
                )
            # Arrow asks for a folder's name before it deletes what is in it, and sets and deletes its marker
            assert ERASER in aws.who_may("s3:GetObject", objects(layer, f"{table}/{DAY}/{RUN}"))
            assert ERASER in aws.who_may("s3:DeleteObject", objects(layer, f"{table}/{DAY}/{RUN}/"))
        rejection = objects("staging", f"rejection/{DAY}/{RUN}/{table}.parquet")
        for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
            assert ERASER in aws.who_may(action, rejection)
        row = objects("staging", f"delivery/{DAY}/{table}.parquet")
        assert ERASER in aws.who_may("s3:GetObject", row) & aws.who_may("s3:PutObject", row)
        assert aws.who_may("s3:DeleteObject", row) == set()
    erased = objects("staging", "suppression/0a1b.parquet")
    assert aws.who_may("s3:PutObject", erased) == {ERASER} and ERASER in aws.who_may("s3:GetObject", erased)
    assert aws.who_may("s3:PutObject", objects("quarantine", "read/2021-02-01/030501-1a2b3c4d.json")) == {
        ERASER
    }
    for layer in ("staging", "quarantine"):
        assert ERASER in aws.who_may("s3:ListBucket", objects(layer, "").removesuffix("/"))
    # a record of who was erased, or who read, is not taken away
    for name in (erased, objects("quarantine", "read/2021-02-01/030501-1a2b3c4d.json")):
        assert aws.who_may("s3:DeleteObject", name) == set()


def test_aws_no_other_policy_of_the_account_keeps_the_eraser_out(aws: Stack) -> None:
    arn = role_arn(aws, ERASER)
    reads = bucket_policy(aws, "quarantine", "OnlySparkReads")
    assert reads["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": [role_arn(aws, SPARK), arn]}}
    key = aws.one("aws_kms_key", "aws_kms_key.quarantine")
    (denied,) = [one for one in json.loads(key.policy)["Statement"] if one["Effect"] == "Deny"]
    assert denied["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": [arn]}}
    assert aws.who_may("kms:Decrypt", key.arn) == {ERASER}
    assert aws.who_may("kms:Encrypt", key.arn) == {SPARK, AIRFLOW, ERASER}
    secret = aws.one("aws_secretsmanager_secret", "secret.suppression")
    assert aws.who_may("secretsmanager:GetSecretValue", secret.arn) == {SPARK, AIRFLOW, ERASER}
    (denied,) = json.loads(aws.one("aws_secretsmanager_secret_policy", "suppression").policy)["Statement"]
    readers = [role_arn(aws, role) for role in (SPARK, AIRFLOW, ERASER)]
    assert denied["Effect"] == "Deny" and denied["Condition"] == {
        "ArnNotEquals": {"aws:PrincipalArn": readers}
    }


def test_aws_the_eraser_may_do_nothing_else(aws: Stack) -> None:
    (policy,) = [one for one in aws.all("aws_iam_role_policy").values() if one.role == ERASER]
    actions = {action for one in json.loads(policy.policy)["Statement"] for action in one["Action"]}
    assert actions == {
        "s3:ListBucket", "s3:GetBucketLocation", "s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject",
        "kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "secretsmanager:GetSecretValue",
    }  # fmt: skip
    pseudonyms = aws.one("aws_secretsmanager_secret", "secret.pseudonym").arn
    assert aws.who_may("secretsmanager:GetSecretValue", pseudonyms) == {SPARK}
    for place in (objects("raw", f"movie_review/{DAY}/x.csv"), objects("artifacts", "spark/1/submit.py")):
        assert not any(ERASER in aws.who_may(action, place) for action in ("s3:GetObject", "s3:PutObject"))


def test_aws_only_its_service_account_in_kubernetes_is_the_eraser(aws: Stack) -> None:
    (role,) = [role for role in aws.all("aws_iam_role").values() if role.name == ERASER]
    (trust,) = json.loads(role.assume_role_policy)["Statement"]
    assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
    conditions = trust["Condition"]["StringEquals"]
    assert "system:serviceaccount:airflow:eraser" in conditions.values() and len(conditions) == 2


def test_gcp_the_eraser_rewrites_staging_and_quarantine_and_the_list(gcp: Stack) -> None:
    staging, quarantine = (
        gcp.one("google_storage_bucket_iam_policy", f'"{layer}"') for layer in ("staging", "quarantine")
    )
    for table in TABLES:
        part = f"{table}/{DAY}/{RUN}/part-00000.parquet"
        for policy in (staging, quarantine):
            for roles in (READING_ROLES, WRITING_ROLES):
                assert GCP_ERASER in who_may(policy, roles, part), (policy.bucket, table)
        for name in (f"rejection/{DAY}/{RUN}/{table}.parquet", f"delivery/{DAY}/{table}.parquet"):
            assert GCP_ERASER in who_may(staging, WRITING_ROLES, name)
    assert who_may(staging, WRITING_ROLES, "suppression/0a1b.parquet") == {GCP_ERASER}
    # a record of who read is added; nobody changes it or takes it away
    read = "read/2021-02-01/030501-1a2b3c4d.json"
    assert who_may(quarantine, {"roles/storage.objectCreator"}, read) == {GCP_ERASER}
    assert who_may(quarantine, WRITING_ROLES, read) == set()
    for policy in (staging, quarantine):
        assert GCP_ERASER in who_may(policy, {"roles/storage.legacyBucketReader"}, "")
    for layer in ("raw", "artifacts"):
        assert GCP_ERASER not in gcp.one("google_storage_bucket_iam_policy", f'"{layer}"').policy_data


def test_gcp_the_eraser_has_the_two_keys_and_nothing_else(gcp: Stack) -> None:
    key = gcp.one("google_kms_crypto_key", "google_kms_crypto_key.quarantine")
    granted = {
        binding.role: set(binding.members)
        for binding in gcp.all("google_kms_crypto_key_iam_binding").values()
        if binding.crypto_key_id == key.id
    }
    assert granted == {
        "roles/cloudkms.cryptoKeyEncrypter": {GCP_SPARK, GCP_AIRFLOW, GCP_ERASER},
        "roles/cloudkms.cryptoKeyDecrypter": {GCP_ERASER},
    }
    secrets = [
        binding
        for binding in gcp.all("google_secret_manager_secret_iam_binding").values()
        if GCP_ERASER in binding.members
    ]
    assert [binding.secret_id for binding in secrets] == [
        gcp.outputs["suppression_secret_id"].removesuffix("/versions/1")
    ]
    assert GCP_ERASER not in {member.member for member in gcp.all("google_project_iam_member").values()}


def test_gcp_only_its_service_account_in_kubernetes_is_the_eraser(gcp: Stack) -> None:
    binding = gcp.one("google_service_account_iam_binding", "eraser")
    assert binding.service_account_id.endswith("/eraser@demo-project.iam.gserviceaccount.com")
    assert binding.members == ["serviceAccount:demo-project.svc.id.goog[airflow/eraser]"]
