"""The process in which akshare reads what a source sent.

Belongs here: limits of memory and time, and the pipe to the process that asks. Does not belong
here: what akshare is asked (`akshare_client.py`).

It has loaded akshare once and forks for each call, which takes a few milliseconds: what one
answer does to a parser ends with its call. It has an empty environment, and where the system
allows it no network.
"""

import json
import os
import signal
import struct
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from fund_assets.sources.eastmoney.sandbox import no_network

#: For what a call adds to what is loaded.
MEMORY_BYTES = 2**30
CPU_S = 60
TIMEOUT_S = 90
_LENGTH = struct.Struct(">Q")


def send(pipe: IO[bytes], head: Mapping[str, Any], bodies: Sequence[bytes] = ()) -> None:
    """Write a message: JSON and some bytes, each after its length."""
    for part in (json.dumps({**head, "bodies": len(bodies)}).encode(), *bodies):
        pipe.write(_LENGTH.pack(len(part)))
        pipe.write(part)
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[dict[str, Any], list[bytes]] | None:
    """Read a message; None at the end of the pipe."""
    if (head := _part(pipe)) is None:
        return None
    told = json.loads(head)
    bodies = [_part(pipe) for _ in range(told["bodies"])]
    return None if None in bodies else (told, [body for body in bodies if body is not None])


def _part(pipe: IO[bytes]) -> bytes | None:
    length = pipe.read(_LENGTH.size)
    if len(length) < _LENGTH.size:
        return None
    part = pipe.read(size := _LENGTH.unpack(length)[0])
    return part if len(part) == size else None


def main() -> None:
    """Answer calls until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with the process that asks
    no_network()
    asked = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints goes elsewhere
    import akshare  # noqa: F401

    import fund_assets.sources.eastmoney.akshare_calls  # noqa: F401

    while (message := receive(asked)) is not None:
        answers.write(_apart(*message))
        answers.flush()


def _apart(head: dict[str, Any], bodies: list[bytes]) -> bytes:
    """The message that a process of its own made of a call."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.close(reads)
            _limit()
            with os.fdopen(writes, "wb") as pipe:
                send(pipe, _called(head, bodies))
            status = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writes)
    with os.fdopen(reads, "rb") as pipe:
        said = pipe.read()
    _, ended = os.waitpid(child, 0)
    if not ended:
        return said
    how = (
        f"signal {signal.Signals(os.WTERMSIG(ended)).name}"
        if os.WIFSIGNALED(ended)
        else f"status {os.waitstatus_to_exitcode(ended)}"
    )
    told = json.dumps({"over": how, "bodies": 0}).encode()
    return _LENGTH.pack(len(told)) + told


def _called(head: dict[str, Any], bodies: list[bytes]) -> dict[str, Any]:
    from fund_assets.sources.eastmoney.akshare_calls import Said, call

    said = [Said(body=body, **told) for told, body in zip(head["answers"], bodies, strict=True)]
    return call(head["function"], said, head["args"], head["kwargs"])


def _limit() -> None:
    import resource  # only POSIX systems have it

    pages = Path("/proc/self/statm").read_text().split()[5]
    # Libraries reserve a gigabyte and use none of it.
    reserved = int(pages) * resource.getpagesize()
    for what, most in (
        (resource.RLIMIT_DATA, reserved + MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(TIMEOUT_S)
