"""Keyed pseudonyms of personal data: HMAC-SHA-256, so that no one without the key can try out all phone numbers.

The key is PSEUDONYM_SECRET in the environment of the Python worker, or on a cluster the secret of the cloud's secret
store that PSEUDONYM_SECRET_ID names. Each worker reads it at the moment of use: only the name travels with a job, the
key is in no closure, literal or Spark setting of this project, hence in no plan, event log or command line.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
from functools import cache
from typing import Any
from urllib import request
from urllib.error import HTTPError, URLError

import pyarrow as pa

from spark_prep.errors import PreparationError

SHORTEST_KEY = 16
AWS_SECRET = re.compile(r"arn:aws[a-z-]*:secretsmanager:(?P<region>[a-z0-9-]+):[0-9]{12}:secret:.+")
GCP_SECRET = re.compile(r"projects/[^/]+/secrets/[^/]+/versions/[^/]+")
SECONDS = 20


def pseudonyms(values: pa.Array, secret_id: str) -> pa.Array:
    """Of strings: the hex digest (64 characters) of each trimmed value; NULL for NULL and blank values. `secret_id` is
    secret_id() as the driver has it, since a worker has no such variable."""
    keyed = hmac.new(read_key("PSEUDONYM_SECRET", secret_id), digestmod="sha256")
    distinct = values.dictionary_encode()
    digests = [_digest(value, keyed) for value in distinct.dictionary.to_pylist()]
    return pa.array(digests, pa.string()).take(distinct.indices)


def _digest(text: str, keyed: hmac.HMAC) -> str | None:
    if not text.strip():
        return None
    # a copy has the key's part of the work behind it
    digest = keyed.copy()
    digest.update(text.strip().encode())
    return digest.hexdigest()


def require_key() -> None:
    """Raise a PreparationError unless there is one key, and it can serve as a key."""
    id_ = secret_id()
    if id_ and os.environ.get("PSEUDONYM_SECRET", "").strip():
        raise PreparationError(
            "PSEUDONYM_SECRET and PSEUDONYM_SECRET_ID are both set; keep the one that is meant"
        )
    read_key("PSEUDONYM_SECRET", id_)


def key_version() -> str:
    """The name that is written beside each pseudonym, so that keys can be rotated."""
    return os.environ.get("PSEUDONYM_KEY_VERSION", "").strip() or "1"


def secret_id() -> str:
    """Which secret of the cloud's secret store holds the key; empty when PSEUDONYM_SECRET is the key."""
    return os.environ.get("PSEUDONYM_SECRET_ID", "").strip()


def read_key(setting: str, secret_id: str) -> bytes:
    """The key that a setting of this name holds, or the secret that `secret_id` names; PreparationError when it can be no key."""
    key = _secret(f"{setting}_ID", secret_id) if secret_id else os.environ.get(setting, "").strip()
    if len(key) < SHORTEST_KEY:
        raise PreparationError(
            f"{f'the secret {secret_id}' if secret_id else setting} has {len(key)} characters, "
            f"a key needs {SHORTEST_KEY} or more: make one with `openssl rand -hex 32` and keep it in the secret store"
        )
    return key.encode()


@cache
def _secret(setting: str, secret_id: str) -> str:
    """The secret's value, asked for once in each process."""
    if arn := AWS_SECRET.fullmatch(secret_id):
        return _aws_secret(secret_id, arn["region"]).strip()
    if GCP_SECRET.fullmatch(secret_id):
        return _gcp_secret(secret_id).strip()
    raise PreparationError(
        f"{setting} is {secret_id!r}; write arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME or "
        "projects/PROJECT/secrets/NAME/versions/VERSION"
    )


def _aws_secret(secret_id: str, region: str) -> str:
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise PreparationError(
            f"the secret {secret_id} cannot be read: this Python has no boto3. Install it: by emr_bootstrap.sh on EMR "
            "on EC2, in packages.tar.gz (make spark-package) on EMR Serverless"
        ) from error
    try:
        client = boto3.client("secretsmanager", region_name=region)
        value: str = client.get_secret_value(SecretId=secret_id).get("SecretString", "")
        return value
    except ClientError as error:
        advice = {
            "ResourceNotFoundException": "it does not exist or has no value; create it, or correct its name",
            "AccessDeniedException": "allow the job's role secretsmanager:GetSecretValue on it, and kms:Decrypt on its key",
        }.get(error.response["Error"]["Code"], str(error))
        raise PreparationError(f"the secret {secret_id} cannot be read: {advice}") from error
    except BotoCoreError as error:
        raise PreparationError(f"the secret {secret_id} cannot be read: {error}") from error


def _gcp_secret(secret_id: str) -> str:
    """By REST and with the token of the machine's service account: needs no library that an image may lack."""
    metadata = os.environ.get("GCE_METADATA_HOST", "metadata.google.internal")
    # the variable that gcloud also takes
    endpoint = os.environ.get(
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER", "https://secretmanager.googleapis.com/"
    )
    try:
        token = _get_json(
            f"http://{metadata}/computeMetadata/v1/instance/service-accounts/default/token",
            {"Metadata-Flavor": "Google"},
        )["access_token"]
        answer = _get_json(f"{endpoint}v1/{secret_id}:access", {"Authorization": f"Bearer {token}"})
    except HTTPError as error:
        advice = {
            403: "allow the job's service account roles/secretmanager.secretAccessor on it",
            404: "it does not exist or has no such version; create it, or correct its name",
        }.get(error.code, f"{error.url} answered {error}")
        raise PreparationError(f"the secret {secret_id} cannot be read: {advice}") from error
    except URLError as error:
        raise PreparationError(
            f"the secret {secret_id} cannot be read: {error.reason}. It can be read on a machine of Google Cloud only"
        ) from error
    return base64.b64decode(answer["payload"].get("data", "")).decode()


def _get_json(url: str, headers: dict[str, str]) -> dict[str, Any]:
    # plain http is the metadata server; through a proxy, that of another machine would answer
    opener = request.build_opener(request.ProxyHandler({} if url.startswith("http:") else None))
    asked = request.Request(url, headers=headers)  # noqa: S310 - endpoints of this file, nothing from a feed
    with opener.open(asked, timeout=SECONDS) as answer:
        content: dict[str, Any] = json.load(answer)
    return content
