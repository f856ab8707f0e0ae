"""Tables of docs/reliability.md that a command writes, between two marks of the page.

Belongs here: finding and replacing them. Does not belong here: what stands in one.
"""

import re


def parts_of(text: str, name: str) -> tuple[str, str, str]:
    """A page up to a table, the table, and the rest; the marks belong to the page."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, rest = text.split(begin)
    table, after = rest.split(end)
    return before + begin, table, end + after


def with_table(text: str, name: str, table: str) -> str:
    """The page with another table between the marks."""
    before, _, after = parts_of(text, name)
    return f"{before}{table}{after}"


def kept(text: str, name: str, begin: str) -> str | None:
    """The last cell of the row that begins so; None where there is none."""
    found = re.search(f"^{re.escape(begin)}(.*) \\|$", parts_of(text, name)[1], re.M)
    return found[1] if found else None
