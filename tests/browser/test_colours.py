"""Every colour that says something can be read, also those that no other test brings about."""

from __future__ import annotations

import pytest

from tests.browser.test_every_page import LOOKS

KINDS = ("success", "info", "warning", "danger")
STAGES = ("1", "2", "3", "4", "5", "6", "out")
IMPORT_STATES = ("checking", "running", "finished", "stuck", "mapping", "checked", "cancelled")


def _alert(kind: str) -> str:
    return f"""<div class="alert alert-{kind}" role="status"><strong>Bold</strong> and plain,
      <a href="/">a link</a>, <a class="alert-link" href="/">a strong link</a>,
      <code>code</code> <span class="text-secondary">quiet</span> <span class="small">small</span>
      <ul><li>listed</li></ul><button class="btn btn-sm">Undo</button></div>"""


def _toast(kind: str) -> str:
    """As partials/messages.html has it, on the surface of a card."""
    return f'<div class="toast-place position-static">{_alert(kind)}</div>'


ALL = "".join(
    [
        *map(_alert, KINDS),
        *map(_toast, KINDS),
        *(f'<p class="text-{kind}">Text of {kind}</p>' for kind in KINDS),
        *(f'<p><span class="stage stage-{stage}">Stage</span></p>' for stage in STAGES),
        *(f'<p><span class="import-state import-{s}">State</span></p>' for s in IMPORT_STATES),
        '<p><span class="badge">12</span></p>',
        '<p><span class="badge border bg-transparent text-body">12</span></p>',
        '<p><span class="badge bg-primary text-primary-fg">12</span></p>',
        '<p><span class="chip">Chip</span> <span class="chip chip-warn">Careful</span></p>',
        '<p><span class="chip chip-good">Good</span></p>',
        '<p class="invalid-feedback d-block">Refused</p><p class="form-hint">Hint</p>',
        '<p><a href="/">A link</a> <code>code</code> <span class="text-secondary">quiet</span></p>',
        '<p><button class="btn btn-primary">Do it</button> <button class="btn">Not</button></p>',
        '<p><button class="btn btn-warning">Do it</button></p>',
    ]
)
# On the ground of the page and on a card, with the styles of every page.
SHOW = """async ([story, sheets]) => {
  await Promise.all(sheets.map((name) => new Promise((done, failed) => {
    const sheet = document.createElement('link');
    Object.assign(sheet, {rel: 'stylesheet', href: `/static/css/${name}`});
    sheet.onload = done; sheet.onerror = failed; document.head.append(sheet); })));
  document.querySelector('main').innerHTML =
    `<div>${story}</div><div class="card"><div class="card-body">${story}</div></div>`; }"""
SHEETS = ("imports.css", "install.css")


@pytest.mark.parametrize(("color_scheme", "width"), LOOKS)
def test_every_kind_of_message_can_be_read(signed_in, mia, run_axe, color_scheme, width):
    page = signed_in(mia, color_scheme=color_scheme, width=width)
    page.evaluate(SHOW, [ALL, SHEETS])
    assert page.locator("main .alert").count() == 2 * 2 * len(KINDS)
    found = run_axe(page)
    assert not found, "\n".join(found)
