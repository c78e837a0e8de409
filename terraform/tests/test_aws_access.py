"""AWS: who may do what, and where passwords and keys are.

Read from the state: with AWS's answers made up (every commit), and after a real apply against the emulator (`make
test-apply`). One test a promise; its name is the promise.
"""

from __future__ import annotations

import json
import re

from terraform.tests.aws_stack import (
    ACCOUNT,
    AIRFLOW,
    NAME,
    SPARK,
    SPECTRUM,
    airflow_secrets,
    bucket,
    bucket_policy,
    objects,
    platform_key,
    role_arn,
)
from terraform.tests.cli import TREE
from terraform.tests.stack import Stack, as_list

# Who else may do what: AWS's own policies, by role.
MANAGED_POLICIES = {
    f"{NAME}-eks-cluster": {"AmazonEKSClusterPolicy"},
    f"{NAME}-eks-node": {
        "AmazonEKSWorkerNodePolicy",
        "AmazonEKS_CNI_Policy",
        "AmazonEC2ContainerRegistryPullOnly",
    },
    f"{NAME}-emr": {"service-role/AmazonEMRServicePolicy_v2"},
}
WRITERS = {
    "classified_movie_review": SPARK,
    "other_classification": SPARK,
    "review_logs": SPARK,
    "user_purchase": AIRFLOW,
}
DAY, RUN = "insert_date=2021-01-31", "run=20210201T030501-1a2b3c4d"
# Actions for which IAM knows no narrower resource.
WITHOUT_RESOURCE = {"elasticmapreduce:RunJobFlow", "elasticmapreduce:AddTags"}


def test_only_spark_reads_the_quarantine(stack: Stack) -> None:
    for table in ("classified_movie_review", "review_logs"):
        assert stack.who_may(
            "s3:GetObject", objects("quarantine", f"{table}/{DAY}/{RUN}/part-00000.parquet")
        ) == {SPARK}
    for name in (f"{DAY}/{RUN}/part-00000.parquet", f"{DAY}/{RUN}/", f"{DAY}/user_purchase.parquet"):
        assert stack.who_may("s3:GetObject", objects("quarantine", f"user_purchase/{name}")) == set()
    # and nobody by another policy of the account
    denied = bucket_policy(stack, "quarantine", "OnlySparkReads")
    assert denied["Effect"] == "Deny" and denied["Principal"] == {"AWS": "*"}
    assert set(denied["Action"]) == {"s3:GetObject", "s3:GetObjectVersion"}
    # of all objects: what it leaves out is names that no file has (see the next test)
    assert "Resource" not in denied
    assert denied["NotResource"] == [
        objects("quarantine", f"user_purchase/insert_date={'?' * 10}/run={'?' * 24}")
    ]
    assert denied["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": [role_arn(stack, SPARK)]}}


def test_arrow_may_ask_airflow_whether_a_run_of_rejected_purchases_is_a_file(stack: Stack) -> None:
    """It does so before it deletes the folder (HEAD, for which IAM asks for the right to read)."""
    publish = (TREE.parent / "spark_prep/contract/publish.py").read_text()
    (run_folder,) = re.findall(r'RUN_FOLDER = re.compile\(r"(.+)"\)', publish)
    assert re.fullmatch(run_folder, RUN), "the policies count the characters of a run's id"
    assert stack.who_may("s3:GetObject", objects("quarantine", f"user_purchase/{DAY}/{RUN}")) == {AIRFLOW}
    (listing,) = [
        statement
        for role, statement in stack.statements()
        if role == AIRFLOW
        and "s3:ListBucket" in as_list(statement["Action"])
        and f"arn:aws:s3:::{bucket('quarantine')}" in as_list(statement["Resource"])
    ]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": "user_purchase/insert_date=*"}}


def test_only_spark_reads_the_vendors_feeds(stack: Stack) -> None:
    for feed in ("movie_review", "log_reviews"):
        assert stack.who_may("s3:GetObject", objects("raw", f"{feed}/insert_date=2021-01-01/x.csv")) == {
            SPARK
        }
    assert stack.who_may("s3:GetObject", objects("raw", "user_purchase/x.csv")) == {AIRFLOW}


