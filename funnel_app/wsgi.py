"""Django, for the thread pool behind funnel_app.asgi."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "funnel_app.settings")
application = get_wsgi_application()
