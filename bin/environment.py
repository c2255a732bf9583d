"""The Python environment `.venv`, installed from the hashed locks in requirements/."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from telling import ROOT, RUN_FOLDER, CannotGoOn, require_room, run_told, say

FOLDER = ROOT / ".venv"
PYTHON = FOLDER / "bin" / "python"
# There only while packages are being installed: found at the start of a run,
# it says that the last one was killed and the environment cannot be trusted.
UNFINISHED = FOLDER / ".unfinished"

PIP_OPTIONS = ("--require-hashes", "--no-deps", "--no-input", "--progress-bar=off", "--no-compile")
# What hardly anybody reads is compiled when it is read: tests of packages, tools, and the like.
LATER = r"/site-packages/(.+/)?(tests?|faker|pygments|mypy|mypyc|pip|playwright)/"


def ensure_environment(lock: str) -> None:
    """Make `.venv` hold exactly what `requirements/<lock>.txt` lists. Quick when it does."""
    if not _is_sound():
        _make_environment()
    # dev.txt holds all of embedded.txt in the same versions (a test holds that).
    if _is_installed(lock) or _is_installed("dev"):
        return
    _install(lock)
    _stamp(lock).write_text(_fingerprint(lock))


def _stamp(lock: str) -> Path:
    return FOLDER / f".installed-{lock}"


def _is_installed(lock: str) -> bool:
    stamp = _stamp(lock)
    return stamp.exists() and stamp.read_text() == _fingerprint(lock)


def _is_sound() -> bool:
    """Whether `.venv` is there, finished, and its Python still runs (its base may be gone)."""
    if not PYTHON.exists() or UNFINISHED.exists():
        return False
    probe = [
        str(PYTHON),
        "-c",
        "import pip, sys; sys.exit(not (3, 12) <= sys.version_info[:2] < (3, 15))",
    ]
    return subprocess.run(probe, capture_output=True).returncode == 0


def _make_environment() -> None:
    require_room(2500)
    version = ".".join(map(str, sys.version_info[:3]))
    say(f"Making the Python environment .venv with Python {version} …")
    shutil.rmtree(FOLDER, ignore_errors=True)
    run_told(
        [sys.executable, "-m", "venv", str(FOLDER)],
        log=RUN_FOLDER / "venv.log",
        what="Making the Python environment",
    )


def _fingerprint(lock: str) -> str:
    """Changes when the lock, the Python or the place of the checkout changes."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_bytes()
    return f"{hashlib.sha256(text).hexdigest()} {PYTHON.resolve()} {FOLDER}"


def _install(lock: str) -> None:
    path = Path("requirements") / f"{lock}.txt"
    total = sum("==" in line and not line.startswith((" ", "#")) for line in (ROOT / path).open())
    say(f"Installing {total} Python packages from {path} (a minute or two the first time) …")
    UNFINISHED.write_text("")
    try:
        run_told(
            [str(PYTHON), "-m", "pip", "install", *PIP_OPTIONS, "--requirement", str(path)],
            log=RUN_FOLDER / "pip.log",
            what="Installing the Python packages",
            progress=_progress_of_pip,
            environment=os.environ
            | {"PIP_ROOT_USER_ACTION": "ignore", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
        _compile()
    except CannotGoOn:
        # The command ended by itself: pip undid what it had begun.
        UNFINISHED.unlink()
        raise
    UNFINISHED.unlink()


def _compile() -> None:
    """Compile the packages with all processors, which pip would do with one."""
    try:
        run_told(
            [str(PYTHON), "-m", "compileall", "-q", "-j", "0", "-x", LATER, str(FOLDER)],
            log=RUN_FOLDER / "compile.log",
            what="Compiling the Python packages",
            progress=lambda _lines: "compiling them",
        )
    except CannotGoOn as reason:
        # Packages bring files for other versions of Python, which nobody imports here.
        say(f"  {reason}")


def _progress_of_pip(lines: list[str]) -> str:
    if any(line.startswith("Installing collected packages") for line in lines):
        return "unpacking them"
    seen = sum(line.startswith(("Collecting ", "Requirement already")) for line in lines)
    return f"{seen} fetched"


def compile_locks() -> None:
    """Make requirements/*.txt anew from the *.in files, the same versions in all of them.

    The largest set is resolved first; the others take its versions.
    """
    uv = shutil.which("uv") or _uv_in_environment()
    common = [uv, "pip", "compile", "--universal", "--generate-hashes", "--no-emit-index-url"]
    common += ["--no-header", "--python-version", "3.12", "--upgrade", "--quiet"]
    for name in ("dev", "embedded", "production"):
        target = f"requirements/{name}.txt"
        say(f"Resolving {target} …")
        constraint = [] if name == "dev" else ["--constraint", "requirements/dev.txt"]
        run_told(
            [*common, *constraint, f"requirements/{name}.in", "--output-file", target],
            log=RUN_FOLDER / "lock.log",
            what=f"Resolving {target}",
            # The machine's certificates, also under the option's later name.
            environment=os.environ | {"UV_NATIVE_TLS": "1", "UV_SYSTEM_CERTS": "1"},
        )


def _uv_in_environment() -> str:
    """uv from the environment, installed there on first use: only `make lock` needs it."""
    uv = FOLDER / "bin" / "uv"
    if not uv.exists():
        run_told(
            [str(PYTHON), "-m", "pip", "install", "--quiet", "uv"],
            log=RUN_FOLDER / "lock.log",
            what="Installing uv",
        )
    if not uv.exists():
        raise CannotGoOn("uv, which makes the locks, could not be installed.")
    return str(uv)
