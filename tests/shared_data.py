"""Real files that some tests read; they are not in the repository, a machine has them or not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
_FOLDER = Path(os.environ.get("FUNNEL_SHARED_DATA", _BESIDE))


def real_file(name: str) -> bytes:
    """The bytes of a file of the shared data; skips the test where there is none."""
    path = _FOLDER / name
    if not path.exists():
        pytest.skip(f"{name} is not on this machine")
    return path.read_bytes()
