"""Phrases of titles that a word inside them judged too high; capitals beyond A to Z are folded.

Only what came with the product and was not touched changes. The signals that ask for a
meaning are looked for again, and the page of each version says so.
"""

from django.db import migrations

from scoring.meanings import tidy

ADDED = {
    "learner": "학생회장|인턴사원|수습사원",
    "executive": (
        "business owner|company owner|co-owner|founding partner|senior partner|equity partner|"
        "general partner|대표자|대표변호사|대표세무사|대표회계사"
    ),
    "director": "chief of staff|이사대우|상무보",
    "manager": "chief engineer|chief accountant|chief architect|chief buyer|chief product owner",
    "specialist": (
        "business partner|partner manager|channel manager|product owner|process owner|"
        "project owner|program owner|service owner|system owner|application owner|platform owner|"
        "solution owner|data owner|asset owner|risk owner|account owner|domain owner|"
        "lead generation|lead management|주차장|하차장|승차장|정차장|세차장|공사장|행사장|전시회장|"
        "연회장|박람회장|포장이사|영업대표|책임자"
    ),
}
MANAGEMENT = ("business owner", "company owner", "co-owner")
DICTIONARIES = ("TitleWord", "IndustryWord", "LegalForm", "SharedMailbox")

LOOK_AGAIN = """
WITH touched AS (
  UPDATE scoring_signal s SET counted_at = NULL, counted_to_lead_id = 0
   WHERE s.axis = 'fit' AND EXISTS (SELECT FROM leads_lead)
     AND EXISTS (SELECT FROM jsonb_array_elements(s.conditions) c
                  WHERE c ->> 'field' IN
                        ('seniority', 'department', 'company_name', 'canonical_industry'))
  RETURNING id)
INSERT INTO scoring_rewording (signal_ids, requested_at)
SELECT array_agg(id), now() FROM touched HAVING count(*) > 0
"""


def renew_titles(apps, schema_editor):
    titles = apps.get_model("scoring", "TitleWord").objects
    wanted = {word: level for level, words in ADDED.items() for word in words.split("|")}
    known = set(titles.filter(word__in=wanted).values_list("word", flat=True))
    new = {word: level for word, level in wanted.items() if word not in known}
    titles.bulk_create(
        titles.model(
            word=word, seniority=level, department="management" if word in MANAGEMENT else ""
        )
        for word, level in new.items()
    )
    # Who says only “partner” may be anybody's; and a product owner manages no company.
    removed = titles.filter(word="partner", seniority="executive", department="").delete()[0]
    untouched = titles.filter(word="owner", seniority="executive", department="management")
    if new or removed + untouched.update(department=""):
        apps.get_model("leads", "AuditEntry").objects.create(
            verb="renewed", object_kind="titleword", changes={"what": "", "fields": []}
        )


def tidy_again(apps, schema_editor):
    """Words are looked for in small letters; of two that are then alike the tidy one stays."""
    for name in DICTIONARIES:
        entries = apps.get_model("scoring", name).objects
        for entry in entries.all():
            if entry.word == tidy(entry.word):
                continue
            if entries.filter(word=tidy(entry.word)).exists():
                entry.delete()
            else:
                entries.filter(pk=entry.pk).update(word=tidy(entry.word))


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0028_accounts_have_a_standing"),
        ("scoring", "0012_touched_leads_say_since_when"),
    ]

    operations = [
        migrations.RunPython(renew_titles, migrations.RunPython.noop),
        migrations.RunPython(tidy_again, migrations.RunPython.noop),
        migrations.RunSQL(LOOK_AGAIN, migrations.RunSQL.noop),
    ]
