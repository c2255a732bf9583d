"""The way of a version into force: what is done, and what comes next."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from leads.actors import Actor
from scoring import backtesting, signing
from tests.scoring.stories import sign
from tests.scoring.test_pages import active, clone, index_of, on_page, rule_form

pytestmark = pytest.mark.django_db


def test_the_way_into_force_shows_what_comes_next(client, ana, mia, sam):
    def next_step(user, address: str) -> str:
        client.force_login(user)
        page = client.get(address).content.decode()
        found = re.search(r'btn-primary" href="([^"]+)" aria-current="step"', page)
        return found.group(1) if found else ""

    client.force_login(ana)
    draft = clone(client)
    page, preview = on_page(draft), reverse("scoring:preview", args=[draft.number])
    backtest = reverse("scoring:backtest", args=[draft.number])
    assert f"modelversion/{draft.pk}/change" in next_step(ana, page)  # nothing differs yet

    number = index_of(draft, "pricing_page")
    edit = reverse("admin:scoring_modelversion_change", args=[draft.pk])
    shown = client.get(edit).context["adminform"].form.initial["shown"]
    form = rule_form(draft, shown=shown, **{f"rules-{number}-points": "60"})
    saved = client.post(edit, form, follow=True).content.decode()
    assert "Nothing changes until two people have signed it" in saved and preview in saved

    assert next_step(ana, page) == preview
    assert next_step(ana, preview) == backtest
    backtesting.request(draft.pk, by=Actor.of(ana))
    while backtesting.drain():
        pass
    assert next_step(ana, page) == next_step(mia, backtest) == f"{page}#sides-title"
    signing.submit(draft.pk, by=Actor.of(ana))
    draft.refresh_from_db()
    assert next_step(mia, preview) == f"{page}#sides-title"
    sign(draft)
    assert next_step(ana, preview) == f"{page}#publish-title"
    assert 'class="way' not in client.get(on_page(active())).content.decode()  # it is in force
    client.force_login(sam)
    assert 'class="way' not in client.get(page).content.decode()
