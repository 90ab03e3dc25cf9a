"""A plugin for mypy: `plugins = ["superluigi.mypy"]`.

It does what Luigi's own plugin does, for parameters, and two things more. A task's `run()` may ask for any of
what its base class offers, with any types: Luigi enters it through Super Luigi and never calls it as
its base classes declare it. And every task class has a typed `__init__`, also where it has no parameters
or declares them without types.

Source: https://github.com/spotify/luigi/blob/master/luigi/mypy.py (3.8).
"""

from __future__ import annotations

from collections.abc import Callable

from luigi.mypy import METADATA_TAG, TaskPlugin
from mypy.nodes import (
    ARG_STAR,
    ARG_STAR2,
    MDEF,
    Argument,
    ClassDef,
    FuncDef,
    SymbolNode,
    SymbolTableNode,
    Var,
)
from mypy.options import Options
from mypy.plugin import ClassDefContext, Plugin
from mypy.plugins.common import add_method_to_class
from mypy.types import AnyType, NoneType, TypeOfAny

__all__ = ["SuperLuigiPlugin", "plugin"]

_OUR_TASK = "superluigi.tasks.task.Task"
_ANY_PARAMS = "params_without_types"


class SuperLuigiPlugin(TaskPlugin):
    """Luigi's plugin, with what tasks of Super Luigi have on top."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._written_runs: dict[str, SymbolNode] = {}
        """By full name of the class: the `run` that the user wrote."""

    def get_customize_class_mro_hook(
        self, fullname: str
    ) -> Callable[[ClassDefContext], None] | None:
        """Put the written `run` back before a class is read once more."""
        return self._restore_run if fullname in self._written_runs else None

    def get_base_class_hook(self, fullname: str) -> Callable[[ClassDefContext], None] | None:
        """Luigi's, then ours."""
        transform = super().get_base_class_hook(fullname)
        if transform is None:
            return None

        def complete(context: ClassDefContext) -> None:
            _forget(context.cls)
            transform(context)
            _type_init(context)
            self._open_run(context)

        return complete

    def _open_run(self, context: ClassDefContext) -> None:
        """Let the class's `run` be of any type: its body is checked, its signature overrides nothing."""
        info = context.cls.info
        written = info.names.get("run")
        if written is None or not any(base.fullname == _OUR_TASK for base in info.mro[1:]):
            return
        if written.node is None or isinstance(written.node, Var):
            return
        self._written_runs[info.fullname] = written.node
        anything = Var("run", AnyType(TypeOfAny.special_form))
        anything.info = info
        anything._fullname = f"{info.fullname}.run"
        info.names["run"] = SymbolTableNode(MDEF, anything)
        # mypy reads the bodies that it finds by name: this is its own name for what is defined twice.
        info.names["run-redefinition"] = written

    def _restore_run(self, context: ClassDefContext) -> None:
        names = context.cls.info.names
        if "run" in names:
            names["run"] = SymbolTableNode(MDEF, self._written_runs[context.cls.fullname])


def _forget(cls: ClassDef) -> None:
    """Take back what a pass over the class added that knew less than the next one does."""
    cls.info.metadata.pop(METADATA_TAG, None)
    init = cls.info.names.get("__init__")
    if init is not None and isinstance(init.node, FuncDef) and _takes_anything(init):
        del cls.info.names["__init__"]
        cls.defs.body.remove(init.node)


def _type_init(context: ClassDefContext) -> None:
    """Give a class a typed `__init__` where Luigi's plugin gives it none."""
    info = context.cls.info
    own = info.names.get("__init__")
    inherited = next(base.names["__init__"] for base in info.mro[1:] if "__init__" in base.names)
    if not all(symbol is None or _is_made(symbol) for symbol in (own, inherited)):
        return  # somebody wrote one
    declared = info.metadata.get(METADATA_TAG)
    if declared is None or _takes_anything(inherited):
        # Parameters without types: neither they nor those of subclasses can be known.
        anything = AnyType(TypeOfAny.explicit)
        names = (("args", ARG_STAR), (_ANY_PARAMS, ARG_STAR2))
        arguments = [Argument(Var(name, anything), anything, None, kind) for name, kind in names]
        add_method_to_class(context.api, context.cls, "__init__", arguments, NoneType())
        # Or mypy puts one in its place that knows the annotated parameters only.
        info.names["__init__"].plugin_generated = False
    elif not declared["attributes"]:
        add_method_to_class(context.api, context.cls, "__init__", [], NoneType())


def _is_made(init: SymbolTableNode) -> bool:
    """Whether a plugin made it, or it is Luigi's for all tasks."""
    of_luigi = init.fullname == "luigi.task.Task.__init__"
    return init.plugin_generated or of_luigi or _takes_anything(init)


def _takes_anything(init: SymbolTableNode) -> bool:
    return isinstance(init.node, FuncDef) and init.node.arg_names[-1:] == [_ANY_PARAMS]


def plugin(version: str) -> type[Plugin]:
    """What mypy calls."""
    return SuperLuigiPlugin
