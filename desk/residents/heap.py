"""What a burst takes of the machine's memory goes back: how the C library keeps the heap of a resident.

The market comes in bursts, above all after a link or Redis was away; printing one takes tens of megabytes for
a moment. As it comes, glibc keeps such a peak for each thread that ever printed one (an arena of its own for
up to eight times the processors), and after the first large buffer that was given back it keeps buffers up to
32 MB, and twice as much at its end: a listener of a hundred symbols held 250 MB, of which 35 were in use.

So there is one arena (only one thread of Python's runs at a time), and a large buffer is the machine's own
mapping, which goes back when it is freed. One small block at the heap's end still keeps all below it, so
every ten seconds the free pages go back wherever they are. Measured with bursts of 5,000 rows: 53 MB instead
of 76, and no slower. Where the C library is another one, its own ways stand. Keep out: what the desk itself
keeps.
"""

import ctypes
import threading

ARENAS_MAX = 1
LARGE_BYTES = 1024 * 1024  # a buffer from this size on is a mapping of its own
KEPT_FREE_BYTES = 1024 * 1024  # at the heap's end; what is free beyond it goes back
SETTINGS = ((-8, ARENAS_MAX), (-3, LARGE_BYTES), (-1, KEPT_FREE_BYTES))  # numbers of glibc's malloc.h
GIVE_BACK_EVERY_S = 10.0  # a millisecond, without the interpreter's lock


def keep_heap_small() -> bool:
    """Set the heap of this process, before its threads begin; False where the C library cannot."""
    library = _glibc()
    if library is None:
        return False
    taken = [library.mallopt(number, value) for number, value in SETTINGS]
    threading.Thread(target=_give_back_forever, name="heap", daemon=True).start()
    return all(taken)


def give_back() -> None:
    """Give every page back in which nothing is."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def _give_back_forever() -> None:
    never = threading.Event()
    while not never.wait(GIVE_BACK_EVERY_S):
        give_back()


def _glibc() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(None)
        return library if library.mallopt and library.malloc_trim else None
    except (AttributeError, OSError):
        return None
