"""Cut GitHub's OpenAPI description, its GraphQL schema and octokit's webhook examples down.

    npm pack @octokit/openapi@23.0.2 @octokit/webhooks-examples@7.6.1 \\
        @octokit/graphql-schema@15.26.1                                   (then unpack them)
    python slim.py openapi OPENAPI_PACKAGE_DIRECTORY
    python slim.py webhooks EXAMPLES_PACKAGE_DIRECTORY
    python slim.py graphql SCHEMA_PACKAGE_DIRECTORY

Writes openapi.json and webhooks/*.json beside this file, and schema.graphql beside the emulator
that serves it, with source, version and licence in each: what is spoken here and no more.
Descriptions and examples go; `nullable` becomes a list of types, so that a JSON Schema validator
of draft 2020-12 reads the schemas as they are meant. References stay, and none dangles.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SERVED = HERE.parents[2] / "bot/emulators/github/schema.graphql"
DESCRIPTION = "generated/api.github.com.json"
EXAMPLES = "api.github.com/index.json"
DROPPED = {"description", "example", "examples", "externalDocs", "x-github", "title", "x-multi-segment"}
NOTICE = (
    "MIT License, Copyright (c) {year} Octokit contributors. Permission is hereby granted, free of "
    "charge, to any person obtaining a copy of this software and associated documentation files, "
    "to deal in the Software without restriction, subject to this notice being included in all "
    "copies. THE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND."
)
WEBHOOKS = {
    "issues": ("labeled", "unlabeled", "opened", "closed", "edited", "reopened"),
    "issue_comment": ("created", "edited", "deleted"),
    "pull_request": ("opened", "closed", "synchronize", "reopened", "edited", "labeled"),
    "pull_request_review": ("submitted",),
    "pull_request_review_comment": ("created",),
    "check_run": ("created", "completed", "rerequested"),
    "check_suite": ("completed",),
    "installation": ("created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"),
    "installation_repositories": ("added", "removed"),
    "push": ("",),
    "ping": ("",),
}

GRAPHQL: dict[str, set[str]] = {
    "Query": {"repository"},
    "Mutation": {"updateRefs"},
    "Repository": {"id", "nameWithOwner", "issue"},
    "Issue": {"id", "number", "title", "body", "editor", "lastEditedAt", "userContentEdits", "timelineItems"},
    "Actor": {"login"},
    "Bot": {"login", "databaseId"},
    "EnterpriseUserAccount": {"login"},
    "Mannequin": {"login", "databaseId"},
    "Organization": {"login", "databaseId"},
    "User": {"login", "databaseId"},
    "UserContentEdit": {"editedAt", "editor", "deletedAt"},
    "UserContentEditConnection": {"nodes", "pageInfo", "totalCount"},
    "IssueTimelineItems": {"RenamedTitleEvent"},
    "IssueTimelineItemsConnection": {"nodes", "pageInfo", "totalCount"},
    "IssueTimelineItemsItemType": {"RENAMED_TITLE_EVENT"},
    "RenamedTitleEvent": {"actor", "createdAt", "previousTitle", "currentTitle"},
    "PageInfo": {"hasNextPage", "hasPreviousPage", "startCursor", "endCursor"},
    "UpdateRefsInput": {"clientMutationId", "refUpdates", "repositoryId"},
    "RefUpdate": {"afterOid", "beforeOid", "force", "name"},
    "UpdateRefsPayload": {"clientMutationId"},
    "DateTime": set(),
    "GitObjectID": set(),
    "GitRefname": set(),
}


def provenance(package: Path, year: int) -> dict[str, str]:
    meta = json.loads((package / "package.json").read_text("utf-8"))
    return {"source": f"npm {meta['name']} {meta['version']}", "license": NOTICE.format(year=year)}


def plain(schema: Any) -> Any:
    """A schema without prose, with `nullable` said the way of JSON Schema."""
    if isinstance(schema, list):
        return [plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        key: {name: plain(value) for name, value in item.items()} if key == "properties" else plain(item)
        for key, item in schema.items()
        if key not in DROPPED
    }
    if not kept.pop("nullable", False):
        return kept
    if isinstance(kept.get("type"), str):
        kept["type"] = [kept["type"], "null"]
        if "enum" in kept and None not in kept["enum"]:
            kept["enum"] = [*kept["enum"], None]
        return kept
    return {"anyOf": [kept, {"type": "null"}]}


def resolved(spec: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in item:
        target: Any = spec
        for part in item["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/")]
        item = target
    return item


def body(spec: dict[str, Any], item: dict[str, Any] | None) -> Any:
    content = resolved(spec, item or {}).get("content", {})
    media = content.get("application/json") or next(iter(content.values()), {})
    return plain(media["schema"]) if "schema" in media else None


def operation(spec: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    found = spec["paths"][path][method.lower()]
    given = [resolved(spec, one) for one in found.get("parameters", [])]
    return {
        "query": {
            one["name"]: plain(one["schema"]) for one in given if one["in"] == "query"
        },
        "request": body(spec, found.get("requestBody")),
        "responses": {code: body(spec, one) for code, one in found["responses"].items()},
    }


def reachable(spec: dict[str, Any], start: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    todo = [start]
    while todo:
        item = todo.pop()
        if isinstance(item, list):
            todo += item
        elif isinstance(item, dict):
            name = str(item.get("$ref", "")).removeprefix("#/components/schemas/")
            if name and name not in found:
                found[name] = plain(spec["components"]["schemas"][name])
                todo.append(found[name])
            todo += item.values()
    return dict(sorted(found.items()))


def openapi(package: Path) -> None:
    spec = json.loads((package / DESCRIPTION).read_text("utf-8"))
    lines = (HERE / "operations.txt").read_text("utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    operations = {line: operation(spec, *line.split(" ", 1)) for line in wanted}
    slim = provenance(package, 2020) | {
        "file": DESCRIPTION,
        "operations": operations,
        "components": {"schemas": reachable(spec, operations)},
    }
    write(HERE / "openapi.json", slim)


def webhooks(package: Path) -> None:
    events = json.loads((package / EXAMPLES).read_text("utf-8"))
    for event in events:
        actions = WEBHOOKS.get(event["name"])
        if actions is None:
            continue
        first = {
            action: next((one for one in event["examples"] if one.get("action", "") == action), None)
            for action in actions
        }
        examples = {action: one for action, one in first.items() if one is not None}
        write(HERE / "webhooks" / f"{event['name']}.json", provenance(package, 2019) | {"examples": examples})


def graphql(package: Path) -> None:
    from graphql import parse, print_ast

    text = (package / "schema.graphql").read_text("utf-8")
    nodes = parse(text, no_location=True).definitions
    bare = [trimmed(node) for node in nodes if name_of(node) in GRAPHQL and "directive" not in node.kind]
    notice = provenance(package, 2017)
    head = "".join(f"# {line}\n" for line in (notice["source"], notice["license"]))
    SERVED.write_text(head + "\n" + "\n\n".join(map(print_ast, bare)) + "\n", "utf-8")
    print(f"{SERVED.name}: {len(bare)} types")


def trimmed(node: Any) -> Any:
    """A definition with the members that are spoken here, without prose and directives."""
    known = GRAPHQL.keys() | {"ID", "Int", "Float", "String", "Boolean"}
    kept: dict[str, Any] = {"description": None, "directives": ()}
    for part in ("fields", "values", "types"):
        if getattr(node, part, None) is not None:
            wanted = [one for one in getattr(node, part) if name_of(one) in GRAPHQL[name_of(node)]]
            kept[part] = tuple(one if part == "types" else member(one, known) for one in wanted)
    if getattr(node, "interfaces", None) is not None:
        kept["interfaces"] = tuple(one for one in node.interfaces if name_of(one) in known)
    return replace(node, **kept)


def member(node: Any, known: set[str]) -> Any:
    kept: dict[str, Any] = {"description": None, "directives": ()}
    if getattr(node, "arguments", None) is not None:
        arguments = (one for one in node.arguments if type_of(one) in known)
        kept["arguments"] = tuple(replace(one, description=None, directives=()) for one in arguments)
    return replace(node, **kept)


def type_of(node: Any) -> str:
    while hasattr(node, "type"):
        node = node.type
    return name_of(node)


def name_of(node: Any) -> str:
    return str(node.name.value) if getattr(node, "name", None) else ""


def write(path: Path, data: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text + "\n", "utf-8")
    print(f"{path.name}: {len(text):,} characters")


if __name__ == "__main__":
    {"openapi": openapi, "webhooks": webhooks, "graphql": graphql}[sys.argv[1]](Path(sys.argv[2]))
