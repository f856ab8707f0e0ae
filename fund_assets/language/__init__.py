"""The language that people at a terminal read: English, or Chinese by its catalogue.

Belongs here: which language is spoken, and looking sentences up. Does not belong here: the
sentences themselves (`zh.py`), and surfaces that have one language: pages, reports and alerts.

A sentence stands in the code in English, with its values in braces. What prints it calls
`say`. What raises an error or hands words up knows no language: `translated` finds the sentence
of finished words by its pattern, and the words within it in turn. Where nothing says otherwise
Chinese is spoken: so it is in pages, reports and alerts.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("zh", "en")
VARIABLE = "FUND_LANG"
#: The variables of a locale, the strongest first.
LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")
#: A value in a sentence: its name, and how it is written.
VALUE = re.compile(r"\{(\w+)(?:![rs])?(?::([^{}]*))?\}")
#: Of a value that is one word, where others beside it would fit too.
ONE_WORD = "s"
#: How a number is written.
NUMBER = re.compile(r",?(\.\d+)?[gf%]?")

_spoken: ContextVar[str] = ContextVar("language", default="zh")


def chosen() -> str:
    """`zh` or `en`: FUND_LANG, exported or in `.env`; without it, what the locale says."""
    asked = os.environ.get(VARIABLE) or _from_file(Path(".env"))
    if asked in LANGUAGES:
        return asked
    told = next((value for name in LOCALE if (value := os.environ.get(name))), "")
    return "zh" if told.lower().startswith("zh") else "en"


def _from_file(path: Path) -> str:
    if not path.is_file():
        return ""
    from dotenv import dotenv_values

    return dotenv_values(path).get(VARIABLE) or ""


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak one of `LANGUAGES` for as long as this lasts."""
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


def is_chinese() -> bool:
    """Whether Chinese is spoken."""
    return _spoken.get() == "zh"


def say(sentence: str, **values: Any) -> str:
    """A sentence of the catalogue in the language that is spoken, with its values.

    Raises:
        KeyError: the sentence names a value that is not given.
    """
    if is_chinese():
        sentence = sentences().get(sentence, sentence)
    return sentence.format(**values) if values else sentence


def later(sentence: str) -> str:
    """A sentence that is handed to `say` or `translated` where it is printed."""
    return sentence


def named(name: str, label: str) -> str:
    """What a column, kind or window is called: its label in Chinese, else its own name."""
    return label if is_chinese() else name


def translated(words: str) -> str:
    """Finished English words in the language that is spoken; unknown ones as they are.

    Before a sentence may stand whose it is, and a colon.
    """
    if not is_chinese() or not words:
        return words
    known = sentences()
    if words in known:
        return known[words]
    for pattern, sentence in _patterns():
        if found := pattern.fullmatch(words):
            return sentence.format(**{k: translated(v) for k, v in found.groupdict().items()})
    if "\n" in words:
        return "\n".join(map(translated, words.split("\n")))
    whose, colon, said = words.partition(": ")
    if colon and (told := translated(said)) != said:
        return f"{translated(whose)}：{told}"
    return words


@cache
def sentences() -> dict[str, str]:
    """English sentence → Chinese sentence with the same values."""
    from fund_assets.language.zh import SENTENCES

    return SENTENCES


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """What finished words of a sentence look like, those with the most own words first.

    A sentence of values and signs alone is said and not searched for: it is like many others.
    """
    found = sorted(
        (
            english
            for english in sentences()
            if VALUE.search(english) and re.search("[A-Za-z]", VALUE.sub("", english))
        ),
        key=lambda english: -len(VALUE.sub("", english)),
    )
    return [(pattern(one), VALUE.sub(r"{\1}", sentences()[one])) for one in found]


def pattern(sentence: str) -> re.Pattern[str]:
    """What finished words of a sentence look like; a value has its name as a group.

    Values stand where they do in the sentence; one that is named twice is the same twice.
    """
    parts, at, seen = [], 0, set()
    for value in VALUE.finditer(sentence):
        parts.append(re.escape(sentence[at : value.start()]))
        name = value[1]
        any_words = ".*?"
        if value[2] == ONE_WORD:
            any_words = r"\S+"
        elif value[2] and NUMBER.fullmatch(value[2]):
            any_words = r"[-\d.,%]+?"
        parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>{any_words})")
        seen.add(name)
        at = value.end()
    return re.compile("".join([*parts, re.escape(sentence[at:])]), re.DOTALL)
