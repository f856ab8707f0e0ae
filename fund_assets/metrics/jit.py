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
    (a few seconds). A file's kept code is renewed when that file changes, not when another
    one does: a compiled loop must call only loops, and read only constants, of its own file.
    """
    return _compiled(loop)


def compiled_sums(loop: Callable[..., Any]) -> Callable[..., Any]:
    """As `compiled`, and sums may be taken in any order, several terms at once.

    For loops that add up many terms. The last digits of such a sum differ between kinds of
    processors, never between runs on one.
    """
    return _compiled(loop, fastmath={"reassoc", "nsz", "contract"})


def _compiled(loop: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    made: Callable[..., Any]
    try:
        made = njit(cache=True, nogil=True, **options)(loop)
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        made = njit(nogil=True, **options)(loop)
    return made
