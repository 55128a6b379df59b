"""`python -m bot.emulators.models SCRIPT [--port N] [--seat KEY=SEAT ...]`: serve a script."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from threading import Event

from bot.emulators.models.server import ModelServer
from pipeline.llm.scripted import ScriptError, load_script


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted, after writing the variables that lead the SDKs here."""
    parser = argparse.ArgumentParser(prog="python -m bot.emulators.models", description=__doc__)
    parser.add_argument("script", help='JSON: {"<seat>": [turn, ...]}')
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument(
        "--seat", action="append", default=[], metavar="KEY=SEAT", help="e.g. gpt-6.1-sol=coder"
    )
    options = parser.parse_args(arguments)
    try:
        script = load_script(options.script)
    except ScriptError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    seats = dict(pair.split("=", 1) for pair in options.seat if "=" in pair)
    with ModelServer(script, seats=seats, port=options.port) as server:
        for name, value in server.environment.items():
            sys.stdout.write(f"export {name}={value}\n")
        sys.stdout.flush()
        try:
            Event().wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
