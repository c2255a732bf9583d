"""How a web process keeps its memory."""

import gc

# New containers before the collector of reference cycles looks at them, young and older ones. A
# group of messages, or a page, is thousands of them, all alive and without a cycle: looking often
# is in vain.
GARBAGE_THRESHOLDS = (50_000, 20, 20)


def settle_memory() -> None:
    """Called once at the start. What was imported stays for ever: no collection looks again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
