"""What git says about a push, and how it is given the token."""

import base64

import pytest

from bot.adapters.github.push import (
    Redirected,
    Unauthorized,
    explained_push,
    git_environment,
    push_commit,
)
from bot.domain.forge import PushRefused
from bot.errors import BotError, ForgeUnavailable, NotAllowed, NotFound

TOKEN = "ghs_" + "a" * 36
SHA = "a" * 40


def test_the_header_goes_to_one_host_and_redirects_are_off() -> None:
    env = git_environment("https://ghe.example.com", TOKEN)
    pairs = {env[f"GIT_CONFIG_KEY_{n}"]: env[f"GIT_CONFIG_VALUE_{n}"] for n in range(3)}
    secret = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
    assert env["GIT_CONFIG_COUNT"] == "3"
    assert pairs == {
        "http.https://ghe.example.com/.extraheader": f"Authorization: Basic {secret}",
        "http.followRedirects": "false",
        "credential.helper": "",
    }


def test_the_environment_does_not_spell_itself_out() -> None:
    shown = f"{git_environment('https://github.com', TOKEN)!r} %s" % git_environment("x", TOKEN)
    assert TOKEN not in shown
    assert base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode() not in shown


REFUSALS = [
    (
        "signature",
        "remote: error: GH013: Repository rule violations found for refs/heads/acp/x.\n"
        "remote: - Commits must have verified signatures.\n"
        " ! [remote rejected] (push declined due to repository rule violations)",
    ),
    (
        "secret",
        "remote: error: GH013: Repository rule violations found for refs/heads/acp/x.\n"
        "remote: - GITHUB PUSH PROTECTION\nremote: - Push cannot contain secrets",
    ),
    ("secret", "remote: error: GH009: Secrets detected!"),
    ("protected", "remote: error: GH013: Repository rule violations found for refs/heads/x."),
    (
        "protected",
        "remote: error: GH006: Protected branch update failed for refs/heads/x.\n"
        " ! [remote rejected] a -> x (protected branch hook declined)",
    ),
    ("protected", " ! [remote rejected] a -> x (pre-receive hook declined)"),
    (
        "workflow",
        " ! [remote rejected] a -> x (refusing to allow a GitHub App to create or update workflow "
        "`.github/workflows/ci.yml` without `workflows` permission)",
    ),
    ("moved", " ! [rejected]  a -> x (stale info)\nerror: failed to push some refs"),
    ("moved", " ! [rejected]  a -> x (fetch first)"),
    ("moved", " ! [rejected]  a -> x (non-fast-forward)"),
    ("moved", " ! [remote rejected] a -> x (reference already exists)"),
    ("size", "remote: error: GH001: Large files detected."),
]


@pytest.mark.parametrize(("reason", "stderr"), REFUSALS)
def test_a_refused_push_has_a_reason(reason: str, stderr: str) -> None:
    error = explained_push(stderr, "acp/x", "git push failed")
    assert isinstance(error, PushRefused)
    assert (error.reason, error.needs_signature) == (reason, reason == "signature")
    assert str(error).startswith("cannot push acp/x: ")


@pytest.mark.parametrize(
    ("kind", "stderr"),
    [
        (Unauthorized, "fatal: could not read Username for 'https://h': terminal prompts disabled"),
        (Unauthorized, "fatal: Authentication failed for 'https://h/a/b.git/'"),
        (Redirected, "fatal: unable to update url base from redirection"),
        (Redirected, "fatal: unable to access 'https://h/': The requested URL returned error: 301"),
        (NotAllowed, "remote: Write access to repository not granted.\nfatal: ... error: 403"),
        (NotFound, "fatal: repository 'https://h/a/b.git/' not found"),
        (ForgeUnavailable, "fatal: unable to access: Could not resolve host: h"),
        (ForgeUnavailable, "fatal: unable to access: The requested URL returned error: 502"),
        (ForgeUnavailable, "error: RPC failed; curl 56\nfatal: the remote end hung up"),
        (ForgeUnavailable, "timed out"),
        (NotAllowed, "fatal: something new"),
    ],
)
def test_a_failed_push_is_told_apart(kind: type[BotError], stderr: str) -> None:
    assert type(explained_push(stderr, "acp/x", "git push failed")) is kind


@pytest.mark.parametrize(
    ("commit", "branch", "expected"),
    [
        ("HEAD", "acp/x", ""),
        (SHA, "--mirror", ""),
        (SHA, "acp/x y", ""),
        (SHA, "acp/x:main", ""),
        (SHA, "acp/x", "main"),
    ],
)
async def test_names_that_git_could_take_for_something_else_never_reach_it(
    commit: str, branch: str, expected: str
) -> None:
    with pytest.raises(ValueError, match=r"push takes|no name"):
        await push_commit("/nonexistent", "https://h/a/b.git", commit, (branch, expected), {})
