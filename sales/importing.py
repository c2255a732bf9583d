"""Opportunities and products, as something an import can bring.

Each opportunity of a CRM is one lead here, known by the opportunity's id: its
stage history is the deal's, and the deal's facts stand in sales.Opportunity.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.imports import notes, presets, targets
from leads.imports.fields import (
    ACCOUNT,
    ENTERED,
    EXTERNAL_ID,
    LEAD_FIELDS,
    OUTCOME_AT,
    OWNER,
    STAGE,
    Field,
    Kind,
)
from leads.imports.mapping import Mapping
from leads.imports.notes import Level
from leads.imports.presets import Preset, custom, to
from leads.imports.targets import Target
from leads.imports.words import LEAD_WORDS
from leads.stages import Stage
from sales.import_deals import OpportunityPlanner
from sales.import_products import ProductPlanner

_DEAL = gettext_lazy("Deal")
DEAL_FIELDS = (
    Field("deal_name", gettext_lazy("Name of the deal"), _DEAL, Kind.TEXT, 200),
    Field("product", gettext_lazy("Product of the catalogue"), _DEAL, Kind.TEXT, 100),
    Field("amount", gettext_lazy("Amount"), _DEAL, Kind.NUMBER),
    Field("currency", gettext_lazy("Currency"), _DEAL, Kind.TEXT, 3, is_constant=True),
    Field("probability", gettext_lazy("Probability, percent"), _DEAL, Kind.WHOLE),
    Field("expected_close_on", gettext_lazy("Expected close"), _DEAL, Kind.DATE),
    Field("outcome_reason", gettext_lazy("Why won or lost"), _DEAL, Kind.TEXT, 500),
)

DEAL_WORDS = LEAD_WORDS | {
    "opportunityid": EXTERNAL_ID,
    "dealid": EXTERNAL_ID,
    "opportunityname": "deal_name",
    "dealname": "deal_name",
    "name": "deal_name",
    "product": "product",
    "productname": "product",
    "amount": "amount",
    "dealamount": "amount",
    "closevalue": "amount",
    "currency": "currency",
    "currencyisocode": "currency",
    "dealcurrencycode": "currency",
    "probability": "probability",
    "dealprobability": "probability",
    "stagename": STAGE,
    "dealstage": STAGE,
    "closedate": OUTCOME_AT,
    "opportunityowner": OWNER,
    "dealowner": OWNER,
    "lossreason": "outcome_reason",
    "closedlostreason": "outcome_reason",
}

CRM_OPPORTUNITIES = Preset(
    key="crm_opportunities",
    label=gettext_lazy("CRM opportunities"),
    target="opportunities",
    signature=frozenset({"opportunity_id", "deal_stage", "engage_date", "close_date"}),
    date_order="dmy",
    columns={
        "opportunity_id": to(EXTERNAL_ID, system="opportunity"),
        "sales_agent": to(OWNER) + custom("sales_agent", "Sales agent"),
        "product": to("product"),
        "account": to(ACCOUNT),
        "deal_stage": to(
            STAGE,
            values={
                "Prospecting": Stage.SAL.value,
                "Engaging": Stage.SQL.value,
                "Won": Stage.CUSTOMER.value,
                "Lost": Stage.LOST.value,
            },
        ),
        "engage_date": to(f"{ENTERED}{Stage.SQL}"),
        "close_date": to(OUTCOME_AT),
        "close_value": to("amount"),
    },
)

PRODUCT_CATALOGUE = Preset(
    key="product_catalogue",
    label=gettext_lazy("Product catalogue"),
    target="products",
    signature=frozenset({"product", "series", "sales_price"}),
    columns={"product": to("name")},
)


def _missing_of_deals(mapping: Mapping) -> Iterator[str]:
    if not mapping.uses_to(EXTERNAL_ID):
        yield _("Map a column to the id of the opportunity, so that it is found again.")
    if not mapping.has(STAGE):
        yield _("Map a column to the stage, so that open, won and lost are told apart.")


def _missing_of_products(mapping: Mapping) -> Iterator[str]:
    if not mapping.uses_to("name"):
        yield _("Map a column to the name of the product.")


OPPORTUNITIES = Target(
    key="opportunities",
    label=gettext_lazy("Opportunities"),
    fields=(*LEAD_FIELDS, *DEAL_FIELDS),
    vocabulary=DEAL_WORDS,
    planner=OpportunityPlanner,
    missing=_missing_of_deals,
    custom_target="lead",
    view_name="leads:lead",
)

PRODUCTS = Target(
    key="products",
    label=gettext_lazy("Products"),
    fields=(Field("name", gettext_lazy("Name"), _DEAL, Kind.TEXT, 100),),
    vocabulary={"name": "name", "product": "name", "productname": "name"},
    planner=ProductPlanner,
    missing=_missing_of_products,
)


def register() -> None:
    """Called once, when the app is ready."""
    targets.register(OPPORTUNITIES)
    targets.register(PRODUCTS)
    presets.register(CRM_OPPORTUNITIES)
    presets.register(PRODUCT_CATALOGUE)
    for code, level, label, sentence in (
        ("product_spelling", Level.WARNING, gettext_lazy("Product spelled otherwise"),
         gettext_lazy("The product “%(value)s” is called “%(known)s” in the catalogue.")),
        ("product_unknown", Level.WARNING, gettext_lazy("Product not in the catalogue"),
         gettext_lazy("The product “%(value)s” is not in the catalogue and was left out.")),
        ("no_account", Level.INFO, gettext_lazy("Without an account"),
         gettext_lazy("The row names no account.")),
        ("not_a_deal", Level.WARNING, gettext_lazy("Not an opportunity yet"),
         gettext_lazy("In stage %(stage)s there is no opportunity yet; only the lead came in.")),
        ("impossible_fact", Level.WARNING, gettext_lazy("Value cannot be right"),
         gettext_lazy("%(value)s cannot be the %(fact)s of a deal and was left out.")),
    ):  # fmt: skip
        notes.register(code, level, label, sentence)
