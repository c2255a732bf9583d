"""Every page names its icon, and who asks for one without a page is shown it."""

from __future__ import annotations

import pytest
from django.contrib.staticfiles.finders import find
from django.test import Client

ICON = "/static/img/favicon.svg"


def test_the_icon_is_one_address_away(client: Client):
    answer = client.get("/favicon.ico")
    assert (answer.status_code, answer.url) == (302, ICON)
    assert find("img/favicon.svg")
    assert client.post("/favicon.ico").status_code == 405


@pytest.mark.parametrize("url", ["/", "/admin/", "/user/login/", "/nowhere/"])
def test_pages_name_it(client: Client, ana, url):
    if url != "/user/login/":
        client.force_login(ana)
    assert f'<link rel="icon" href="{ICON}"' in client.get(url, follow=True).content.decode()
