"""A program: puts an Arrow stream from standard input into a table of a SQLite file.

Started by `sqlite.py` as its own process: ADBC carries its own copy of SQLite, see
`read_worker.py`. It imports nothing of this project, so that it starts at once.
"""

import sys


def main() -> None:
    """Path, table and PRAGMAs as arguments; a line is answered for every batch committed.

    Faults end it with exit code 1 and their text on standard error.
    """
    import pyarrow as pa
    from adbc_driver_sqlite import dbapi

    path, table, *pragmas = sys.argv[1:]
    try:
        with dbapi.connect(path, autocommit=True) as connection, connection.cursor() as cursor:
            for pragma in pragmas:
                cursor.execute(f"PRAGMA {pragma}")
                cursor.fetchall()
            for batch in pa.ipc.open_stream(sys.stdin.buffer):
                cursor.adbc_ingest(table, batch, mode="append")  # one transaction
                print(batch.num_rows, flush=True)
    except Exception as fault:
        sys.exit(str(fault))


if __name__ == "__main__":
    main()
