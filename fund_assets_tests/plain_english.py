"""How plain the English of the pages is: sentences, their length, and words with a plainer one.

    python -m fund_assets_tests.plain_english     figures of each page, and its longest sentences

Belongs here: reading pages as sentences. The words are a table of CONTRIBUTING.md, "Plain words":
that table is their one place. Does not belong here: what the pages say.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
#: Pages that commands write; their sentences are held where they are declared.
GENERATED = {"docs/cli.md", "docs/rules.md", "docs/data-dictionary.md", "docs/api.md"}
#: More words than this is more than one idea.
MOST_WORDS = 35
#: A block that a command writes into a page, between two marks.
WRITTEN = re.compile(r"<!-- (\w[^>]*?)(?:: \S+)? -->.*?<!-- end[^>]*-->", re.DOTALL)
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
CODE = re.compile(r"`[^`]+`")
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
#: Where a block of prose begins: an empty line, a heading, an item of a list, a row.
BLOCK = re.compile(r"\n(?:\s*\n|(?=\s*(?:[-*] |\d+\. |#|\|)))")
#: A full stop that ends a sentence; not those of "e.g. " or of a number.
END = re.compile(r"(?<=[.!?])[\"”)*]*\s+(?=[\"“(*`A-Z\d\[一-鿿])")
WORD = re.compile(r"[\w][\w'’\-./%,]*")


def pages() -> list[Path]:
    """The pages in English that a person writes and a reader of today needs."""
    found = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")] + [
        *sorted((ROOT / "docs").glob("*.md")),
        *sorted((ROOT / "docs" / "adr").glob("0*.md")),
        *sorted((ROOT / "benchmarks").glob("*.md")),
    ]
    return [page for page in found if page.relative_to(ROOT).as_posix() not in GENERATED]


def prose(text: str) -> str:
    """A page without code blocks, written blocks, comments and the addresses of its links."""
    for pattern in (FENCE, WRITTEN, COMMENT):
        text = pattern.sub("\n\n", text)
    return LINK.sub(r"\1", text)


def sentences(text: str) -> Iterator[str]:
    """Every sentence of a page; each item of a list and each cell of a table is its own block."""
    for block in BLOCK.split(prose(text)):
        row = block.lstrip()[:1] == "|"
        cells = (
            re.split(r"(?<!\\)\|| · ", block.strip().strip("|")) if row else block.split(" · ")
        )
        for cell in cells:
            plain = " ".join(cell.split())
            for sentence in END.split(re.sub(r"^(#+|[-*]|\d+\.) ", "", plain)):
                if WORD.search(sentence):
                    yield sentence


def words(sentence: str) -> int:
    """How many words a sentence has; a piece of code is one."""
    return len(WORD.findall(CODE.sub("code", sentence)))


def banned() -> dict[str, str]:
    """Words that are not written → what is written instead: the table of CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.split("| not | but |\n|---|---|\n")[1].split("\n\n")[0]
    rows = [row.strip("| ").split(" | ") for row in table.splitlines()]
    return {word: instead for left, instead in rows for word in left.split(", ")}


def found_words(text: str) -> list[str]:
    """Each banned word of a page, with what to write and where it is; code is left out."""
    found = []
    for sentence in sentences(text):
        bare = CODE.sub("", sentence)
        found += [
            f"“{word}”, write “{instead}”: {sentence[:90]}"
            for word, instead in banned().items()
            if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", bare, re.IGNORECASE)
        ]
    return found


def main() -> None:
    """Print the figures."""
    lengths: list[int] = []
    for page in pages():
        text = page.read_text(encoding="utf-8")
        counts = sorted(words(sentence) for sentence in sentences(text))
        whole = [n for n in counts if n > 3]
        lengths += whole
        over = sum(n > 25 for n in whole) / max(len(whole), 1)
        print(
            f"{page.relative_to(ROOT)!s:32} {len(whole):4} sentences, median {median(whole):4.0f}, "
            f"over 25 words {over:4.0%}, over {MOST_WORDS} {sum(n > MOST_WORDS for n in whole):3}"
        )
    print(
        f"all: {len(lengths)} sentences, median {median(lengths):.0f}, "
        f"over 25 words {sum(n > 25 for n in lengths) / len(lengths):.1%}, "
        f"over {MOST_WORDS} {sum(n > MOST_WORDS for n in lengths)}"
    )


if __name__ == "__main__":
    main()