def test_only_spark_reads_the_key_of_the_pseudonyms(stack: Stack) -> None:
    secret = stack.one("aws_secretsmanager_secret", "secret.pseudonym")
    assert stack.who_may("secretsmanager:GetSecretValue", secret.arn) == {SPARK}
    policy = stack.one("aws_secretsmanager_secret_policy", "pseudonym")
    assert policy.secret_arn == secret.arn and policy.block_public_policy
    (denied,) = json.loads(policy.policy)["Statement"]
    assert (denied["Effect"], denied["Action"], denied["Principal"]) == (
        "Deny", "secretsmanager:GetSecretValue", {"AWS": "*"},
    )  # fmt: skip
    assert denied["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": role_arn(stack, SPARK)}}


def test_the_jobs_encrypt_raw_records_and_nobody_decrypts_them(stack: Stack) -> None:
    key = stack.one("aws_kms_key", "aws_kms_key.quarantine")
    assert stack.outputs["quarantine_key_id"] == key.arn
    assert stack.who_may("kms:Encrypt", key.arn) == {SPARK, AIRFLOW}
    for action in ("kms:Decrypt", "kms:ReEncryptFrom", "kms:GenerateDataKey", "kms:CreateGrant"):
        assert stack.who_may(action, key.arn) == set()
    # nor by another policy of the account
    (denied,) = [one for one in json.loads(key.policy)["Statement"] if one["Effect"] == "Deny"]
    assert (denied["Action"], denied["Principal"]) == (["kms:Decrypt", "kms:ReEncryptFrom"], {"AWS": "*"})
    assert "Condition" not in denied


def test_the_jobs_read_the_key_of_the_erased_and_nobody_else(stack: Stack) -> None:
    secret = stack.one("aws_secretsmanager_secret", "secret.suppression")
    assert stack.outputs["suppression_secret_id"] == secret.arn
    assert stack.who_may("secretsmanager:GetSecretValue", secret.arn) == {SPARK, AIRFLOW}
    policy = stack.one("aws_secretsmanager_secret_policy", "suppression")
    assert policy.secret_arn == secret.arn and policy.block_public_policy
    (denied,) = json.loads(policy.policy)["Statement"]
    assert (denied["Effect"], denied["Action"], denied["Principal"]) == (
        "Deny", "secretsmanager:GetSecretValue", {"AWS": "*"},
    )  # fmt: skip
    readers = [role_arn(stack, role) for role in (SPARK, AIRFLOW)]
    assert denied["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": readers}}


def test_no_password_and_no_key_is_in_the_state(stack: Stack) -> None:
    for resource in stack.resources:
        for attribute in (
            "password",
            "master_password",
            "admin_user_password",
            "secret_binary",
            "auth_token",
        ):
            assert not resource["values"].get(attribute), resource["address"]
    for database in stack.all("aws_db_instance").values():
        assert database.manage_master_user_password is True
    for cluster in stack.all("aws_redshift_cluster").values():
        assert cluster.manage_master_password is True
    for namespace in stack.all("aws_redshiftserverless_namespace").values():
        assert namespace.manage_admin_password is True
    # The only secrets with a value are Airflow's variables and connections; the key of the pseudonyms has none.
    assert {
        address.split('"')[1].split("/airflow/")[0]
        for address in stack.all("aws_secretsmanager_secret_version")
    } == {NAME}
    connection = json.loads(airflow_secrets(stack)["connections/shop_db"])
    assert connection.keys() == {"conn_type", "host", "port", "schema", "login", "extra"}
    assert connection["extra"] == {
        "iam": True,
        "aws_conn_id": None,
        "region_name": "eu-west-1",
        "sslmode": "require",
    }
    assert stack.one("aws_db_instance", "module.shop").iam_database_authentication_enabled is True
    for random in ("random_password", "random_string", "tls_private_key"):
        assert not stack.all(random)


def test_each_writer_writes_and_removes_runs_of_its_own_tables_only(stack: Stack) -> None:
    for table, writer in WRITERS.items():
        for action in ("s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"):
            for layer in ("staging", "quarantine"):
                assert stack.who_may(action, objects(layer, f"{table}/{DAY}/{RUN}/part-00000.parquet")) == {
                    writer
                }
                # the markers that Arrow leaves when it deletes a run's folder, and takes away with it
                for marker in (f"{DAY}/", f"{DAY}/{RUN}/"):
                    assert stack.who_may(action, objects(layer, f"{table}/{marker}")) == {writer}
                for other in (f"{table}.parquet", f"{DAY}/{table}.parquet", f"{DAY}/{RUN}/other.parquet"):
                    assert stack.who_may(action, objects(layer, f"{table}/{other}")) == set()
            assert stack.who_may(action, objects("staging", f"rejection/{DAY}/{RUN}/{table}.parquet")) == {
                writer
            }


