"""SQLite and MySQL behind one face: connections, transactions, statements and bulk reads.

Belongs here: what differs from one database to the other, and reading and writing any table.
Does not belong here: the meaning of a table (`stores/`, `queries/`).
"""
