"""`group`: a sender says to which company somebody belongs, and what that is like."""

from __future__ import annotations

from typing import Any

from leads import accounts
from leads.accounts import Facts
from leads.domains import corporate_domain
from leads.models import Lead
from tracking.claims import country_code
from tracking.register import Register
from tracking.visitors import Seen

JOINED = "account_joined"
MOST_EMPLOYEES = 2_147_483_647
_NAMES = ("name", "company", "company_name")
_DOMAINS = ("domain", "website", "url", "email_domain")
_INDUSTRIES = ("industry",)
_EMPLOYEES = ("employees", "employee_count", "number_of_employees", "size")


def join(register: Register, event: Seen, lead_id: int) -> None:
    """Draw what a group call says about this person's company, as far as its sender may."""
    facts = read_facts(event.properties)
    if facts == Facts():
        return
    leads = Lead.objects.select_for_update(no_key=True, of=("self",)).select_related("account")
    lead = leads.get(pk=register.stands_for(lead_id))
    if event.is_trusted:
        accounts.place(lead, facts)
    else:
        accounts.hint(lead, facts)


def read_facts(traits: dict[str, Any]) -> Facts:
    """What the traits say; the group's id names a domain if it is one."""
    said = [traits.get(key) for key in _DOMAINS]
    domains = [
        corporate_domain(text)
        for text in (*said, traits.get("group_id"))
        if isinstance(text, str) and text.strip()
    ]
    return Facts(
        name=_first_text(traits, _NAMES)[:200],
        domain=next(filter(None, domains), ""),
        industry=_first_text(traits, _INDUSTRIES)[:100],
        employee_count=_first_number(traits, _EMPLOYEES),
        country=country_code(_first_text(_holder_of_country(traits), ("country", "country_code"))),
    )


def _holder_of_country(traits: dict[str, Any]) -> dict[str, Any]:
    address = traits.get("address")
    return address if isinstance(address, dict) and "country" in address else traits


def _first_text(traits: dict[str, Any], keys: tuple[str, ...]) -> str:
    texts = [value for key in keys if isinstance(value := traits.get(key), str)]
    return next((" ".join(text.split()) for text in texts if text.strip()), "")


def _first_number(traits: dict[str, Any], keys: tuple[str, ...]) -> int | None:
    """A number of people; also “1,200” and “1200+”, but no range such as “50-200”."""
    for key in keys:
        value = traits.get(key)
        if isinstance(value, str):
            digits = value.strip().rstrip("+").replace(",", "").replace("_", "")
            value = (
                int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 11 else 0
            )
        if (isinstance(value, int | float) and not isinstance(value, bool)) and (
            0 < value <= MOST_EMPLOYEES
        ):
            return int(value)
    return None
