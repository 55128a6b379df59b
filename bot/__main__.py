"""`python -m bot` is `acp`."""

import sys

from bot.entrypoints.cli import main

if __name__ == "__main__":
    sys.exit(main())
