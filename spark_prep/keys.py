"""Keys: from the environment, from the clouds' secret stores, or in their key services, which use a key and never give it away.

AWS is asked with boto3. Google is asked by REST and with the token of the machine's service account, which needs no library that
an image may lack.
"""

from __future__ import annotations

import base64
import json
import os
import re
from functools import cache
from http.client import HTTPException
from typing import Any
from urllib import request
from urllib.error import HTTPError, URLError

from spark_prep.errors import ConnectionLost, PreparationError

SHORTEST_KEY = 16
AWS_SECRET = re.compile(r"arn:aws[a-z-]*:secretsmanager:(?P<region>[a-z0-9-]+):[0-9]{12}:secret:.+")
GCP_SECRET = re.compile(r"projects/[^/]+/secrets/[^/]+/versions/[^/]+")
AWS_KEY = re.compile(r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):[0-9]{12}:key/[A-Za-z0-9-]+")
GCP_KEY = re.compile(r"projects/[\w.:-]+/locations/[\w-]+/keyRings/[\w-]+/cryptoKeys/[\w-]+")
SECONDS = 20


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
    advice = {
        "ResourceNotFoundException": "it does not exist or has no value; create it, or correct its name",
        "AccessDeniedException": "allow the job's role secretsmanager:GetSecretValue on it, and kms:Decrypt on its key",
    }
    asked = {"SecretId": secret_id}
    answer = _ask_aws(
        f"the secret {secret_id} cannot be read", "secretsmanager", region, "get_secret_value", asked, advice
    )
    value: str = answer.get("SecretString", "")
    return value


def _gcp_secret(secret_id: str) -> str:
    # the variables with such names are gcloud's own
    endpoint = os.environ.get(
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER", "https://secretmanager.googleapis.com/"
    )
    advice = {
        403: "allow the job's service account roles/secretmanager.secretAccessor on it",
        404: "it does not exist or has no such version; create it, or correct its name",
    }
    answer = _ask_google(f"the secret {secret_id} cannot be read", f"{endpoint}v1/{secret_id}:access", advice)
    return base64.b64decode(answer["payload"].get("data", "")).decode()


def is_cloud_key(key_id: str) -> bool:
    """Whether this is the name of a key of AWS KMS (its ARN) or Cloud KMS."""
    return bool(AWS_KEY.fullmatch(key_id) or GCP_KEY.fullmatch(key_id))


def encrypt_key(key: bytes, key_id: str) -> bytes:
    """A key, encrypted by the cloud's key service with the key `key_id`. Raises PreparationError when that is refused."""
    if arn := AWS_KEY.fullmatch(key_id):
        encrypted: bytes = _aws_kms("encrypt", key_id, arn["region"], {"Plaintext": key})["CiphertextBlob"]
        return encrypted
    return _gcp_kms("encrypt", key_id, "plaintext", key, "ciphertext")


def decrypt_key(encrypted: bytes, key_id: str) -> bytes:
    """What encrypt_key has encrypted. Raises PreparationError when that is refused."""
    if arn := AWS_KEY.fullmatch(key_id):
        key: bytes = _aws_kms("decrypt", key_id, arn["region"], {"CiphertextBlob": encrypted})["Plaintext"]
        return key
    return _gcp_kms("decrypt", key_id, "ciphertext", encrypted, "plaintext")


def _aws_kms(action: str, key_id: str, region: str, content: dict[str, bytes]) -> dict[str, Any]:
    advice = {
        "NotFoundException": "it does not exist; correct its name",
        "AccessDeniedException": f"allow the role that asks kms:{action.capitalize()} on it",
        "InvalidCiphertextException": "this was not encrypted with it, or was changed",
        "IncorrectKeyException": "this was not encrypted with it, or was changed",
    }
    asked = {"KeyId": key_id, **content}
    return _ask_aws(f"the key {key_id} cannot {action}", "kms", region, action, asked, advice)


def _gcp_kms(action: str, key_id: str, sent: str, content: bytes, received: str) -> bytes:
    endpoint = os.environ.get("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS", "https://cloudkms.googleapis.com/")
    advice = {
        400: "this was not encrypted with it, or was changed, or no version of the key is enabled",
        403: f"allow the service account that asks roles/cloudkms.cryptoKey{action.capitalize()}er on it",
        404: "it does not exist; correct its name",
    }
    body = {sent: base64.b64encode(content).decode()}
    answer = _ask_google(
        f"the key {key_id} cannot {action}", f"{endpoint}v1/{key_id}:{action}", advice, json.dumps(body)
    )
    return base64.b64decode(answer[received])


def _ask_aws(
    failed: str, service: str, region: str, action: str, asked: dict[str, Any], advice: dict[str, str]
) -> dict[str, Any]:
    """The service's answer. `advice` says by the code of a refusal what to do."""
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError
    except ImportError as error:
        raise PreparationError(
            f"{failed}: this Python has no boto3. Install it: by emr_bootstrap.sh on EMR "
            "on EC2, in packages.tar.gz (make spark-package) on EMR Serverless"
        ) from error
    try:
        answer: dict[str, Any] = getattr(boto3.client(service, region_name=region), action)(**asked)
        return answer
    except ClientError as error:
        kind = _refusal(error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"])
        raise kind(f"{failed}: {advice.get(error.response['Error']['Code'], str(error))}") from error
    except (ConnectionError, HTTPClientError) as error:
        raise ConnectionLost(f"{failed}: {error}") from error
    except BotoCoreError as error:
        raise PreparationError(f"{failed}: {error}") from error


def _ask_google(failed: str, url: str, advice: dict[int, str], body: str | None = None) -> dict[str, Any]:
    """The API's answer. `advice` says by the status of a refusal what to do."""
    metadata = os.environ.get("GCE_METADATA_HOST", "metadata.google.internal")
    try:
        token = _get_json(
            f"http://{metadata}/computeMetadata/v1/instance/service-accounts/default/token",
            {"Metadata-Flavor": "Google"},
        )["access_token"]
    except HTTPError as error:
        raise _refusal(error.code)(
            f"{failed}: {error.url} answered {error}; give the machine a service account"
        ) from error
    except URLError as error:
        raise PreparationError(
            f"{failed}: {error.reason}. Its store is asked on a machine of Google Cloud only"
        ) from error
    except (OSError, HTTPException) as error:
        raise ConnectionLost(f"{failed}: {metadata} does not answer: {error!r}") from error
    try:
        return _get_json(url, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}, body)
    except HTTPError as error:
        raise _refusal(error.code)(
            f"{failed}: {advice.get(error.code, f'{error.url} answered {error}')}"
        ) from error
    except (OSError, HTTPException) as error:
        # urllib makes a URLError only of what fails before the answer begins
        raise ConnectionLost(f"{failed}: {url} does not answer: {error!r}") from error


def _refusal(status: int, code: str = "") -> type[PreparationError]:
    """A server that is not well, or was asked too often, may answer the next time."""
    return (
        ConnectionLost
        if status >= 500 or status == 429 or code == "ThrottlingException"
        else PreparationError
    )


def _get_json(url: str, headers: dict[str, str], body: str | None = None) -> dict[str, Any]:
    # plain http is the metadata server; through a proxy, that of another machine would answer
    opener = request.build_opener(request.ProxyHandler({} if url.startswith("http:") else None))
    asked = request.Request(url, body.encode() if body else None, headers)  # noqa: S310 - endpoints of this file, nothing from a feed
    with opener.open(asked, timeout=SECONDS) as answer:
        content: dict[str, Any] = json.load(answer)
    return content
