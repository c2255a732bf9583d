"""The house holds: one way down, no drawers, writes behind their doors, nothing foreign inside."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parent.parent
# Top to bottom: each may use those after it, never those before.
FLOORS = ("funnel_app", "insights", "sales", "scoring", "tracking", "leads", "users")


def tracked_files() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [path for name in listing.splitlines() if (path := ROOT / name).is_file()]


FILES = tracked_files()
PYTHON = [p for p in FILES if p.suffix == ".py" and "migrations" not in p.parts]
OURS = [p for p in PYTHON if p.relative_to(ROOT).parts[0] in FLOORS]
TEMPLATES = [p for p in FILES if p.suffix == ".html"]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def floor_of(model) -> str:
    return model.__module__.split(".")[0]


def test_imports_point_down_only():
    lint = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_floor_is_under_the_import_contract():
    contract = (ROOT / "pyproject.toml").read_text()
    listed = re.search(r"root_packages = \[(.*?)\]", contract, re.S).group(1)
    built = {floor for floor in FLOORS if (ROOT / floor / "__init__.py").exists()}
    assert {floor for floor in FLOORS if f'"{floor}"' in listed} == built


def test_foreign_keys_point_down_only():
    upward = [
        f"{model.__name__}.{field.name} → {field.related_model.__name__}"
        for model in apps.get_models()
        if floor_of(model) in FLOORS
        for field in model._meta.get_fields()
        if field.is_relation and not field.auto_created and field.related_model
        if floor_of(field.related_model) in FLOORS
        and FLOORS.index(floor_of(field.related_model)) < FLOORS.index(floor_of(model))
    ]
    assert upward == []


ADAPTERS = re.compile(
    r"(views|admin|api|receivers|tasks)\.py$|/(templatetags|management)/|_views\.py$"
)
WRITES = {"save", "create", "bulk_create", "get_or_create", "update_or_create", "bulk_update"}


def calls(path: Path) -> list[tuple[int, str]]:
    tree = ast.parse(path.read_text())
    return [
        (node.lineno, node.func.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]


def test_adapters_write_nothing_themselves():
    found = [
        f"{name(path)}:{line} .{attribute}()"
        for path in OURS
        if ADAPTERS.search(name(path))
        for line, attribute in calls(path)
        if attribute in WRITES
    ]
    assert found == []


def test_nobody_hides_writes_in_model_signals_or_save():
    hidden = [
        f"{name(path)}: {word}"
        for path in OURS
        for word in ("pre_save", "post_save", "pre_delete", "post_delete", "def save(")
        if word in path.read_text()
    ]
    assert hidden == []


def test_there_are_no_drawers():
    drawers = {
        "utils",
        "util",
        "helpers",
        "helper",
        "services",
        "service",
        "core",
        "base",
        "common",
        "misc",
    }
    found = [name(p) for p in OURS if drawers & {p.stem, *p.relative_to(ROOT).parts[:-1]}]
    assert found == []


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)]


def test_files_stay_small():
    assert [name(p) for p in PYTHON if p.read_text().count("\n") > 350] == []


def test_functions_stay_small():
    large = [
        f"{name(path)}:{node.lineno} {node.name}"
        for path in OURS
        for node in functions(path)
        if node.end_lineno - node.lineno > 45
    ]
    assert large == []


INLINE = re.compile(
    r"\|\s*safe\b|<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")|\son[a-z]+=\"|\sstyle=\""
)


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_templates_trust_nothing_and_inline_nothing(path):
    lines = path.read_text().splitlines()
    found = [f"{n}: {line.strip()}" for n, line in enumerate(lines, 1) if INLINE.search(line)]
    assert found == []


def test_nothing_foreign_is_committed():
    vendored = [
        name(p)
        for p in FILES
        if re.search(r"\.min\.(js|css)$|node_modules/|uv\.lock$|pylock.*\.toml$", name(p))
    ]
    assert vendored == []


def test_no_file_names_a_package_registry():
    hosts = [
        "py" + "pi.org",
        "python" + "hosted.org",
        "registry." + "npm" + "js",
        "deb." + "debian.org",
    ]
    found = [
        f"{name(path)}: {host}"
        for path in FILES
        if path.suffix not in {".png", ".ico", ".woff2"}
        for host in hosts
        if host in path.read_text(errors="replace")
    ]
    assert found == []


@pytest.mark.django_db
def test_migrations_are_complete():
    from django.core.management import call_command

    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
