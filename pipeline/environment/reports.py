"""What tells of each single test of a command that is not pytest: the runner itself, or files.

A report is a tuple of words: ("node",) and ("go",) are runners that we start so that they tell,
("junit", glob, ...) are the files that the command writes; () is a command that tells of no test.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from pipeline.environment.plan import Plan, Recipe
from pipeline.environment.project import Project, table_of

# What a shell would do more with than run one command.
_SHELL = re.compile(r"[;&|<>$`()\n#\\]")
# Of `go test`: what leaves each test what it is.
_GO_FLAGS = re.compile(r"-(v|race|short|cover|(count|timeout|tags|mod|vet|p|parallel|shuffle)=.+)")
# Of Node's: which words take the next one with them, and what would leave out the planted test.
_NODE_PAIRS = frozenset(
    {"--import", "--require", "-r", "--loader", "--experimental-loader", "--conditions", "-C"}
)
_NODE_CHOOSING = re.compile(r"--(watch|test-(only|name-pattern|skip-pattern|shard|isolation).*)")
_REPORTER = re.compile(r"\s--test-reporter(-destination)?[= ]\S+")
_MAVEN = "**/target/surefire-reports/TEST-*.xml"
_GRADLE = "**/build/test-results/**/TEST-*.xml"


def reported(plan: Plan, project: Project, recipe: Recipe) -> Plan:
    """The plan with what tells of its single tests, where that is sure."""
    if not plan.test:
        return plan
    if recipe.report:
        return replace(plan, report=("junit", recipe.report))
    line = recipe.test or _script(plan, project) or shlex.join(plan.test)
    if is_node(line):
        return replace(plan, test=("sh", "-c", _REPORTER.sub("", line)), report=("node",))
    if is_go(line):
        return replace(plan, test=tuple(shlex.split(line)), report=("go",))
    if plan.language == "java" and not recipe.test:
        if plan.test[0] == "mvn":
            # One module that fails must not keep the others from running.
            return replace(plan, test=(*plan.test, "-fae"), report=("junit", _MAVEN))
        return replace(plan, test=(*plan.test, "--continue"), report=("junit", _GRADLE))
    return plan


def _script(plan: Plan, project: Project) -> str:
    """The test script of package.json where that is all that `npm test` does.

    Yarn may find packages in a way of its own, which Node alone does not know.
    """
    if plan.language != "node" or plan.test[0] == "yarn":
        return ""
    scripts = table_of(project.text("package.json")).get("scripts")
    if not isinstance(scripts, dict) or {"pretest", "posttest"} & set(scripts):
        return ""
    return str(scripts.get("test", ""))


def is_node(line: str) -> bool:
    """Whether the line is plainly Node's own test runner and nothing else."""
    words = _words(_REPORTER.sub("", line))
    if words[:1] != ["node"] or "--test" not in words:
        return False
    pairs = {n + 1 for n, word in enumerate(words) if word in _NODE_PAIRS}
    before = words[1 : words.index("--test")]
    # What stands before is for Node itself, not a script that gets the word as its argument.
    own = all(word.startswith("-") or n in pairs for n, word in enumerate(before, 1))
    return own and not any(_NODE_CHOOSING.fullmatch(word) for word in words)


def is_go(line: str) -> bool:
    """Whether the line is plainly `go test` over packages."""
    words = _words(line)
    flags = [word for word in words[2:] if word.startswith("-")]
    return words[:2] == ["go", "test"] and all(_GO_FLAGS.fullmatch(flag) for flag in flags)


def files_named(line: str) -> list[str]:
    """The files and patterns that a line of Node's runner names; none is its own search."""
    words = _words(line)
    pairs = {n + 1 for n, word in enumerate(words) if word in _NODE_PAIRS}
    start = words.index("--test") + 1
    return [w for n, w in enumerate(words) if n >= start and n not in pairs and w[:1] != "-"]


def _words(line: str) -> list[str]:
    if _SHELL.search(line):
        return []
    try:
        return shlex.split(line)
    except ValueError:
        return []


def matches(path: str, glob: str) -> bool:
    """Whether a path is meant: `*` stays in a folder, `**` stands for any number of them.

    In time that grows with both lengths and no faster, whoever wrote the glob.
    """
    return _meets(path.split("/"), [part for part in glob.split("/") if part not in {"", "."}])


def _meets(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    """Row by row: after how many parts of the path the first parts of the glob may end."""
    ends = {0}
    for want in wanted:
        if want == "**":
            ends = set(range(min(ends), len(parts) + 1)) if ends else ends
        else:
            ends = {n + 1 for n in ends if n < len(parts) and fnmatchcase(parts[n], want)}
    return len(parts) in ends
