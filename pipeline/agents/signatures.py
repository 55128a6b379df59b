"""The public names that a change adds, without bodies: all that a tester sees of it."""

from __future__ import annotations

import ast
from collections.abc import Mapping


def added(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Signatures in `after` (path -> Python source) that `before` does not have, by file.

    Files that do not parse are left out: the gate, not this listing, speaks of them.
    """
    parts: list[str] = []
    for path in sorted(after):
        old, new = _public(before.get(path, "")), _public(after[path])
        fresh = [signature for signature in new if signature not in old]
        if fresh:
            parts.append("\n".join([f"# {path}", *fresh]))
    return "\n".join(parts)


def _public(source: str) -> list[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return _names(tree.body, "")


def _names(body: list[ast.stmt], prefix: str) -> list[str]:
    found: list[str] = []
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_public(node.name):
            word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
            returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
            found.append(f"{word} {prefix}{node.name}({ast.unparse(node.args)}){returns}")
        elif isinstance(node, ast.ClassDef) and _is_public(node.name):
            bases = ", ".join(ast.unparse(base) for base in node.bases)
            found.append(
                f"class {prefix}{node.name}({bases})" if bases else f"class {prefix}{node.name}"
            )
            found += _names(node.body, f"{prefix}{node.name}.")
    return found


def _is_public(name: str) -> bool:
    return not name.startswith("_") or name == "__init__"
