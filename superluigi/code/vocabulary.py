"""Fixed lists of names that steer what is followed.

Literal on purpose: `dir(builtins)` and `dir(str)` differ between minor versions of Python, and
with them every fingerprint would.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENTRY_POINTS = ("run", "output", "requires", "input")
"""What Luigi calls on a task and what decides its result; besides every dunder method."""

DISPLAY_METHODS = frozenset({"__repr__", "__str__"})
"""Dunder methods that only make texts for people."""

ALWAYS_EXTERNAL = frozenset({"luigi", "superluigi", "superluigi_catalog", "superluigi_tui"})
"""Never project code, even where a checkout of them lies inside the project."""

FRAMEWORKS = frozenset({"gokart", "law", "luigi", "superluigi"})
"""Packages whose classes make a task of what derives from them."""

NOT_TASKS = (
    "Client",
    "Config",
    "Error",
    "Exception",
    "FileSystem",
    "Format",
    "Formatter",
    "Handler",
    "Parameter",
    "Reader",
    "Target",
    "Writer",
)
"""Endings of the framework classes that make no task."""

PLAIN_BASES = frozenset(
    {
        "AtomicTaskWithMetadata",
        "Config",
        "ExternalTask",
        "Task",
        "TaskOnKart",
        "TaskWithMetadata",
        "WrapperTask",
    }
)
"""Framework classes that call nothing of a task but its entry points."""

HARMLESS_BASES = frozenset(
    {
        "ABC",
        "Generic",
        "abc.ABC",
        "object",
        "typing.Generic",
        "typing.Protocol",
        "typing_extensions.Generic",
        "typing_extensions.Protocol",
    }
)
"""Bases without behaviour of their own."""

SCHEDULING = frozenset(
    {
        "accepts_messages",
        "complete",
        "disable_hard_timeout",
        "disable_window",
        "disable_window_seconds",
        "disabled",
        "force_on_missing",
        "max_batch_size",
        "on_failure",
        "on_success",
        "owner_email",
        "priority",
        "resources",
        "retry_count",
        "task_namespace",
        "use_cmdline_section",
        "worker_timeout",
    }
)
"""Attributes that decide when and where a task runs, not what it makes."""

BY_NAME_ONLY = frozenset(
    {
        "clone",
        "complete",
        "input",
        "output",
        "requires",
        "run",
        "task_family",
        "task_hash",
        "task_id",
    }
)
"""Using one of these of another task is using its result: that task counts by its family."""

MUTATORS = frozenset(
    {
        "add",
        "append",
        "appendleft",
        "clear",
        "discard",
        "extend",
        "insert",
        "pop",
        "register",
        "remove",
        "setdefault",
        "update",
    }
)
"""Methods that change what they are called on."""

COMMON_METHODS = _words(
    """
    acquire add append appendleft args clear clone close columns commit complete connect copy count
    cursor data date day debug decode deps discard dtype dump dumps encode end endswith error
    exception execute exists extend fetchall fetchone find flush format fs get glob group groups
    head host id index info input insert is_dir is_file is_set isdigit isfile isoformat items
    iterdir join key keys kwargs load loads log lower lstrip map match max mean message min mkdir
    mode month move name open output param_kwargs parent parents password path pop popitem popleft
    port put read readline readlines recv release remove rename replace requires reverse rfind
    rollback rsplit rstrip run search seek send set setdefault shape shutdown size sort split
    splitlines start startswith status stem strftime strip sub submit suffix sum task_family
    task_id tell text time title total_seconds touch type unlink update upper user value values
    wait warning write writelines year zfill
    """
)
"""Attributes of so many objects that one on an unknown receiver says nothing about whose it is."""

BUILTINS = _words(
    """
    ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError
    BrokenPipeError BufferError BytesWarning ChildProcessError ConnectionAbortedError
    ConnectionError ConnectionRefusedError ConnectionResetError DeprecationWarning EOFError
    Ellipsis EncodingWarning EnvironmentError Exception ExceptionGroup False FileExistsError
    FileNotFoundError FloatingPointError FutureWarning GeneratorExit IOError ImportError
    ImportWarning IndentationError IndexError InterruptedError IsADirectoryError KeyError
    KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError None
    NotADirectoryError NotImplemented NotImplementedError OSError OverflowError
    PendingDeprecationWarning PermissionError ProcessLookupError PythonFinalizationError
    RecursionError ReferenceError ResourceWarning RuntimeError RuntimeWarning StopAsyncIteration
    StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError TimeoutError True
    TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError
    UnicodeTranslateError UnicodeWarning UserWarning ValueError Warning ZeroDivisionError
    __build_class__ __debug__ __doc__ __file__ __import__ __name__ __package__ __path__ __spec__
    abs aiter all anext any ascii bin bool breakpoint bytearray bytes callable chr classmethod
    compile complex copyright credits delattr dict dir display divmod enumerate eval exec exit
    filter float format frozenset getattr get_ipython globals hasattr hash help hex id input int
    isinstance issubclass iter len license list locals map max memoryview min next object oct open
    ord pow print property quit range repr reversed round set setattr slice sorted staticmethod
    str sum super tuple type vars zip
    """
)
"""Names that a module has without binding them, over all supported versions."""

REQUIRED_FILES = (".hql", ".j2", ".jinja", ".jinja2", ".sql", ".tmpl", ".tpl")
"""Endings of file names that are code: the file is a part, or listed where it is not found."""

OPTIONAL_FILES = (".py", ".r", ".sh")
"""Endings of file names that are code where such a file exists; else they are taken for text."""

NOT_FOLLOWED_KINDS = {
    "binary": "a compiled extension module of the project",
    "class_made_at_run_time": "the class stands in no source; its bases and its module's name do",
    "environment": "a value read from the environment while the module is imported",
    "eval": "source text that is made at run time",
    "exec": "source text that is made at run time",
    "failed": "our own reading failed; the text says how",
    "file": "a file of code by a name that leads to no file of the project",
    "getattr": "an attribute by a computed name",
    "globals": "a module-level name by a computed name; the whole module was taken",
    "import": "a module by a computed name",
    "library": "a class of an installed package; its version is recorded, its code is not",
    "lost_source": "a class or function whose source is gone (a shell, an old notebook cell)",
    "other_file": "the running program loaded this module from another file",
    "read_at_import": "a file read while the module is imported",
    "subprocess": "another program",
    "unparsable": "a file that is no Python of this version; its bytes were taken",
    "unresolved": "a name of the project that no source binds",
    "value": "a notebook's global whose value is no literal",
}
"""What `NotFollowed.kind` may be, and what it means."""
