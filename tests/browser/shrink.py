"""Makes the pictures of a folder smaller; runs in the environment of the benchmarks, which has Pillow."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image


def main(folder: Path) -> None:
    """Leave each with the 256 colours that it needs most, which the eye does not tell from all."""
    for path in sorted(folder.glob("*.png")):
        with Image.open(path) as picture:
            few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
