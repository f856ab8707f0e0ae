"""How a batch that a person rejected is told from one that a rule holds.

Belongs here: the beginning of its `held_because`, and that as a condition in SQL. Does not
belong here: rejecting (`warehouse/stores/publish.py`).
"""

REJECTED_BY = "rejected by "
IS_REJECTED = f"SUBSTR(held_because, 1, {len(REJECTED_BY)}) = '{REJECTED_BY}'"
