"""What a command pays before it does anything: libraries that only some commands need stay out of the others' way."""

import subprocess
import sys

import pytest

SHOWN = "import sys; import {}; print(*sorted(name for name in sys.modules if '.' not in name))"


def loaded(module):
    """Top-level modules that a fresh interpreter holds after importing one of ours."""
    command = [sys.executable, "-c", SHOWN.format(module)]
    return set(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split())


@pytest.mark.parametrize(
    ("module", "needs", "does_without"),
    [
        ("steward.cli.main", {"click"}, {"psycopg", "pydantic", "yaml", "msgspec"}),
        (
            "steward.bootstrap",
            {"psycopg", "pydantic", "yaml"},
            {
                "httpx",
                "rich",
                "pygments",
                "numpy",
                "jsonpath_rfc9535",
                "regex",
                "cryptography",
                "starlette",
                "z3",
                "dbos",
            },
        ),
        ("steward.verifier.provers.__main__", {"json"}, {"psycopg", "pydantic", "yaml", "click", "numpy", "z3"}),
    ],
)
def test_what_a_start_loads(module, needs, does_without):
    found = loaded(module)
    assert needs <= found
    assert not found & does_without
