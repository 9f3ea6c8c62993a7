"""Orders from a file that is uploaded: looked at, mapped, brought in a part at a time, told of."""

from __future__ import annotations

import csv
import gc
import io
import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from orders_app.admin.orders import uploads
from orders_app.orders.importing import writing
from tests import factories
from tests.admin.visitor import Visitor, text_of
from tests.callers import ORDERS, USERS, Caller

PATH = "/admin/orders/import/"
HEADER = "No,Item,Each,Qty\n"
FIVE = HEADER + "".join(f"{number},Lamp,2.50,2\n{number},Mug,1,1\n" for number in range(1, 6))
MAPPED = ["order", "name", "price", "quantity"]
BOUNDARY = b"between-the-parts"
BY_SCRIPT = {"X-Import-Part": "1"}


def multipart(fields: dict[str, str], name: str, content: bytes) -> bytes:
    """A form with a file, as a browser sends it."""
    parts = [
        *(
            f'Content-Disposition: form-data; name="{key}"\r\n\r\n{text}'.encode()
            for key, text in fields.items()
        ),
        f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode() + content,
    ]
    return b"".join(b"--%s\r\n%s\r\n" % (BOUNDARY, part) for part in parts) + b"--%s--\r\n" % BOUNDARY


def send(visitor: Visitor, body: bytes, length: int | None = None) -> TestResponse:
    """Send a body to be uploaded; `length` is what it says of itself, where that is not true."""
    return visitor.client.post(
        PATH,
        input_stream=io.BytesIO(body),
        content_type=f"multipart/form-data; boundary={BOUNDARY.decode()}",
        environ_overrides={
            "wsgi.input_terminated": True,
            "CONTENT_LENGTH": str(len(body) if length is None else length),
        },
    )


