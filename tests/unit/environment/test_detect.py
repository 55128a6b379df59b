"""Which files lead to which set-up: one line of the table for every rule."""

from __future__ import annotations

import json

import pytest

from pipeline.environment.detect import detect
from pipeline.environment.plan import Recipe
from pipeline.environment.project import Project, manifests

BUILT = '[build-system]\nrequires = ["hatchling"]\n[project]\nname = "x"\n'
EXTRAS = BUILT + '[project.optional-dependencies]\ntests = ["a"]\ndev = ["b"]\ndocs = ["c"]\n'
GROUPS = BUILT + '[dependency-groups]\ntest = ["a"]\ndev = ["b"]\n'
SETUP = "from setuptools import setup\nsetup(name='x', extras_require={'test': ['a'], 'doc': []})"
TOX = "[testenv]\ndeps =\n    hypothesis  # why\n    py38: six\n    -r{toxinidir}/more.txt\n"
INSTALL = "uv pip install "

PYTHON = {
    "a lock of uv": (
        {"uv.lock": "", "pyproject.toml": EXTRAS, "requirements.txt": "x"},
        "uv.lock",
        [
            "uv export -q --frozen --no-header --extra tests -o {env}/locked.txt",
            INSTALL + "--no-deps -r {env}/locked.txt",
        ],
    ),
    "a lock of uv over a workspace": (
        {
            "uv.lock": "",
            "pyproject.toml": GROUPS + "[tool.uv.workspace]\nmembers = ['a']",
        },
        "uv.lock",
        [
            "uv export -q --frozen --no-header --group test --all-packages -o {env}/locked.txt",
            INSTALL + "--no-deps -r {env}/locked.txt",
        ],
    ),
    "a lock of poetry": (
        {
            "poetry.lock": "",
            "pyproject.toml": "[build-system]\n[tool.poetry.group.test.dependencies]\na = '*'",
        },
        "poetry.lock",
        [INSTALL + "-c {env}/locked.txt -e . a"],
    ),
    "a lock of poetry over what is no package": (
        {
            "poetry.lock": "",
            "pyproject.toml": "[tool.poetry]\npackage-mode = false\n"
            "[tool.poetry.dependencies]\npython = '^3.9'\na = '^1'\n"
            "[tool.poetry.dev-dependencies]\nb = {version = '*', extras = ['x']}",
        },
        "poetry.lock",
        [INSTALL + "-c {env}/locked.txt a b[x]"],
    ),
    "a lock of pdm": (
        {"pdm.lock": "", "pyproject.toml": EXTRAS},
        "pdm.lock",
        [INSTALL + "-c {env}/locked.txt -e .[tests]"],
    ),
    "a lock of pdm with groups": (
        {"pdm.lock": "", "pyproject.toml": GROUPS + "[tool.pdm.dev-dependencies]\ntests = ['c']"},
        "pdm.lock",
        [INSTALL + "-c {env}/locked.txt -e . c --group test"],
    ),
    "a standard lock": (
        {"pylock.toml": "", "requirements.txt": "x"},
        "pylock.toml",
        [INSTALL + "-r pylock.toml"],
    ),
    "lists of requirements": (
        {"requirements.txt": "a", "requirements-dev.txt": "b", "requirements-docs.txt": "c"},
        "requirements.txt and requirements-dev.txt",
        [INSTALL + "-r requirements.txt -r requirements-dev.txt"],
    ),
    "a list for tests beside one for developers": (
        {"requirements/tests.txt": "a", "requirements/dev.txt": "b", "pyproject.toml": EXTRAS},
        "requirements/tests.txt and pyproject.toml",
        [INSTALL + "-r requirements/tests.txt -e ."],
    ),
    "a main list and an extra": (
        {"requirements.txt": "a", "pyproject.toml": EXTRAS},
        "requirements.txt and extra tests",
        [INSTALL + "-r requirements.txt -e .[tests]"],
    ),
    "an extra": (
        {"pyproject.toml": EXTRAS},
        "extra tests",
        [INSTALL + "-e .[tests]"],
    ),
    "a group": (
        {"pyproject.toml": GROUPS},
        "pyproject.toml and group test",
        [INSTALL + "-e . --group test"],
    ),
    "a project that is no package": (
        {"pyproject.toml": '[project]\nname = "x"\ndependencies = ["a"]\n'},
        "pyproject.toml",
        [INSTALL + "-r pyproject.toml"],
    ),
    "an old setup": ({"setup.py": SETUP}, "extra test", [INSTALL + "-e .[test]"]),
    "an old setup that names what its tests need": (
        {"setup.py": "setup(tests_require=['a', 'b'])"},
        "setup.py",
        [INSTALL + "-e . a b"],
    ),
    "settings of setuptools": (
        {
            "setup.cfg": "[metadata]\nname = x\n[options.extras_require]\ntest = a\n",
            "pyproject.toml": "[build-system]\n",
        },
        "extra test",
        [INSTALL + "-e .[test]"],
    ),
    "dependencies of tox": (
        {"setup.py": "setup()", "tox.ini": TOX},
        "setup.py and the deps of tox.ini",
        [INSTALL + "-e . hypothesis -r more.txt"],
    ),
    "manifests that cannot be read": (
        {"pyproject.toml": "[project", "setup.cfg": "]", "setup.py": "def", "tox.ini": "x"},
        "setup.py",
        [INSTALL + "-e ."],
    ),
}


