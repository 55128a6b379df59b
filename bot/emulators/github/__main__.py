"""`python -m bot.emulators.github --port N`: a GitHub to try things on."""

from __future__ import annotations

import argparse
import sys
from threading import Event

from bot.emulators.github.emulator import GitHubEmulator

_FILES = {
    "README.md": "# Shop\n\nA shop to try things on.\n",
    "shop.py": "def total(prices):\n    return sum(prices)\n",
}
_RIGHTS = {"contents": "write", "issues": "write", "pull_requests": "write", "checks": "write"}
_EVENTS = ("issues", "issue_comment", "pull_request", "check_run")


def main(argv: list[str]) -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m bot.emulators.github", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--webhook-url", default="", help="where the App's events go")
    parser.add_argument("--webhook-secret", default="emulated", help="what signs them")
    given = parser.parse_args(argv)
    with GitHubEmulator(port=given.port) as github:
        github.repository("acme/shop", files=_FILES)
        github.collaborator("acme/shop", "ana", "write")
        github.open_issue("acme/shop", "An empty shop has no total", by="ana")
        app = github.app(
            permissions=_RIGHTS,
            events=_EVENTS,
            webhook_url=given.webhook_url,
            webhook_secret=given.webhook_secret,
        )
        installation = github.install(app, "acme")
        token = github.token("ana")
        sys.stdout.write(
            f"Pages     {github.url}/acme/shop\n"
            f"REST      {github.api_url}   (GITHUB_API_URL={github.api_url})\n"
            f"Git       git clone {github.url}/acme/shop.git\n"
            f"Token     {token}   (ana, who may write)\n"
            f"App       id {app.id}, installation {installation.id}, secret {app.webhook_secret}\n"
            f"Manifest  POST a form with `manifest` to {github.url}/settings/apps/new\n\n"
            f"{app.private_key}\nCtrl-C ends it; nothing is kept.\n"
        )
        sys.stdout.flush()
        try:
            Event().wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
