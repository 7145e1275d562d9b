"""The grammar of the vendor's query language, and what a parser of it says of a text it cannot read.

LALR without recursion: the cost of a text grows with its length, however it is nested. Each terminal matches in one
pass over what it takes. Names are one terminal with all that hangs on them, so that a property may be called `from`.
"""

from collections.abc import Collection
from functools import cache
from typing import Any, Final

from lark import Lark, Token, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from ironhub.twins.queries.model import QueryInvalid

GRAMMAR: Final = r"""
query: _SELECT [top] columns _FROM PATH [where] [grouping]
top: _TOP NUMBER
columns: STAR -> everything
       | column ("," column)*
column: path [_AS PATH]         -> shown
      | aggregate [_AS PATH]    -> shown
aggregate: FUNCTION "(" ")"     -> count_all
         | FUNCTION "(" STAR ")" -> count_all
         | FUNCTION "(" path ")" -> measured
where: _WHERE expression
grouping: _GROUP _BY path ("," path)*

condition: STAR -> always
         | expression -> only

?expression: conjunction (_OR conjunction)*    -> disjunction
?conjunction: negation (_AND negation)*        -> conjunction
?negation: _NOT negation -> negation
         | comparison
?comparison: sum
           | sum COMPARED sum              -> comparison
           | sum _IN _list                 -> membership
           | sum _NOT _IN _list            -> absence
           | sum _NIN _list                -> absence
_list: "[" constant ("," constant)* "]"
     | "(" constant ("," constant)* ")"
?sum: product ((PLUS | MINUS) product)*             -> chain
?product: atom ((STAR | SLASH | PERCENT) atom)*     -> chain
?atom: constant
     | path
     | FUNCTION "(" expression ("," expression)* ")" -> call
     | "(" expression ")"                            -> inner

constant: STRING       -> text
        | NUMBER       -> number
        | MINUS NUMBER -> negative
        | _TRUE        -> true
        | _FALSE       -> false
        | _NULL        -> null
        | _UNDEFINED   -> undefined
path: PATH

_SELECT.3: /SELECT(?![\w$@#.])/i
_TOP.3: /TOP(?=\s+[0-9])/i
_FROM.3: /FROM(?![\w$@#.])/i
_WHERE.3: /WHERE(?![\w$@#.])/i
_GROUP.3: /GROUP(?![\w$@#.])/i
_BY.3: /BY(?![\w$@#.])/i
_AS.3: /AS(?![\w$@#.])/i
_OR.3: /OR(?![\w$@#.])/i
_AND.3: /AND(?![\w$@#.])/i
_NOT.3: /NOT(?![\w$@#.])/i
_IN.3: /IN(?![\w$@#.])/i
_NIN.3: /NIN(?![\w$@#.])/i
_TRUE.3: /TRUE(?![\w$@#.])/i
_FALSE.3: /FALSE(?![\w$@#.])/i
_NULL.3: /NULL(?![\w$@#.])/i
_UNDEFINED.3: /UNDEFINED(?![\w$@#.])/i
COMPARED: "=" | "!=" | "<>" | "<=" | ">=" | "<" | ">"
STAR: "*"
PLUS: "+"
MINUS: "-"
SLASH: "/"
PERCENT: "%"
STRING: /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/s
NUMBER: /0[xX][0-9a-fA-F]+(?!\w)|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?!\w)/
FUNCTION.2: /[A-Za-z_]\w*(?=\s*\()/
PATH.1: /(?:(?!\d)\w|[$@#])[\w$@#]*(?:\.[\w$@#]+|\.?\[\[(?:(?!\]\]).)*\]\]|\[[0-9]{1,6}\])*/s
_SPACE: /[ \t\r\n\f]+/
%ignore _SPACE
"""

_NAMES: Final = {
    "STAR": "*",
    "COMPARED": "a comparison",
    "PLUS": "+",
    "MINUS": "-",
    "SLASH": "/",
    "PERCENT": "%",
    "STRING": "a text",
    "NUMBER": "a number",
    "FUNCTION": "a function",
    "PATH": "a name",
    "LPAR": "(",
    "RPAR": ")",
    "LSQB": "[",
    "RSQB": "]",
    "COMMA": ",",
    "$END": "the end",
}
_MAX_SHOWN: Final = 40


@cache
def parser(start: str) -> Lark:
    """Return the parser for a whole "query" or a "condition"; made when it is first needed."""
    return Lark(GRAMMAR, start=start, parser="lalr", lexer="contextual")


def refusal(error: UnexpectedInput, text: str) -> QueryInvalid:
    """Return the error that says where `text` is wrong and what may stand there."""
    if isinstance(error, UnexpectedToken):
        token = error.token
        expected: Collection[str] = error.accepts
        place = _end_of(text) if token.type == "$END" else (error.line, error.column)
        seen = "the end" if token.type == "$END" else shown(str(token))
    else:
        place = error.line, error.column
        expected = (error.allowed if isinstance(error, UnexpectedCharacters) else None) or set()
        start: int | None = getattr(error, "pos_in_stream", None)
        seen = shown(text[start or 0 :][:1])
    wanted = ", ".join(sorted(_named(name) for name in expected)) or "something else"
    return invalid(place, f"expected {wanted}; found {seen}")


def invalid(place: Any, message: str) -> QueryInvalid:
    """Return the error for what is wrong at `place`: a token, or line and column from 1."""
    line, column = (place.line, place.column) if isinstance(place, Token) else place
    return QueryInvalid(f"SQL query parse failed: line {line}, column {column}: {message}")


def shown(text: str) -> str:
    """Return a piece of a query as an error may repeat it: short, and with nothing that could hide in a log."""
    short = text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
    return "'" + short.encode("ascii", "backslashreplace").decode().replace("\n", "\\n") + "'"


def _named(terminal: str) -> str:
    return _NAMES.get(terminal, terminal.lstrip("_"))


def _end_of(text: str) -> tuple[int, int]:
    return text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1
