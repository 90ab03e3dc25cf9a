"""Calls that reach code by other ways than by naming it: `getattr`, `import_module`, patches."""

from __future__ import annotations

import ast
from collections.abc import Callable

from superluigi.code.findings import EVERYTHING, Findings
from superluigi.code.scopes import Scope, chain_of
from superluigi.code.symbols import Reference
from superluigi.code.vocabulary import MUTATORS

__all__ = ["read_call"]

_Reader = Callable[[ast.Call, Scope, Findings], None]

_PROGRAMS = ("os.exec", "os.popen", "os.posix_spawn", "os.spawn", "os.system", "subprocess")


def read_call(call: ast.Call, scope: Scope, findings: Findings) -> None:
    """Note what a call does besides calling what it names."""
    chain = chain_of(call.func)
    if chain is None:
        return
    if len(chain) > 1 and chain[-1] in MUTATORS:
        findings.change(chain[:-1], scope)
    dotted = findings.dotted(chain, scope)
    if dotted.startswith(_PROGRAMS):
        findings.note("subprocess", call)
    reader = _BY_FULL_NAME.get(dotted) or _BY_LAST_NAME.get(chain[-1])
    if reader is not None:
        reader(call, scope, findings)
    reads = dotted in ("open", "io.open") or chain[-1] in ("read_text", "read_bytes")
    if reads and not scope.is_inside("function"):
        findings.note("read_at_import", call)


def _name_argument(call: ast.Call) -> str | None:
    """The name of an attribute; `*` where it is computed, None where it can be none."""
    if len(call.args) < 2:
        return None
    name = _text_argument(call, 1)
    if name is None:
        return EVERYTHING
    return name if name.isidentifier() else None


def _text_argument(call: ast.Call, place: int) -> str | None:
    if len(call.args) > place:
        value = call.args[place]
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
    return None


def _read_getattr(call: ast.Call, scope: Scope, findings: Findings) -> None:
    name = _name_argument(call)
    if name is None or (name == EVERYTHING and chain_of(call.func) == ("hasattr",)):
        return
    if name == EVERYTHING:
        findings.note("getattr", call)
    chain = chain_of(call.args[0])
    if chain is not None:
        findings.refer((*chain, name), scope)
    else:
        findings.attributes([name])


def _read_setattr(call: ast.Call, scope: Scope, findings: Findings) -> None:
    """`setattr(module, "name", value)`, and the same by `mock.patch.object` or a monkeypatch."""
    name = _name_argument(call)
    chain = chain_of(call.args[0]) if call.args else None
    if chain is None or name is None:
        _read_patch(call, scope, findings)
    elif name == EVERYTHING:
        findings.change(chain, scope)
    else:
        findings.refer((*chain, name), scope)
        findings.change((*chain, name), scope)


def _read_patch(call: ast.Call, scope: Scope, findings: Findings) -> None:
    """`mock.patch("package.module.name", ...)`."""
    target = (_text_argument(call, 0) or "").split(".")
    if len(target) > 1 and all(part.isidentifier() for part in target):
        reference = Reference("import", tuple(target), (target[0], 0, ""))
        findings.mutates.add(reference)


def _read_attribute_getter(call: ast.Call, scope: Scope, findings: Findings) -> None:
    for place in range(len(call.args)):
        findings.attributes((_text_argument(call, place) or "").split("."))


def _read_method_caller(call: ast.Call, scope: Scope, findings: Findings) -> None:
    findings.attributes([_text_argument(call, 0) or EVERYTHING])


def _read_import(call: ast.Call, scope: Scope, findings: Findings) -> None:
    module = _text_argument(call, 0)
    if module is None or not module.replace(".", "").isidentifier():
        findings.note("import", call)
        return
    level = len(module) - len(module.lstrip("."))
    local = module.rpartition(".")[2]
    origin = (module.lstrip("."), level, "")
    findings.references.add(Reference("import", (local, EVERYTHING), origin))


def _read_eval(call: ast.Call, scope: Scope, findings: Findings) -> None:
    findings.note(getattr(call.func, "id", "eval"), call)


def _read_globals(call: ast.Call, scope: Scope, findings: Findings) -> None:
    findings.note("globals", call)
    findings.references.add(Reference("module"))


def _read_vars(call: ast.Call, scope: Scope, findings: Findings) -> None:
    chain = chain_of(call.args[0]) if call.args else None
    if chain is not None:
        findings.refer((*chain, EVERYTHING), scope)


def _read_path(call: ast.Call, scope: Scope, findings: Findings) -> None:
    """`os.path.join(HERE, "sql", "query.sql")`: the constants at the end."""
    names: list[str] = []
    for place in reversed(range(len(call.args))):
        name = _text_argument(call, place)
        if name is None:
            break
        names.insert(0, name)
    if len(names) > 1:
        findings.file("/".join(names))


def _read_unknown_value(call: ast.Call, scope: Scope, findings: Findings) -> None:
    findings.note("value", call)


_BY_FULL_NAME: dict[str, _Reader] = {
    "__import__": _read_import,
    "__notebook_value__": _read_unknown_value,
    "delattr": _read_setattr,
    "eval": _read_eval,
    "exec": _read_eval,
    "getattr": _read_getattr,
    "globals": _read_globals,
    "hasattr": _read_getattr,
    "importlib.import_module": _read_import,
    "operator.attrgetter": _read_attribute_getter,
    "operator.methodcaller": _read_method_caller,
    "os.path.join": _read_path,
    "setattr": _read_setattr,
    "vars": _read_vars,
}
"""By where the name leads, whatever it is called locally."""

_BY_LAST_NAME: dict[str, _Reader] = {
    "joinpath": _read_path,
    "object": _read_setattr,
    "patch": _read_patch,
    "setattr": _read_setattr,
}
"""By the attribute, on whatever object: `mock.patch.object`, `monkeypatch.setattr`."""
