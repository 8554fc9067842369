"""The API's description, as an OpenAPI document."""

from collections.abc import Sequence
from typing import Any

from symface_cli.serve.fields import Field
from symface_cli.serve.options import MEASURING, PREVIEWING, SCREEN, SYMMETRIZING
from symface_cli.serve.problems import MEDIA_TYPE
from symface_cli.version import __version__

Document = dict[str, Any]
PROBLEMS = {
    "400": "The request makes no sense",
    "401": "A token is needed",
    "403": "It comes from another page",
    "404": "The photo is not kept any longer",
    "408": "The request came too slowly",
    "413": "The picture is too large",
    "415": "Neither a picture nor a form",
    "421": "The Host header names another server",
    "422": "The photo cannot be read, or shows no such face",
    "500": "A bug, or a process that died",
    "501": "An optional part is not installed",
    "503": "Too busy, or it took too long; Retry-After says when to try again",
}
ACTIONS: dict[str, tuple[str, Sequence[Field], str]] = {
    "symmetrize": ("Make the faces of a photo symmetric", SYMMETRIZING, "The picture; several are a ZIP"),
    "measure": ("Measure how asymmetric the faces of a photo are", MEASURING, "The numbers, or pictures"),
    "preview": ("Show which faces are found", PREVIEWING, "The photo with numbered boxes and midlines"),
}
"""What can be done with a photo: a summary, the fields, and what comes back."""


def describe_api() -> Document:
    """Return the document."""
    paths: Document = {f"/api/{name}": {"post": _action(name, sent=True)} for name in ACTIONS}
    paths |= {f"/api/photos/{{key}}/{name}": {"post": _action(name, sent=False)} for name in ACTIONS}
    paths["/api/photos"] = {"post": _keep()}
    paths["/api/photos/{key}"] = {
        "parameters": [KEY],
        "get": {
            "summary": "The photo as it is, to be looked at",
            "parameters": [_parameter(SCREEN)],
            "responses": {"200": {"description": "JPEG", "content": {"image/jpeg": {}}}, **_problems("404")},
        },
        "delete": {"summary": "Drop a photo", "responses": {"204": {"description": "It is gone"}, **_problems("404")}},
    }
    paths["/api/health"] = {"get": {"summary": "Is it up", "security": [], "responses": {"200": _json("It is")}}}
    for path in paths:
        if path.startswith("/api/photos/{key}/"):
            paths[path]["parameters"] = [KEY]
    return {
        "openapi": "3.1.0",
        "info": {"title": "symface", "version": __version__, "description": "Not a medical device."},
        "paths": paths,
        "security": [{}, {"token": []}],
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": PROBLEM},
        },
    }


KEY = {"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "exit_status": {"type": "integer", "description": "Of the command line, for failures that it has, too"},
    },
}


def _action(name: str, sent: bool) -> Document:
    summary, fields, result = ACTIONS[name]
    properties = {field.name: _schema(field) for field in fields}
    form: Document = {"type": "object", "properties": properties}
    content: Document = {"application/x-www-form-urlencoded": {"schema": form}}
    if sent:
        picture = {"type": "string", "contentMediaType": "image/*"}
        form = {"type": "object", "properties": {"photo": picture, **properties}, "required": ["photo"]}
        content = {"multipart/form-data": {"schema": form}, "image/*": {"schema": picture}}
    done = {"description": result, "content": {"image/*": {}, "application/zip": {}, "application/json": {}}}
    return {
        "summary": summary if sent else f"{summary} that is kept",
        "parameters": list(map(_parameter, fields)),
        "requestBody": {"required": sent, "content": content},
        "responses": {"200": done, **_problems(*(status for status in PROBLEMS if sent is False or status != "404"))},
    }


def _keep() -> Document:
    picture = {"type": "string", "contentMediaType": "image/*"}
    form = {"type": "object", "properties": {"photo": picture}, "required": ["photo"]}
    return {
        "summary": "Keep a photo for a time, and find its faces",
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}, "image/*": {}}},
        "responses": {"201": _json("Its key, size and faces"), **_problems(*(key for key in PROBLEMS if key != "404"))},
    }


def _json(description: str) -> Document:
    return {"description": description, "content": {"application/json": {}}}


def _problems(*statuses: str) -> Document:
    schema = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": PROBLEMS[status], "content": schema} for status in statuses}


def _parameter(field: Field) -> Document:
    return {"name": field.name, "in": "query", "description": field.meaning, "schema": _schema(field)}


def _schema(field: Field) -> Document:
    """Return the JSON schema of a field's values."""
    schema: Document = {"type": field.kind}
    parts = {"enum": list(field.choices) or None, "minimum": field.least, "maximum": field.most}
    schema |= {name: value for name, value in parts.items() if value is not None}
    if field.default is not None:
        schema["default"] = field.default
    if field.many:
        schema = {"type": "array", "items": schema}
    return {**schema, "description": field.meaning}
