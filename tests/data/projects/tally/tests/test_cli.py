import subprocess
import sys


def tally(text, *options):
    return subprocess.run(
        [sys.executable, "-m", "tally", *options], input=text, capture_output=True, text=True
    )


def test_words_are_counted():
    done = tally("b a b\n")
    assert done.stdout.splitlines() == ["2 b", "1 a"]
    assert done.returncode == 0


def test_the_longest_word():
    assert tally("a bcd ef\n", "--longest").stdout == "bcd\n"
