"""What BigQuery answers when it refuses something."""


class BigQueryError(Exception):
    """An answer with an error: HTTP status, BigQuery's reason and a message."""

    def __init__(self, message: str, status: int = 400, reason: str = "invalidQuery"):
        super().__init__(message)
        self.status, self.reason = status, reason


def not_found(kind: str, name: str, location: str) -> BigQueryError:
    return BigQueryError(f"Not found: {kind} {name} was not found in location {location}", 404, "notFound")


def not_emulated(what: str) -> BigQueryError:
    """For what BigQuery can do and the stand-in cannot."""
    return BigQueryError(f"The stand-in does not run {what}", 501, "notImplemented")
