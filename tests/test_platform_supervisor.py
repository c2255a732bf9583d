"""`make run` as a whole: it opens, heals, refuses a second start, and leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest

from funnel_app.embedded.place import ROOT, prepare_place
from funnel_app.embedded.ports import free_port

pytestmark = pytest.mark.servers
OWN_ADDRESSES = ("DATABASE_URL", "REDIS_URL", "ENVIRONMENT")


class Product:
    """One `make run` (without its set-up) in a folder and on a port of its own."""

    process: "subprocess.Popen[str]"

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.output = folder.with_suffix(".log")

    def start(self) -> None:
        self.process = self._spawn()
        wait_for(lambda: "The funnel is open at" in self.said() or self.process.poll() is not None)
        assert self.process.poll() is None, self.said()

    def start_second(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(), cwd=ROOT, env=self._environment(), capture_output=True, text=True
        )

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(40)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def children(self) -> dict[str, psutil.Process]:
        """The direct children by a word of their command line."""
        words = ("postgres", "redis", "valkey", "uvicorn", "worker", "beat", "relay")
        found = {}
        for child in psutil.Process(self.process.pid).children():
            try:
                line = " ".join(child.cmdline())
            except psutil.Error:  # just gone
                continue
            name = next((word for word in words if word in line), None)
            if name:
                found["redis" if name == "valkey" else name] = child
        return found

    def answers(self) -> bool:
        try:
            address = f"http://127.0.0.1:{self.port}/livez"
            with urllib.request.urlopen(address, timeout=5) as response:
                return response.status == 200
        except OSError:
            return False

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def query(self, statement: str) -> object:
        """The first value of a statement's answer, from the address noted for manage.py."""
        with psycopg.connect(self.database_url()) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall()[0][0] if cursor.description else None

    def is_database_ready(self) -> bool:
        try:
            return self.query("SELECT 1") == 1
        except psycopg.OperationalError:
            return False

    def database_url(self) -> str:
        noted = (self.folder / "environment").read_text().replace("'", "").splitlines()
        return dict(line.split("=", 1) for line in noted)["DATABASE_URL"]

    def _spawn(self) -> "subprocess.Popen[str]":
        with self.output.open("a") as output:
            output.truncate(0)
            return subprocess.Popen(
                self._command(),
                cwd=ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "funnel_app.embedded.supervisor"]

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in OWN_ADDRESSES}
        own = {"FUNNEL_RUN_FOLDER": str(self.folder), "PORT": str(self.port), "DEMO": "no"}
        return {**kept, **own}


def wait_for(condition: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def product():
    """A running product with an empty database, stopped and cleared away afterwards."""
    folder = ROOT / ".run" / f"test-product-{os.getpid()}"
    product = Product(folder, free_port())
    folder.parent.mkdir(exist_ok=True)
    product.start()
    yield product
    if product.process.poll() is None:
        product.interrupt()
    place = prepare_place(folder)
    for path in {folder, place.postgres, place.socket}:
        shutil.rmtree(path, ignore_errors=True)
    product.output.unlink()


def test_it_opens_and_says_where(product):
    assert product.answers()
    assert f"The funnel is open at http://127.0.0.1:{product.port}/" in product.said()
    assert set(product.children()) == {"postgres", "redis", "uvicorn", "worker", "beat", "relay"}


def test_a_second_start_says_in_one_sentence_where_the_first_one_is(product):
    second = product.start_second()

    assert second.returncode == 1
    assert second.stderr.strip() == (
        f"The product is already running at http://127.0.0.1:{product.port}/ "
        f"(process {product.process.pid}); Ctrl-C there stops it."
    )
    assert product.answers()


@pytest.mark.parametrize("name", ["uvicorn", "worker", "beat", "relay", "redis", "postgres"])
def test_a_killed_part_comes_back_by_itself(product, name):
    before = product.children()[name]

    before.kill()

    wait_for(lambda: product.children().get(name, before).pid != before.pid)
    wait_for(product.answers)
    assert f"{'web' if name == 'uvicorn' else name} ended (killed by SIGKILL)" in product.said()


def test_nothing_outlives_a_killed_supervisor_and_the_next_start_has_the_data(product):
    wait_for(product.is_database_ready)
    product.query("CREATE TABLE kept_note AS SELECT 'still here' AS note")
    everyone = psutil.Process(product.process.pid).children(recursive=True)

    product.kill()
    _, alive = psutil.wait_procs(everyone, timeout=20)
    assert alive == []

    product.start()
    assert product.query("SELECT note FROM kept_note") == "still here"


def test_a_start_right_after_a_kill_needs_no_waiting(product):
    product.kill()
    product.start()

    assert product.query("SELECT note FROM kept_note") == "still here"


def test_ctrl_c_stops_everything_in_order(product):
    everyone = psutil.Process(product.process.pid).children(recursive=True)

    started = time.monotonic()
    code = product.interrupt()

    assert code == 0
    assert time.monotonic() - started < 15
    assert [process for process in everyone if process.is_running()] == []
    assert product.said().rstrip().endswith("everything is kept for the next make run.")
    assert "database system is shut down" in (product.folder / "logs/postgres.log").read_text()
