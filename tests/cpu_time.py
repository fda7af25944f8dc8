"""The CPU time of one call, without what else the test process does."""

import gc
import time
from collections.abc import Callable


def timed[Result](call: Callable[[], Result]) -> tuple[Result, float]:
    """What `call` returns, and the seconds of CPU that this thread spends in it.

    Threads that other tests left behind are not counted. Objects that other tests left behind are not searched by the
    garbage collector during the call; what the call itself allocates is.
    """
    gc.collect()
    gc.freeze()
    try:
        begun = time.thread_time()
        result = call()
        return result, time.thread_time() - begun
    finally:
        gc.unfreeze()
