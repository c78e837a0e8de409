"""Google's own SQL engine, ZetaSQL, as the package `zetasql` ships it: WebAssembly that wasmtime runs in this process.

    engine = shared_engine()
    engine.analyse("select a from `p.d.t`", {"p.d.t": columns})
    engine.query("select a + 1 from `p.d.t`", {"p.d.t": Rows(columns, data)})

Tables are handed over with each statement, under flat names: ZetaSQL finds the content of tables of the root catalogue
only. Everything that goes in and out is protocol buffers, which is what ZetaSQL speaks.
"""

import ctypes
import functools
import hashlib
import os
import platform
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, Protocol
from unittest.mock import patch

import wasmtime
from google.protobuf.message import Message
from zetasql.core import wasm_client
from zetasql.core.exceptions import ServerError
from zetasql.wasi import get_wasm_path
from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as service
from zetasql.wasi._pb2.zetasql.proto import options_pb2
from zetasql.wasi._pb2.zetasql.public import options_pb2 as options_enums
from zetasql.wasi._pb2.zetasql.public.type_pb2 import TYPE_INT64, TypeProto
from zetasql.wasi._pb2.zetasql.public.value_pb2 import ValueProto

# BigQuery's other names of INT64, none of which ZetaSQL knows.
INT64_ALIASES = ("INT", "SMALLINT", "INTEGER", "BIGINT", "TINYINT", "BYTEINT")

# Recommended to every engine, but BigQuery's documentation does not tell of them: MD5('x') || 'y', CONCAT('x', 1).
NOT_IN_BIGQUERY = (
    options_enums.FEATURE_IMPLICIT_COERCION_STRING_LITERAL_TO_BYTES,
    options_enums.FEATURE_CONCAT_MIXED_TYPES,
)


class SqlError(Exception):
    """ZetaSQL refuses a statement, or evaluating it fails; the text is ZetaSQL's own."""


