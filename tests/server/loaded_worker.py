"""Loads the application as a worker process does, serves a little, and prints as JSON what is there then."""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import sys

from werkzeug.test import Client

from orders_app.http.worker import load


def main() -> None:
    """Read and write an order, ask for a page of them and for what is there but a database."""
    client = Client(load("wsgi:app", 8000, multiprocessing.Semaphore(0)))
    admin = ("admin", os.environ["ADMIN_PASSWORD"])
    order = {"products": [{"name": "Tea", "price": "1.00", "quantity": 2}]}
    answers = [
        client.post("/api/v1/orders/", json=order, auth=admin, headers={"Idempotency-Key": "one"}),
        client.get("/api/v1/orders/", auth=admin),
        client.get("/api/v1/nothing/"),
        client.get("/admin/login/"),
        client.get("/metrics/"),
        client.get("/readyz/"),
    ]
    said = {
        "statuses": [answer.status_code for answer in answers],
        "modules": sorted(sys.modules),
        "frozen": gc.get_freeze_count(),
        "collects": gc.isenabled(),
    }
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
