"""Mutants: lines changed on purpose, one at a time, and whether a test notices.

Belongs here: the command (`make mutants`), what is changed (`changes.py`), which tests may
notice (`reach.py`), the trial of one change (`trials.py`), and the changes that change nothing
(`equal.toml`). Does not belong here: tests of the platform.
"""
