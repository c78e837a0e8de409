"""The HTTP server of the stand-in, on loopback, at a free port.

All requests wait for each other: the jobs of dbt's threads run one after the other.
"""

import contextlib
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from ci.stand_ins.bigquery.errors import BigQueryError
from ci.stand_ins.bigquery.rest import RestInterface
from ci.stand_ins.bigquery.warehouse import Warehouse

LOG = logging.getLogger(__name__)


@contextlib.contextmanager
def serve(warehouse: Warehouse, statements: list[str]) -> Iterator[str]:
    """Serve the warehouse on a free port; yields the endpoint. Each query job's text is added to `statements`."""
    api = RestInterface(warehouse, statements)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(api))
    server.daemon_threads = True
    # Looks every 20 ms whether it is to stop.
    thread = threading.Thread(
        target=server.serve_forever, args=(0.02,), name="BigQuery stand-in", daemon=True
    )
    thread.start()
    api.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield api.endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(api: RestInterface) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # An answer is two packets, of which the second would wait 40 ms until the client has acknowledged the first.
        disable_nagle_algorithm = True

        def handle_request(self) -> None:
            url = urlsplit(self.path)
            parameters = {name: values[-1] for name, values in parse_qs(url.query).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers: dict[str, str] = {}
            try:
                with api.warehouse.lock:
                    answer, headers = api.answer(self.command, unquote(url.path), parameters, body)
                status = 200
            except BigQueryError as error:
                status, answer = error.status, _error_answer(error)
            except Exception as error:
                # It must reach the test, and not be tried again as a fault of a server would be.
                LOG.exception("fault of the BigQuery stand-in")
                status, answer = 400, _error_answer(BigQueryError(f"fault of the stand-in: {error!r}"))
            content = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_request

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    return Handler


def _error_answer(error: BigQueryError) -> dict:
    details = {"reason": error.reason, "message": str(error), "domain": "global"}
    return {"error": {"code": error.status, "message": str(error), "errors": [details]}}
