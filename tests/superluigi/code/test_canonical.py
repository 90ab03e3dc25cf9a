"""The canonical text: what counts in it, and how it is spelt."""

import ast
import warnings

import pytest

from superluigi.code.canonical import canonical_text, digest_of
from superluigi.code.parsing import parse_source, source_lines


def _text(source: str) -> str:
    return canonical_text(ast.parse(source))


def test_the_spelling_is_pinned() -> None:
    assert _text("def f(a, *, b=1.5):\n    'doc'\n    return a[-1] + b'x'\n") == (
        "Module(body=[FunctionDef("
        "args=arguments(args=[arg(arg=1'a;),];kw_defaults=[f:0x1.8000000000000p+0,];"
        "kwonlyargs=[arg(arg=1'b;),];);"
        "body=[Return(value=BinOp(left=Subscript(slice=UnaryOp(op=USub();operand=i:1;);"
        "value=Name(id=1'a;););op=Add();right=b:1:78;);),];"
        "name=1'f;),];)"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x: int = 1"),
        ("f'{a}b' 'c'", "f'{a}bc'"),
        ("f'{a:}'", "f'{a}'"),
        ("x = f'abc'", "x = 'abc'"),
        ("x = f''", "x = ''"),
        ("x = 1e3", "x = 1000.0"),
        ("x = 0xFF", "x = 255"),
        ("def f(): pass", "def f(): ..."),
        ("def f():\n  import os", "def f(): pass"),
        ("def f(a: int) -> int: pass", "def f(a): pass"),
        ("if x:\n  y\nelse:\n  pass", "if x:\n  y"),
        ("def f():\n  if TYPE_CHECKING:\n    import a\n  return 1", "def f(): return 1"),
        ("def f():\n  x: int\n  return 1", "def f(): return 1"),
        ("class C:\n  x: int = 1", "class C:\n  x = 1"),
        ("x = IntParameter(description='a')", "x = IntParameter()"),
        ("x = luigi.Parameter(default=1, description='a')", "x = luigi.Parameter(default=1)"),
    ],
)
def test_what_does_not_count(one: str, other: str) -> None:
    assert _text(one) == _text(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 1.0"),
        ("x = 1", "x = True"),
        ("x = 0.0", "x = -0.0"),
        ("x = 'a'", "x = b'a'"),
        ("x = None", "x = ..."),
        ("x = '\\ud800'", "x = '\\ud801'"),
        ("f'{a!r}'", "f'{a}'"),
        ("f'{a:>1}'", "f'{a:>2}'"),
        ("f'{a}{b}'", "f'{b}{a}'"),
        ("f'{a}1'", "f'{a}{1}'"),
        ("async def f(): pass", "def f(): pass"),
        ("def f(a, /): pass", "def f(a): pass"),
        ("def f():\n  global x\n  x = 1", "def f():\n  x = 1"),
        ("def f():\n  nonlocal x\n  x = 1", "def f():\n  x = 1"),
        ("class C(B):\n  x: int = 1", "class C(B):\n  x: str = 1"),
        ("@dataclass\nclass C:\n  x: int", "@dataclass\nclass C:\n  x: str"),
        ("@f.register\ndef g(a: int): pass", "@f.register\ndef g(a: str): pass"),
        ("x = dict(description='a')", "x = dict()"),
        ("match x:\n  case None: y", "match x:\n  case True: y"),
        ("match x:\n  case [a, *b]: y", "match x:\n  case [a, *_]: y"),
        ("x = {**a}", "x = {None: a}"),
        ("x = [a for a in b if c]", "x = [a for a in b]"),
        ("x = yield", "x = await y"),
    ],
)
def test_what_counts(one: str, other: str) -> None:
    assert canonical_text(parse_source(one)) != canonical_text(parse_source(other))


def test_a_number_longer_than_decimal_texts_may_be() -> None:
    assert _text(f"x = 0x{'f' * 5000}").count("f") > 4999


def test_deep_trees_need_no_recursion() -> None:
    tree: ast.expr = ast.Constant(1)
    for _ in range(20_000):
        tree = ast.UnaryOp(ast.USub(), tree)
    assert canonical_text(tree).count("UnaryOp") == 20_000


def test_texts_are_framed_before_they_are_digested() -> None:
    assert digest_of("ab", "c") != digest_of("a", "bc")
    assert digest_of("abc") != digest_of("a", "bc")
    assert digest_of("\ud800") != digest_of("\ud801")
    assert digest_of() == "e3b0c44298fc1c149afbf4c8996fb924"


@pytest.mark.parametrize("action", ["error", "always", "default"])
def test_what_the_source_looks_like_is_nobodys_warning(action: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter(action)  # type: ignore[arg-type]
        parse_source("x = '\\d'\ny = 1 if 0 else 2\n")
        warnings.filterwarnings("error", category=SyntaxWarning)
        parse_source(b"x = '\\d'\n")
    assert caught == []


def test_lines_are_those_that_the_parser_counts() -> None:
    assert source_lines(b"a\r\nb\x0c\rc\n") == ["a", "b\x0c", "c", ""]
    assert source_lines(b"# coding: no-such-code\n\xff") == ["# coding: no-such-code", "\ufffd"]
