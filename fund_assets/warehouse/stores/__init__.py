"""What is written: one module for each group of tables, with the reads that its writing needs.

Belongs here: statements that change tables. Does not belong here: reads for people
(`queries/`), how a database takes rows (`engine/`).
"""
