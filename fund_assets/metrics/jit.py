"""How this package compiles its loops to machine code.

Belongs here: the one decorator, `compiled`. Does not belong here: any loop.
"""

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(loop: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `loop` at its first call; it then runs without the interpreter's lock.

    Machine code is kept beside the module, in the user's cache folder or in
    `NUMBA_CACHE_DIR`, whichever can be written; where none can, every process compiles anew
    (some ten seconds). A file's kept code is renewed when that file changes, not when another
    one does: a compiled loop must call only loops, and read only constants, of its own file.

    Floats are added in the written order (no fast-math): a sum has the same last digit in
    every process and on every machine, so that measuring again changes nothing.
    """
    try:
        made: Callable[..., Any] = njit(cache=True, nogil=True, error_model="numpy")(loop)
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        made = njit(nogil=True, error_model="numpy")(loop)
    return made
