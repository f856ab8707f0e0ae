"""Remote JavaScript, evaluated where it can do no harm.

Belongs here: the engine that akshare's functions get instead of py_mini_racer. Does not
belong here: our own decoders, which evaluate nothing.

The engine that akshare brings is V8 of 2021. A script that allocates without end takes its
whole process down, and the engine's own memory limit makes an honest script of 400 kB take
20 s (measured with py-mini-racer 0.6.0). So each evaluation runs in a child process with
limits of the operating system, which costs a tenth of a second. The child has an empty
environment, can open neither a file nor a connection, and where the system allows it there is
no network around it.
"""

import json
import subprocess
import sys
from typing import Any

from fund_assets.sources.eastmoney.sandbox import no_network, python

_TIMEOUT_S = 30
_CPU_S = 20
_MEMORY_BYTES = 2**30


class JavaScriptError(RuntimeError):
    """A script failed, or went beyond its limits."""


def main() -> None:
    """The child: reads script and expression, writes the value; all as JSON."""
    import resource

    no_network()
    from py_mini_racer import MiniRacer

    script, expression = json.load(sys.stdin)
    engine = MiniRacer()
    engine.eval("1")  # what it loads is loaded
    for what, most in (
        (resource.RLIMIT_DATA, _MEMORY_BYTES),
        (resource.RLIMIT_CPU, _CPU_S),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 3),  # input, output and errors, and nothing more
    ):
        resource.setrlimit(what, (most, most))
    engine.eval(script)
    json.dump(engine.execute(expression), sys.stdout)


class ChildEngine:
    """The part of `py_mini_racer.MiniRacer` that akshare's fund functions use."""

    def __init__(self) -> None:
        self._script = ""

    def eval(self, code: str) -> None:
        """Take in a script; it runs with the next `execute`."""
        self._script += f"{code}\n"

    def execute(self, expression: str) -> Any:
        """The value of `expression` after the scripts, by way of JSON.

        Raises:
            JavaScriptError: it failed, took longer than 20 s or more than 1 GB.
        """
        try:
            done = subprocess.run(  # noqa: S603
                python(__name__),
                env={},
                input=json.dumps([self._script, expression]),
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired:
            raise JavaScriptError(f"the script ran longer than {_TIMEOUT_S} s") from None
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise JavaScriptError(f"the engine ended with {done.returncode}: {last[:200]}")
        return json.loads(done.stdout)

    def call(self, function: str, *arguments: Any) -> Any:
        """What a function of the scripts returns; dates come as ISO texts."""
        return self.execute(f"{function}({', '.join(map(json.dumps, arguments))})")
