"""AWS on loopback, for `make test-apply`: moto's server (complete_moto.py), and the calls that moto 5.2 lacks.

    python -m terraform.tests.fake_aws PORT

What is added keeps what it is given and hands it back. So it shows that the provider's requests are well-formed, that the
graph is sound and that everything can be taken down again; it does not show that AWS would say yes.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# moto reads it when it is imported.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")

from moto.budgets.models import budgets_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
from werkzeug.wrappers import Request, Response

from terraform.tests.complete_moto import complete_moto

ACCOUNT, REGION = "123456789012", "eu-west-1"

# AWS answers with all parameters of a workgroup, however few were sent.
WORKGROUP_PARAMETERS = {
    "auto_mv": "true",
    "datestyle": "ISO, MDY",
    "enable_case_sensitive_identifier": "false",
    "enable_user_activity_logging": "true",
    "max_query_execution_time": "14400",
    "query_group": "default",
    "require_ssl": "true",
    "search_path": "$user, public",
    "use_fips_ssl": "false",
}


def application() -> WSGIApplication:
    """moto's WSGI application, with the missing calls in front."""
    moto: WSGIApplication = DomainDispatcherApplication(create_backend_app)
    serverless, access, parameters = RedshiftServerless(), ClusterAccess(), ParameterGroups()
    budget_tags: dict[str, Any] = {}

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if entry := ACCESS_ENTRIES.fullmatch(environ["PATH_INFO"]):
            found: WSGIApplication = access.answer(Request(environ), **entry.groupdict())
            return found(environ, start_response)
        if environ["REQUEST_METHOD"] != "POST" or environ["PATH_INFO"] != "/":
            return moto(environ, start_response)
        request = Request(environ)
        # cached, so that moto reads it again
        body = request.get_data(cache=True)
        environ["wsgi.input"] = io.BytesIO(body)
        service, _, action = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
        if service == "RedshiftServerless":
            answer = serverless.answer(action, json.loads(body))
        elif action == "DescribeSubscribersForNotification":
            answer = subscribers(**json.loads(body))
        elif service == "AWSBudgetServiceGateway" and action == "ListTagsForResource":
            name = json.loads(body)["ResourceARN"].rpartition("/")[2]
            answer = _json({"ResourceTags": budget_tags[name]})
        elif service == "AWSBudgetServiceGateway" and action == "CreateBudget":
            sent = json.loads(body)
            budget_tags[sent["Budget"]["BudgetName"]] = sent.get("ResourceTags", [])
            answer = None
        elif not service and "Action" in (form := parse_qs(body.decode(errors="replace"))):
            answer = parameters.answer(form["Action"][0], form) or redshift_answer(form["Action"][0], form)
        else:
            answer = None
        respond: WSGIApplication = answer or moto
        return respond(environ, start_response)

    return app


def subscribers(AccountId: str, BudgetName: str, Notification: dict[str, Any], **_: Any) -> Response:
    budget = budgets_backends[ACCOUNT]["aws"].budgets[AccountId][BudgetName]
    kind = Notification["NotificationType"]
    (found,) = [one.subscribers for one in budget.notifications if one.details["NotificationType"] == kind]
    return _json({"Subscribers": found})


def redshift_answer(action: str, form: dict[str, list[str]]) -> Response | None:
    """Calls for a provisioned Redshift, whose effect nothing here asks for again."""
    inner = {
        "EnableLogging": _logging,
        "DisableLogging": _logging,
        "DescribeLoggingStatus": _logging,
    }.get(action)
    if inner is None:
        return None
    return _xml(action, inner())


def _xml(action: str, result: str) -> Response:
    return Response(
        f"<{action}Response><{action}Result>{result}</{action}Result></{action}Response>", mimetype="text/xml"
    )


