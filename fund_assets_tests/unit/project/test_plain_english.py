"""Pages in English are plain: short sentences, and no word that has a plainer one."""

import re

import pytest

from fund_assets_tests.plain_english import (
    MOST_WORDS,
    banned,
    found_words,
    pages,
    sentences,
    words,
)

PAGES = pages()


def test_a_page_is_taken_apart_into_sentences():
    """Stops code, tables and the ends of lines from hiding a long sentence or making one."""
    page = (
        "# A page\n\nOne two\nthree. Four `a b c` five.\n\n- six\n- seven e.g. eight\n\n"
        "```bash\nnot read\n```\n| nine | ten |\n|---|---|\n| see [eleven](twelve.md) | 1.5 s |\n"
    )
    assert [(s, words(s)) for s in sentences(page)] == [
        ("A page", 2), ("One two three.", 3), ("Four `a b c` five.", 3), ("six", 1),
        ("seven e.g. eight", 3), ("nine", 1), ("ten", 1), ("see eleven", 2), ("1.5 s", 2),
    ]  # fmt: skip


def test_banned_words_are_found_and_parts_of_words_are_not():
    """Stops a word of the list from passing, and `understands` or code from being blamed."""
    assert banned()["anew"] == "again"
    page = "It understands `anew`. It is done Anew.\n"
    assert found_words(page) == ["“anew”, write “again”: It is done Anew."]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_sentences_are_short(page):
    """Stops a sentence of several ideas, which a reader with another first language reads twice."""
    long = [s for s in sentences(page.read_text("utf-8")) if words(s) > MOST_WORDS]
    assert not long, f"{page.name}: make each of these two sentences, or a list: {long}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_words_are_plain(page):
    """Stops words that are literary, or mean something else to a reader of software pages."""
    text = page.read_text("utf-8")
    text = re.sub(r"^\| not \| but \|\n(\|.*\n)+", "", text, flags=re.MULTILINE)
    assert found_words(text) == [], page.name


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.parent.name != "adr"], ids=lambda page: page.name
)
def test_a_page_begins_with_who_it_is_for(page):
    """Stops a reader from reading half a page before seeing that another one has the answer."""
    text = page.read_text("utf-8")
    assert re.search(r"\A# .+\n\n(\*\*.+\*\*\n)?For \w", text), page.name
