"""The views of the warehouse, as SQL that every engine takes.

Belongs here: their text, once. Does not belong here: making them (`ddl.py`), or tables.
"""

from fund_assets.schemas.columns import OBSERVED_NAMES

#: `known_to` of the values that hold now.
STILL_KNOWN = 9999_12_31_23_59_59

_KEPT = ("fund_code", "nav_date", *OBSERVED_NAMES, "first_seen_at", "batch_id")
_CORRECTED = (
    "(SELECT MAX(e.superseded_at) FROM nav_revision AS e WHERE e.fund_code = {0}.fund_code "
    "AND e.nav_date = {0}.nav_date{1})"
)

#: Every value that a fund and date ever had, and when it was the accepted one: from
#: known_from on and before known_to. What was known at T is
#:     SELECT * FROM nav_versions
#:     WHERE fund_code = '000001' AND known_from <= T AND T < known_to
NAV_VERSIONS = f"""
SELECT {", ".join(f"r.{name} AS {name}" for name in _KEPT)},
       COALESCE({_CORRECTED.format("r", " AND e.superseded_at < r.superseded_at")},
                r.first_seen_at) AS known_from,
       r.superseded_at AS known_to
FROM nav_revision AS r
UNION ALL
SELECT {", ".join(f"v.{name} AS {name}" for name in _KEPT)},
       COALESCE({_CORRECTED.format("v", "")}, v.first_seen_at) AS known_from,
       {STILL_KNOWN} AS known_to
FROM validated_nav AS v
"""

#: name → its SELECT.
VIEWS = {"nav_versions": NAV_VERSIONS}