class ParameterGroups:
    """Of a provisioned Redshift: moto answers with the defaults, whatever was set. Asked for are those that a user has set."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, str]] = {}

    def answer(self, action: str, form: dict[str, list[str]]) -> Response | None:
        if action not in ("ModifyClusterParameterGroup", "DescribeClusterParameters"):
            return None
        name = form["ParameterGroupName"][0]
        values = self.values.setdefault(name, {})
        if action == "ModifyClusterParameterGroup":
            for key, (parameter,) in form.items():
                if found := re.fullmatch(r"(Parameters\.\w+\.\d+)\.ParameterName", key):
                    values[parameter] = form[f"{found[1]}.ParameterValue"][0]
            return _xml(action, f"<ParameterGroupName>{name}</ParameterGroupName>")
        parameters = "".join(
            f"<Parameter><ParameterName>{key}</ParameterName><ParameterValue>{value}</ParameterValue></Parameter>"
            for key, value in values.items()
        )
        return _xml(action, f"<Parameters>{parameters}</Parameters>")


def _logging() -> str:
    exports = "".join(f"<member>{name}</member>" for name in ("userlog", "connectionlog", "useractivitylog"))
    return f"<LoggingEnabled>true</LoggingEnabled><LogDestinationType>cloudwatch</LogDestinationType><LogExports>{exports}</LogExports>"


ACCESS_ENTRIES = re.compile(
    r"/clusters/(?P<cluster>[^/]+)/access-entries(?:/(?P<principal>arn:.+?))?(?P<policies>/access-policies(?:/(?P<policy>.+))?)?"
)


class ClusterAccess:
    """EKS: who may do what in a cluster; access entries and the policies that each has."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], dict[str, Any]] = {}
        self.policies: dict[tuple[str, str], dict[str, Any]] = {}

    def answer(
        self, request: Request, cluster: str, principal: str | None, policies: str | None, policy: str | None
    ) -> Response:
        body = json.loads(request.get_data() or b"{}")
        key = cluster, principal or body["principalArn"]
        names = {"clusterName": cluster, "principalArn": key[1]}
        if not principal:
            self.entries[key] = {"type": "STANDARD", "kubernetesGroups": [], "tags": {}, **body, **names}
            self.policies[key] = {}
        if key not in self.entries:
            return _json({"__type": "ResourceNotFoundException", "message": "no such access entry"}, 404)
        if request.method == "DELETE":
            self.policies[key].pop(policy) if policy else self.entries.pop(key)
            return _json({})
        if policies and request.method == "POST":
            self.policies[key][body["policyArn"]] = body
            return _json({**names, "associatedAccessPolicy": body})
        if policies:
            return _json({**names, "associatedAccessPolicies": list(self.policies[key].values())})
        return _json({"accessEntry": self.entries[key]})


class RedshiftServerless:
    """Namespaces and workgroups: create, get, update, delete by name, and their tags; a usage limit, by its id."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}

    def answer(self, action: str, body: dict[str, Any]) -> Response:
        if action == "ListTagsForResource":
            # a usage limit names its workgroup's ARN, too, and has no tags
            tags = [
                item["tags"]
                for item in self.items.values()
                if "tags" in item and body["resourceArn"] in item.values()
            ]
            return _json({"tags": tags[0] if tags else []})
        if action.endswith("UsageLimit"):
            return self._on_usage_limit(action.removesuffix("UsageLimit"), body)
        for kind in ("namespace", "workgroup"):
            verb = action.removesuffix(kind.capitalize())
            if verb != action:
                return self._on_item(verb, kind, body)
        return _json({"__type": "ValidationException", "message": f"{action} is not made up here"}, 400)

    def _on_usage_limit(self, verb: str, body: dict[str, Any]) -> Response:
        key = "usage_limit", body.get("usageLimitId", "limit-1")
        if verb == "Create":
            self.items[key] = {
                **body,
                "usageLimitId": key[1],
                "usageLimitArn": f"arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:usagelimit/{key[1]}",
            }
        elif key not in self.items:
            return _json(
                {"__type": "ResourceNotFoundException", "message": f"usage limit {key[1]} not found"}, 400
            )
        elif verb == "Update":
            self.items[key] |= body
        return _json({"usageLimit": self.items.pop(key) if verb == "Delete" else self.items[key]})

    def _on_item(self, verb: str, kind: str, body: dict[str, Any]) -> Response:
        name = body[f"{kind}Name"]
        if verb == "Create":
            self.items[kind, name] = {"tags": [], **body, **_defaults(kind, name)}
            if kind == "workgroup":
                sent = {
                    one["parameterKey"]: one["parameterValue"] for one in body.get("configParameters", [])
                }
                self.items[kind, name]["configParameters"] = [
                    {"parameterKey": key, "parameterValue": value}
                    for key, value in (WORKGROUP_PARAMETERS | sent).items()
                ]
        elif (kind, name) not in self.items:
            return _json({"__type": "ResourceNotFoundException", "message": f"{kind} {name} not found"}, 400)
        elif verb == "Update":
            if "configParameters" in body:
                return _json(
                    {
                        "__type": "ValidationException",
                        "message": "You didn't specify any changes to the configuration parameters.",
                    },
                    400,
                )
            self.items[kind, name] |= body
        return _json({kind: self.items.pop((kind, name)) if verb == "Delete" else self.items[kind, name]})


def _defaults(kind: str, name: str) -> dict[str, Any]:
    common: dict[str, Any] = {
        f"{kind}Arn": f"arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:{kind}/{name}",
        f"{kind}Id": name,
        "status": "AVAILABLE",
    }
    if kind == "namespace":
        return common | {
            "adminPasswordSecretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:redshift!{name}-AbCdEf"
        }
    host = f"{name}.{ACCOUNT}.{REGION}.redshift-serverless.amazonaws.com"
    return common | {"endpoint": {"address": host, "port": 5439, "vpcEndpoints": []}, "port": 5439}


def _json(answer: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(answer), status, mimetype="application/x-amz-json-1.1")


if __name__ == "__main__":
    complete_moto()
    run_simple("127.0.0.1", int(sys.argv[1]), application(), threaded=True)
