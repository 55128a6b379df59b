"""tally: count words of a text from standard input."""

import argparse
import sys

from tally.words import count, ranked


def main(argv):
    """Read, count, print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="tally")
    parser.add_argument("--top", type=int, default=3)
    parser.add_argument("--longest", action="store_true")
    options = parser.parse_args(argv)
    found = count(sys.stdin.read())
    if options.longest:
        print(max(found, key=len))
        return 0
    for word, number in ranked(found)[: options.top]:
        print(f"{number} {word}")
    return 0
