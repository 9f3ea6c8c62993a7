"""The software bill of materials: `make sbom` writes what the service is made of to `sbom.cdx.json`.

CycloneDX lists the pins of requirements.txt; the licences come from the metadata of the packages that
are installed here, which are the same ones.  The same pins give the same bytes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = Path(sys.executable).with_name("cyclonedx-py")
_CLASSIFIER = "License :: OSI Approved :: "


def main(target: Path) -> None:
    """Write the bill."""
    bill = listed()
    for component in bill["components"]:
        component["licenses"] = [cyclonedx_license(license_of(component["name"], component["version"]))]
    target.write_text(json.dumps(bill, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def listed() -> dict[str, Any]:
    """What CycloneDX makes of requirements.txt."""
    options = ["--pyproject", "pyproject.toml", "--output-reproducible", "--short-PURLs"]
    done = subprocess.run(  # noqa: S603  (our own program and files)
        [str(PROGRAM), "requirements", "requirements.txt", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    bill: dict[str, Any] = json.loads(done.stdout)
    return bill


def license_of(name: str, version: str) -> str:
    """What the package says of its licence: an SPDX expression where it has one, else its own words."""
    found = metadata.metadata(name)
    if found["Version"] != version:
        raise SystemExit(f"{name} is installed as {found['Version']}, not {version}. Run: make setup")
    for expression in found.get_all("License-Expression") or ():
        return str(expression)
    names = [
        text.removeprefix(_CLASSIFIER)
        for text in found.get_all("Classifier") or []
        if text.startswith(_CLASSIFIER)
    ]
    return " and ".join(names) or " ".join(found.get_all("License") or ["unknown"])


def cyclonedx_license(text: str) -> dict[str, Any]:
    """The licence in CycloneDX's form: an expression, or a name that is no SPDX identifier."""
    if "License" in text:
        return {"license": {"name": text}}
    return {"expression": text}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
