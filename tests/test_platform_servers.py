"""The packaged PostgreSQL and Redis: durable, private, back after any death, never left behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from funnel_app.embedded.children import Child, Family
from funnel_app.embedded.errors import CannotStart
from funnel_app.embedded.place import LONGEST_SOCKET_PATH, ROOT, SOCKET_NAME, prepare_place
from funnel_app.embedded.ports import free_port, listen_on
from funnel_app.embedded.postgres import STOP_SIGNAL, Postgres
from funnel_app.embedded.processes import PidRecord, same_process, spawn
from funnel_app.embedded.redis import Redis

pytestmark = pytest.mark.servers

ORPHAN_MAKER = """
import os, subprocess, sys
from funnel_app.embedded.processes import spawn
child = spawn(["sleep", "60"], environment=dict(os.environ), output=None)
print(child.pid, flush=True)
input()
"""


@pytest.fixture
def folder():
    """A folder for servers that PostgreSQL's own user can reach, gone afterwards."""
    path = ROOT / ".run" / f"test-servers-{os.getpid()}"
    yield path
    place = prepare_place(path)
    for made in {path, place.postgres, place.socket}:
        shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def postgres(folder):
    """A PostgreSQL that has its files but does not run yet."""
    server = Postgres(prepare_place(folder))
    server.prepare()
    return server


@pytest.fixture
def family(folder):
    """Looks after children until the end of the test."""
    folder.mkdir(parents=True, exist_ok=True)
    family = Family(folder)
    yield family
    family.stop(family.children)


def keep_alive(family: Family, postgres: Postgres) -> Child:
    child = family.add(
        Child(
            "postgres",
            postgres.command,
            dict(os.environ),
            stop_signal=STOP_SIGNAL,
            user=postgres.place.user,
            is_quiet=True,
            patience=30,
        )
    )
    postgres.wait_until_ready(family.alive(child))
    return child


def is_dead_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def setting(postgres: Postgres, name: str) -> str:
    with psycopg.connect(postgres.url("postgres")) as connection:
        (value,) = connection.execute("SELECT current_setting(%s)", [name]).fetchall()[0]
        return value


def test_postgresql_is_durable_and_listens_to_its_owner_only(folder, postgres, family):
    keep_alive(family, postgres)

    assert setting(postgres, "fsync") == "on"
    assert setting(postgres, "synchronous_commit") == "on"
    assert setting(postgres, "listen_addresses") == ""
    assert postgres.place.socket.stat().st_mode & 0o077 == 0


def test_killed_servers_come_back_on_the_same_address_with_their_data(folder, postgres, family):
    server = keep_alive(family, postgres)
    redis = Redis(folder)
    redis.prepare()
    broker = family.add(Child("redis", redis.command, dict(os.environ), is_quiet=True))
    redis.wait_until_ready(family.alive(broker))
    with psycopg.connect(postgres.url("postgres")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")

    for _ in range(3):
        os.kill(server.process.pid, signal.SIGKILL)
        os.kill(broker.process.pid, signal.SIGKILL)
        family.look_after(0.3)
        family.look_after(1)
        postgres.wait_until_ready(lambda: family.look_after(0.1) or True, patience=30)
        redis.wait_until_ready(lambda: family.look_after(0.1) or True)

    with psycopg.connect(postgres.url("postgres")) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_lock_file_whose_pid_belongs_to_somebody_else_is_no_obstacle(postgres, family):
    lock = postgres.data / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{postgres.data}\n")

    postgres.prepare()

    assert not lock.exists()
    keep_alive(family, postgres)


def test_a_server_left_running_is_stopped_before_the_next_start(postgres):
    left_behind = spawn(
        postgres.command(),
        environment=dict(os.environ),
        stop_signal=STOP_SIGNAL,
        user=postgres.place.user,
        output=subprocess.DEVNULL,
    )
    postgres.wait_until_ready(lambda: left_behind.poll() is None)

    postgres.prepare()

    assert left_behind.wait(1) == 0


def test_an_interrupted_initdb_is_begun_anew(folder):
    place = prepare_place(folder)
    (place.postgres / "postgres.new").mkdir()
    (place.postgres / "postgres.new" / "PG_VERSION").write_text("18\n")

    server = Postgres(place)
    server.prepare()

    assert (server.data / "global" / "pg_control").exists()


def test_data_of_another_version_is_refused_in_one_sentence(postgres):
    (postgres.data / "PG_VERSION").write_text("9\n")

    with pytest.raises(CannotStart, match=r"made by PostgreSQL 9 and the packaged server is \d+"):
        postgres.prepare()


def test_a_long_path_gets_a_short_socket(folder):
    place = prepare_place(folder / ("deep" * 25))
    try:
        assert len(str(place.socket / SOCKET_NAME)) <= LONGEST_SOCKET_PATH
        assert place.socket.stat().st_mode & 0o777 == 0o700
    finally:
        shutil.rmtree(place.socket)
        shutil.rmtree(place.postgres, ignore_errors=True)


def test_redis_keeps_its_port_and_its_password_and_is_closed_to_others(folder, family):
    first, second = Redis(family_folder(folder)), Redis(folder)
    first.prepare()
    second.prepare()

    assert first.url() == second.url()
    assert (folder / "redis.conf").stat().st_mode & 0o077 == 0


def family_folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel must tie lives together")
def test_children_die_with_their_killed_parent():
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHAN_MAKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    child = int(parent.stdout.readline())

    parent.kill()
    parent.wait()

    assert is_dead_within(child, 5)
    parent.stdin.close()
    parent.stdout.close()


def test_a_recycled_pid_is_never_taken_for_a_child(tmp_path):
    record = PidRecord(tmp_path / "processes.json")
    record.note("web", os.getpid())
    record.entries["relay"] = [os.getpid(), psutil.Process().create_time() - 60]
    record.note("beat", 2**22 + 1)

    left = PidRecord(tmp_path / "processes.json").left_behind()

    assert set(left) == {"web"}
    assert same_process(os.getpid(), 0) is None


def test_a_port_in_use_is_one_sentence():
    port = free_port()
    listener = listen_on("127.0.0.1", port)
    try:
        with pytest.raises(CannotStart, match=rf"127\.0\.0\.1:{port} cannot be used"):
            listen_on("127.0.0.1", port)
    finally:
        listener.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user to reach things for")
def test_programs_out_of_reach_are_copied_beside_the_data(folder, monkeypatch, family):
    monkeypatch.setattr("funnel_app.embedded.postgres.can_reach", lambda *_: False)
    server = Postgres(prepare_place(folder))

    server.prepare()
    keep_alive(family, server)

    assert server.command()[0].startswith(str(server.place.postgres))
