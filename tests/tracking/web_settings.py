"""Settings of the web processes that tests start: no static files need to be collected."""

from funnel_app.settings import *  # noqa: F403
from funnel_app.settings import STORAGES as OURS

STORAGES = OURS | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}
WHITENOISE_AUTOREFRESH = True
