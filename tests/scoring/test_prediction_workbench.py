"""The workbench: learn from an uploaded file, hold out its newest rows."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.timezone import now

from leads.import_models import Import, ImportContent
from scoring.models import Training
from scoring.prediction import training as trainings
from tests.scoring.prediction_tables import history
from tests.scoring.test_prediction_pages import PAGE, text_of
from tests.shared_data import real_file

pytestmark = pytest.mark.django_db


def as_csv(rows: int = 500, **more) -> bytes:
    """The made-up history as a file; the outcome is called Converted."""
    table = history(rows)
    columns = {
        "Number": [str(1000 + place) for place in range(rows)],
        "Converted": [str(label) for label in table.labels],
        **table.columns,
        **more,
    }
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return out.getvalue().encode()


def upload(client, content: bytes, name: str = "old.csv") -> Import:
    file = SimpleUploadedFile(name, content, content_type="text/csv")
    response = client.post(reverse("scoring:workbench"), {"file": file})
    assert response.status_code == 303, text_of(response)
    return Import.objects.latest("pk")


def train_on(client, job: Import, **said) -> Training:
    url = reverse("scoring:workbench_file", args=[job.pk])
    response = client.post(url, said)
    assert response.status_code == 303, text_of(response)
    trainings.drain(is_hinted=True)
    return Training.objects.latest("pk")


def again_without_leaks(client, done: Training) -> Training:
    """Press the button below "Too good to be true"."""
    url = reverse("scoring:training", args=[done.pk])
    said: dict[str, list[str]] = {}
    for name, value in client.get(url).context["report"].without:
        said.setdefault(name, []).append(value)
    assert done.file is not None
    return train_on(client, done.file, **said)


def meanings(job: Import, column: str, **means: str) -> dict[str, str]:
    """What the form calls each value of the outcome."""
    values = next(c for c in job.columns if c["name"] == column)["values"]
    return {f"value_{place}": means.get(f"v{value}", "") for place, value in enumerate(values)}


def test_a_file_is_uploaded_learned_from_and_judged(client, mia):
    client.force_login(mia)
    told = [str(label) for label in history(500).labels]
    job = upload(client, as_csv(status=told))
    chosen = client.get(reverse("scoring:workbench_file", args=[job.pk]), {"outcome": "Converted"})
    assert "The outcome came" in text_of(chosen)
    means = meanings(job, "Converted", v1="reached", v0="missed")
    done = train_on(client, job, outcome="Converted", order="Number", **means)
    assert (done.state, done.verdict, done.error) == ("finished", "on", "")
    page = text_of(client.get(reverse("scoring:training", args=[done.pk])))
    assert "There is a signal" not in page and "better than chance" not in page
    assert "Too good to be true" in page and "As long as “status” counts" in page
    assert "“status” alone tells the outcome too well" in page
    honest = again_without_leaks(client, done)
    assert honest.params == done.params | {"left_out": ["status"]}
    page = text_of(client.get(reverse("scoring:training", args=[honest.pk])))
    assert "There is a signal" in page and "ranks clearly better than chance" in page
    assert "Fields that may know too much" not in page and "Too good to be true" not in page
    assert "Reliability diagram" in page
    assert "status" not in honest.report["features"]
    # It is no model of our own leads.
    assert "never trained" in text_of(client.get(PAGE))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"order": ""}, "This field is required."),
        ({"order": "Number", "v1": "", "v0": ""}, "Say which values mean that the outcome came"),
        (
            {"order": "Number", "left_out": ["visits", "country", "phone", "noise"]},
            "No column is left to learn from.",
        ),
    ],
)
def test_choices_that_make_no_sense_are_refused_with_a_sentence(client, mia, said, sentence):
    client.force_login(mia)
    job = upload(client, as_csv(60))
    means = {"v1": "reached", "v0": "missed", **said}
    values = meanings(job, "Converted", v1=means.pop("v1"), v0=means.pop("v0"))
    url = reverse("scoring:workbench_file", args=[job.pk])
    response = client.post(url, {"outcome": "Converted", **means, **values})
    assert response.status_code == 422
    assert sentence in text_of(response)
    assert not Training.objects.exists()


def test_what_is_no_table_is_refused_where_it_is_uploaded(client, mia):
    client.force_login(mia)
    file = SimpleUploadedFile("page.csv", b"<html></html>")
    response = client.post(reverse("scoring:workbench"), {"file": file})
    assert response.status_code == 422
    assert "This is a web page or JSON" in text_of(response)


def test_a_file_that_is_gone_stops_the_training_with_a_sentence(client, mia):
    client.force_login(mia)
    job = upload(client, as_csv(200))
    means = meanings(job, "Converted", v1="reached", v0="missed")
    url = reverse("scoring:workbench_file", args=[job.pk])
    client.post(url, {"outcome": "Converted", "order": "Number", **means})
    ImportContent.objects.all().delete()
    trainings.drain(is_hinted=True)
    done = Training.objects.get()
    assert (done.state, done.error) == (
        "stopped",
        "The file itself is no longer kept. Upload it again.",
    )
    assert "no longer kept" in text_of(client.get(reverse("scoring:training", args=[done.pk])))


def test_dates_order_rows_and_undecided_rows_are_left_out(client, mia):
    client.force_login(mia)
    rows = 400
    days = [f"{now() - timedelta(days=rows - place):%d.%m.%Y}" for place in range(rows)]
    stages = [("Won" if v else "Lost") if i % 4 else "Open" for i, v in
              enumerate(history(rows).labels)]  # fmt: skip
    job = upload(client, as_csv(rows, Day=days, Stage=stages))
    means = meanings(job, "Stage", vWon="reached", vLost="missed")
    done = train_on(client, job, outcome="Stage", order="Day", left_out=["Converted"], **means)
    assert (done.state, done.error) == ("finished", "")
    assert done.report["undecided"] == 100
    assert done.report["counts"]["labelled"] == 300
    page = text_of(client.get(reverse("scoring:training", args=[done.pk])))
    assert "100 rows without a decided outcome were left out." in page


def test_opportunities_of_a_real_file_have_no_signal(client, mia):
    client.force_login(mia)
    job = upload(client, real_file("sales_pipeline.csv"), "sales_pipeline.csv")
    means = meanings(job, "deal_stage", vWon="reached", vLost="missed")
    left_out = ["opportunity_id", "close_date", "close_value", "close_quarter"]
    said = {"outcome": "deal_stage", "order": "engage_date", "left_out": left_out, **means}
    asked = client.post(reverse("scoring:workbench_file", args=[job.pk]), said)
    assert "can be read in several ways" in text_of(asked)
    done = train_on(client, job, date_order="dmy", **said)
    assert (done.verdict, done.error) == ("no_signal", "")
    assert done.report["counts"]["labelled"] == 6711
    page = text_of(client.get(reverse("scoring:training", args=[done.pk])))
    assert "No signal: on the newest rows" in page


def test_a_real_file_with_what_is_known_at_the_end_is_too_good_to_be_true(client, mia):
    """The value at closing is 0 for what was lost; without it nothing is left."""
    client.force_login(mia)
    job = upload(client, real_file("sales_pipeline.csv"), "sales_pipeline.csv")
    means = meanings(job, "deal_stage", vWon="reached", vLost="missed")
    left_out = ["opportunity_id", "close_date", "close_quarter"]
    said = {"outcome": "deal_stage", "order": "engage_date", "left_out": left_out, **means}
    done = train_on(client, job, date_order="dmy", **said)
    page = text_of(client.get(reverse("scoring:training", args=[done.pk])))
    assert "Too good to be true" in page and "As long as “close_value” counts" in page
    honest = again_without_leaks(client, done)
    assert honest.verdict == "no_signal"
    assert set(honest.params["left_out"]) == {*left_out, "close_value"}


def test_a_leak_of_a_file_that_is_gone_is_still_told(client, mia):
    client.force_login(mia)
    told = [str(label) for label in history(300).labels]
    job = upload(client, as_csv(300, status=told))
    means = meanings(job, "Converted", v1="reached", v0="missed")
    done = train_on(client, job, outcome="Converted", order="Number", **means)
    Training.objects.update(file=None)
    page = text_of(client.get(reverse("scoring:training", args=[done.pk])))
    assert "Too good to be true" in page and "Train again" not in page
