"""The OpenAPI document says what the router knows, and its schemas fit what is answered."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sinks.desk.operations import API_PREFIX, OPERATIONS
from tests.sinks.conftest import Shelf
from tests.sinks.desk.conftest import Client
from tests.sinks.events import dispatch, event


async def read_document(desk: Client) -> Any:
    answer = await desk.get("/api/openapi.json")
    assert answer.status == 200
    return await answer.json()


def resolve(document: Any, schema: Any) -> Any:
    return {**schema, "components": document["components"]}


async def test_every_address_of_the_api_is_an_operation(desk: Client) -> None:
    app = desk.app
    assert app is not None
    routed = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource and route.resource.canonical.startswith(API_PREFIX) and route.method != "HEAD"
    }
    assert routed == {(one.method, one.public_path) for one in app[OPERATIONS]}
    names = [one.name for one in app[OPERATIONS]]
    assert len(names) == len(set(names))


async def test_the_document_describes_each_operation(desk: Client) -> None:
    document = await read_document(desk)
    assert document["openapi"] == "3.1.0"
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            assert {part["name"] for part in operation["parameters"] if part["in"] == "path"} == {
                part.strip("{}") for part in path.split("/") if part.startswith("{")
            }
            assert all(part["description"] for part in operation["parameters"])
            assert {"400", "401", "403", "429", "503"} <= set(operation["responses"])


async def test_every_reference_of_the_document_leads_somewhere(desk: Client) -> None:
    document = await read_document(desk)
    schemas = document["components"]["schemas"]

    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*map(references, value.values()), set())
        return set().union(*map(references, value), set()) if isinstance(value, list) else set()

    assert references(document) <= {f"#/components/schemas/{name}" for name in schemas}
    for schema in schemas.values():
        Draft202012Validator.check_schema(resolve(document, schema))


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("/api/stories", "/api/stories?q=harbour"),
        ("/api/stories/{uri}", "/api/stories/urn:nda:1"),
        ("/api/stories/{uri}/versions", "/api/stories/urn:nda:1/versions"),
        ("/api/chains/{chain}", "/api/chains/urn:nda:1"),
        ("/api/clusters", "/api/clusters"),
        ("/api/feeds", "/api/feeds"),
        ("/api/pipeline", "/api/pipeline"),
        ("/api/me", "/api/me"),
    ],
)
async def test_answers_fit_their_schemas(desk: Client, shelf: Shelf, path: str, address: str) -> None:
    shelf.put(dispatch(), event("urn:b", minute=3))
    document = await read_document(desk)
    answer = await desk.get(address)
    assert answer.status == 200
    schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    Draft202012Validator(resolve(document, schema)).validate(await answer.json())


@pytest.mark.parametrize(
    "address", ["/api/stories?limit=0", "/api/stories/urn:none", "/api/nothing", "/api/chains/urn:none"]
)
async def test_errors_have_one_form(desk: Client, address: str) -> None:
    document = await read_document(desk)
    error = resolve(document, document["components"]["schemas"]["Error"])
    Draft202012Validator(error).validate(await (await desk.get(address)).json())


async def test_a_method_that_an_address_does_not_know_is_refused_in_the_same_form(desk: Client) -> None:
    answer = await desk.post("/api/stories", json={})
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET,HEAD"
    assert (await answer.json())["error"]["type"] == "MethodNotAllowed"
