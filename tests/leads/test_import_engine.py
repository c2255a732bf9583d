"""The work on files: exact forecasts, each row once, and one bad row costs only itself."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from django.apps import apps
from django.utils.timezone import now

from leads import importing, lifecycle, merging
from leads.actors import Actor
from leads.capture import capture_lead, record_consent
from leads.import_models import Import, ImportContent, ImportRow
from leads.imports import working
from leads.imports.mapping import OnExisting, OnUnknown
from leads.models import Account, Consent, CustomField, ExternalId, Lead
from leads.refusals import Refused
from leads.stages import Stage
from tests.import_steps import bring, check, run, upload, work

pytestmark = pytest.mark.django_db

SYSTEM = Actor.system("test")


def everything() -> dict[str, int]:
    """How many rows each table has, apart from the imports themselves."""
    return {
        model.__name__: model.objects.count()
        for model in apps.get_models()
        if not model.__name__.startswith("Import")
    }


def remap(job: Import, **changes) -> Import:
    return importing.save_mapping(job.pk, replace(importing.mapping_of(job), **changes))


def row_notes(job: Import) -> dict[int, list[str]]:
    rows = job.rows.filter(is_check=False)
    return {row.number: [note["code"] for note in row.notes] for row in rows if row.notes}


def test_a_check_writes_nothing_and_forecasts_exactly(mia):
    capture_lead(by=SYSTEM, email="old@acme.example", profile={"first_name": "Olga"})
    job = upload(
        "email,first name,shoe size\n"
        "new@acme.example,Kim,43\nOLD@acme.example,Olga,41\nnew@acme.example,Kim,44\n"
        "nobody,Kai,42\nnew@acme.example,Kim,44\n",
        mia,
    )
    columns = importing.columns_of(job)
    assert columns[2].kind == "number"
    mapping = importing.mapping_of(job)
    shoe = replace(mapping.uses[0], column=2, to="custom:shoe", label="Shoe size", kind="number")
    remap(job, uses=(*mapping.uses, shoe))
    before = everything()
    forecast = check(job)
    assert everything() == before
    counts = {"created": 1, "updated": 2, "failed": 1, "unchanged": 1, "warned": 0}
    assert forecast == counts | {"notes": {"bad_email": 1}}
    assert run(job) == forecast
    assert Lead.objects.get(email="new@acme.example").custom == {"shoe": 44}
    assert CustomField.objects.get(key="shoe").kind == "number"


def test_the_counts_can_be_rebuilt_from_the_rows(mia):
    job = upload("email,phone\na@b.example,1\nbad,2\nc@d.example," + "9" * 60 + "\n", mia)
    tally = run(job)
    outcomes = Counter(job.rows.filter(is_check=False).values_list("outcome", flat=True))
    assert outcomes == {"created": 2, "failed": 1}
    assert {key: tally[key] for key in outcomes} == outcomes
    assert row_notes(job) == {2: ["bad_email"], 3: ["too_long"]}
    assert tally["warned"] == 1


def test_ids_find_a_lead_again_and_keep_people_apart(mia):
    content = "record id,email,lifecyclestage\n1,a@b.example,lead\n2,c@d.example,customer\n"
    assert bring(content, mia)["created"] == 2
    assert ExternalId.objects.filter(system="hubspot").count() == 2
    swapped = "record id,email,lifecyclestage\n1,c@d.example,lead\n,c@d.example,\n3,,subscriber\n"
    tally = bring(swapped, mia)
    assert tally["notes"] == {"email_taken": 1}
    assert (tally["created"], tally["unchanged"]) == (1, 2)
    assert Lead.objects.get(external_ids__value="1").email == "a@b.example"


def test_a_row_that_fits_two_leads_is_left_out(mia):
    bring("prospect id,lead number,lead origin,converted\nP1,L1,API,0\nP2,L2,API,0\n", mia)
    job = upload("prospect id,lead number,lead origin,converted\nP1,L2,API,1\n", mia)
    assert run(job)["notes"] == {"two_leads": 1}
    assert Lead.objects.filter(stage=Stage.LEAD).count() == 2


def test_what_a_file_says_about_a_merged_lead_is_said_about_the_survivor(mia):
    bring("record id,email,lifecyclestage\n1,kim@acme.example,lead\n2,k@acme.example,lead\n", mia)
    survivor, loser = Lead.objects.order_by("email").reverse()
    merging.merge(survivor.pk, loser.pk, by=Actor.of(mia), reason="same phone")
    bring("record id,email,phone,lifecyclestage\n2,k@acme.example,110,subscriber\n", mia)
    bring("email,first name\nK@acme.example,Kim\n", mia)
    survivor.refresh_from_db()
    assert (survivor.email, survivor.phone, survivor.first_name) == (
        "kim@acme.example",
        "110",
        "Kim",
    )
    loser.refresh_from_db()
    assert (loser.stage, loser.phone) == (Stage.MERGED, "")
    assert Lead.objects.count() == 2


@pytest.mark.parametrize(
    ("on_existing", "name"), [(OnExisting.OVERWRITE, "Kim"), (OnExisting.FILL, "Kimberly")]
)
def test_the_file_wins_or_only_fills_in(mia, on_existing, name):
    capture_lead(by=SYSTEM, email="kim@acme.example", profile={"first_name": "Kimberly"})
    job = upload("email,first name,last name\nkim@acme.example,Kim,Lee\n", mia)
    remap(job, on_existing=on_existing)
    assert run(job)["updated"] == 1
    lead = Lead.objects.get()
    assert (lead.first_name, lead.last_name) == (name, "Lee")


def test_a_blank_cell_takes_nothing_away(mia):
    capture_lead(by=SYSTEM, email="kim@acme.example", profile={"phone": "123"})
    assert bring("email,phone\nkim@acme.example,\n", mia)["unchanged"] == 1
    assert Lead.objects.get().phone == "123"


def test_strangers_can_be_left_out(mia):
    job = upload("email,phone\nkim@acme.example,1\n", mia)
    remap(job, on_unknown=OnUnknown.REFUSE)
    assert run(job)["notes"] == {"unknown_lead": 1}
    assert not Lead.objects.exists()


def test_a_refusal_of_mail_counts_and_an_agreement_never_overrides_one(mia):
    capture_lead(by=SYSTEM, email="no@acme.example")
    lead, _new = capture_lead(by=SYSTEM, email="gone@acme.example")
    record_consent(
        lead, purpose="mail", is_granted=False, at=now(), evidence="unsubscribed", cause="e1"
    )
    content = (
        "email,opt in,email opt out\nyes@acme.example,yes,no\nno@acme.example,yes,1\n"
        "gone@acme.example,yes,\nquiet@acme.example,no,0\n"
    )
    bring(content, mia)
    found = Consent.objects.values_list("lead__email", "is_granted")
    assert sorted(found) == [
        ("gone@acme.example", False),
        ("no@acme.example", False),
        ("yes@acme.example", True),
    ]
    assert bring(content, mia)["unchanged"] == 4


def test_an_account_is_joined_by_name_and_created_only_when_asked(mia):
    acme = Account.objects.create(name="Acme")
    bring("email,company\na@b.example,ACME\nc@d.example,Beta\n", mia)
    assert Lead.objects.get(email="a@b.example").account == acme
    assert Lead.objects.get(email="c@d.example").account is None
    tally = bring("email,account name\nc@d.example,Beta\ne@f.example,beta\n", mia)
    assert tally["notes"] == {"account_created": 1}
    assert Account.objects.count() == 2
    assert Lead.objects.filter(account__name="Beta").count() == 2


def test_a_lead_that_went_on_by_hand_is_left_where_it_is(mia):
    content = "record id,became a marketing qualified lead date\n1,2018-01-05\n"
    bring(content, mia)
    lead = Lead.objects.get()
    lifecycle.recycle(lead.pk, by=SYSTEM, reason="No budget")
    assert bring(content, mia)["unchanged"] == 1
    lead.refresh_from_db()
    assert (lead.stage, lead.cycle) == (Stage.QUALIFIED, 2)


def test_the_history_says_who_imported_it(mia):
    bring("record id,became a customer date\n1,2018-01-05\n", mia, "crm.csv")
    episode = Lead.objects.get().episodes.last()
    assert (episode.actor_kind, episode.actor) == ("import", mia)
    assert episode.actor_label == "Import of crm.csv"


def test_a_bad_row_costs_only_itself(mia):
    job = upload(
        "name,website,sector,revenue\nAcme,https://www.acme.example/x,it,1\n"
        "Acme Twin,acme.example,it,2\nBeta,beta.example,it,3\n",
        mia,
    )
    importing.start_over(job.pk, target_key="accounts")
    importing.start_check(job.pk)
    work()
    importing.start_run(job.pk)
    work()
    assert row_notes(job) == {2: ["not_stored"]}
    assert set(Account.objects.values_list("name", "domain")) == {
        ("Acme", "acme.example"),
        ("Beta", "beta.example"),
    }


def test_an_import_that_keeps_failing_stops_and_can_be_taken_up(mia, monkeypatch):
    job = upload("email,phone\na@b.example,1\n", mia)
    check(job)
    importing.start_run(job.pk)
    with monkeypatch.context() as patch:
        patch.setattr(working, "_write_down", lambda job, plans: 1 / 0)
        for _attempt in range(working.MOST_ATTEMPTS + 1):
            Import.objects.update(leased_until=now() - timedelta(seconds=1))
            assert working.drain() == 0
    job.refresh_from_db()
    assert (job.state, job.stuck_in, Lead.objects.count()) == ("stuck", "running", 0)
    importing.try_again(job.pk)
    work()
    job.refresh_from_db()
    assert (job.state, job.run_tally["created"]) == ("finished", 1)


def test_work_is_left_alone_while_another_process_has_it(mia):
    job = upload("email,phone\na@b.example,1\n", mia)
    importing.start_check(job.pk)
    assert working.drain() == 0  # the relay gives a worker with a hint a head start
    Import.objects.update(worker="somebody else", leased_until=now() + timedelta(seconds=9))
    assert working.drain(is_hinted=True) == 0
    Import.objects.update(leased_until=now() - timedelta(seconds=1))
    assert working.drain() == 1


def test_a_check_that_lost_its_memory_begins_again(mia, monkeypatch):
    rows = "".join(f"p{n % 7}@b.example,{n}\n" for n in range(30))
    job = upload("email,phone\n" + rows, mia)
    importing.start_check(job.pk)
    assert working.drain(10, is_hinted=True) == 10
    working._sessions.clear()
    while working.drain(10, is_hinted=True):
        pass
    job.refresh_from_db()
    assert (job.done_count, job.check_tally["created"]) == (30, 7)
    assert job.check_tally["updated"] == 23


def test_cancelling_keeps_what_is_imported(mia):
    job = upload("email,phone\n" + "".join(f"p{n}@b.example,1\n" for n in range(30)), mia)
    check(job)
    importing.start_run(job.pk)
    working.drain(10, is_hinted=True)
    importing.cancel(job.pk)
    work()
    assert Lead.objects.count() == 10
    with pytest.raises(Refused, match="nothing left to cancel"):
        importing.cancel(job.pk)
    with pytest.raises(Refused, match="imported already"):
        importing.start_check(job.pk)


def test_nothing_is_imported_unchecked(mia):
    job = upload("email,phone\na@b.example,1\n", mia)
    with pytest.raises(Refused, match="Check the file first"):
        importing.start_run(job.pk)
    check(job)
    remap(job, unset=("1",))
    with pytest.raises(Refused, match="Check the file first"):
        importing.start_run(job.pk)


def test_without_a_key_no_file_is_imported(mia):
    job = upload("first name,phone\nKim,1\n", mia)
    with pytest.raises(Refused, match="Map a column to the e-mail address or to an id"):
        importing.start_check(job.pk)


def test_a_header_seen_before_is_mapped_as_last_time(mia):
    job = upload("email,Größe\na@b.example,1\n", mia)
    mapping = importing.mapping_of(job)
    size = replace(mapping.uses[0], column=1, to="custom:size", label="Size", kind="number")
    remap(job, uses=(*mapping.uses, size))
    run(job)
    assert importing.mapping_of(upload("email,Größe\nz@b.example,2\n", mia)).uses[1].to == (
        "custom:size"
    )


def test_old_files_are_dropped_and_their_rows_stay(mia):
    job = upload("email,phone\na@b.example,1\nnobody@,2\n", mia)
    run(job)
    assert importing.drop_old_contents(older_than=timedelta(days=1)) == 0
    Import.objects.update(created_at=now() - timedelta(days=40))
    assert importing.drop_old_contents(older_than=timedelta(days=30)) == 1
    assert not ImportContent.objects.exists()
    job.refresh_from_db()
    assert ImportRow.objects.filter(owner=job).count() == 2
    kept = [*Import.objects.values(), *ImportRow.objects.values()]
    assert not re.search("example|nobody", str(kept))
    assert job.run_tally["created"] == 1


def test_the_planner_reads_a_chunk_in_a_handful_of_queries(mia, django_assert_max_num_queries):
    rows = "".join(f"{n},p{n}@b.example,Acme,2018-01-0{n % 9 + 1}\n" for n in range(200))
    job = upload("record id,email,company,became a customer date\n" + rows, mia)
    check(job)
    importing.start_run(job.pk)
    with django_assert_max_num_queries(45):
        working.drain(200, is_hinted=True)
    assert Lead.objects.filter(stage=Stage.CUSTOMER).count() == 200
