"""Memory that is let go goes back to the system at once: for a command that works beside others.

Allocators keep what is freed, for later. Whoever reads a large register once and then works on a little of it
holds twice what it needs.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

POLARS = "_RJEM_MALLOC_CONF"
"""Where Polars' allocator (jemalloc) reads its settings when it is loaded."""
ARROW = "ARROW_DEFAULT_MEMORY_POOL"
_ARENA_MAX, _TRIM_THRESHOLD, _MMAP_THRESHOLD = -8, -1, -3
"""Of glibc's mallopt (malloc.h)."""
_LARGE = 1 << 17


def give_back() -> None:
    """Have it so from here on. Before Polars is imported; what the environment says already stays."""
    os.environ.setdefault(POLARS, "dirty_decay_ms:0,muzzy_decay_ms:0")
    os.environ.setdefault(ARROW, "system")
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library than glibc
            libc = ctypes.CDLL("libc.so.6")
            for option, value in ((_ARENA_MAX, 2), (_TRIM_THRESHOLD, _LARGE), (_MMAP_THRESHOLD, _LARGE)):
                libc.mallopt(option, value)
