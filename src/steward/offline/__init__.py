"""The offline verifier: re-proves an exported history with the standard library alone.

`steward-verify.py` is one file cut by `cut.py` from the trusted modules of the verifier and the log and from those
here. It shares no process, database or package with the system whose history it judges.

Promises      a changed byte of an exported history is found against a checkpoint kept elsewhere; every verdict is
              derived again from catalog and facts, every certificate re-checked; what is taken on trust is printed.
Never         reads anything but the export, the checkpoint and the key it is given; runs a prover or a parser.
Read next     program.py, then replay.py.
"""

from __future__ import annotations

from pathlib import Path

PROGRAM = Path(__file__).with_name("steward-verify.py")


def read_outside(checkpoint: Path, key: Path) -> list[tuple[int, str]]:
    """(size, root) of every checkpoint an auditor kept, each signed by one of the keys kept with it."""
    from steward.kernel.errors import BadInput
    from steward.offline.program import Unreadable
    from steward.offline.program import read_outside as read

    try:
        return read(checkpoint, key)[0]
    except Unreadable as unreadable:
        raise BadInput(str(unreadable)) from None


def main() -> None:
    """Run the one file, as `python3 steward-verify.py` does."""
    import runpy

    runpy.run_path(str(PROGRAM), run_name="__main__")


__all__ = ["PROGRAM", "main", "read_outside"]
