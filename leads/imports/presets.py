"""Mappings shipped with the product, recognised by the header of a file."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field, replace

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leads.channels import Channel
from leads.imports.fields import ENTERED, EXTERNAL_ID, MAIL_OPT_OUT, STAGE
from leads.imports.mapping import Mapping, Use
from leads.imports.profile import Column
from leads.stages import Stage


@dataclass(frozen=True)
class Preset:
    """`columns` maps a header to its uses; `signature` are the headers that must be there."""

    key: str
    label: str | Promise
    target: str
    signature: frozenset[str]
    columns: MappingOf[str, tuple[Use, ...]]
    unset: tuple[str, ...] = ()
    date_order: str = ""
    constants: MappingOf[str, str] = field(default_factory=dict)

    def fits(self, header: Iterable[str]) -> bool:
        return self.signature <= {name.lower() for name in header}

    def mapping_for(self, columns: Iterable[Column]) -> Mapping:
        uses = [
            replace(use, column=column.index)
            for column in columns
            for use in self.columns.get(column.name.lower(), ())
        ]
        return Mapping(
            target=self.target,
            uses=tuple(uses),
            unset=self.unset,
            date_order=self.date_order,
            constants=dict(self.constants),
        )


_presets: dict[str, Preset] = {}


def register(preset: Preset) -> None:
    _presets[preset.key] = preset


def known() -> list[Preset]:
    return list(_presets.values())


def by_key(key: str) -> Preset | None:
    return _presets.get(key)


def recognise(header: Iterable[str]) -> Preset | None:
    """The preset whose header this is: the one with the longest signature that fits."""
    names = list(header)
    fitting = [preset for preset in _presets.values() if preset.fits(names)]
    return max(fitting, key=lambda preset: len(preset.signature), default=None)


def to(key: str, **options) -> tuple[Use, ...]:
    return (Use(column=-1, to=key, **options),)


def custom(key: str, label: str, kind: str = "text") -> tuple[Use, ...]:
    return to(f"custom:{key}", label=label, kind=kind)


def _customs(kind: str, **labels: str) -> dict[str, tuple[Use, ...]]:
    """Columns that keep their name as the label of a custom field: key=header."""
    return {header.lower(): custom(key, header, kind) for key, header in labels.items()}


FIRST_CONTACTS = Preset(
    key="first_contacts",
    label=_("Marketing-qualified leads (first contact)"),
    target="leads",
    signature=frozenset({"mql_id", "first_contact_date"}),
    columns={
        "mql_id": to(EXTERNAL_ID, system="mql"),
        "first_contact_date": to(f"{ENTERED}{Stage.MQL}"),
        "landing_page_id": custom("landing_page", "Landing page"),
        "origin": to("source") + to("channel", values={"unknown": Channel.UNKNOWN.value}),
    },
)

CLOSED_DEALS = Preset(
    key="closed_deals",
    label=_("Closed deals"),
    target="leads",
    signature=frozenset({"mql_id", "won_date"}),
    columns={
        "mql_id": to(EXTERNAL_ID, system="mql"),
        "seller_id": to(EXTERNAL_ID, system="seller"),
        "won_date": to(f"{ENTERED}{Stage.CUSTOMER}"),
        "sdr_id": custom("sdr_id", "Sales development rep"),
        "sr_id": custom("sr_id", "Sales rep"),
        "business_segment": custom("business_segment", "Business segment"),
        "lead_type": custom("lead_type", "Lead type"),
        "lead_behaviour_profile": custom("behaviour_profile", "Behaviour profile"),
        "has_company": custom("has_company", "Has a company", "boolean"),
        "has_gtin": custom("has_gtin", "Has article numbers", "boolean"),
        "average_stock": custom("average_stock", "Average stock"),
        "business_type": custom("business_type", "Business type"),
        "declared_product_catalog_size": custom("catalogue_size", "Catalogue size", "number"),
        "declared_monthly_revenue": custom("monthly_revenue", "Monthly revenue", "number"),
    },
)

# Filled in after it was known who enrolled: good to read, wrong to predict from.
_KNOWN_AFTERWARDS = {
    "tags": custom("tags", "Tags (set afterwards)"),
    "lead quality": custom("lead_quality", "Lead quality (set afterwards)"),
    "lead profile": custom("lead_profile", "Lead profile (set afterwards)"),
    "last notable activity": custom(
        "last_notable_activity", "Last notable activity (set afterwards)"
    ),
    "asymmetrique activity index": custom("activity_index", "Activity index (set afterwards)"),
    "asymmetrique profile index": custom("profile_index", "Profile index (set afterwards)"),
    "asymmetrique activity score": custom(
        "activity_score", "Activity score (set afterwards)", "number"
    ),
    "asymmetrique profile score": custom(
        "profile_score", "Profile score (set afterwards)", "number"
    ),
}

COURSE_ENQUIRIES = Preset(
    key="course_enquiries",
    label=_("Course enquiries"),
    target="leads",
    signature=frozenset({"prospect id", "lead number", "lead origin", "converted"}),
    unset=("Select",),
    columns={
        "prospect id": to(EXTERNAL_ID, system="prospect"),
        "lead number": to(EXTERNAL_ID, system="lead number"),
        "lead source": to("source") + to("channel"),
        "do not email": to(MAIL_OPT_OUT),
        "converted": to(STAGE, values={"1": Stage.CUSTOMER.value, "0": Stage.LEAD.value}),
        "country": to("country"),
        **_customs(
            "text",
            lead_origin="Lead Origin",
            last_activity="Last Activity",
            specialization="Specialization",
            city="City",
        ),
        "how did you hear about x education": custom("heard_about_us", "Heard about us through"),
        "what is your current occupation": custom("occupation", "Occupation"),
        "what matters most to you in choosing a course": custom("motive", "What matters most"),
        "totalvisits": custom("total_visits", "Visits", "number"),
        "total time spent on website": custom("time_on_site", "Time on site", "number"),
        "page views per visit": custom("views_per_visit", "Page views per visit", "number"),
        "do not call": custom("do_not_call", "Do not call", "boolean"),
        "a free copy of mastering the interview": custom(
            "wants_free_copy", "Wants the free copy", "boolean"
        ),
        **_KNOWN_AFTERWARDS,
    },
)

COMPANIES = Preset(
    key="companies",
    label=_("Companies with sector, revenue and employees"),
    target="accounts",
    signature=frozenset({"account", "sector", "revenue", "employees"}),
    columns={
        "account": to("name"),
        "sector": to("industry"),
        "year_established": custom("year_established", "Founded in", "number"),
        "revenue": to("revenue_amount"),
        "employees": to("employee_count"),
        "office_location": to("country"),
        "subsidiary_of": custom("subsidiary_of", "Subsidiary of"),
    },
)


def register_own() -> None:
    for preset in (FIRST_CONTACTS, CLOSED_DEALS, COURSE_ENQUIRIES, COMPANIES):
        register(preset)
