"""`acp demo`: the main job on a small project; only the models' replies come from a script."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bot import demo
from bot.entrypoints.cli_run import run

_OPENING = """\
This is a demo: the replies of the models are SCRIPTED (written by hand, no key, no network).
All else is real: the clone, the sandbox, every command, Ruff, pytest, git and the verdict.
The first patch will be wrong on purpose. Watch the test catch it.

"""
_CLOSING = """\

The change, without its test:

{diff}

That was a demo with SCRIPTED model replies. The repository is yours to look at:
  cd {repository}
  git log --stat main..{branch}
  git diff main {branch}
Next, on a repository of yours, with one model key set (acp --help says which):
  acp run --repo PATH "what is wrong, and what should happen instead"
"""


def run_demo(parser: argparse.ArgumentParser, args: argparse.Namespace) -> int:
    """Lay the project out, run the loop on its issue, say where to look; the run's exit code."""
    repository = demo.lay_out(Path(tempfile.mkdtemp(prefix="acp-demo-")))
    _say(_OPENING, args)
    flags = ["--sandbox", args.sandbox, *(["--json"] if args.json else [])]
    flags += ["--debug"] if args.debug else []
    asked = parser.parse_args(
        ["run", "--no-journal", "--repo", str(repository), *flags, demo.issue()]
    )
    code = run(asked, demo.clients())
    if code == 0:
        branch, diff = _outcome(repository)
        _say(_CLOSING.format(repository=repository, branch=branch, diff=diff), args)
    return code


def _outcome(repository: Path) -> tuple[str, str]:
    """The one branch that the run has made, and what it changes in the product."""
    import git

    with git.Repo(repository) as opened:
        branch = next((head.name for head in opened.heads if head.name != "main"), "main")
        return branch, opened.git.diff("main", branch, "--", "timespan")


def _say(text: str, args: argparse.Namespace) -> None:
    """To people: beside the JSON lines, if those were asked for."""
    out = sys.stderr if args.json else sys.stdout
    out.write(text)
    out.flush()