class Desk:
    """Somebody who imports."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.page = ""

    def upload(self, content: str | bytes, name: str = "shop.csv", user: str = "alice") -> TestResponse:
        data = content.encode() if isinstance(content, str) else content
        answer = send(self.visitor, multipart({"csrf_token": self.visitor.token(), "user": user}, name, data))
        if answer.status_code == 302:
            self.page = answer.location
        return answer

    def check(self, columns: list[str] | None = None, **fields: Any) -> TestResponse:
        asked = {"status": "confirmed", "encoding": "utf-8", "file_format": "", "user": "alice", **fields}
        return self.visitor.post(f"{self.page}check/", column=MAPPED if columns is None else columns, **asked)

    def shown(self) -> str:
        answer = self.visitor.get(self.page)
        assert answer.status_code == 200, answer.text
        return text_of(answer.text.partition("<main")[2].partition("</main>")[0])

    def figures(self) -> dict[str, int]:
        """What the page says would come in, or did."""
        found = re.findall(r"<dt>(.*?)</dt><dd>([\d,]+)</dd>", self.visitor.get(self.page).text)
        return {name: int(number.replace(",", "")) for name, number in found}

    def run(self) -> TestResponse:
        return self.visitor.post(f"{self.page}run/")

    def part(self) -> Any:
        """A part, as the script of the page asks for it."""
        token = self.visitor.token()
        answer = self.visitor.client.post(f"{self.page}run/", data={"csrf_token": token}, headers=BY_SCRIPT)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def rejects(self) -> list[list[str]]:
        answer = self.visitor.get(f"{self.page}rejects/")
        assert answer.status_code == 200
        assert answer.content_type == "text/csv; charset=utf-8"
        csv.field_size_limit(len(answer.text))
        return list(csv.reader(answer.text.splitlines()))


@pytest.fixture
def desk(panel: Visitor) -> Desk:
    return Desk(panel)


@pytest.fixture
def folder(app: Flask) -> Path:
    """Where files wait; nothing is left there by earlier tests."""
    root: Path = app.config["ORDERS"].upload_dir
    for upload in root.glob("*/*"):
        upload.unlink()
    for upload in root.glob("*"):
        upload.rmdir()
    return root


pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "ORDERS_AT_ONCE", 2)


def orders_of(caller: Caller) -> dict[str, dict[str, Any]]:
    return {order["reference"]: order for order in caller.get(f"{ORDERS}?page_size=200").get_json()}


def test_from_the_list_to_the_orders(desk: Desk, admin: Caller, folder: Path) -> None:
    assert f'href="{PATH}"' in desk.visitor.get("/admin/orders/").text
    assert "At most 32 MiB" in desk.visitor.get(PATH).text
    assert (
        desk.upload(FIVE + "6,<b>Pen</b>,1,x\n6,=1+1,1,2\n", name="C:/shop/my <i>shop.csv").status_code == 302
    )
    assert "Say which column is this: Order number." in desk.shown()
    assert desk.check().status_code == 302
    assert desk.figures() == {
        "Orders to bring in": 6,
        "Lines of these": 11,
        "Here already": 0,
        "Orders refused": 0,
        "Lines refused": 1,
    }
    page = desk.visitor.get(desk.page).text
    assert "my &lt;i&gt;shop.csv" in page
    assert "CSV with commas between the cells. Encoding: utf-8." in desk.shown()
    assert orders_of(admin) == {}, "nothing is brought in before it is asked for"
    assert "Done. 6 orders were brought in. 1 line was refused." in text_of(
        desk.visitor.follow(desk.run()).text
    )
    orders = orders_of(admin)
    assert len(orders) == 6
    assert (orders["1"]["user"], orders["1"]["total_price"], orders["1"]["source"]) == (
        "alice",
        "6.00",
        "import",
    )
    history = admin.get(f"{ORDERS}{orders['1']['order_id']}/events/").get_json()
    assert [(event["event"], event["user"]) for event in history] == [("order.created", "admin")]
    assert desk.rejects() == [
        ["file", "line", "reason", *HEADER.strip().split(",")],
        ["my <i>shop.csv", "12", "Qty: Not a valid integer.", "6", "<b>Pen</b>", "1", "x"],
    ]
    [left] = folder.iterdir()
    assert sorted(path.name for path in left.iterdir()) == ["about.json", "lock", "rejects.csv"]
    answer = desk.visitor.post(f"{desk.page}remove/")
    assert "What was brought in from it stays." in desk.visitor.follow(answer).text
    assert list(folder.iterdir()) == []
    assert desk.visitor.get(desk.page).status_code == 404


@pytest.mark.parametrize("name", ["магазин 1.csv", 'a"b;c.csv', "x" * 300 + ".csv", "%0d%0aX: 1.csv"])
def test_a_name_in_any_script(desk: Desk, name: str) -> None:
    desk.upload(HEADER + "1,,1,1\n", name=name.replace('"', "%22"))
    desk.check()
    answer = desk.visitor.get(f"{desk.page}rejects/")
    assert (answer.status_code, answer.text.startswith("file,line,reason")) == (200, True)
    assert answer.headers["Content-Disposition"].startswith("attachment; filename")
    assert "X" not in answer.headers
    [_, row] = desk.rejects()
    assert row[0].endswith(".csv")
    assert len(row[0]) <= uploads.LONGEST_NAME


def test_columns_whose_names_say_what_they_hold_need_no_mapping(desk: Desk) -> None:
    text = "InvoiceNo;Description;UnitPrice;Quantity;InvoiceDate\n1;<script>x</script>;1;2;2026-01-02 10:00\n"
    desk.visitor.client.set_cookie("orders_time_zone", "Europe/Moscow", path="/admin")
    desk.upload(text)
    page = desk.visitor.get(desk.page).text
    assert "&lt;script&gt;x&lt;/script&gt;" in page
    assert "<script>x" not in page
    assert desk.figures()["Orders to bring in"] == 1
    # The times of a file without offsets are those of whoever uploads it, as all that the panel shows.
    assert 'datetime="2026-01-02T07:00:00+00:00"' in page
    assert "semicolons" in desk.shown()


def test_another_mapping_is_another_outcome(desk: Desk, admin: Caller) -> None:
    desk.upload("a,b,c,d,e,f\n1,Lamp,2.50,2,2026-01-02,bob\n1,Mug,1,-1,2026-01-02,bob\n")
    columns = [*MAPPED, "created", "user"]
    assert desk.check(columns).status_code == 302
    assert desk.figures()["Lines refused"] == 1
    assert "d: Must not be negative." in desk.shown()
    assert desk.check([*MAPPED, "", "name"]).status_code == 422
    assert (
        desk.check(columns, negative="y", status_prefixes="1=cancelled", source=" Stall ").status_code == 302
    )
    assert desk.figures()["Lines of these"] == 2
    desk.run()
    [order] = orders_of(admin).values()
    assert (order["user"], order["status"], order["source"]) == ("bob", "cancelled", "Stall")
    assert order["created_at"] == "2026-01-02T00:00:00.000000Z"
    assert [line["quantity"] for line in order["products"]] == [2, 1]


@pytest.mark.parametrize(
    ("columns", "fields", "said"),
    [
        (["order", "name", "price", ""], {}, "Say which column is this: Quantity."),
        (["order", "name", "price", "price"], {}, "Only one column can be this: Price."),
        ([], {}, "Say which column is this: Order number, Product, Price, Quantity."),
        (MAPPED, {"time_zone": "Mars/Base"}, "There is no such time zone."),
        (MAPPED, {"status_prefixes": "C"}, "Must be one of: pending"),
        (MAPPED, {"status_prefixes": "=pending"}, "write it like C=cancelled"),
        (MAPPED, {"user": "a:b"}, "A colon is not allowed"),
        (MAPPED, {"source": "x" * 101}, "Longer than 100 characters."),
        (MAPPED, {"encoding": "base64"}, "Not a valid choice"),
        (MAPPED, {"status": "nope"}, "Not a valid choice"),
    ],
)
def test_options_that_cannot_be(desk: Desk, columns: list[str], fields: dict[str, str], said: str) -> None:
    desk.upload(FIVE)
    answer = desk.check(columns, **fields)
    assert answer.status_code == 422
    assert said in text_of(answer.text)
    assert "<h2>How the file is read</h2>" in answer.text
    assert desk.check().status_code == 302
    assert desk.figures()["Orders to bring in"] == 5


def test_the_same_file_twice_doubles_nothing(desk: Desk, admin: Caller) -> None:
    for new, known in ((5, 0), (0, 5)):
        desk.upload(FIVE)
        desk.check()
        figures = desk.figures()
        assert (figures["Orders to bring in"], figures["Here already"]) == (new, known)
        if new:
            desk.run()
    assert "There is nothing to bring in." in desk.shown()
    desk.run()
    assert desk.figures()["Here already"] == 5
    assert len(admin.get(ORDERS).get_json()) == 5


def test_a_part_at_a_time(desk: Desk, admin: Caller, two_at_once: None) -> None:
    """With a script and without: who goes away in between finds it where it stopped."""
    desk.upload(FIVE)
    desk.check()
    assert desk.part() == {"finished": False, "done": 2, "wanted": 5, "text": "2 of 5 orders"}
    assert len(orders_of(admin)) == 2
    assert "This import is not finished." in desk.shown()
    assert "shop.csv" in desk.visitor.get(PATH).text
    refused = desk.visitor.follow(desk.check())
    assert "The import has begun, so it goes on as it was checked." in refused.text
    assert 'value="4"' in desk.visitor.follow(desk.run()).text
    assert desk.part() == {"finished": True}
    assert desk.figures()["Orders brought in"] == 5
    assert desk.part() == {"finished": True}
    assert len(orders_of(admin)) == 5


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_is_killed(
    desk: Desk, admin: Caller, two_at_once: None, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Before it wrote anything, or after its commit, before it noted that: all come in, and each once."""
    desk.upload(FIVE)
    desk.check()
    desk.run()
    write = writing.Writer.write

    def killed(self: writing.Writer, *arguments: Any) -> bool:
        if when == "after":
            write(self, *arguments)
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(writing.Writer, "write", killed)
        assert desk.run().status_code == 500
    assert len(orders_of(admin)) == (4 if when == "after" else 2)
    while "finished. Go on" in desk.shown():
        desk.run()
    figures = desk.figures()
    assert (figures["Orders brought in"], figures["Lines of these"], figures["Here already"]) == (5, 10, 0)
    assert {reference: len(order["products"]) for reference, order in orders_of(admin).items()} == {
        str(number): 2 for number in range(1, 6)
    }


