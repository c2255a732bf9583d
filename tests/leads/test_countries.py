"""Countries in the reader's language, wherever people read one."""

from __future__ import annotations

from django.test import Client
from django.utils.translation import override

from leads.countries import countries
from leads.models import Account, Lead
from tests.leads.people import make_lead


def test_names_follow_the_language():
    assert (countries.name("DE"), countries.name("kr")) == ("Germany", "South Korea")
    with override("ko"):
        assert (countries.name("DE"), countries.name("kr")) == ("독일", "대한민국")
        assert countries.name("XX") == ""


def test_every_country_has_a_korean_name_and_they_are_in_order():
    with override("en"):
        english = dict(countries)
    with override("ko"):
        korean = list(countries)
    assert {code for code, _name in korean} == set(english)
    assert not [name for code, name in korean if name.isascii()]
    names = [name for _code, name in korean]
    assert names == sorted(names) and names[0] == "가나"


def test_a_language_that_nobody_knows_falls_back_to_english():
    with override("xx-unknown"):
        assert countries.name("DE") == "Germany"


def test_forms_and_fields_use_them():
    assert str(Lead(country="DE").country) == "DE"
    with override("ko"):
        assert Lead(country="DE").country.name == "독일"
        assert ("DE", "독일") in Account._meta.get_field("country").formfield().choices


def test_pages_show_countries_in_korean(mia, client: Client):
    lead = make_lead(first_name="Anna", country="DE", company="Acme")
    lead.account = Account.objects.create(name="Acme", country="FR")
    lead.save()
    client.force_login(mia)
    client.cookies.load({"django_language": "ko"})
    with override("ko"):  # a request leaves its language behind; this puts it back
        for url in ("/leads/", f"/leads/{lead.pk}/", f"/leads/{lead.pk}/edit/"):
            page = client.get(url).content.decode()
            assert "독일" in page and "Germany" not in page, url
        for url in ("/accounts/", f"/accounts/{lead.account_id}/"):
            page = client.get(url).content.decode()
            assert "프랑스" in page and "France" not in page, url
