"""The application, for a WSGI server; files are kept by the browser, as they are behind any proxy."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.peers.shop_admin.settings")

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.wsgi import get_wsgi_application


class KeptFiles(StaticFilesHandler):
    def get_response(self, request: Any) -> Any:
        response = super().get_response(request)
        response["Cache-Control"] = "max-age=31536000"
        return response


app = KeptFiles(get_wsgi_application())