def test_a_committed_day_is_replaced_and_never_taken_away(stack: Stack) -> None:
    for table, writer in WRITERS.items():
        row = objects("staging", f"delivery/{DAY}/{table}.parquet")
        assert stack.who_may("s3:PutObject", row) == {writer}
        assert stack.who_may("s3:DeleteObject", row) == set()
        # to know which run was committed before
        assert stack.who_may("s3:GetObject", row) == {SPARK, AIRFLOW, SPECTRUM}


def test_the_jobs_read_who_was_erased_and_write_nobody_there(stack: Stack) -> None:
    row = objects("staging", "suppression/0a1b.parquet")
    assert stack.who_may("s3:GetObject", row) == {SPARK, AIRFLOW}
    assert stack.who_may("s3:PutObject", row) == stack.who_may("s3:DeleteObject", row) == set()


def test_nobody_writes_elsewhere_in_the_lake(stack: Stack) -> None:
    for place in (
        objects("raw", f"movie_review/{DAY}/x.csv"),
        objects("artifacts", "spark/1/submit.py"),
        *(objects(layer, key) for layer in ("staging", "quarantine") for key in (
            ".incoming/review_logs/x", "_temporary/0/x", "review_logs_$folder$", f"other/{DAY}/{RUN}/part-00000.parquet",
        )),
        objects("quarantine", f"rejection/{DAY}/{RUN}/review_logs.parquet"),
        objects("quarantine", f"delivery/{DAY}/review_logs.parquet"),
    ):  # fmt: skip
        for action in ("s3:PutObject", "s3:DeleteObject"):
            assert stack.who_may(action, place) == set(), (action, place)


def test_the_jobs_reach_all_that_they_need(stack: Stack) -> None:
    """So that nothing above is kept by forbidding the work."""
    for table, writer in WRITERS.items():
        rows = objects("staging", f"{table}/{DAY}/{RUN}/part-00000.parquet")
        assert stack.who_may("s3:GetObject", rows) == {AIRFLOW, SPECTRUM, writer}
        # Arrow asks for a folder's name before it deletes what is in it
        for layer, name in (("staging", table), ("staging", "rejection"), ("quarantine", table)):
            assert writer in stack.who_may("s3:GetObject", objects(layer, f"{name}/{DAY}/{RUN}"))
    # S3A looks for uploads that were begun
    for layer in ("staging", "quarantine"):
        assert SPARK in stack.who_may("s3:ListBucketMultipartUploads", f"arn:aws:s3:::{bucket(layer)}")
        part = objects(layer, f"review_logs/{DAY}/{RUN}/part-00000.parquet")
        assert SPARK in stack.who_may("s3:ListMultipartUploadParts", part)
    # without it a row that is not there is "denied", not "not found"
    for role in (SPARK, AIRFLOW):
        assert role in stack.who_may("s3:ListBucket", f"arn:aws:s3:::{bucket('staging')}")
        assert role in stack.who_may("s3:ListBucket", f"arn:aws:s3:::{bucket('quarantine')}")
    assert stack.who_may("s3:GetObject", objects("artifacts", "spark/1/submit.py")) == {SPARK}
    assert stack.who_may("s3:PutObject", objects("artifacts", "spark-logs/x")) == {SPARK}
    for folder in ("docs", "airflow-logs"):
        assert stack.who_may("s3:PutObject", objects("artifacts", f"{folder}/x")) == {AIRFLOW}
    lake_key = stack.one("aws_kms_key", "aws_kms_key.lake").arn
    assert stack.who_may("kms:GenerateDataKey", lake_key) >= {SPARK, AIRFLOW}
    assert stack.who_may("kms:Decrypt", lake_key) >= {SPARK, AIRFLOW, SPECTRUM}
    for name in ("variables/spark", "connections/shop_db", "variables/not_there"):
        arn = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:{NAME}/airflow/{name}-AbCdEf"
        assert stack.who_may("secretsmanager:GetSecretValue", arn) == {AIRFLOW}


def test_the_machines_of_a_cluster_use_the_key_of_their_disks_themselves(stack: Stack) -> None:
    """Not by way of EC2 alone: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-encryption-enable.html"""
    users = [
        statement
        for role, statement in stack.statements()
        if role == SPARK and "kms:DescribeKey" in as_list(statement["Action"])
    ]
    if stack.runtime != "emr":
        assert users == []
        return
    (user,) = users
    assert user["Resource"] == [platform_key(stack)]
    assert {"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey"} < {
        *user["Action"]
    }
    # A machine's own call names no service. The secrets' service is another one.
    assert user["Condition"] == {"StringEqualsIfExists": {"kms:ViaService": "ec2.eu-west-1.amazonaws.com"}}


