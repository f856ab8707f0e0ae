"""How old a value may be that stands for a date.

Belongs here: the one limit of all measures, reports and trials (docs/metrics.md). Does not
belong here: what is measured.
"""

#: A value this many calendar days older than a date still stands for it: a fund's NAV for the
#: start of a window or the end of a month, an index's close for a NAV date, and the last NAV
#: of a fund that counts as alive. Weekly funds over the longest exchange holidays (11 days
#: between sessions) stay within.
VALUE_AGE_DAYS = 15
