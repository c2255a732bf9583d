"""Where the embedded servers keep their files, and which Linux user may reach them.

Everything stands in the git-ignored folder `.run`. Two things may have to move
out of it: PostgreSQL refuses to run as root, so that as root its data must be
reachable by another user; and the path of a Unix socket may have 107
characters at most.
"""

import hashlib
import os
import pwd
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .errors import CannotStart
from .processes import as_user

ROOT = Path(__file__).resolve().parent.parent.parent
POSTGRES_USER = "pgserver"  # the name that the packaged PostgreSQL uses, too
LONGEST_SOCKET_PATH = 107
SOCKET_NAME = ".s.PGSQL.5432.lock"


@dataclass(frozen=True)
class Place:
    """Folders of one set of servers; `user` is who runs PostgreSQL (None: we ourselves)."""

    folder: Path
    postgres: Path
    socket: Path
    user: str | None


def prepare_place(folder: Path) -> Place:
    """Make the folders below `folder` (its parent may be missing too). Raises CannotStart."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"The folder {folder} cannot be made ({error.strerror}).") from error
    if os.geteuid() != 0:
        return Place(folder, folder, _socket_folder(folder), None)
    user = _ensure_user()
    for parent in (folder, *folder.parents):
        # Ours alone: never open up folders above the checkout.
        if parent == ROOT or ROOT not in parent.parents:
            break
        parent.chmod(0o755)
    home = folder if can_reach(user, folder) else _fallback(folder)
    return Place(folder, home, _socket_folder(home, user), user)


def can_reach(user: str, path: Path) -> bool:
    """Whether that Linux user can execute this file or enter this folder. Only root may ask."""
    test = ["/bin/sh", "-c", 'test -x "$0"', str(path)]
    return subprocess.run(test, cwd="/", capture_output=True, **as_user(user)).returncode == 0


def write_secret(path: Path, text: str) -> None:
    """Write a file that only we may read, in one step."""
    partial = path.with_name(f".{path.name}.new")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    partial.replace(path)


def run_folder() -> Path:
    """The folder of `make run`: `.run` in the checkout, or FUNNEL_RUN_FOLDER."""
    return Path(os.environ.get("FUNNEL_RUN_FOLDER") or ROOT / ".run").resolve()


def _ensure_user() -> str:
    """The unprivileged Linux user for PostgreSQL, made when missing."""
    try:
        pwd.getpwnam(POSTGRES_USER)
    except KeyError:
        try:
            subprocess.run(
                ["useradd", "--system", "--user-group", POSTGRES_USER],
                check=True,
                capture_output=True,
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise CannotStart(
                f"PostgreSQL does not run as root, and the Linux user '{POSTGRES_USER}' could not "
                "be made; make it by hand (useradd pgserver) or run as an ordinary user."
            ) from error
    return POSTGRES_USER


def _fallback(folder: Path) -> Path:
    """For root's checkouts in a closed home: a folder to pass through that outlives reboots."""
    fallback = Path("/var/lib") / f"funnel-{_short_name(folder)}"
    try:
        fallback.mkdir(mode=0o755, exist_ok=True)
        fallback.chmod(0o755)
    except OSError as error:
        raise CannotStart(
            f"PostgreSQL runs as the user '{POSTGRES_USER}', who can reach neither {folder} nor "
            f"{fallback}; move the checkout to a folder that everybody can enter."
        ) from error
    return fallback


def _socket_folder(home: Path, user: str | None = None) -> Path:
    """A folder for PostgreSQL's socket that only its owner can enter, with a short enough path."""
    candidate = home / "socket"
    if len(str(candidate / SOCKET_NAME)) > LONGEST_SOCKET_PATH:
        candidate = Path(tempfile.gettempdir()) / f"funnel-{_short_name(home)}-{os.geteuid()}"
    candidate.mkdir(mode=0o700, exist_ok=True)
    owner = pwd.getpwnam(user) if user else pwd.getpwuid(os.geteuid())
    stat = candidate.lstat()
    if candidate.is_symlink() or stat.st_uid not in (os.geteuid(), owner.pw_uid):
        raise CannotStart(
            f"The folder {candidate} belongs to somebody else; remove it and start again."
        )
    candidate.chmod(0o700)
    if stat.st_uid != owner.pw_uid:
        os.chown(candidate, owner.pw_uid, owner.pw_gid)
    return candidate


def _short_name(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:10]
