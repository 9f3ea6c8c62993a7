"""What the service is made of: the bill of materials lists the pins, and every licence may be used."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config import ROOT

PERMISSIVE = {
    "0BSD",
    "Apache-2.0",
    "BSD License",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "MIT License",
    "MIT-0",
    "MIT-CMU",
    "PSF-2.0",
}
WEAK_COPYLEFT = {
    "orjson": "MPL-2.0: used as it is, its files unchanged",
    "psycopg": "LGPL-3.0-only: imported as it is, and replaceable",
    "psycopg-binary": "LGPL-3.0-only: likewise",
    "tqdm": "MPL-2.0: likewise",
}


def write(target: Path) -> bytes:
    command = [sys.executable, "deploy/sbom.py", str(target)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target.read_bytes()


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(write(tmp_path_factory.mktemp("sbom") / "sbom.cdx.json"))
    return written


def pins() -> set[str]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return {f"{match[1]}@{match[2]}" for line in lines if (match := re.match(r"([\w.-]+)==([\w.]+)", line))}


def test_the_bill_lists_exactly_the_pins(bill: dict[str, Any]) -> None:
    listed = [component["purl"].removeprefix("pkg:pypi/") for component in bill["components"]]
    assert len(listed) == len(set(listed))
    assert set(listed) == pins()
    assert (bill["bomFormat"], bill["metadata"]["component"]["name"]) == ("CycloneDX", "orders-app")


def test_the_same_pins_give_the_same_bytes(bill: dict[str, Any], tmp_path: Path) -> None:
    assert json.loads(write(tmp_path / "again.json")) == bill
    assert "timestamp" not in bill["metadata"]
    assert "serialNumber" not in bill
    assert str(ROOT) not in json.dumps(bill)


def test_every_licence_is_known_and_may_be_used(bill: dict[str, Any]) -> None:
    unusual = {}
    for component in bill["components"]:
        found = component["licenses"][0]
        text = found.get("expression") or found["license"]["name"]
        if not set(re.split(r" AND | OR | and |[()]", text)) - {""} <= PERMISSIVE:
            unusual[component["name"]] = text
    assert unusual.keys() == WEAK_COPYLEFT.keys(), unusual
    for name, text in unusual.items():
        assert WEAK_COPYLEFT[name].partition(":")[0] in text
    assert not any(word in json.dumps(unusual) for word in ("unknown", " GPL", '"GPL', "AGPL"))