@pytest.mark.parametrize(("files", "source", "steps"), PYTHON.values(), ids=PYTHON)
def test_python_is_set_up_from(files: dict[str, str], source: str, steps: list[str]) -> None:
    plan = detect(Project.of(files))
    assert (plan.language, plan.source, plan.test) == ("python", source, ())
    assert [" ".join(step) for step in plan.steps] == [*steps, "uv pip install pytest"]
    assert set(plan.inputs) == set(manifests(files.keys()))


BARE = {
    "nothing at all": {},
    "settings of tools": {"pyproject.toml": "[tool.ruff]\n", "tests/test_x.py": ""},
    "a project without dependencies": {"pyproject.toml": '[project]\nname = "x"\n'},
}


@pytest.mark.parametrize("files", BARE.values(), ids=BARE)
def test_there_is_nothing_to_set_up_for(files: dict[str, str]) -> None:
    plan = detect(Project.of(files))
    assert (plan.language, plan.bare, plan.steps) == ("python", True, ())


WISHES = {
    "3.12": {".python-version": "3.12\n", "pyproject.toml": EXTRAS},
    ">=3.9": {"pyproject.toml": BUILT + 'requires-python = ">=3.9"\n'},
    "^3.10": {"pyproject.toml": "[tool.poetry.dependencies]\npython = '^3.10'"},
    ">=3.7": {"setup.cfg": "[options]\npython_requires = >=3.7\n"},
    "": {".python-version": "pypy\n"},
}


@pytest.mark.parametrize(("wish", "files"), WISHES.items())
def test_the_interpreter_that_is_asked_for_is_known(wish: str, files: dict[str, str]) -> None:
    assert detect(Project.of(files)).python == wish


def package(**more: object) -> str:
    return json.dumps({"scripts": {"test": "vitest run"}, **more})


