"""What each step of the evening does: a source or the warehouse, and one pure function.

Belongs here: reading, calling and writing in the right order, for the assets and the
command line alike. Does not belong here: Dagster, SQL, or any rule or formula.
"""
