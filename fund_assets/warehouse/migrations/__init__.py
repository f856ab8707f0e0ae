"""How tables of an older release become those of this one: Alembic's scripts.

Belongs here: one script in `versions/` per change of a table that has been released. Does
not belong here: the tables themselves; a new warehouse is made from their declarations, as
of `HEAD` (`upgrade.py`).
"""

from pathlib import Path

#: Before the names of a table that is being filled, and of one whose place was taken.
NEW, OLD = "migration_new_", "migration_old_"
#: The revision of the newest script, by the names of the files: r0010_fillings.py is 0010.
HEAD = max(path.name[1:5] for path in (Path(__file__).parent / "versions").glob("r*_*.py"))