class Named(Protocol):
    """What ZetaSQL has to know of a column."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> TypeProto: ...


class NamedType(NamedTuple):
    name: str
    type: TypeProto


class Variable(NamedTuple):
    type: TypeProto
    value: ValueProto


class Rows(NamedTuple):
    """Rows with the names and types of their columns: what a table holds and what a query gives."""

    columns: Sequence[Named]
    data: service.TableData


@functools.cache
def shared_engine() -> "Engine":
    """The engine of this process; starting it takes 0.1 s, and up to a minute the first time on a machine."""
    return Engine()


class Engine:
    def __init__(self) -> None:
        # One WebAssembly instance does one thing at a time.
        self._lock = threading.Lock()
        with patch.object(wasm_client, "Module", _CachedModule):
            self._client = _FastClient(get_wasm_path())
        self._language = self._language_of_bigquery()

    def parse(self, script: str) -> Message:
        """The syntax tree (ASTScriptProto) of a script of one or more statements."""
        request = service.ParseRequest(sql_statement=script, allow_script=True, options=self._language)
        return self._call("Parse", request, service.ParseResponse).parsed_script

    def analyse(
        self, statement: str, tables: Mapping[str, Sequence[Named]], variables: Mapping[str, Variable]
    ) -> Message:
        """The resolved statement (AnyResolvedStatementProto), names looked up and types checked."""
        request = service.AnalyzeRequest(sql_statement=statement)
        self._fill_options_and_catalogue(request, tables, variables)
        return self._call("Analyze", request, service.AnalyzeResponse).resolved_statement

    def query(
        self, query: str, tables: Mapping[str, Rows], variables: Mapping[str, Variable] | None = None
    ) -> Rows:
        """The rows of a query, evaluated by ZetaSQL's reference implementation."""
        request = service.PrepareQueryRequest(sql=query)
        columns = {name: rows.columns for name, rows in tables.items()}
        self._fill_options_and_catalogue(request, columns, variables or {})
        for name, rows in tables.items():
            request.table_content[name].table_data.CopyFrom(rows.data)
        prepared = self._call("PrepareQuery", request, service.PrepareQueryResponse).prepared
        try:
            evaluation = service.EvaluateQueryRequest(prepared_query_id=prepared.prepared_query_id)
            data = self._call("EvaluateQuery", evaluation, service.EvaluateQueryResponse).content.table_data
        finally:
            self._call(
                "UnprepareQuery", service.UnprepareQueryRequest(prepared_query_id=prepared.prepared_query_id)
            )
        return Rows([NamedType(column.name, column.type) for column in prepared.columns], data)

    def _language_of_bigquery(self) -> Message:
        request = service.LanguageOptionsRequest(maximum_features=True)
        language = self._call("GetLanguageOptions", request, options_pb2.LanguageOptionsProto)
        language.product_mode = options_enums.PRODUCT_EXTERNAL
        features = language.enabled_language_features
        # Not among those that ZetaSQL recommends to every engine.
        features.append(options_enums.FEATURE_CREATE_EXTERNAL_TABLE_WITH_PARTITION_COLUMNS)
        for feature in NOT_IN_BIGQUERY:
            features.remove(feature)
        language.reserved_keywords.append("QUALIFY")
        # None listed means that all are supported.
        language.ClearField("supported_statement_kinds")
        return language

    def _fill_options_and_catalogue(
        self, request: Message, tables: Mapping[str, Sequence[Named]], variables: Mapping[str, Variable]
    ) -> None:
        request.options.language_options.CopyFrom(self._language)
        request.options.default_timezone = "UTC"
        request.options.error_message_mode = options_enums.ERROR_MESSAGE_ONE_LINE
        catalogue = request.simple_catalog
        catalogue.name = "root"
        catalogue.builtin_function_options.language_options.CopyFrom(self._language)
        for name in INT64_ALIASES:
            catalogue.named_type.add(name=name, type=TypeProto(type_kind=TYPE_INT64))
        for name, columns in tables.items():
            table = catalogue.table.add(name=name)
            for column in columns:
                table.column.add(name=column.name, type=column.type, is_writable_column=True)
        for name, variable in variables.items():
            catalogue.constant.add(name_path=[name], type=variable.type, value=variable.value)

    def _call(self, method: str, request: Message, response: type[Message] | None = None) -> Message:
        kinds = [response] if response else []
        try:
            with self._lock:
                return self._client.call_grpc_func(f"ZetaSqlLocalService_{method}", request, *kinds)
        except ServerError as error:
            # The exception's own message ends at the first line break.
            raise SqlError(error.raw_error.partition("Message: ")[2]) from None


class _FastClient(wasm_client.WasmClient):  # type: ignore[misc]  # the package has no types
    """The package copies byte by byte in Python; this copies memory."""

    def write_bytes(self, ptr: int, data: bytes) -> None:
        ctypes.memmove(self._memory_start() + ptr, data, len(data))

    def read_bytes(self, ptr: int, size: int) -> bytes:
        return ctypes.string_at(self._memory_start() + ptr, size)

    def _memory_start(self) -> int:
        return ctypes.addressof(self.memory.data_ptr().contents)


class _CachedModule:
    """Takes the place of wasmtime.Module in the package: compiles once a machine."""

    @staticmethod
    def from_file(engine: wasmtime.Engine, wasm: str) -> wasmtime.Module:
        cached = _cache_folder() / f"zetasql-{_fingerprint(Path(wasm))}.cwasm"
        if cached.exists():
            try:
                return wasmtime.Module.deserialize_file(engine, str(cached))
            except wasmtime.WasmtimeError:
                pass  # made on another kind of machine, or broken: compiled again
        print("compiling ZetaSQL, up to a minute; only the first time …", file=sys.stderr, flush=True)
        module = wasmtime.Module.from_file(engine, wasm)
        _write_atomically(cached, module.serialize())
        return module


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "movie-analytics"


def _fingerprint(wasm: Path) -> str:
    about = f"{version('wasmtime')} {platform.system()} {platform.machine()}"
    return hashlib.sha256(about.encode() + wasm.read_bytes()).hexdigest()[:16]


def _write_atomically(path: Path, content: bytes | bytearray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    os.replace(file.name, path)
