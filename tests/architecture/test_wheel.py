"""What is installed holds everything that is read at run time: data, SQL, grammar, the auditor's program."""

import zipfile
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]


def test_the_wheel_holds_every_file_that_is_no_cache(tmp_path):
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path))
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    ours = [
        file for package in ("steward", "steward_client", "livemarket") for file in (ROOT / "src" / package).rglob("*")
    ]
    wanted = {
        str(file.relative_to(ROOT / "src")) for file in ours if file.is_file() and "__pycache__" not in file.parts
    }
    assert "steward/verifier/core/grammar.lark" in wanted
    assert wanted - inside == set()
