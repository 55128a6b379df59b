"""What the emulated GitHub knows, as plain records; times are seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Permissions = dict[str, str]


@dataclass
class Account:
    """A user, an organisation, or the bot user of an App. `kind` is GitHub's `type`."""

    id: int
    login: str
    kind: str
    created_at: float
    name: str = ""
    email: str = ""


@dataclass
class App:
    """A GitHub App. `private_key` is PEM; `bot_id` is the account that it acts as."""

    id: int
    slug: str
    name: str
    owner_id: int
    bot_id: int
    client_id: str
    private_key: str
    public_key: str
    permissions: Permissions
    events: list[str]
    webhook_secret: str
    webhook_url: str
    created_at: float
    external_url: str = ""


@dataclass
class PendingApp:
    """A manifest that was agreed to and waits for its conversion."""

    manifest: dict[str, Any]
    owner: Account
    made_at: float


@dataclass
class Installation:
    """An App on an account. `repository_ids` None means all of them."""

    id: int
    app_id: int
    account_id: int
    permissions: Permissions
    events: list[str]
    created_at: float
    repository_ids: set[int] | None = None
    suspended_at: float | None = None
    suspended_by: int | None = None


@dataclass
class Token:
    """A bearer of rights. For a personal token, `permissions` and `repository_ids` are None."""

    value: str
    account_id: int
    installation_id: int | None = None
    repository_ids: frozenset[int] | None = None
    permissions: Permissions | None = None
    expires_at: float | None = None


@dataclass
class Label:
    """A label of a repository; issues name it."""

    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


@dataclass
class Reaction:
    """One account's reaction to an issue or comment."""

    id: int
    account_id: int
    content: str
    created_at: float


@dataclass
class Comment:
    """A comment of an issue or pull request. `edited_at` is None until the text changes."""

    id: int
    author_id: int
    body: str
    created_at: float
    updated_at: float
    edited_at: float | None = None
    app_id: int | None = None
    reactions: list[Reaction] = field(default_factory=list)


@dataclass
class Review:
    """A review of a pull request; `state` is GitHub's, in capitals."""

    id: int
    author_id: int
    state: str
    body: str
    commit_id: str
    submitted_at: float


@dataclass
class Pull:
    """What makes an issue a pull request. Shas are frozen once it is closed."""

    id: int
    head_repository_id: int
    head: str
    base: str
    head_sha: str
    base_sha: str
    draft: bool = False
    maintainer_can_modify: bool = False
    merged_at: float | None = None
    merged_by: int | None = None
    merge_sha: str | None = None
    reviewers: list[int] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)


@dataclass
class Edit:
    """A change of an issue's text; `what` is "title" or "body". `editor_id` None: deleted."""

    what: str
    editor_id: int | None
    at: float
    before: str
    after: str


@dataclass
class Issue:
    """An issue, or a pull request if `pull` is set."""

    id: int
    number: int
    repository_id: int
    author_id: int
    title: str
    body: str | None
    created_at: float
    updated_at: float
    state: str = "open"
    state_reason: str | None = None
    closed_at: float | None = None
    closed_by: int | None = None
    app_id: int | None = None
    labels: list[str] = field(default_factory=list)
    assignees: list[int] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    pull: Pull | None = None


@dataclass
class Annotation:
    """A line note of a check run, with GitHub's names."""

    path: str
    start_line: int
    end_line: int
    annotation_level: str
    message: str
    title: str | None = None
    raw_details: str | None = None
    start_column: int | None = None
    end_column: int | None = None


@dataclass
class Check:
    """A check run; one suite per App and commit."""

    id: int
    suite_id: int
    app_id: int
    name: str
    head_sha: str
    started_at: float
    external_id: str = ""
    status: str = "queued"
    conclusion: str | None = None
    completed_at: float | None = None
    details_url: str | None = None
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[Annotation] = field(default_factory=list)


@dataclass
class Status:
    """A commit status."""

    id: int
    sha: str
    state: str
    context: str
    creator_id: int
    created_at: float
    description: str | None = None
    target_url: str | None = None


@dataclass
class Repository:
    """A repository; its content is a bare git repository on disk, found by `id`.

    `collaborators` maps account ids to role names; a name outside the five is looked up in
    `custom_roles`, which maps it to the role that it extends. `signed` holds the commits that the
    forge itself has signed.
    """

    id: int
    owner_id: int
    name: str
    created_at: float
    pushed_at: float
    private: bool = False
    default_branch: str = "main"
    description: str | None = None
    fork_of: int | None = None
    drafts_allowed: bool = True
    signatures_required: bool = False
    protected: set[str] = field(default_factory=set)
    collaborators: dict[int, str] = field(default_factory=dict)
    custom_roles: dict[str, str] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    checks: dict[int, Check] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    signed: set[str] = field(default_factory=set)
