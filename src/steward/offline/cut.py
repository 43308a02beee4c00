"""Cuts `steward-verify.py` from the modules it is made of; `--check` says whether the file still is what they say.

Each module becomes one function of the file, its lines unchanged but for the indent and the name of the package in its
imports, and is registered under that name. Of a module that does more than is needed only the named parts are taken.

Run: python -m steward.offline.cut [--check]
"""

from __future__ import annotations

import ast
import hashlib
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from steward.kernel.errors import Infrastructure

FILE = Path(__file__).with_name("steward-verify.py")
PACKAGE = "steward_parts"
_HEADER = '''"""steward-verify: re-proves an exported history offline. Standard library only, Python 3.11 or later.

    python3 steward-verify.py EXPORT --checkpoint FILE --key FILE [--json]

EXPORT is the folder that `steward audit export` wrote. FILE and FILE are what you kept elsewhere: a signed checkpoint
of the log and the public key that signs them. Exit code 0: everything holds. 1: something does not. 2: unreadable.

It recomputes every leaf and the Merkle root and compares them with the checkpoint; checks the digest of every
proof bundle against the log, every certificate, every rule against the catalog and the facts, every obligation and
verdict, and what became of each action. What it takes on trust it prints.

This file is generated: it is cut, line by line, from the modules of Steward named below, each with the start of the
SHA-256 of its source. Of those in brackets only the named parts are taken. Do not edit it; run
`python -m steward.offline.cut`.

{parts}
"""

# ruff: noqa
# pyright: basic

from __future__ import annotations

import sys
import types


def _part(*names):
    """Runs a part and registers what it defines as a module, so that later parts can import from it."""

    def register(define):
        module = types.ModuleType(names[0])
        module.__dict__.update(define())
        for name in names:
            sys.modules[name] = module
            package, _, last = name.rpartition(".")
            setattr(sys.modules.setdefault(package, types.ModuleType(package)), last, module)
        return module

    return register
'''
_FOOTER = """

if __name__ == "__main__":
    sys.exit(_.main())
"""


@dataclass(frozen=True, slots=True)
class Cut:
    """A module to take, the parts of it (none named: all), and the name it stands in for besides its own."""

    module: str
    names: tuple[str, ...] = ()
    also: str = ""


CUTS = (
    Cut("steward.kernel.errors"),
    Cut("steward.kernel.instants", ("parse_instant", "format_instant")),
    Cut("steward.kernel.money", ("_EXPONENTS", "exponent", "is_currency", "Money")),
    Cut("steward.events.core.merkle", ("EMPTY_ROOT", "leaf_hash", "node_hash", "extend", "root_of_frontier")),
    Cut("steward.events.core.entry", ("event_key",)),
    Cut("steward.events.store.checkpoints", ("ORIGIN", "note_body")),
    Cut("steward.verifier.core.syntax"),
    Cut("steward.verifier.core.types"),
    Cut("steward.verifier.core.formula", ("SECONDS", "fault")),
    Cut("steward.verifier.core.polynomials"),
    Cut("steward.verifier.core.values"),
    Cut("steward.offline.wording", also="steward.verifier.core.patterns"),
    Cut("steward.verifier.core.units"),
    Cut("steward.verifier.core.rules"),
    Cut("steward.verifier.core.printer"),
    Cut("steward.verifier.core.evaluate"),
    Cut("steward.verifier.core.check"),
    Cut("steward.verifier.core.bundle"),
    Cut("steward.verifier.core.obligations"),
    Cut("steward.verifier.core.symbolic"),
    Cut("steward.verifier.core.theorems"),
    Cut("steward.offline.quiet", also="steward.verifier.core.explain"),
    Cut("steward.verifier.core.decide"),
    Cut("steward.verifier.core.dossier", ("Examine", "_witnessed", "compared", "restated", "_is_theorem")),
    Cut("steward.offline.ed25519"),
    Cut("steward.offline.history"),
    Cut("steward.offline.replay"),
    Cut("steward.offline.story"),
    Cut("steward.offline.program"),
)


