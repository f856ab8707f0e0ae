"""What each asset does without Dagster: a source or the warehouse, and one pure function.

Belongs here: reading, calling and writing in the right order, one file for an asset, for
Dagster and the command line alike. Does not belong here: Dagster, SQL, or any rule or formula.
"""
