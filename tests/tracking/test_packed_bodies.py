"""Bodies that were packed in several parts."""

from __future__ import annotations

import gzip

import pytest

from tracking.collector import bodies
from tracking.steps import Dropped


def test_a_body_packed_in_parts_is_read_whole_within_the_same_limit():
    def unpack(packed: bytes, largest: int = 1_000) -> bytes:
        return bodies._unpack(packed, b"gzip", largest)

    one, two = gzip.compress(b"a" * 600), gzip.compress(b"b" * 400)
    assert unpack(one + two) == b"a" * 600 + b"b" * 400
    assert unpack(one + b"\0" * 512) == b"a" * 600  # padded
    assert unpack(gzip.compress(b"") + one) == b"a" * 600
    with pytest.raises(bodies.TooLarge):
        unpack(one + two, 999)
    with pytest.raises(bodies.TooLarge):
        unpack(one + gzip.compress(b"b" * 50_000_000))
    for bad in (one + b"junk", one + two[:-1], b"", gzip.compress(b"") * 20_000):
        with pytest.raises(Dropped):
            unpack(bad)
