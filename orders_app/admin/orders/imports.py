"""Orders from a file that is uploaded: looked at first, then brought in a part at a time.

Each part is a request of its own, which ends long before anybody loses patience with it: the page asks for
one after another, or whoever reads it presses a button.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from flask import current_app, flash, jsonify, redirect, request
from flask_admin import expose
from flask_babel import gettext
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import NotFound as PageNotFound
from werkzeug.wrappers import Response

from orders_app.admin.frame import access
from orders_app.admin.frame.messages import said
from orders_app.admin.frame.presentation import number
from orders_app.admin.frame.views import Page, PanelModelView
from orders_app.admin.orders import uploads
from orders_app.admin.orders.uploads import Upload
from orders_app.desk.domain import time_zones
from orders_app.shared.errors import Conflict, Invalid, NotFound

if TYPE_CHECKING:
    from orders_app.admin.orders.import_form import ImportForm
    from orders_app.orders.importing.kept import Progress

BY_SCRIPT: Final = "X-Import-Part"
"""The header of requests that a script makes: it wants to know how far it is, and no page."""


class Imports(PanelModelView):
    """What the list of orders needs for it.

    What reads files is loaded on first use: a worker that imports nothing is some megabytes smaller.
    """

    @expose("/import/", methods=("GET", "POST"))
    def import_view(self) -> Page:
        uploads.sweep(_root())
        if request.method != "POST":
            return self._first_page()
        file = request.files.get("file")
        if file is None or not file.filename:
            return self._first_page(gettext("Choose a file first.")), 422
        if file.stream.seek(0, os.SEEK_END) > access.most_uploaded():
            raise access.too_large_a_file()
        file.stream.seek(0)
        try:
            upload = _received(file)
        except (Conflict, Invalid) as error:
            return self._first_page(said(error.detail)), 422
        return redirect(self._url(upload))

    @expose("/import/<token>/")
    def upload_view(self, token: str) -> Page:
        return self._page(_mine(token))

    @expose("/import/<token>/check/", methods=("POST",))
    def check_view(self, token: str) -> Page:
        from orders_app.admin.orders import import_work
        from orders_app.admin.orders.import_form import ImportForm

        upload, form = _mine(token), ImportForm(request.form)
        try:
            with upload.worked_on():
                if not form.validate():
                    return self._page(upload, form), 422
                import_work.check(upload, form.asked(request.form.getlist("column")))
        except Invalid as error:
            form.refuse(error)
            return self._page(upload, form), 422
        except Conflict as error:
            return self._not_done(upload, error)
        return redirect(f"{self._url(upload)}#checked")

    @expose("/import/<token>/run/", methods=("POST",))
    def run_view(self, token: str) -> Response:
        """Bring in a part.  A script is told how far it is; whoever presses a button sees the page."""
        from orders_app.admin.orders import import_work

        upload = _mine(token)
        is_script = BY_SCRIPT in request.headers
        try:
            with upload.worked_on():
                progress = import_work.go_on(upload)
        except Conflict as error:
            if is_script:
                raise
            return self._not_done(upload, error)
        return jsonify(_how_far(progress)) if is_script else redirect(f"{self._url(upload)}#progress")

    @expose("/import/<token>/rejects/")
    def rejects_view(self, token: str) -> Response:
        from orders_app.admin.orders import import_work

        upload = _mine(token)
        try:
            rejects = import_work.rejects_of(upload)
        except Conflict as error:
            raise PageNotFound(error.detail) from None
        response = current_app.response_class(rejects, content_type="text/csv; charset=utf-8")
        response.headers.set("Content-Disposition", "attachment", filename=f"{upload.name}.rejects.csv")
        response.headers["Cache-Control"] = "no-store"
        return response

    @expose("/import/<token>/remove/", methods=("POST",))
    def remove_view(self, token: str) -> Response:
        upload = _mine(token)
        try:
            with upload.worked_on():
                upload.remove()
        except Conflict as error:
            return self._not_done(upload, error)
        flash(gettext("The file is removed. What was brought in from it stays."), "success")
        return redirect(self.get_url(".import_view"))

    def _first_page(self, refused: str | None = None) -> str:
        return str(
            self.render(
                "panel/import.html",
                refused=refused,
                most=access.most_uploaded(),
                user=request.form.get("user", ""),
                waiting=list(uploads.uploads_of(_root(), _own_id())),
            )
        )

    def _page(self, upload: Upload, form: ImportForm | None = None) -> str:
        from orders_app.admin.orders import import_work
        from orders_app.admin.orders.import_form import FIELDS, MAIN, MORE, ImportForm
        from orders_app.admin.orders.import_words import problem_in_words, reason_in_words

        columns = request.form.getlist("column")
        if form is None:
            form, columns = ImportForm(formdata=None, data=upload.asked), upload.asked.get("columns", [])
            wrong = import_work.wrong_options(upload)
            if wrong is not None and upload.problem is None:
                form.refuse(wrong)
        context = {
            "upload": upload,
            "form": form,
            "columns": columns,
            "fields": FIELDS,
            "main": MAIN,
            "more": MORE,
            "zones": sorted(time_zones()),
            "problem_in_words": problem_in_words,
            "reason_in_words": reason_in_words,
        }
        return str(self.render("panel/import_file.html", **context, **import_work.shown(upload)))

    def _not_done(self, upload: Upload, error: Conflict) -> Response:
        flash(error.detail, "error")
        return redirect(self._url(upload))

    def _url(self, upload: Upload) -> str:
        url: str = self.get_url(".upload_view", token=upload.token)
        return url


def _root() -> Path:
    root: Path = current_app.config["ORDERS"].upload_dir
    return root


def _own_id() -> UUID:
    user_id = access.current_actor().user_id
    assert user_id is not None  # noqa: S101  (sessions belong to accounts)
    return user_id


def _mine(token: str) -> Upload:
    try:
        return uploads.find(_root(), token, _own_id())
    except NotFound as error:
        raise PageNotFound(error.detail) from None


def _received(file: FileStorage) -> Upload:
    """Keep a file, and check it.  Raises `Conflict` and `Invalid`; what is none to import is not kept."""
    from orders_app.admin.orders import import_work
    from orders_app.admin.orders.import_words import problem_in_words
    from orders_app.orders.importing.options import ImportFailed

    try:
        upload = uploads.store(_root(), _own_id(), file)
    except OSError as error:
        raise import_work.no_room() from error
    try:
        with upload.worked_on(), suppress(Invalid):  # what is wrong with the options is shown beside them
            import_work.begin(upload, request.form.get("user", ""))
    except Exception as error:
        upload.remove()
        if isinstance(error, ImportFailed):
            raise Invalid(problem_in_words(str(error))) from None
        raise
    return upload


def _how_far(progress: Progress | None) -> dict[str, Any]:
    if progress is None or not progress.left:
        return {"finished": True}
    text = gettext("%(done)s of %(all)s orders", done=number(progress.done), all=number(progress.wanted))
    return {"finished": False, "done": progress.done, "wanted": progress.wanted, "text": text}
