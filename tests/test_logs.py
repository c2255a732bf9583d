"""Logs say what happened, without noise."""

from __future__ import annotations

import logging


def test_who_may_not_open_a_page_leaves_no_traceback(viv, client, caplog):
    client.force_login(viv)
    handler = logging.getLogger().handlers[0]
    with caplog.at_level(logging.WARNING, "django.request"):
        assert client.get("/leads/").status_code == 403
    refusals = [record for record in caplog.records if record.name == "django.request"]
    assert refusals
    assert all("Traceback" not in handler.format(r) for r in refusals if handler.filter(r))
