"""Prints where the files of an index are: every host that a page of it links to, as an address.

Argument: the address of the page. Runs inside a sandbox in SETUP.
"""

from __future__ import annotations

import re
import sys
from urllib.parse import urljoin, urlsplit
from urllib.request import Request, urlopen

_KINDS = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
_LINK = re.compile(r"(?:href=|\"url\":\s*)\"([^\"#]+)")
_MOST_BYTES = 4 << 20


def main() -> None:
    """Fetch the page and print one line a host."""
    request = Request(sys.argv[1], headers={"Accept": _KINDS})  # noqa: S310 - an https address
    with urlopen(request, timeout=20) as answer:  # noqa: S310
        page, where = answer.read(_MOST_BYTES).decode("utf-8", "replace"), answer.url
    links = [urlsplit(urljoin(where, link)) for link in _LINK.findall(page)]
    for host in sorted({link.netloc for link in links if link.scheme == "https"}):
        sys.stdout.write(f"https://{host}\n")


if __name__ == "__main__":
    main()
