"""The rules of the house that a machine can check, each as a function from a source to the sentences it deserves."""

import argparse
import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from streams.cli import WORDS

ROOT = Path(__file__).resolve().parent.parent

MAY_IMPORT = {
    "core": (),
    "settings": ("core",),
    "wire": ("core",),
    "plans": ("core",),
    "simulate": ("core",),
    "metrics": ("core", "settings"),
    "edge": ("core", "settings"),
    "kafka": ("core", "wire", "settings"),
    "archive": ("core", "wire", "settings"),
    "replay": ("core", "wire", "kafka", "archive"),
    "reports": ("core", "wire", "kafka", "archive"),
    "worker": ("core", "wire", "kafka", "metrics", "settings"),
    "gateway": ("core", "wire", "kafka", "metrics", "settings", "edge"),
    "connectors": ("core", "wire", "kafka", "metrics", "settings", "edge"),
}
"""Who may import whom; `cli` may import all, and nobody imports `cli` but itself."""

HOMES = {
    "fastavro": ("wire",),
    "polars": ("wire", "archive"),
    "ruamel": ("plans",),
    "zoneinfo": ("plans",),
    "tzdata": ("plans",),
    "holidays": ("plans",),
    "confluent_kafka": ("kafka", "worker/transactions"),
    "prometheus_client": ("metrics",),
    "faust": ("worker/transport", "worker/app"),
    "mode": ("worker/transport", "worker/app"),
    "aiokafka": ("worker/transport", "worker/app"),
    "aiohttp": ("gateway", "metrics"),
    "rich": ("cli",),
}
"""Where a library may be imported; one without a home may not be imported at all."""

PURE_MODULES = {
    *(
        "__future__",
        "abc",
        "bisect",
        "collections",
        "dataclasses",
        "enum",
        "functools",
        "hashlib",
        "heapq",
        "itertools",
    ),
    *("math", "operator", "struct", "typing", "zlib"),
}
IMPURE_CALLS = {"open", "print", "input", "hash", "id", "eval", "exec", "set", "compile", "__import__", "globals"}
WORLDLY = {"random", "time", "asyncio", "socket", "threading", "subprocess", "secrets", "uuid", "logging"}
"""What `wire` may not import either: it turns bytes into values and back, and nothing else."""
DRAWERS = {"utils", "util", "common", "helpers", "helper", "base", "manager", "misc"}
UNDONE = re.compile(
    r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK")) + r")\b|NotImplemented" + "Error"
)
REGISTRY = re.compile(
    r"https?://(?!localhost|127\.|registry[:/]|schema-registry[:/]|github\.com/)"
    r"[^\s\"'<>/]*(?:registry|proxy|mirror|maven|pypi|npmjs)[^\s\"'<>]*"
)
SET_TYPE = re.compile(r"(frozen)?set\b|(Mutable|Abstract)?Set\b", re.IGNORECASE)
IN_ORDER = {"list", "tuple", "iter", "enumerate", "next", "zip", "map", "filter", "reversed"}
FUNCTION_LINES, FILE_LINES, POSITIONAL = 60, 400, 5


def tracked() -> list[str]:
    """Every file that git knows or would take, so that a new file is judged before it is committed."""
    listing = ("git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard")
    names = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(name for name in set(names) if (ROOT / name).is_file())


def home(name: str) -> str:
    """`streams/wire/framing.py` and `streams.wire.framing` are both of `wire`."""
    return re.split(r"[./]", name.removesuffix(".py"))[1]


def imports(name: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and absolute name of every module that a source imports, wherever in it."""
    here = name.removesuffix(".py").split("/")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            up = here[: -node.level] if node.level else []
            module = ".".join([*up, *filter(None, [node.module])])
            if module == "streams":
                yield from ((node.lineno, f"streams.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, module


def import_faults(name: str, source: str) -> list[str]:
    """What a module of `streams` imports against the table or out of a library's home."""
    faults = []
    own = home(name)
    place = name.removeprefix("streams/").removesuffix(".py")
    if own != "cli" and own not in MAY_IMPORT:
        return [f"{name}: {own} is not in the table"]
    for line, module in imports(name, ast.parse(source)):
        top = module.split(".")[0]
        if top == "streams":
            other = home(module) if "." in module else ""
            if other not in {"", "__version__", "__init__", own} and own != "cli" and other not in MAY_IMPORT[own]:
                faults.append(f"{name}:{line}: {own} imports {other}")
        elif top in HOMES:
            if not any(place == at or place.startswith(f"{at}/") for at in HOMES[top]):
                faults.append(f"{name}:{line}: {top} is at home in {' and '.join(HOMES[top])}")
        elif top not in sys.stdlib_module_names:
            faults.append(f"{name}:{line}: {top} has no home")
        elif own == "wire" and top in WORLDLY:
            faults.append(f"{name}:{line}: wire imports {top}")
        elif place == "worker/engine" and top in {"asyncio", "socket", "threading"}:
            faults.append(f"{name}:{line}: the engine imports {top}")
    return faults


def named(node: ast.AST) -> str:
    """`x` of a name and of an attribute `self.x`."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def is_set(node: ast.AST | None, sets: set[str]) -> bool:
    """Whether an expression is known to be a set: written as one, or a name that was given one."""
    if isinstance(node, ast.Call):
        return named(node.func) in {"set", "frozenset"}
    return isinstance(node, ast.Set | ast.SetComp) or named(node) in sets if node is not None else False


def set_names(tree: ast.AST) -> set[str]:
    """Names and attributes that are assigned a set or annotated as one."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and is_set(node.value, found):
            found.update(named(target) for target in node.targets)
        elif isinstance(node, ast.AnnAssign) and SET_TYPE.match(ast.unparse(node.annotation)):
            found.add(named(node.target))
        elif isinstance(node, ast.arg) and node.annotation is not None and SET_TYPE.match(ast.unparse(node.annotation)):
            found.add(node.arg)
    return found - {""}


def purity_faults(name: str, source: str) -> list[str]:
    """What a module of the core does that depends on the world, or on the order of a set."""
    tree = ast.parse(source)
    sets = set_names(tree)
    faults = [
        f"{name}:{line}: core imports {module}"
        for line, module in imports(name, tree)
        if module.split(".")[0] not in PURE_MODULES and not module.startswith("streams.core")
    ]
    for node in ast.walk(tree):
        called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        if called in IMPURE_CALLS:
            faults.append(f"{name}:{node.lineno}: core calls {called}()")
        walked = [node.iter] if isinstance(node, ast.For | ast.comprehension) else []
        walked += node.args if called in IN_ORDER else []
        walked += [node.value] if isinstance(node, ast.Starred) else []
        faults += [f"{name}:{each.lineno}: core iterates a set" for each in walked if is_set(each, sets)]
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.Global):
            faults.append(f"{name}:{node.lineno}: core has {type(node).__name__}")
    return faults