GLOBAL = "npm --ignore-scripts --no-audit --no-fund install --global --prefix {env}"
YARN = "node {env}/acp_yarn.cjs install"
COMPILED = "sh -c go test -exec /bin/true ./... >/dev/null 2>&1 || true"
MAVEN = "mvn -q -B test -Dtest=*#none -DfailIfNoTests=false -Dsurefire.failIfNoSpecifiedTests=false"
NEEDS = {"dependencies": {"a": "1"}}
OTHERS = {
    "npm": (
        {"package.json": package(**NEEDS), "package-lock.json": "{}"},
        ("npm --ignore-scripts --no-audit --no-fund ci", "npm test"),
    ),
    "npm without a lock": (
        {"package.json": package(devDependencies={"a": "1"})},
        ("npm --ignore-scripts --no-audit --no-fund install --no-package-lock", "npm test"),
    ),
    "npm without dependencies": ({"package.json": package()}, ("", "npm test")),
    "pnpm": (
        {"package.json": package(**NEEDS), "pnpm-lock.yaml": "lockfileVersion: '6.0'"},
        (
            f"{GLOBAL} pnpm@8 && pnpm install --ignore-scripts --frozen-lockfile",
            "pnpm test",
        ),
    ),
    "pnpm by its name": (
        {"package.json": package(packageManager="pnpm@9.1.0+sha512.abc", **NEEDS)},
        (f"{GLOBAL} pnpm@9.1.0 && pnpm install --ignore-scripts", "pnpm test"),
    ),
    "yarn": (
        {"package.json": package(**NEEDS), "yarn.lock": "# c\n# yarn lockfile v1\n"},
        (f"{GLOBAL} yarn@1 && {YARN} --ignore-scripts --frozen-lockfile", "yarn test"),
    ),
    "yarn without a lock": (
        {"package.json": package(packageManager="yarn@1.22.22", **NEEDS)},
        (f"{GLOBAL} yarn@1.22.22 && {YARN} --ignore-scripts", "yarn test"),
    ),
    "a newer yarn": (
        {"package.json": package(packageManager="yarn@4.1.0", **NEEDS), "yarn.lock": ""},
        (f"{GLOBAL} @yarnpkg/cli-dist@4.1.0 && {YARN} --immutable", "yarn test"),
    ),
    "a newer yarn by its lock": (
        {"package.json": package(**NEEDS), "yarn.lock": "__metadata:\n  version: 8\n"},
        (f"{GLOBAL} @yarnpkg/cli-dist@4 && {YARN} --immutable", "yarn test"),
    ),
    "a manager that tests alone need": (
        {"package.json": package(packageManager="pnpm@9.1.0")},
        (f"{GLOBAL} pnpm@9.1.0", "pnpm test"),
    ),
    "go": (
        {"go.mod": "require x v1\n", "go.sum": ""},
        (f"go mod download && {COMPILED}", "go test ./..."),
    ),
    "go with its modules": (
        {"go.mod": "require x v1\n", "vendor/modules.txt": ""},
        (COMPILED, "go test ./..."),
    ),
    "cargo": (
        {"Cargo.toml": "", "Cargo.lock": ""},
        ("cargo fetch --locked", "cargo test --offline --locked"),
    ),
    "maven": ({"pom.xml": ""}, (MAVEN, "mvn -B -o test -fae")),
    "make": ({"Makefile": "all:\n\ntest: all\n\t./run\n"}, ("", "make test")),
    "make check": ({"GNUmakefile": "check:\n\t./run\n"}, ("", "make check")),
}


@pytest.mark.parametrize(("files", "words"), OTHERS.values(), ids=OTHERS)
def test_other_languages_are_set_up_by(files: dict[str, str], words: tuple[str, str]) -> None:
    plan = detect(Project.of(files))
    assert (" && ".join(" ".join(step) for step in plan.steps), " ".join(plan.test)) == words
    assert plan.test[0] in (*plan.programs, "pnpm", "yarn")


@pytest.mark.parametrize("name", ["build.gradle", "build.gradle.kts"])
def test_gradle_is_set_up_by_the_repositorys_own_lines_alone(name: str) -> None:
    assert "give `setup` and `test` in .github/acp.yml" in detect(Project.of({name: ""})).problem
    told = detect(Project.of({name: ""}), Recipe(setup=("./fetch",), test="./gradlew test"))
    assert (told.problem, told.bare) == ("", False)


SILENT = {
    "a package without tests": {"package.json": '{"scripts": {"test": "no test specified"}}'},
    "a package that cannot be read": {"package.json": "[1]"},
    "a Makefile without tests": {"Makefile": "test := 1\nall:\n"},
}


@pytest.mark.parametrize("files", SILENT.values(), ids=SILENT)
def test_nothing_is_run_for(files: dict[str, str]) -> None:
    assert detect(Project.of(files)).test == ()


def test_what_the_repository_says_comes_before_what_its_files_say() -> None:
    project = Project.of({"uv.lock": "", "pyproject.toml": EXTRAS})
    plan = detect(project, Recipe(".", ("make deps", "uv pip install -e ."), "make check"))
    assert plan.steps == (("sh", "-ec", "make deps"), ("sh", "-ec", "uv pip install -e ."))
    assert plan.test == ("sh", "-c", "make check")
    assert plan.source == "the setup lines of .github/acp.yml"
    assert not plan.bare


@pytest.mark.parametrize("line", ["pytest", "python -m pytest"])
def test_pytest_stays_pytest_so_that_its_tests_are_told_apart(line: str) -> None:
    assert detect(Project.of({}), Recipe(test=line)).test == ()


def test_only_manifests_are_read() -> None:
    paths = ["src/x.py", "docs/requirements.txt", "requirements/dev.txt", "uv.lock", "a/uv.lock"]
    assert manifests(paths) == ("requirements/dev.txt", "uv.lock")


@pytest.mark.parametrize(("name", "start"), [("package.json", ""), ("pyproject.toml", "a = ")])
def test_a_manifest_nested_without_end_tells_nothing(name: str, start: str) -> None:
    assert detect(Project.of({name: start + "[" * 100_000})).bare
