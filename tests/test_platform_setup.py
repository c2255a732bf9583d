"""The set-up behind `make run` and `make test`: what it finds, and what it says at its end."""

import importlib
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("production", "embedded", "dev")


@pytest.fixture
def setup_module(monkeypatch):
    """A function that imports a module of bin/, which is not a package."""
    monkeypatch.syspath_prepend(str(ROOT / "bin"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return importlib.import_module


def find_python(home: Path, path: Path, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(ROOT / "bin" / "find-python")],
        env={"HOME": str(home), "PATH": f"{path}:/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
    )


def put_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_the_named_python_is_taken_first(tmp_path):
    found = find_python(tmp_path, tmp_path, PYTHON=sys.executable)

    assert found.returncode == 0
    assert Path(found.stdout.strip()).resolve() == Path(sys.executable).resolve()


def test_stand_ins_that_do_not_run_are_passed_over(tmp_path):
    shims = tmp_path / "shims"
    for name in ("python3.13", "python3.12", "python3.14", "python3", "python"):
        put_program(shims / name, "exit 127")
    put_program(tmp_path / ".pyenv/versions/3.12.99/bin/python", f'exec "{sys.executable}" "$@"')

    found = find_python(tmp_path, shims)

    assert found.returncode == 0
    assert Path(found.stdout.strip()).resolve() == Path(sys.executable).resolve()


def test_no_python_is_one_sentence(tmp_path):
    shims = tmp_path / "shims"
    for name in ("python3.13", "python3.12", "python3.14", "python3", "python"):
        put_program(shims / name, "exit 127")

    found = find_python(tmp_path, shims)

    if found.returncode == 0:  # a Python in a place like /usr/local/bin is rightly found
        return
    assert found.stdout == ""
    assert found.stderr.count("\n") == 1
    assert "install one" in found.stderr


def test_a_port_in_use_is_one_sentence(setup_module, monkeypatch):
    setup = setup_module("setup")
    telling = setup_module("telling")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setenv("PORT", str(other.getsockname()[1]))
        monkeypatch.setattr(setup, "_running_already", lambda: None)

        with pytest.raises(telling.CannotGoOn, match=r"Address already in use.*PORT=8001"):
            setup._require_free_port()


def test_too_little_room_is_one_sentence(setup_module, monkeypatch):
    telling = setup_module("telling")

    with pytest.raises(telling.CannotGoOn, match=r"not enough disk space .* MB are needed\.$"):
        telling.require_room(10**9)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_one_sentence(setup_module, monkeypatch, tmp_path):
    telling = setup_module("telling")
    tmp_path.chmod(0o500)
    monkeypatch.setattr(telling, "RUN_FOLDER", tmp_path / ".run")

    with pytest.raises(telling.CannotGoOn, match="cannot be written to by this user"):
        telling.require_room(1)


def test_a_failed_step_names_its_cause(setup_module):
    telling = setup_module("telling")
    log = ROOT / ".run" / "pip.log"

    full = telling.explain_failure("Installing", ["x", "OSError: No space left on device"], log)
    other = telling.explain_failure("Installing", ["ERROR: no such version", "bye"], log)

    assert full == (
        "Installing failed because the disk is full; free some space and run the command again."
    )
    assert other == (
        "Installing failed (ERROR: no such version); the whole output is in .run/pip.log."
    )


def test_front_end_files_lose_their_source_maps(setup_module, tmp_path):
    frontend = setup_module("frontend")
    css, js = tmp_path / "a.css", tmp_path / "a.js"
    css.write_text("a{}\n/*# sourceMappingURL=a.css.map */\n")
    js.write_text("f()\n//# sourceMappingURL=a.js.map")

    frontend._copy(css, tmp_path / "b.css")
    frontend._copy(js, tmp_path / "b.js")

    assert (tmp_path / "b.css").read_text() == "a{}\n"
    assert (tmp_path / "b.js").read_text() == "f()\n"


def pinned(name: str) -> set[str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return set(re.findall(r"^([\w.-]+==\S+)", text, re.MULTILINE))


def test_the_locks_hold_each_other_in_the_same_versions():
    production, embedded, dev = map(pinned, LOCKS)

    assert production < embedded < dev


def test_everything_locked_has_a_hash_and_no_address():
    for name in LOCKS:
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", text)) >= len(pinned(name))
        assert "://" not in text
    lock = (ROOT / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


def test_without_the_headless_shell_the_tests_go_on(setup_module, monkeypatch, capsys):
    browser, telling = setup_module("browser"), setup_module("telling")

    def fail(_command, **_) -> None:
        raise telling.CannotGoOn("Installing failed.")

    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(browser, "_find", lambda: "/usr/bin/chromium")
    monkeypatch.setattr(browser, "_may_apt_get", lambda: True)
    monkeypatch.setattr(browser.shutil, "which", lambda _name: None)
    monkeypatch.setattr(browser, "run_told", fail)

    assert browser.ensure_browser() == "/usr/bin/chromium"
    assert "The whole Chromium does its work." in capsys.readouterr().out


def test_packages_are_compiled_and_one_that_cannot_be_stops_nobody(
    setup_module, monkeypatch, tmp_path, capsys
):
    environment, telling = setup_module("environment"), setup_module("telling")
    packages = tmp_path / "tests" / "site-packages"
    for name, text in {"good/a": "", "good/tests/b": "", "broken/c": "print 7"}.items():
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / f"{name}.py").write_text(text)
    for module in (environment, telling):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "RUN_FOLDER", tmp_path)
    monkeypatch.setattr(environment, "FOLDER", tmp_path)
    monkeypatch.setattr(environment, "PYTHON", sys.executable)

    environment._compile()

    assert [path.name.split(".")[0] for path in tmp_path.rglob("*.pyc")] == ["a"]
    assert "Compiling the Python packages failed" in capsys.readouterr().out


def test_checks_run_at_once_and_those_that_fail_are_named(setup_module, monkeypatch, capsys):
    setup = setup_module("setup")
    codes = {"first": "print('fine')", "slow": "print(7)", "third": "raise SystemExit('broken')"}
    monkeypatch.setattr(setup, "PYTHON", sys.executable)

    with setup.running_checks({name: ["-c", code] for name, code in codes.items()}) as checks:
        first = setup.tell_checks(checks, but=("slow",))
        said_first = capsys.readouterr().out.splitlines()
        then = setup.tell_checks(checks)

    assert (first, then) == (["third"], [])
    assert said_first == ["Checking with first …", "fine", "Checking with third …", "broken"]
    assert capsys.readouterr().out.splitlines() == ["Checking with slow …", "7"]


def test_no_check_outlives_a_set_up_that_is_stopped(setup_module, monkeypatch):
    setup = setup_module("setup")
    monkeypatch.setattr(setup, "PYTHON", sys.executable)
    endless = {"endless": ["-c", "import time; time.sleep(600)"]}

    with pytest.raises(KeyboardInterrupt), setup.running_checks(endless) as checks:
        check = checks["endless"]
        raise KeyboardInterrupt

    assert check.poll() is not None


def test_static_files_that_did_not_change_are_collected_once(setup_module, monkeypatch, tmp_path):
    setup = setup_module("setup")
    collected = []
    (tmp_path / "static").mkdir()
    monkeypatch.setattr(setup, "RUN_FOLDER", tmp_path)
    monkeypatch.setattr(setup, "require_room", lambda _megabytes: None)
    monkeypatch.setattr(setup, "run_told", lambda command, **_: collected.append(command))

    setup.static()
    setup.static()

    assert len(collected) == 1
