"""An empty Flask view that answers JSON: what the framework and the server cost by themselves."""

from __future__ import annotations

from flask import Flask

app = Flask(__name__)


@app.get("/")
def empty() -> dict[str, str]:
    return {"status": "ok"}