def _source(module: str) -> str:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise Infrastructure(f"there is no module {module}")
    return Path(spec.origin).read_text(encoding="utf-8")


def _defined(node: ast.stmt) -> set[str]:
    """The names a top-level statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _first_line(node: ast.stmt) -> int:
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _imports(node: ast.stmt, used: set[str] | None) -> str:
    """An import statement of the names that are used; none of them: nothing."""
    if isinstance(node, ast.ImportFrom):
        kept = [a for a in node.names if used is None or (a.asname or a.name) in used]
        named = ", ".join(f"{a.name} as {a.asname}" if a.asname else a.name for a in kept)
        package = (node.module or "").replace("steward", PACKAGE, 1) if node.module else ""
        return f"from {package} import {named}" if kept and node.module != "__future__" else ""
    kept = (
        [a for a in node.names if used is None or a.name.partition(".")[0] in used]
        if isinstance(node, ast.Import)
        else []
    )
    return f"import {', '.join(a.name for a in kept)}" if kept else ""


def taken(cut: Cut) -> str:
    """The lines taken from a module, imports first."""
    source = _source(cut.module)
    lines = source.splitlines()
    body = ast.parse(source).body
    start = 1 if ast.get_docstring(ast.parse(source)) else 0
    chosen = [
        node
        for node in body[start:]
        if not isinstance(node, ast.Import | ast.ImportFrom) and (not cut.names or _defined(node) & set(cut.names))
    ]
    missing = set(cut.names) - set[str]().union(*(_defined(node) for node in chosen))
    if missing:
        raise Infrastructure(f"{cut.module} has no {min(missing)} any more", fix="mend CUTS in offline/cut.py")
    _check_strings(cut.module, chosen)
    used = {n.id for node in chosen for n in ast.walk(node) if isinstance(n, ast.Name)} if cut.names else None
    imports = [_imports(node, used) for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    parts = [f'"""{ast.get_docstring(ast.parse(source)) or ""}\n"""', "\n".join(line for line in imports if line)]
    if cut.names:
        parts += ["\n".join(lines[_first_line(node) - 1 : node.end_lineno]) for node in chosen]
    elif chosen:
        parts.append("\n".join(lines[_first_line(chosen[0]) - 1 :]))
    return "\n\n".join(part for part in parts if part)


def _check_strings(module: str, nodes: list[ast.stmt]) -> None:
    """Indenting must not change a value: no text but docstrings may go over lines."""
    for top in nodes:
        documented = {id(n.value) for n in ast.walk(top) if isinstance(n, ast.Expr)}
        for node in ast.walk(top):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in documented:
                continue
            if node.end_lineno != node.lineno and "\n" in node.value:
                raise Infrastructure(f"{module} line {node.lineno}: a text over lines cannot be indented")


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line.strip() else "" for line in text.splitlines())


def whole() -> str:
    """The file as the modules say it now."""
    listed: list[str] = []
    parts: list[str] = []
    for cut in CUTS:
        digest = hashlib.sha256(_source(cut.module).encode()).hexdigest()[:16]
        names = f" ({', '.join(cut.names)})" if cut.names else ""
        listed.append(f"    {digest}  {cut.module}{names}" + (f", in place of {cut.also}" if cut.also else ""))
        registered = ", ".join(f'"{name.replace("steward", PACKAGE, 1)}"' for name in (cut.module, cut.also) if name)
        parts.append(f"\n\n@_part({registered})\ndef _():\n{_indented(taken(cut))}\n\n    return locals()\n")
    return _HEADER.replace("{parts}", "\n".join(listed)) + "".join(parts) + _FOOTER


def main() -> int:
    """Write the file, or with --check say whether it is as it should be."""
    text = whole()
    if "--check" in sys.argv[1:]:
        current = FILE.read_text(encoding="utf-8") if FILE.exists() else ""
        if current != text:
            sys.stderr.write("steward-verify.py is not what its modules say: run python -m steward.offline.cut\n")
        return int(current != text)
    FILE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
