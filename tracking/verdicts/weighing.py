"""From signals to a verdict. Plain values only.

Each signal has an effect, a row that admins edit (models.VerdictSignal); the ones here
hold until then. Staff go before machine: what one of us does with a script is ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# As tracking.models.Verdict. Everything from MACHINE on counts for nothing.
HUMAN, SUSPECTED, MACHINE, STAFF = 0, 1, 2, 3

_VERDICTS = {"staff": STAFF, "machine": MACHINE, "suspected": SUSPECTED}
VERDICT_OF_RULE = {"human": HUMAN, "machine": MACHINE, "staff": STAFF}
ENOUGH_WEAK = 2  # weak signals that together make somebody suspected; never more than that
RULE_PREFIX = "rule:"  # followed by the id of the rule that overruled all other signals


class Meaning(NamedTuple):
    """One signal: its name for people, what it says, and what it does unless an admin decides.

    `most` and `seconds` are thresholds of signals that have any; see the sentence.
    """

    label: Promise | str
    sentence: Promise | str
    effect: str
    most: int | None = None
    seconds: int | None = None


SIGNALS: dict[str, Meaning] = {
    "crawler": Meaning(
        _("Known crawler"),
        _("The user agent is on the public list of crawlers, monitors and scripts."),
        "machine",
    ),
    "head_request": Meaning(
        _("HEAD request"), _("Asked for the head of a picture only; no person does."), "machine"
    ),
    "headless": Meaning(
        _("Browser without a window"),
        _("The user agent names a browser that is driven by a program."),
        "machine",
    ),
    "webdriver": Meaning(
        _("Remote-controlled browser"),
        _("The browser itself says that a program drives it."),
        "machine",
    ),
    "script_client": Meaning(
        _("Script"),
        _("A program such as curl sent it with a public key: perhaps a server of ours."),
        "suspected",
    ),
    "prefetch": Meaning(
        _("Fetched ahead"),
        _("The browser fetched it in case somebody looks at it later."),
        "suspected",
    ),
    "no_user_agent": Meaning(
        _("No user agent"), _("It did not say what program it is."), "suspected"
    ),
    "odd_user_agent": Meaning(
        _("Odd user agent"), _("The user agent looks like that of no browser."), "weak"
    ),
    "privacy_proxy": Meaning(
        _("Opened by a proxy"),
        _("A mail service fetched the pictures; whether somebody read the mail is unknown."),
        "suspected",
    ),
    "data_centre": Meaning(
        _("From a data centre"),
        _("The network belongs to a cloud provider: a server, or a person behind a VPN."),
        "weak",
    ),
    "all_links": Meaning(
        _("All links at once"),
        _("At least this many different links of one mail were followed within these seconds."),
        "machine",
        most=3,
        seconds=10,
    ),
    "before_delivery": Meaning(
        _("Before delivery"),
        _("Opened or clicked before the mail was delivered, or less than these seconds after."),
        "machine",
        seconds=2,
    ),
    "no_page_beacon": Meaning(
        _("Click without a page view"),
        _("No browser reported the page within these seconds, although that site reports its page views."),  # noqa: E501
        "suspected",
        seconds=600,
    ),
    "too_quick": Meaning(
        _("Too quick"),
        _("One visitor viewed more than this many pages within these seconds."),
        "machine",
        most=20,
        seconds=10,
    ),
    "hearsay": Meaning(
        _("Hearsay"),
        _("A public key told of a meeting, an answer or a delivery; only a server with a secret key, or a colleague, can know of it."),  # noqa: E501
        "machine",
    ),
    "staff_flag": Meaning(
        _("Says it is ours"), _("The browser was marked as one of our own."), "staff"
    ),
    "staff_browser": Meaning(
        _("Browser of a colleague"),
        _("Somebody named an e-mail address of ours in this browser."),
        "staff",
    ),
    "earlier_suspected": Meaning(
        _("Suspected earlier"), _("Judged before signals were kept."), "suspected"
    ),
    "earlier_machine": Meaning(
        _("Machine, earlier"), _("Judged before signals were kept."), "machine"
    ),
}  # fmt: skip

DEFAULT_EFFECTS = {name: meaning.effect for name, meaning in SIGNALS.items()}
# What is found out anew each time an event is settled, and not kept as evidence.
LISTED = frozenset({"data_centre", "staff_browser"})


def weigh(signals: Iterable[str], effects: Mapping[str, str] = DEFAULT_EFFECTS) -> int:
    """The verdict by these signals; what a rule says (RULE_PREFIX) is not weighed here."""
    found = [effects.get(signal, "off") for signal in signals]
    for effect, verdict in _VERDICTS.items():
        if effect in found:
            return verdict
    return SUSPECTED if found.count("weak") >= ENOUGH_WEAK else HUMAN


def evidence_in(signals: Iterable[str], verdict: int) -> list[str]:
    """What stays true of an event whatever lists and rules say.

    An event judged before signals were kept has its verdict as its only signal.
    """
    kept = [s for s in signals if s not in LISTED and not s.startswith(RULE_PREFIX)]
    if kept or signals or verdict == HUMAN:
        return kept
    return ["earlier_suspected" if verdict == SUSPECTED else "earlier_machine"]


def in_words(signals: Iterable[str]) -> list[str]:
    """What led to a verdict, for a line of a timeline; a rule without its reason."""
    if rule_in(signals) is not None:
        return [str(_("by a rule"))]
    return [str(SIGNALS[signal].label) for signal in signals if signal in SIGNALS]


def rule_in(signals: Iterable[str]) -> int | None:
    """The id of the rule that decided, if one did."""
    named = (s.removeprefix(RULE_PREFIX) for s in signals if s.startswith(RULE_PREFIX))
    return next((int(number) for number in named), None)
