"""What a request says about itself, and what that weighs."""

import pytest

from tests.tracking.conftest import FIREFOX
from tracking.verdicts import (
    HUMAN,
    MACHINE,
    STAFF,
    SUSPECTED,
    Request,
    browser_of,
    signals_of,
    weigh,
)
from tracking.verdicts.weighing import DEFAULT_EFFECTS, SIGNALS, evidence_in, rule_in

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
HEADLESS = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/120.0 Safari/537.36"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


@pytest.mark.parametrize(
    ("request_", "found", "verdict"),
    [
        (Request(header=FIREFOX), [], HUMAN),
        (Request(header=""), ["no_user_agent"], SUSPECTED),
        (Request(header="", is_trusted=True), [], HUMAN),
        (Request(header="curl/8.5", is_trusted=True), [], HUMAN),
        (Request(header=FIREFOX, named=FIREFOX), [], HUMAN),
        (Request(header="curl/8.5", named=FIREFOX), ["script_client"], SUSPECTED),
        (Request(header=GOOGLEBOT, named=FIREFOX), ["crawler"], MACHINE),
        (Request(header=HEADLESS, named=FIREFOX), ["crawler", "headless"], MACHINE),
        (Request(header="", named=FIREFOX), ["no_user_agent"], SUSPECTED),
        (Request(header="analytics-node/3.0", named=FIREFOX), [], HUMAN),
        (Request(header=GOOGLEBOT, named=FIREFOX, is_trusted=True), [], HUMAN),
        (Request(header=FIREFOX, named=GOOGLEBOT), ["crawler"], MACHINE),
        (Request(header=GOOGLEBOT), ["crawler"], MACHINE),
        (Request(header=HEADLESS), ["crawler", "headless"], MACHINE),
        (Request(header=GMAIL), [], HUMAN),
        (Request(header="python-requests/2.32", method="GET"), ["crawler"], MACHINE),
        (Request(header="python-requests/2.32"), ["script_client"], SUSPECTED),
        (Request(header="analytics-node/3.0"), [], HUMAN),
        (Request(header=FIREFOX, method="HEAD"), ["head_request"], MACHINE),
        (Request(header=FIREFOX, is_prefetch=True), ["prefetch"], SUSPECTED),
        (Request(header="Mozilla/5.0"), ["odd_user_agent"], HUMAN),
        (Request(header="() { :; }; echo x"), ["odd_user_agent"], HUMAN),
        (Request(header="AcmeApp/3.1 (iPhone; iOS 18.1)"), [], HUMAN),
    ],
)
def test_machines_give_themselves_away(request_, found, verdict):
    assert signals_of(request_, "page_viewed", {}, {}) == found
    assert weigh(found) == verdict


@pytest.mark.parametrize(
    ("agent", "said", "is_proxy"),
    [
        (GMAIL, {}, True),
        ("Mozilla/5.0", {}, True),
        (FIREFOX, {"sg_machine_open": True}, True),
        (FIREFOX, {"sg_machine_open": False}, False),
        (FIREFOX, {}, False),
    ],
)
def test_a_proxy_that_opens_mail_read_nothing(agent, said, is_proxy):
    request = Request(named=agent, is_trusted=True)
    assert signals_of(request, "email_opened", said, {}) == ["privacy_proxy"] * is_proxy
    assert "privacy_proxy" not in signals_of(request, "email_link_clicked", said, {})
    assert weigh(["privacy_proxy"]) == SUSPECTED


def test_the_name_of_a_browser_hides_neither_a_crawler_nor_a_mail_proxy():
    """What the message names is anybody's word; the request itself is evidence."""
    opened = signals_of(Request(header=GMAIL, named=FIREFOX, method="GET"), "email_opened", {}, {})
    assert opened == ["privacy_proxy"]
    named = signals_of(Request(header=FIREFOX, named=GMAIL), "email_opened", {}, {})
    assert named == ["privacy_proxy"]


def test_browsers_tell_that_they_are_driven_or_ours():
    asked = Request(header=FIREFOX)
    assert signals_of(asked, "page_viewed", {}, {"webdriver": True}) == ["webdriver"]
    assert signals_of(asked, "page_viewed", {}, {"webdriver": "true"}) == []
    assert signals_of(asked, "page_viewed", {}, {"staff": True}) == ["staff_flag"]
    assert (weigh(["webdriver"]), weigh(["staff_flag", "webdriver"])) == (MACHINE, STAFF)


def test_weak_signals_make_suspected_only_together_and_never_more():
    assert weigh(["data_centre"]) == HUMAN
    assert weigh(["data_centre", "odd_user_agent"]) == SUSPECTED
    weak = dict.fromkeys(SIGNALS, "weak")
    assert weigh(list(SIGNALS), weak) == SUSPECTED
    assert weigh(list(SIGNALS), dict.fromkeys(SIGNALS, "off")) == HUMAN
    assert weigh(["named_by_a_later_version"]) == HUMAN


def test_what_lists_and_rules_add_is_no_evidence():
    signals = ["crawler", "data_centre", "rule:7", "staff_browser"]
    assert evidence_in(signals, MACHINE) == ["crawler"]
    assert (rule_in(signals), rule_in(["crawler"])) == (7, None)
    assert evidence_in([], HUMAN) == []
    assert evidence_in([], MACHINE) == ["earlier_machine"]
    assert evidence_in([], SUSPECTED) == ["earlier_suspected"]
    assert evidence_in(["rule:7"], MACHINE) == []


def test_every_signal_begins_as_a_row_with_the_same_meaning(db):
    from tracking.models import VerdictSignal

    rows = {row.name: (row.effect, row.most, row.seconds) for row in VerdictSignal.objects.all()}
    named = {name: tuple(m[2:]) for name, m in SIGNALS.items() if not name.startswith("earlier_")}
    assert rows == named
    assert set(DEFAULT_EFFECTS.values()) <= set(VerdictSignal.Effect.values)


def test_a_library_on_a_server_is_nobodys_browser():
    assert browser_of("analytics-python/2.4.0") == browser_of("analytics-node/3.0") == ""
    assert browser_of(FIREFOX) == FIREFOX
