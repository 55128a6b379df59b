"""GraphQL: the part of GitHub's public schema that is served here, answered from the world.

`schema.graphql` is cut from the published one, so a query that it refuses would be refused there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo, GraphQLSchema, build_schema, graphql_sync

from bot.emulators.github import pushes, rest_issues
from bot.emulators.github.guard import check
from bot.emulators.github.hub import Hub, Json, node
from bot.emulators.github.model import Edit, Issue, Repository
from bot.emulators.github.process import GitError
from bot.emulators.github.rest_git import refuse_by_rules
from bot.emulators.github.wire import Answer, Call, Routes
from bot.emulators.github.world import NotThere, Problem, iso

route = Routes()
_MOST = 100


@route("POST /graphql", "user")
def graphql(call: Call) -> Answer:
    """Execute a document. Its errors stand in a body of 200, as GitHub answers them."""
    variables = call.get("variables", dict)
    done = graphql_sync(_schema(), call.need("query", str), None, call, variables)
    body: Json = {"data": done.data}
    if done.errors:
        body["errors"] = [_told(error) for error in done.errors]
    return Answer(200, body)


@cache
def _schema() -> GraphQLSchema:
    schema = build_schema(Path(__file__).with_name("schema.graphql").read_text("utf-8"))
    for kind, name, resolver in (
        ("Query", "repository", _repository),
        ("Mutation", "updateRefs", _update_refs),
        ("Repository", "issue", _issue),
        ("Issue", "userContentEdits", _body_edits),
        ("Issue", "timelineItems", _renames),
    ):
        fields: Any = schema.type_map[kind]
        fields.fields[name].resolve = resolver
    return schema


def _told(error: GraphQLError) -> Json:
    said: Json = {"message": error.message}
    if error.path:
        said["path"] = error.path
    return said | (error.extensions or {})


def _refused(kind: str, message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"type": kind})


def _allowed(call: Call, repository: Repository, name: str, level: str) -> None:
    try:
        check(call.hub.world, call.caller, repository, {name: level})
    except NotThere:
        raise _unknown(call.hub.world.full_name(repository)) from None
    except Problem as problem:
        raise _refused("FORBIDDEN", problem.message) from None


def _unknown(full_name: str) -> GraphQLError:
    said = f"Could not resolve to a Repository with the name '{full_name}'."
    return _refused("NOT_FOUND", said)


def _repository(
    _root: object, info: GraphQLResolveInfo[Any], *, owner: str, name: str, **_: Any
) -> Any:
    call: Call = info.context
    full_name = f"{owner}/{name}"
    world = call.hub.world
    try:
        found = world.repository(full_name)
    except NotThere:
        moved = world.moved(full_name)
        if moved is None:
            raise _unknown(full_name) from None
        found = moved
    _allowed(call, found, "metadata", "read")
    return {
        "id": node("R", found.id),
        "nameWithOwner": world.full_name(found),
        "record": found,
    }


def _issue(root: Any, info: GraphQLResolveInfo[Any], *, number: int) -> Any:
    call: Call = info.context
    _allowed(call, root["record"], "issues", "read")
    try:
        issue = call.hub.world.issue(root["record"], number)
    except NotThere:
        said = f"Could not resolve to an Issue with the number of {number}."
        raise _refused("NOT_FOUND", said) from None
    last = max((one.at for one in issue.edits if one.what == "body"), default=None)
    return {
        "id": node("I", issue.id),
        "number": issue.number,
        "title": issue.title,
        "body": issue.body or "",
        "lastEditedAt": iso(last),
        "record": issue,
    }


def _body_edits(root: Any, info: GraphQLResolveInfo[Any], **paging: Any) -> Any:
    """Newest first, as there."""
    hub = info.context.hub

    def view(edit: Edit) -> Json:
        return {"editedAt": iso(edit.at), "deletedAt": None, "editor": _actor(hub, edit)}

    return _connection(_edits(root["record"], "body")[::-1], view, paging)


def _renames(root: Any, info: GraphQLResolveInfo[Any], **paging: Any) -> Any:
    hub = info.context.hub

    def view(edit: Edit) -> Json:
        return {
            "__typename": "RenamedTitleEvent",
            "createdAt": iso(edit.at),
            "actor": _actor(hub, edit),
            "previousTitle": edit.before,
            "currentTitle": edit.after,
        }

    return _connection(_edits(root["record"], "title"), view, paging)


def _edits(issue: Issue, what: str) -> list[Edit]:
    return [one for one in issue.edits if one.what == what]


def _actor(hub: Hub, edit: Edit) -> Json | None:
    """An account; a bot's login has no suffix here, and a deleted account is null."""
    account = hub.account_of(edit.editor_id)
    if account is None:
        return None
    login = account.login.removesuffix("[bot]") if account.kind == "Bot" else account.login
    return {"__typename": account.kind, "login": login, "databaseId": account.id}


def _connection(items: Sequence[Edit], view: Callable[[Edit], Json], paging: Json) -> Json:
    first, last = paging.get("first"), paging.get("last")
    if first is None and last is None:
        raise _refused(
            "MISSING_PAGINATION_BOUNDARIES",
            "You must provide a `first` or `last` value to properly paginate the connection.",
        )
    if not 0 <= (first or last or 0) <= _MOST:
        raise _refused("EXCESSIVE_PAGINATION", f"at most {_MOST} records")
    shown = items[:first] if first is not None else items[-last:] if last else ()
    more = len(shown) < len(items)
    return {
        "nodes": [view(one) for one in shown],
        "totalCount": len(items),
        "pageInfo": {
            "hasNextPage": more and first is not None,
            "hasPreviousPage": more and first is None,
        },
    }


# The schema's own name of the argument.
def _update_refs(_root: object, info: GraphQLResolveInfo[Any], *, input: Json) -> Json:  # noqa: A002
    """Move refs, each only from where the caller believes it to be."""
    call: Call = info.context
    repositories = call.hub.world.repositories.values()
    found = next((one for one in repositories if node("R", one.id) == input["repositoryId"]), None)
    if found is None:
        raise _refused("NOT_FOUND", "Could not resolve to a node with that global id.")
    _allowed(call, found, "contents", "write")
    call.found = found
    for update in input["refUpdates"]:
        _check_ref(call, update)
    for update in input["refUpdates"]:
        try:
            pushes.move_ref(
                call.hub, found, rest_issues.actor(call), update["name"], update["afterOid"]
            )
        except GitError as error:
            raise _refused("UNPROCESSABLE", str(error)) from None
    return {"clientMutationId": input.get("clientMutationId")}


def _check_ref(call: Call, update: Json) -> None:
    store = call.hub.world.store(call.repository)
    name, new = update["name"], update["afterOid"]
    now, before = store.refs().get(name, ""), update.get("beforeOid")
    if before is not None and now != before:
        raise _refused("UNPROCESSABLE", f"Reference cannot be updated: {name} is not at {before}.")
    if store.kind(new) != "commit":
        raise _refused("UNPROCESSABLE", "Object does not exist")
    if now and not update.get("force") and not store.is_ancestor(now, new):
        raise _refused("UNPROCESSABLE", "Update is not a fast forward")
    try:
        refuse_by_rules(call, name, new)
    except Problem as problem:
        raise _refused("UNPROCESSABLE", problem.message) from None
