"""How tables of an older release become those of this one: Alembic's scripts.

Belongs here: one script in `versions/` per change of a table that has been released. Does
not belong here: the tables themselves; a new warehouse is made from their declarations, as
of `HEAD` (`upgrade.py`).
"""

#: Tables as they were before they had migrations.
BASELINE = "0001"
HEAD = "0010"