def test_airflow_starts_the_spark_jobs_of_its_own_stack(stack: Stack) -> None:
    runtime = stack.runtime
    if runtime == "emr_serverless":
        arn = stack.one("aws_emrserverless_application").arn
        # a later try looks for the job of an earlier one
        for action in ("emr-serverless:StartJobRun", "emr-serverless:ListJobRuns"):
            assert stack.who_may(action, arn) == {AIRFLOW}
        assert stack.who_may("emr-serverless:CancelJobRun", f"{arn}/jobruns/1") == {AIRFLOW}
        assert stack.who_may("emr-serverless:StartJobRun", f"{arn}x") == set()
    elif runtime == "emr":
        (start,) = [
            statement
            for _, statement in stack.statements()
            if "elasticmapreduce:RunJobFlow" in as_list(statement["Action"])
        ]
        assert start["Condition"] == {
            "StringEquals": {"aws:RequestTag/for-use-with-amazon-emr-managed-policies": "true"}
        }
        assert stack.who_may(
            "elasticmapreduce:TerminateJobFlows", f"arn:aws:elasticmapreduce:eu-west-1:{ACCOUNT}:cluster/j-1"
        ) == {AIRFLOW}
        # the first RunJobFlow of an account makes it
        cleanup = "elasticmapreduce.amazonaws.com/AWSServiceRoleForEMRCleanup"
        role = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{cleanup}"
        assert stack.who_may("iam:CreateServiceLinkedRole", role) == {AIRFLOW}
        assert stack.who_may("iam:CreateServiceLinkedRole", role.replace("EMRCleanup", "X")) == set()
    else:
        for action in ("glue:StartJobRun", "glue:BatchStopJobRun"):
            assert stack.who_may(action, stack.one("aws_glue_job").arn) == {AIRFLOW}
        # a retry looks for the run of the try before; refused, it would start a second one beside it
        assert stack.who_may("glue:GetJobRuns", stack.one("aws_glue_job").arn) == {AIRFLOW}


def test_airflow_logs_in_to_its_own_databases_only(stack: Stack) -> None:
    resource_id = stack.one("aws_db_instance", "module.shop").resource_id
    arn = f"arn:aws:rds-db:eu-west-1:{ACCOUNT}:dbuser:{resource_id}"
    assert stack.who_may("rds-db:connect", f"{arn}/airflow") == {AIRFLOW}
    assert stack.who_may("rds-db:connect", f"{arn}/shop_admin") == set()
    if stack.all("aws_redshift_cluster"):
        arn = f"arn:aws:redshift:eu-west-1:{ACCOUNT}:dbname:{NAME}/analytics"
        assert stack.who_may("redshift:GetClusterCredentialsWithIAM", arn) == {AIRFLOW}
    else:
        arn = stack.one("aws_redshiftserverless_workgroup").arn
        assert stack.who_may("redshift-serverless:GetCredentials", arn) == {AIRFLOW}


def test_redshift_keeps_external_tables_in_its_own_catalogue_only(stack: Stack) -> None:
    arn = f"arn:aws:glue:eu-west-1:{ACCOUNT}"
    database = stack.outputs["warehouse"]["GLUE_DATABASE"]
    assert database == stack.one("aws_glue_catalog_database").name
    assert stack.who_may("glue:CreateTable", f"{arn}:table/{database}/review_logs") == {SPECTRUM}
    assert stack.who_may("glue:CreateTable", f"{arn}:table/other/review_logs") == set()
    assert stack.who_may("glue:DeleteDatabase", f"{arn}:database/{database}") == set()
    # dbt makes the tables
    assert not stack.all("aws_glue_catalog_table")


def test_no_policy_uses_a_star_where_the_service_can_be_narrower(stack: Stack) -> None:
    for role, statement in stack.statements():
        assert statement.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"}, (role, statement)
        actions = as_list(statement["Action"])
        assert not [action for action in actions if "*" in action], (role, actions)
        for resource in as_list(statement["Resource"]):
            if not re.match(r"arn:aws:[a-z0-9-]+:[a-z0-9-]*:(\d{12})?:[^*]", resource):
                assert set(actions) <= WITHOUT_RESOURCE and statement["Condition"], (role, actions, resource)


