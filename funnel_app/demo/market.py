"""Where Northwind sells, to whom, and through which channels people find it."""

from __future__ import annotations

from dataclasses import dataclass

from leads.channels import Channel


@dataclass(frozen=True)
class Country:
    """A market. `weight` is its share of leads, `zone` when its people are at work."""

    code: str
    weight: float
    names: str
    zone: str
    currency: str
    dial: int
    legal_forms: str


COUNTRIES = (
    Country("DE", 27, "german", "Europe/Berlin", "EUR", 49, "GmbH|GmbH & Co. KG|AG"),
    Country("KR", 16, "korean", "Asia/Seoul", "KRW", 82, "Co., Ltd.|Inc.|Corp."),
    Country("US", 15, "english", "America/Chicago", "USD", 1, "Inc.|LLC|Corp."),
    Country("FR", 10, "french", "Europe/Paris", "EUR", 33, "SAS|SA|SARL"),
    Country("GB", 8, "english", "Europe/London", "EUR", 44, "Ltd|plc"),
    Country("NL", 7, "dutch", "Europe/Amsterdam", "EUR", 31, "B.V.|N.V."),
    Country("AT", 4, "german", "Europe/Vienna", "EUR", 43, "GmbH|AG"),
    Country("IT", 4, "southern", "Europe/Rome", "EUR", 39, "S.p.A.|S.r.l."),
    Country("SE", 3, "nordic", "Europe/Stockholm", "EUR", 46, "AB"),
    Country("ES", 2, "southern", "Europe/Madrid", "EUR", 34, "S.A.|S.L."),
    Country("JP", 2, "japanese", "Asia/Tokyo", "USD", 81, "K.K.|Co., Ltd."),
    Country("CA", 2, "english", "America/Toronto", "USD", 1, "Inc.|Ltd."),
)
# Its two reps have more than they can do: what comes from there seeps away.
LEAK_COUNTRY = "KR"


@dataclass(frozen=True)
class Industry:
    name: str
    weight: float
    trades: tuple[str, ...]  # the second word of a company's name
    is_target: bool = True


INDUSTRIES = (
    Industry(
        "Automotive", 18, ("Automotive", "Drive Systems", "Car Body", "Powertrain", "Seating")
    ),
    Industry("Food and beverage", 17, ("Foods", "Brewing", "Dairy", "Bakery", "Beverages")),
    Industry("Packaging", 14, ("Packaging", "Carton", "Labelling", "Bottling", "Film")),
    Industry("Logistics", 12, ("Logistics", "Warehousing", "Freight", "Parcel", "Cold Chain")),
    Industry("Electronics", 11, ("Electronics", "Semicon", "Sensors", "Displays", "Circuits")),
    Industry("Machine building", 10, ("Machine", "Precision", "Tooling", "Hydraulics", "Castings")),
    Industry(
        "Pharmaceuticals", 6, ("Pharma", "Life Sciences", "Medical", "Biotech", "Diagnostics")
    ),
    Industry("Chemicals", 4, ("Chemicals", "Coatings", "Polymers", "Adhesives", "Plastics")),
    Industry(
        "Consulting",
        4,
        ("Consulting", "Partners", "Advisory", "Engineering Office", "Planning"),
        is_target=False,
    ),
    Industry(
        "Education", 2, ("Institute", "College", "Academy", "School", "Training"), is_target=False
    ),
    Industry("Retail", 2, ("Retail", "Stores", "Trading", "Markets", "Wholesale"), is_target=False),
)


@dataclass(frozen=True)
class Job:
    """A job title, the persona it belongs to, and how often it is met.

    `part` is the buying role such a person usually plays.
    """

    title: str
    persona: str
    weight: float
    part: str = ""
    is_buyer: bool = True


