"""The page `docs/rules.md`, written from the rules.

Belongs here: turning rules into that page. Does not belong here: any rule.

    python -m fund_assets.nav.rulebook            writes the page
    python -m fund_assets.nav.rulebook --check    fails when the page is out of date
"""

import sys

from fund_assets.nav import events, listing, rules
from fund_assets.nav.rules import Rule, Severity
from fund_assets.schemas.page import DOCS, write_or_check

PAGE = DOCS / "rules.md"

HEAD = """# Rules

Generated from `fund_assets/nav/rules.py`, `listing.py` and `events.py` by `make docs`.

Every observation that is collected is judged before it may become part of the accepted
history. Each rule is an asset check in Dagster, with its counts, thresholds and the first
breaches in words. What a breach leads to:

| consequence | meaning |
|---|---|
| block | nothing of the batch is merged, the metrics stay as they are, the run fails |
| hold | the row goes to `nav_quarantine` with its reason; the other rows are merged |
| hold: that figure | the figure goes to `nav_quarantine`; the others of the row are merged |
| warn | the row is merged, the check fails with severity WARN |
| info | counted |

What is held, witnesses settle by themselves: another voice that shows the same figure or
another, or the growth of the next NAV. A second look at the same page is no witness. A person
may decide before that: [the quarantine desk](quarantine.md).
"""

SHOWN_ON = {
    "batch": "fund_nav",
    "kind": "fund_nav",
    "date": "fund_nav",
    "fund": "fund_nav",
    "row": "validated_nav",
    "listing": "fund_info",
    "event": "fund_events",
    "events": "fund_events",
}


#: What is held where a list of the market is doubted.
OF_LISTS = {"listing": "the funds stay listed", "events": "the list is not applied"}
#: What lets a row through where its rule says nothing else.
BY_ITSELF = {
    Severity.BLOCK: "",
    Severity.HOLD: "a witness; or a person",
    Severity.WARN: "it is merged; the next figures that fit",
    Severity.INFO: "",
}


def row(rule: Rule) -> str:
    """One line of the rule book."""
    thresholds = ", ".join(f"{name} {value:g}" for name, value in rule.thresholds.items())
    consequence = rule.severity.value
    if rule.severity is Severity.HOLD:
        consequence = OF_LISTS.get(rule.subject, "hold: that figure" if rule.cells else "hold")
    lifts = rule.lifts or BY_ITSELF[rule.severity]
    if rule.severity is Severity.BLOCK:
        lifts += "; or a person"
    cells = (f"`{rule.id}`", rule.title, consequence, SHOWN_ON[rule.subject], thresholds, lifts)
    return "| " + " | ".join(cells) + " |"


#: Every rule of the project.
EVERY = (*listing.RULES, events.SHRINK, *events.RULES, *rules.RULES.values())


def render() -> str:
    """The whole page."""
    lines = [
        HEAD,
        "| rule | demand | a breach | check of | thresholds | lifted by |",
        "|---|---|---|---|---|---|",
        *map(row, EVERY),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, render(), sys.argv[1:]))
