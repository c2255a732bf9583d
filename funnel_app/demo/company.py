"""Northwind Automation itself: what it sells, its website, its people."""

from __future__ import annotations

from dataclasses import dataclass

from users.roles import Role

DEMO_PASSWORD = "northwind demo"  # noqa: S105 - documented, and refused in production


HOME = "Europe/Berlin"  # the time zone of the head office


@dataclass(frozen=True)
class TeamPlan:
    """`capacity` is what one rep of the team can hold."""

    name: str
    countries: tuple[str, ...]
    capacity: int


TEAMS = (
    TeamPlan("Central Europe", ("DE", "AT", "NL", "SE"), 45),
    TeamPlan("West and South", ("FR", "GB", "US", "CA", "IT", "ES"), 45),
    TeamPlan("Asia Pacific", ("KR", "JP"), 15),
)
TEAM_OF = {country: team.name for team in TEAMS for country in team.countries}


@dataclass(frozen=True)
class Colleague:
    first_name: str
    last_name: str
    role: str
    team: str = ""
    address: str = ""

    @property
    def email(self) -> str:
        return self.address or f"{self.first_name.lower()}@demo.example"


COLLEAGUES = (
    Colleague("Mia", "Sommer", Role.MARKETER),
    Colleague("Ana", "Petrov", Role.ADMIN),
    Colleague("Viv", "Novak", ""),
    Colleague("Mona", "Brandt", Role.MANAGER, "Central Europe"),
    Colleague("Sam", "Keller", Role.REP, "Central Europe"),
    Colleague("Nina", "Vogel", Role.REP, "Central Europe"),
    Colleague("Jonas", "Haas", Role.REP, "Central Europe"),
    Colleague("Mark", "Ellis", Role.MANAGER, "West and South"),
    Colleague("Sue", "Carter", Role.REP, "West and South"),
    Colleague("Luc", "Morel", Role.REP, "West and South"),
    Colleague("Beth", "Nolan", Role.REP, "West and South"),
    Colleague("Minseo", "Han", Role.MANAGER, "Asia Pacific"),
    Colleague("Jisoo", "Park", Role.REP, "Asia Pacific"),
    Colleague("Taemin", "Seo", Role.REP, "Asia Pacific"),
)


@dataclass(frozen=True)
class Product:
    """`price` in euro for a company of 250 people; deals scale with size."""

    name: str
    price: int
    weight: float
    page: str


PRODUCTS = (
    Product("Conveyor Vision", 48_000, 30, "/products/conveyor-vision"),
    Product("Line Controller 200", 26_000, 24, "/products/line-controller"),
    Product("Robot Cell Starter", 89_000, 16, "/products/robot-cell"),
    Product("Predict", 32_000, 18, "/products/predict"),
    Product("Safety Suite", 19_000, 12, "/products/safety-suite"),
)
# Units of the currency for one euro, rounded the way price lists are.
EXCHANGE = {"EUR": (1.0, 100), "USD": (1.1, 100), "KRW": (1_500.0, 100_000)}


@dataclass(frozen=True)
class Page:
    path: str
    title: str
    weight: float


PAGES = (
    Page("/", "Northwind Automation", 20),
    Page("/products", "Products", 14),
    *(Page(p.page, p.name, p.weight / 3) for p in PRODUCTS),
    Page("/solutions/food", "Automation for food and beverage", 6),
    Page("/solutions/automotive", "Automation for car makers", 6),
    Page("/solutions/packaging", "Automation for packaging lines", 5),
    Page("/customers", "Customer stories", 7),
    Page("/customers/alster-brewing", "How Alster Brewing halved its stoppages", 4),
    Page("/blog/overall-equipment-effectiveness", "What OEE hides", 9),
    Page("/blog/five-ways-to-cut-changeover", "Five ways to cut changeover time", 8),
    Page("/blog/retrofit-or-replace", "Retrofit or replace?", 7),
    Page("/about", "About us", 4),
)
CAREERS = Page("/careers", "Careers", 0)
PRICING = Page("/pricing", "Pricing", 0)
COMPARE = Page("/compare", "Northwind compared", 0)
SUPPORT = Page("/support", "Support", 0)


@dataclass(frozen=True)
class Asset:
    """Something to download behind a form."""

    path: str
    title: str
    page: str
    weight: float


ASSETS = (
    Asset("/files/oee-handbook.pdf", "The OEE handbook", "/resources/oee-handbook", 10),
    Asset(
        "/files/retrofit-checklist.pdf", "Retrofit checklist", "/resources/retrofit-checklist", 8
    ),
    Asset("/files/vision-guide.pdf", "Machine vision buyer's guide", "/resources/vision-guide", 7),
    Asset("/files/roi-calculator.xlsx", "ROI calculator", "/resources/roi-calculator", 5),
    Asset("/files/safety-standards.pdf", "Safety standards in one page", "/resources/safety", 4),
)
PRIZE_DRAW = Asset("", "Win a robot arm", "/win-a-robot-arm", 0)
DEMO_FORM = Asset("", "Request a demo", "/demo", 0)
CONTACT_FORM = Asset("", "Talk to sales", "/contact", 0)
WEBINARS = (
    "Safety without stopping the line",
    "Machine vision in thirty minutes",
    "From paper checklists to Predict",
)
NEWSLETTERS = (
    "What OEE hides from you",
    "Three lines, one controller",
    "A brewery that stopped stopping",
    "Five questions before a retrofit",
    "What is new in Predict",
    "Meet us at the spring fair",
)
WELCOME_MAIL = "Your download from Northwind"
SITE = "https://www.northwind-automation.example"