JOBS = (
    Job("Plant Manager", "Plant manager", 12, "decision_maker"),
    Job("Head of Production", "Plant manager", 10, "decision_maker"),
    Job("Operations Director", "Executive", 7, "decision_maker"),
    Job("COO", "Executive", 3, "economic_buyer"),
    Job("CEO", "Executive", 3, "economic_buyer"),
    Job("Automation Engineer", "Automation engineer", 15, "champion"),
    Job("Lead Automation Engineer", "Automation engineer", 8, "champion"),
    Job("Process Engineer", "Automation engineer", 8, "influencer"),
    Job("Maintenance Manager", "Maintenance", 8, "user"),
    Job("Head of Procurement", "Procurement", 5, "economic_buyer"),
    Job("Purchasing Manager", "Procurement", 4, "gatekeeper"),
    Job("IT/OT Architect", "IT and OT", 5, "influencer"),
    Job("Head of IT", "IT and OT", 3, "gatekeeper"),
    Job("Marketing Assistant", "Other", 3, is_buyer=False),
    Job("HR Business Partner", "Other", 2, is_buyer=False),
    Job("Consultant", "Other", 4, is_buyer=False),
)
DECIDER = JOBS[0]
PRIVATE_JOBS = (
    Job("Student", "Student", 6, is_buyer=False),
    Job("Working student", "Student", 2, is_buyer=False),
    Job("Job seeker", "Student", 1.5, is_buyer=False),
    Job("Freelancer", "Other", 2, is_buyer=False),
)


@dataclass(frozen=True)
class Origin:
    """A way in. `quality` multiplies the chance that a lead warms up and is accepted.

    `from_month` and `to_month` count from the start of the story, to_month excluded;
    `private` is the share of people who come without a company; `rhythm` names a season of
    its own (see seasons.py).
    """

    channel: str
    source: str
    medium: str
    campaign: str
    weight: float
    quality: float
    from_month: float = 0
    to_month: float = 999
    private: float = 0.05
    starts: str = "form"  # "form", "list" (a badge scan, an import) or "word" (of mouth)
    rhythm: str = "steady"

    @property
    def is_poor(self) -> bool:
        return self.quality < 0.6


_SEARCH, _SOCIAL = Channel.ORGANIC_SEARCH, Channel.PAID_SOCIAL
ORIGINS = (
    Origin(_SEARCH, "google", "organic", "", 22, 1.35),
    Origin(_SEARCH, "bing", "organic", "", 4, 1.3),
    Origin(_SEARCH, "naver", "organic", "", 4, 1.25),
    Origin(Channel.PAID_SEARCH, "google", "cpc", "brand", 6, 1.2),
    Origin(Channel.PAID_SEARCH, "google", "cpc", "conveyor-vision", 7, 0.95),
    # The good one: few, and sales wants nearly all of them.
    Origin(Channel.CUSTOMER_REFERRAL, "customer", "referral", "", 4, 2.3, private=0, starts="word"),
    Origin(Channel.WEB_REFERRAL, "automation-weekly.example", "referral", "", 6, 1.0),
    Origin(Channel.REVIEW_SITE, "reviews.example", "review", "", 3, 1.5),
    Origin(Channel.DIRECT, "", "", "", 9, 1.1),
    Origin(Channel.EMAIL, "newsletter", "email", "partner-mailing", 4, 0.8),
    Origin(Channel.ORGANIC_SOCIAL, "linkedin", "social", "", 6, 0.9, private=0.1),
    Origin(Channel.EVENT, "fair", "event", "spring-fair", 14, 1.1, starts="list", rhythm="fair"),
    Origin(Channel.EVENT, "webinar", "event", "safety-webinar", 5, 1.15, rhythm="webinar"),
    # The bad one: cheap leads by the hundred, of whom sales wants hardly any.
    Origin(_SOCIAL, "facebook", "paid_social", "win-a-robot-arm", 52, 0.5, 10.5, private=0.3),
    Origin(_SOCIAL, "linkedin", "paid_social", "plant-managers", 6, 0.9),
    Origin(Channel.DISPLAY, "adnetwork", "display", "retargeting", 5, 0.7, 3, 9),
    Origin(Channel.OFFLINE, "list purchase", "list", "cold-list", 9, 0.4, 0, 2, starts="list"),
)
