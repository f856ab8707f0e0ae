"""Every rule of the project, in one order.

Does not belong here: any rule; the pages that show them (`checks/rule_pages.py`).
"""

from fund_assets.nav import events, list_rules, rules

EVERY = (*list_rules.RULES, events.SHRINK, *events.RULES, *rules.RULES.values())
