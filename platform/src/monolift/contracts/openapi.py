"""An interface as an OpenAPI document (3.1): what to know to call it, or to answer it, elsewhere.

The same schemas as the snapshots have. OpenAPI has no word for the signature, which covers method,
path with query, body and receiver: the security scheme describes it.
"""

from collections.abc import Mapping
from typing import Any

from monolift.contracts.schema import REFERENCE, Components, Schema
from monolift.kernel import Operation, operations_of
from monolift.transport import codec
from monolift.transport.protocol import CALLER, DEADLINE, PREFIX

VERSION = "3.1.0"
_COMPONENTS = "#/components/schemas/"
_SIGNATURE = """\
`Authorization: Bearer m1.<claims>.<signature>`. Claims are JSON: `kid` (the key's id), `iss` (who \
calls), `aud` (the deployable that is called), `iat` and `exp` (Unix seconds, at most 60 apart), \
`htm` (POST), `htu` (the path with its query), `sha` (SHA-256 of the body, hexadecimal); on behalf \
of an end user also `usr`, an object with `user_id` (UUID) and `scopes` (`read`, `write`). The \
signature is HMAC-SHA256 of `m1.<claims>` with the shared secret. Both are base64url without \
padding.
"""


def document(interface: Any, *, url: str = "") -> dict[str, Any]:
    """The document of one interface."""
    components = Components()
    paths = {
        f"{PREFIX}{interface.interface_name}/{operation.method}": {
            "post": _operation(components, operation)
        }
        for operation in operations_of(interface).values()
    }
    schemas = {**components.schemas, "Failure": _FAILURE}
    written: dict[str, Any] = _elsewhere(
        {
            "openapi": VERSION,
            "info": {
                "title": interface.interface_name,
                "version": str(interface.interface_version),
                "description": (interface.__doc__ or "").strip(),
            },
            "servers": [{"url": url or "/"}],
            "security": [{"signature": []}],
            "paths": paths,
            "components": {
                "schemas": schemas,
                "securitySchemes": {
                    "signature": {"type": "http", "scheme": "bearer", "description": _SIGNATURE}
                },
            },
        }
    )
    return written


def _operation(components: Components, operation: Operation) -> dict[str, Any]:
    none = operation.returns in (None, type(None))
    answer = {"type": "null"} if none else components.schema(operation.returns)
    responses: dict[str, Any] = {"200": _json("The answer.", answer)}
    for error in operation.raises:
        fields = components.fields(error.payload_type())
        told = {
            "type": "object",
            "title": error.__name__,
            "properties": {
                "type": {"const": "Failure"},
                "code": {"const": error.code},
                "fields": fields,
            },
            "required": ["type", "code"],
        }
        status = str(error.status)
        if status in responses:
            schema = responses[status]["content"]["application/json"]["schema"]
            both = [*schema.get("anyOf", [schema]), told]
            responses[status]["content"]["application/json"]["schema"] = {"anyOf": both}
        else:
            responses[status] = _json(str(error.__doc__ or error.__name__).strip(), told)
    responses["default"] = _json(
        "No answer: 401 and 403 (not signed as it must be), 404 and 421 (not here), 413, 503 (too "
        "busy, or something it needs is silent; see Retry-After), 500 (it failed, and nothing was "
        "committed).",
        {"$ref": f"{REFERENCE}Failure"},
    )
    summary, _, more = (operation.function.__doc__ or operation.name).strip().partition("\n")
    return {
        "operationId": operation.name,
        "summary": summary,
        **({"description": more.strip()} if more.strip() else {}),
        "x-kind": operation.kind,
        "x-timeout": operation.timeout,
        "parameters": [*_key(operation), *_HEADERS],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": components.fields(operation.arguments)}},
        },
        "responses": responses,
    }


def _key(operation: Operation) -> list[dict[str, Any]]:
    if operation.kind == "query" or not operation.keyed:
        return []
    key = {
        "name": "key",
        "in": "query",
        "description": "The idempotency key: the same one and the same request have one effect "
        "and give one answer. A new one for each new command.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    }
    again = {
        "name": "repeated",
        "in": "query",
        "description": "The key may be known already: look before running.",
        "schema": {"const": "1"},
    }
    return [key, again]


_HEADERS = [
    {
        "name": DEADLINE,
        "in": "header",
        "description": "Milliseconds until nobody waits for the answer any more.",
        "schema": {"type": "string", "pattern": "^[0-9]{1,9}$"},
    },
    {
        "name": CALLER,
        "in": "header",
        "description": "The calling module, for logs and the call matrix.",
        "schema": {"type": "string"},
    },
]


_FAILURE: Schema = {
    "type": "object",
    "properties": {
        "type": {"const": "Failure"},
        "code": {"type": "string", "examples": [codec.UNAVAILABLE, codec.FAILED, codec.REFUSED]},
        "fields": {"type": "object"},
        "reason": {"type": "string"},
    },
    "required": ["type", "code"],
}


def _json(description: str, schema: Schema) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _elsewhere(value: Any) -> Any:
    """The same with references to where OpenAPI keeps its components."""
    if isinstance(value, Mapping):
        return {
            name: part.replace(REFERENCE, _COMPONENTS)
            if name == "$ref" and isinstance(part, str)
            else _elsewhere(part)
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [_elsewhere(part) for part in value]
    return value
