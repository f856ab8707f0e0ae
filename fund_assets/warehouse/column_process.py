"""A program: reads a query from standard input, writes its rows as an Arrow stream.

Started by `bulk.py` as its own process, because connectorx carries its own copy of SQLite.
Two copies in one process do not see each other's file locks: the second one to open a
database takes itself for the only user, deletes the write-ahead log when it closes, and the
first one's commits are lost. It imports nothing of this project, so that it starts at once.
"""

import json
import sys


def main() -> None:
    """Answer one query: {"url", "sql", "batch_rows"} in, Arrow IPC out, faults as exit 1."""
    import connectorx
    import pyarrow as pa

    query = json.load(sys.stdin)
    try:
        reader = connectorx.read_sql(
            query["url"],
            query["sql"],
            return_type="arrow_stream",
            batch_size=query["batch_rows"],
        )
        with pa.ipc.new_stream(sys.stdout.buffer, reader.schema) as sink:
            for batch in reader:
                sink.write_batch(batch)
    except BrokenPipeError:
        sys.stdout = None  # the reader has gone: it wants no more rows
    except BaseException as fault:  # connectorx panics with what is no Exception
        sys.exit(str(fault))


if __name__ == "__main__":
    main()