def test_killed_before_it_was_put_away(desk: Desk, admin: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.upload(FIVE + "7,,1,1\n")
    desk.check()
    with monkeypatch.context() as patch:
        patch.setattr("orders_app.admin.orders.import_work._finish", lambda *_: 1 / 0)
        assert desk.run().status_code == 500
    assert "Finish" in desk.shown()
    desk.run()
    assert desk.figures()["Orders brought in"] == 5
    assert len(desk.rejects()) == 2


def test_only_one_works_on_a_file(desk: Desk, admin: Caller, folder: Path) -> None:
    """Two tabs, or an answer that was lost while the server was still at it."""
    desk.upload(FIVE)
    desk.check()
    [own] = folder.iterdir()
    with uploads._locked(own) as is_ours:
        assert is_ours
        assert "This file is being worked on." in desk.visitor.follow(desk.run()).text
        token = desk.visitor.token()
        answer = desk.visitor.client.post(f"{desk.page}run/", data={"csrf_token": token}, headers=BY_SCRIPT)
        assert answer.status_code == 409
        assert (
            "This file is being worked on."
            in desk.visitor.follow(desk.visitor.post(f"{desk.page}remove/")).text
        )
    assert orders_of(admin) == {}
    assert desk.run().status_code == 302
    assert len(orders_of(admin)) == 5


def test_a_plan_that_is_damaged_is_made_anew(desk: Desk, folder: Path, admin: Caller) -> None:
    desk.upload(FIVE)
    desk.check()
    [plan] = folder.glob("*/plan.db")
    plan.write_bytes(b"nonsense" * 1000)
    assert "The file is not checked yet." in desk.shown()
    desk.visitor.follow(desk.run())
    assert orders_of(admin) == {}
    assert desk.check().status_code == 302
    desk.run()
    assert len(orders_of(admin)) == 5


def test_nobody_else_sees_or_touches_it(desk: Desk, app: Flask, admin: Caller, folder: Path) -> None:
    desk.upload(FIVE)
    desk.check()
    body = {"username": "eve", "password": factories.password_of("eve"), "role": "admin"}
    assert admin.post(USERS, body).status_code == 201
    eve = Visitor.logged_in(app, "eve")
    assert "shop.csv" not in eve.get(PATH).text
    for visit in (
        lambda: eve.get(desk.page),
        lambda: eve.get(f"{desk.page}rejects/"),
        lambda: eve.post(f"{desk.page}run/"),
        lambda: eve.post(f"{desk.page}check/", column=MAPPED),
        lambda: eve.post(f"{desk.page}remove/"),
    ):
        answer = visit()
        assert (answer.status_code, "There is no such file here" in answer.text) == (404, True)
    assert orders_of(admin) == {}
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("token", ["..", "%2e%2e", "x", "0" * 32, "0" * 31 + "/", "..%2f..%2fetc"])
def test_what_is_no_token_names_nothing(desk: Desk, token: str) -> None:
    assert desk.visitor.get(f"{PATH}{token}/").status_code in {302, 404}
    assert desk.visitor.post(f"{PATH}{token}/remove/").status_code == 404


def test_strangers_and_users_upload_nothing(app: Flask, stranger: Visitor, folder: Path) -> None:
    for content in (FIVE.encode(), b"x" * 5_000_000):
        answer = send(stranger, multipart({}, "shop.csv", content))
        assert answer.status_code == 302
        assert "/admin/login/" in answer.location
    assert list(folder.glob("*")) == []


def test_a_form_without_its_token_changes_nothing(desk: Desk, folder: Path) -> None:
    client = desk.visitor.client
    assert send(desk.visitor, multipart({}, "shop.csv", FIVE.encode())).status_code == 400
    assert list(folder.glob("*")) == []
    desk.upload(FIVE)
    for action in ("check", "run", "remove"):
        assert client.post(f"{desk.page}{action}/", headers=BY_SCRIPT).status_code == 400
    assert len(list(folder.iterdir())) == 1


def test_too_large_a_file(make_app: Callable[..., Flask], app: Flask, admin: Caller, folder: Path) -> None:
    """More than other bodies may be, and not more than its own limit."""
    small = make_app(max_upload_length=6 * 1024 * 1024)
    desk = Desk(Visitor.logged_in(small))
    assert "At most 6 MiB" in desk.visitor.get(PATH).text
    line = f"1,{'x' * 200},1,1\n"
    content = HEADER + line * (5 * 1024 * 1024 // len(line))
    assert len(content) > small.config["MAX_CONTENT_LENGTH"]
    assert desk.upload(content).status_code == 302
    assert desk.check().status_code == 302
    for more in (6 * 1024 * 1024 + 1, 7 * 1024 * 1024):
        answer = desk.upload("x" * more)
        assert answer.status_code == 413
        assert "larger than 6 MiB" in answer.text
        assert answer.mimetype == "text/html"
    assert len(list(folder.iterdir())) == 1
    answer = desk.visitor.post("/admin/orders/new/", **{"line-name": "x" * 5_000_000})
    assert answer.status_code == 413


def test_a_body_that_does_not_say_its_length(desk: Desk, folder: Path) -> None:
    answer = desk.visitor.client.post(
        PATH,
        input_stream=io.BytesIO(b"x" * 100),
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )
    assert answer.status_code == 411
    assert list(folder.glob("*")) == []


@pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning")
def test_a_body_that_breaks_off_is_no_file(desk: Desk, folder: Path) -> None:
    whole = multipart({"csrf_token": desk.visitor.token()}, "shop.csv", FIVE.encode())
    assert send(desk.visitor, whole[:-40], len(whole)).status_code == 400
    gc.collect()  # Werkzeug leaves its copy of what came to be closed here
    assert list(folder.glob("*")) == []
    assert send(desk.visitor, whole).status_code == 302


RUBBISH = {
    "nothing": (b"", "shop.csv", "shop.csv is empty."),
    "blank lines": (b"\n\n  \n", "shop.csv", "shop.csv is empty."),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "shop.csv", "shop.csv is no text file."),
    "a workbook": (b"PK\x03\x04" + os.urandom(50), "shop.xlsx", "shop.xlsx is a ZIP file or a workbook."),
    "an array": (b'[\n  {"products": []}\n]', "orders.json", "orders.json is a JSON array."),
    "an array in a line": (b'[{"products": []}]', "orders.jsonl", "orders.jsonl is a JSON array."),
    "a long header": (b"x" * 10_000_000, "shop.csv", "The first line of shop.csv cannot be read."),
    "a thousand columns": (b"," * 1000, "shop.csv", "shop.csv has 1001 columns."),
    "no name": (b"", " ", "is empty."),
}


@pytest.mark.parametrize("content", RUBBISH)
def test_what_is_no_file_of_orders_is_not_kept(desk: Desk, folder: Path, content: str) -> None:
    data, name, said = RUBBISH[content]
    answer = desk.upload(data, name)
    assert answer.status_code == 422
    assert said in text_of(answer.text)
    assert 'type="file"' in answer.text
    assert list(folder.glob("*")) == []


def test_no_file_at_all(desk: Desk) -> None:
    for answer in (desk.visitor.post(PATH), desk.upload(b"", "")):
        assert answer.status_code == 422
        assert "Choose a file first." in answer.text


def test_another_encoding_is_chosen_on_the_page(desk: Desk, admin: Caller) -> None:
    desk.upload("No,Größe,Each,Qty\n1,Käse,1,1\n".encode("cp1252"))
    page = desk.shown()
    assert "shop.csv is not utf-8: there is a sign after line 0 that cannot be read." in page
    assert "Import 1" not in page
    desk.check([], encoding="cp1252")
    assert "Größe" in desk.shown()
    desk.check(encoding="cp1252")
    desk.run()
    assert orders_of(admin)["1"]["products"][0]["name"] == "Käse"
    desk.upload("order;name;price;quantity\n7;Сыр;1;1\n".encode("utf-16"))
    assert desk.figures()["Orders to bring in"] == 1


def test_a_wrong_sign_further_down(desk: Desk) -> None:
    """Beyond what is looked at first: nothing of the file comes in."""
    desk.upload(FIVE.encode() + b"9,Mug,1,1\n" * 50_000 + b"9,K\xe4se,1,1\n")
    desk.check()
    assert "is not utf-8" in desk.shown()
    assert desk.figures() == {}
    assert "The file is not checked yet." in desk.visitor.follow(desk.run()).text


def test_json_lines_and_an_export_of_ours(desk: Desk, admin: Caller, alice: Caller) -> None:
    line = {"products": [{"name": "Mug", "price": "1", "quantity": 2}], "reference": "9", "total_price": "7"}
    long = {"products": [{"name": "x" * 10_000_000, "price": "1", "quantity": 2}], "reference": "10"}
    desk.upload(f"{json.dumps(line)}\n{json.dumps(long)}\n[1]\nnonsense\n", "orders.jsonl")
    assert "JSON Lines: an order a line." in desk.shown()
    assert desk.figures()["Orders refused"] == 3
    desk.run()
    assert orders_of(admin)["9"]["total_price"] == "7.00"
    assert len(desk.rejects()) == 4
    alice.order()
    export = desk.visitor.get("/admin/orders/export/?format=csv").data
    desk.upload(export, user="")
    assert "An export of this service" in desk.shown()
    assert desk.figures()["Here already"] == 2


def test_owners(desk: Desk, admin: Caller) -> None:
    desk.upload(FIVE, user="")
    desk.check(user="")
    assert "Nobody is named as the owner." in desk.shown()
    desk.check(user="carol")
    assert "There is no user 'carol'." in desk.shown()
    assert "There is nothing to bring in." in desk.shown()
    desk.check(user="carol", create_users="y")
    desk.run()
    assert {order["user"] for order in orders_of(admin).values()} == {"carol"}


def test_too_many_orders_for_one_upload(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders_app.admin.orders.import_work.MOST_ORDERS", 4)
    desk.upload(FIVE)
    desk.check()
    assert "There are more than 4 orders." in desk.shown()


def test_a_person_has_so_many_files_here(desk: Desk, folder: Path) -> None:
    for _ in range(uploads.MOST_UPLOADS):
        assert desk.upload(FIVE).status_code == 302
    answer = desk.upload(FIVE)
    assert answer.status_code == 422
    assert "You have 5 files here already." in answer.text
    assert len(list(folder.iterdir())) == uploads.MOST_UPLOADS
    desk.visitor.post(f"{desk.page}remove/")
    assert desk.upload(FIVE).status_code == 302


def test_files_go_after_a_day(desk: Desk, folder: Path) -> None:
    """Those that are worked on stay; what an upload left that broke off goes."""
    pages = []
    for _ in range(3):
        desk.upload(FIVE)
        pages.append(desk.page)
    old, used, young = (folder / page.rstrip("/").rpartition("/")[2] for page in pages)
    broken = folder / ("a" * 32)
    broken.mkdir()
    (broken / "content").write_text("half")
    long_ago = time.time() - uploads.KEPT_SECONDS - 60
    for path in (old / "about.json", used / "about.json", broken):
        os.utime(path, (long_ago, long_ago))
    with uploads._locked(used):
        page = desk.visitor.get(PATH)
    assert page.status_code == 200
    assert {path.name for path in folder.iterdir()} == {used.name, young.name}
    desk.page = pages[1]
    desk.check()
    desk.visitor.get(PATH)
    assert used.exists(), "it was touched"


def test_no_room_for_a_file(desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("werkzeug.datastructures.FileStorage.save", full)
        answer = desk.upload(FIVE)
    assert answer.status_code == 503
    assert "The server has no room for the file" in answer.text
    assert list(folder.glob("*")) == []
    desk.upload(FIVE)
    with monkeypatch.context() as patch:
        patch.setattr("orders_app.admin.orders.uploads._write", full)
        assert desk.check().status_code == 503
    assert desk.check().status_code == 302


def test_others_read_no_files(desk: Desk, folder: Path) -> None:
    desk.upload(FIVE)
    [own] = folder.iterdir()
    assert own.stat().st_mode & 0o077 == 0
