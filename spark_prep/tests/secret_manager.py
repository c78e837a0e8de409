"""A stand-in for Google's metadata server, Secret Manager and Cloud KMS, on loopback, as far as the keys of the jobs need them.

It knows version 2 of three secrets (pseudonyms, empty, and forbidden), and the key KMS_KEY, which encrypts whatever it is sent.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

STORED_KEY = "key-of-the-secret-store-0123456789"
KMS_KEY = "projects/p/locations/europe-west1/keyRings/ring/cryptoKeys/quarantine"


class Answering(BaseHTTPRequestHandler):
    def answer(self, status: int, body: dict):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server on loopback; yields its host and port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


class SecretManager(Answering):
    secrets: ClassVar[dict] = {"pseudonyms": STORED_KEY, "empty": "", "forbidden": None}
    asked: ClassVar[list[str]] = []
    encrypted: ClassVar[dict[str, str]] = {}

    def do_POST(self):
        self.asked.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != "Bearer token":
            self.answer(401, {})
        elif self.path == f"/v1/{KMS_KEY}:encrypt":
            ciphertext = base64.b64encode(f"number {len(self.encrypted)}".encode()).decode()
            self.encrypted[ciphertext] = body["plaintext"]
            self.answer(200, {"name": f"{KMS_KEY}/cryptoKeyVersions/1", "ciphertext": ciphertext})
        elif self.path == f"/v1/{KMS_KEY}:decrypt":
            plaintext = self.encrypted.get(body["ciphertext"])
            self.answer(*((200, {"plaintext": plaintext}) if plaintext else (400, {})))
        else:
            self.answer(403 if "/forbidden:" in self.path else 404, {})

    def do_GET(self):
        self.asked.append(self.path)
        name = self.path.split("/")[-3]
        if self.path == "/computeMetadata/v1/instance/service-accounts/default/token":
            self.answer(
                200 if self.headers["Metadata-Flavor"] == "Google" else 403, {"access_token": "token"}
            )
        elif self.headers["Authorization"] != "Bearer token":
            self.answer(401, {})
        elif name not in self.secrets or not self.path.endswith("/versions/2:access"):
            self.answer(404, {})
        elif (value := self.secrets[name]) is None:
            self.answer(403, {})
        else:
            self.answer(200, {"payload": {"data": base64.b64encode(value.encode()).decode()}})


def access_to_secret_manager(address: str) -> dict[str, str]:
    """The environment that makes a process ask it."""
    return {
        "GCE_METADATA_HOST": address,
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER": f"http://{address}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS": f"http://{address}/",
    }
