"""The description of the channel says what the channel does."""

from typing import Any

import jsonschema
import pytest

from guide.content import load_yaml
from guide.paths import ROOT
from tests.channels.web_server import ANSWER, CRISIS, PATH, WebServer

SPEC = load_yaml(ROOT / "channels" / "web_openapi.yml")


def schema_of(path: str, method: str, status: int) -> Any:
    """Return the schema of a JSON response, references resolved by the validator."""
    answer = SPEC["paths"][path][method]["responses"][str(status)]
    if "$ref" in answer:
        answer = SPEC["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    return {**answer["content"]["application/json"]["schema"], "components": SPEC["components"]}


def conforms(body: Any, path: str, method: str, status: int) -> None:
    jsonschema.validate(body, schema_of(path, method, status))


async def test_every_route_is_described_and_every_description_has_a_route(web: WebServer) -> None:
    described = {
        (path.rstrip("/"), method.upper())
        for path, item in SPEC["paths"].items()
        for method in item
    }
    served = {
        (route.path.removeprefix(PATH.strip("/")).rstrip("/"), method)
        for route in web.app.router.routes
        if route.path.startswith(PATH.strip("/"))
        for method in route.methods - {"OPTIONS"}
    }
    assert served == described


async def test_successes_are_as_described(web: WebServer) -> None:
    visitor = await web.visitor().open()
    conforms(visitor.opened, "/session", "post", 201)
    source = dict.fromkeys(["key", "title", "publisher", "date", "kind", "read", "checked"], "x")
    web.agent.messages = [{**ANSWER, "sources": [{**source, "url": "x"}], "review": "drafted"}]
    for messages in (web.agent.messages, [CRISIS]):
        web.agent.messages = messages
        conforms((await visitor.send(text="x"))[1], "/messages", "post", 200)
    refreshed = await visitor.call("POST", "/session/refresh", json={})
    conforms(refreshed[1], "/session/refresh", "post", 200)
    conforms((await visitor.call("GET", "/history"))[1], "/history", "get", 200)
    conforms((await visitor.call("GET", "/health"))[1], "/health", "get", 200)
    conforms((await visitor.call("GET", "/ready"))[1], "/ready", "get", 200)
    conforms((await visitor.call("DELETE", "/session"))[1], "/session", "delete", 200)


@pytest.mark.parametrize(
    ("path", "method"),
    [
        (path, method)
        for path, item in SPEC["paths"].items()
        for method, operation in item.items()
        if "security" in operation
    ],
)
async def test_failures_are_as_described(web: WebServer, path: str, method: str) -> None:
    status, body = await web.visitor().call(method.upper(), path, json={})
    assert status == 401
    conforms(body, path, method, status)
    strange = web.visitor("https://evil.example")
    status, body = await strange.call(method.upper(), path, json={})
    assert status == 403
    conforms(body, path, method, status)