def size_faults(name: str, source: str) -> list[str]:
    """Files and functions that are too long, and functions with too many positional parameters."""
    faults = []
    lines = source.splitlines()
    if len(lines) > FILE_LINES and not any(line.startswith("# longer than 400 lines because: ") for line in lines[:40]):
        faults.append(f"{name}: {len(lines)} lines")
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        length = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
        head = "\n".join(lines[node.lineno - 1 : node.body[0].lineno])
        if length > FUNCTION_LINES and "# hot path: " not in head:
            faults.append(f"{name}:{node.lineno}: {node.name} has {length} lines")
        positional = [a.arg for a in node.args.posonlyargs + node.args.args]
        count = len(positional) - (positional[:1] in (["self"], ["cls"]))
        if count > POSITIONAL and not name.startswith("tests/"):
            faults.append(f"{name}:{node.lineno}: {node.name} has {count} positional parameters")
    return faults


def ring(edges: dict[str, set[str]]) -> list[str]:
    """Modules that import one another in a ring while they are loaded, or nothing."""
    state: dict[str, int] = {}

    def walk(module: str, path: list[str]) -> list[str]:
        state[module] = 1
        for other in sorted(edges.get(module, ())):
            if state.get(other) == 1:
                return [*path[path.index(other) :], other]
            if other not in state and (found := walk(other, [*path, other])):
                return found
        state[module] = 2
        return []

    for module in sorted(edges):
        if module not in state and (found := walk(module, [module])):
            return found
    return []


def text_faults(name: str, text: str) -> list[str]:
    """What no file of the repository may hold."""
    faults = [f"{name}: {hit.group()} is left undone" for hit in UNDONE.finditer(text)]
    faults += [f"{name}: {hit.group()} names a package registry" for hit in REGISTRY.finditer(text)]
    if name.endswith(".lock") and "://" in text:
        faults.append(f"{name}: a lock names an address")
    if name.endswith(".md"):
        titles = re.findall(r"^# .*$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
        if len(titles) != 1:
            faults.append(f"{name}: {len(titles)} titles")
    return faults


def command_faults(name: str, text: str, targets: set[str]) -> list[str]:
    """Commands that a document shows and that do not exist. Shown is what stands in a code block or in backticks."""
    shown = re.findall(r"^```[^\n]*\n(.*?)^```|^((?: {4}|\t)[^\n]*)$|`([^`\n]+)`", text, re.MULTILINE | re.DOTALL)
    faults = []
    for command in "\n".join("".join(parts) for parts in shown).splitlines():
        if hit := re.match(r"\s*(?:\$ )?tropplein ([a-z]+)(.*)", command):
            faults += [f"{name}: there is no `tropplein {unknown}`" for unknown in unknown_words(hit[1], hit[2])]
        if hit := re.match(r"\s*(?:\$ )?make((?: [a-z]+\b(?!=))+)", command):
            faults += [f"{name}: there is no `make {target}`" for target in hit[1].split() if target not in targets]
    return faults


def unknown_words(word: str, rest: str) -> list[str]:
    """The first word, the second words and the flags of one shown command that its parser does not know."""
    if word not in WORDS:
        return [word]
    parser = argparse.ArgumentParser()
    importlib.import_module(f"streams.cli.{word}").configure(parser)
    tables = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    seconds = {name: child for table in tables for name, child in table.choices.items()}
    known = {flag for each in (parser, *seconds.values()) for flag in each._option_string_actions}
    shown = re.match(r" ([a-z|-]+)", rest) if seconds else None
    unknown = [second for second in (shown[1].split("|") if shown else []) if second not in seconds]
    unknown += [flag for flag in re.findall(r"(?<=[\s\[|])--[a-z][a-z-]*", rest) if flag not in known]
    return [f"{word} {each}" for each in unknown]


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def sources(*folders: str) -> list[tuple[str, str]]:
    return [(n, (ROOT / n).read_text()) for n in tracked() if n.endswith(".py") and n.startswith(folders)]
