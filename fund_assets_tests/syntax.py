"""Python files as syntax trees, for tests that read the package.

CPython 3.11 has one counter of depth for all trees that are made at a time (gh-106905). When
another thread of the process makes one too, it raises a SystemError although nothing is wrong:
the tree is made again.
"""

import ast
from functools import cache
from pathlib import Path

TRIES = 5


def tree_of(source: str) -> ast.Module:
    """The tree of some code."""
    for _ in range(TRIES - 1):
        try:
            return ast.parse(source)
        except SystemError:
            continue
    return ast.parse(source)


@cache
def tree_of_file(path: Path) -> ast.Module:
    """The tree of a file; the same each time, not to be changed."""
    return tree_of(path.read_text("utf-8"))