def test_awss_own_policies_are_these_and_no_others(stack: Stack) -> None:
    found: dict[str, set[str]] = {}
    for attachment in stack.all("aws_iam_role_policy_attachment").values():
        found.setdefault(attachment.role, set()).add(
            attachment.policy_arn.removeprefix("arn:aws:iam::aws:policy/")
        )
    emr = {f"{NAME}-emr"} if stack.runtime == "emr" else set()
    assert found == {
        role: MANAGED_POLICIES[role] for role in {f"{NAME}-eks-cluster", f"{NAME}-eks-node"} | emr
    }
    # nor by another way
    for type_ in (
        "aws_iam_policy",
        "aws_iam_policy_attachment",
        "aws_iam_user",
        "aws_iam_access_key",
        "aws_iam_group",
    ):
        assert not stack.all(type_)
    assert not [role.name for role in stack.all("aws_iam_role").values() if NAME not in role.name]


def test_a_role_is_handed_only_to_the_service_that_needs_it(stack: Stack) -> None:
    for role, statement in stack.statements():
        if "iam:PassRole" not in as_list(statement["Action"]):
            continue
        assert as_list(statement["Action"]) == ["iam:PassRole"]
        (target,) = as_list(statement["Resource"])
        passed_to = statement["Condition"]["StringEquals"]["iam:PassedToService"]
        job = {"emr_serverless": "emr-serverless", "emr": "ec2"}.get(stack.runtime)
        allowed = {role_arn(stack, SPARK): f"{job}.amazonaws.com"}
        if stack.runtime == "emr":
            allowed[role_arn(stack, f"{NAME}-emr")] = "elasticmapreduce.amazonaws.com"
        assert allowed.get(target) == passed_to, (role, statement)


def test_roles_are_taken_by_services_and_by_airflows_pods_only(stack: Stack) -> None:
    services = {
        SPARK: {"emr_serverless": "emr-serverless", "emr": "ec2", "glue": "glue"}[stack.runtime],
        SPECTRUM: "redshift", f"{NAME}-emr": "elasticmapreduce", f"{NAME}-eks-cluster": "eks",
        f"{NAME}-eks-node": "ec2", f"{NAME}-flow-log": "vpc-flow-logs",
    }  # fmt: skip
    for role in stack.all("aws_iam_role").values():
        (statement,) = json.loads(role.assume_role_policy)["Statement"]
        if role.name == AIRFLOW:
            assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
            assert statement["Principal"] == {"Federated": stack.one("aws_iam_openid_connect_provider").arn}
            conditions = statement["Condition"]["StringEquals"]
            issuer = stack.one("aws_eks_cluster").identity[0]["oidc"][0]["issuer"].removeprefix("https://")
            assert conditions == {
                f"{issuer}:sub": "system:serviceaccount:airflow:airflow",
                f"{issuer}:aud": "sts.amazonaws.com",
            }
        else:
            assert statement["Action"] == "sts:AssumeRole" and statement["Principal"].keys() == {"Service"}
            allowed = {f"{services[role.name]}.amazonaws.com"}
            if role.name == SPECTRUM and not stack.all("aws_redshift_cluster"):
                allowed.add("redshift-serverless.amazonaws.com")
            assert set(as_list(statement["Principal"]["Service"])) == allowed, role.name
            # Services that act for many accounts say for which one they ask; Redshift's documents do not say so.
            if services[role.name] in ("emr-serverless", "glue", "elasticmapreduce"):
                assert statement["Condition"]["StringEquals"]["aws:SourceAccount"] == ACCOUNT, role.name
            else:
                assert "Condition" not in statement, role.name


def test_who_may_finds_out() -> None:
    """The question that most promises above rest on."""
    policy = {"Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::a/x/*"]},
        {"Effect": "Deny", "Action": "s3:*", "Resource": "*"},
    ]}  # fmt: skip
    values = {"role": "reader", "policy": json.dumps(policy)}
    stack = Stack({"root_module": {"child_modules": [{"resources": [
        {"mode": "managed", "type": "aws_iam_role_policy", "address": "module.m.aws_iam_role_policy.p", "values": values}
    ]}]}})  # fmt: skip
    assert stack.who_may("s3:GetObject", "arn:aws:s3:::a/x/1") == {"reader"}
    assert stack.who_may("S3:getobject", "arn:aws:s3:::a/x/1") == {"reader"}
    assert (
        stack.who_may("s3:GetObject", "arn:aws:s3:::a/y/1")
        == stack.who_may("s3:PutObject", "arn:aws:s3:::a/x/1")
        == set()
    )
