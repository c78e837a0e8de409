"""A statement of Redshift's SQL as tokens, and a reader that goes through them from left to right."""

import re
from collections.abc import Callable
from typing import NamedTuple

import sqlglot

QUOTED = re.compile(r"""["'$]|\w*'""")


class Token(NamedTuple):
    # In lower case; empty for quoted names and texts, which are no words of the language.
    word: str
    text: str
    start: int
    end: int

    @property
    def name(self) -> str:
        """The name that the token stands for, quoted or not."""
        return self.text[1:-1].replace('""', '"') if self.text.startswith('"') else self.word


class Refused(Exception):
    """What Redshift would refuse, with its message."""

    def __init__(self, message: str, sqlstate: str = "42601"):
        super().__init__(message)
        self.sqlstate = sqlstate


def tokens_of(sql: str) -> list[Token]:
    tokens = []
    for token in sqlglot.tokenize(sql, read="redshift"):
        text = sql[token.start : token.end + 1]
        if QUOTED.match(text):
            tokens.append(Token("", text, token.start, token.end + 1))
        else:  # sqlglot takes some pairs of words, as `order by`, for one token
            tokens += [
                Token(part[0].lower(), part[0], token.start + part.start(), token.start + part.end())
                for part in re.finditer(r"\S+", text)
            ]
    return tokens


def split(tokens: list[Token]) -> list[list[Token]]:
    statements: list[list[Token]] = [[]]
    for token in tokens:
        if token.word == ";":
            statements.append([])
        else:
            statements[-1].append(token)
    return [statement for statement in statements if statement]


def closing(tokens: list[Token], opening: int) -> int:
    """The position of the parenthesis that closes the one at `opening`."""
    depth = 0
    for position in range(opening, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[position].word, 0)
        if depth == 0:
            return position
    raise Refused(f'syntax error: the "(" after {tokens[opening - 1].text} is never closed')


def literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'"


class Reader:
    """Reads a statement from left to right."""

    def __init__(self, tokens: list[Token], sql: str):
        self.tokens, self.sql, self.position = tokens, sql, 0

    def words(self) -> list[str]:
        return [token.word for token in self.tokens[self.position :]]

    def skip(self, *words: str) -> bool:
        """Move behind these words if they come next."""
        if self.words()[: len(words)] != list(words):
            return False
        self.position += len(words)
        return True

    def expect(self, *words: str) -> None:
        if not self.skip(*words):
            self.fail(" ".join(words))

    def token(self, matches: Callable[[Token], bool], what: str) -> Token:
        if self.position == len(self.tokens) or not matches(self.tokens[self.position]):
            self.fail(what)
        self.position += 1
        return self.tokens[self.position - 1]

    def identifier(self) -> str:
        return self.token(lambda token: token.text[0] == '"' or token.word.isidentifier(), "a name").name

    def text(self) -> str:
        """A text literal, as its value."""
        return self.token(lambda token: token.text[0] == "'", "a text").text[1:-1].replace("''", "'")

    def qualified_name(self) -> tuple[str, str]:
        """(schema, name) of [[database.]schema.]name; the schema is empty when there is none."""
        parts = [self.identifier()]
        while self.skip("."):
            parts.append(self.identifier())
        return (["", *parts][-2], parts[-1])

    def parenthesised(self) -> str:
        """What stands between the parentheses that come next."""
        self.token(lambda token: token.word == "(", "(")
        end = closing(self.tokens, self.position - 1)
        inside = self.sql[self.tokens[self.position - 1].end : self.tokens[end].start]
        self.position = end + 1
        return inside

    def end(self) -> None:
        if self.position < len(self.tokens):
            self.fail("the end of the statement")

    def fail(self, expected: str) -> None:
        here = self.tokens[self.position].text if self.position < len(self.tokens) else "end of input"
        raise Refused(f'syntax error at or near "{here}": {expected} is expected')
