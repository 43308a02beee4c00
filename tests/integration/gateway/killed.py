"""A process of its own that reserves money and is killed by SIGKILL at one step: run by test_killed.py."""

import json
import os
import signal
import sys
from datetime import datetime
from pathlib import Path

from steward.bootstrap import App
from steward.catalog import load_catalog
from steward.contracts.action import ActionProposal
from steward.infra.clock import FrozenClock
from steward.infra.db import Database
from steward.infra.settings import Settings


def dies_before(owner, name):
    def die(*_args, **_more):
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, die)


def dies_after(owner, name):
    done = getattr(owner, name)

    def die(*args, **more):
        done(*args, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, die)


def main():
    given = json.loads(sys.stdin.read())
    at = datetime.fromisoformat(given["at"])
    settings = Settings(home=Path(given["home"]), database_url=None, host="127.0.0.1", port=0)
    app = App(settings, Database(given["conninfo"], given["role"]), load_catalog(), FrozenClock(at))
    line = app.live_line
    steps = {
        "before the lock": lambda: dies_before(line._gate, "room"),
        "before the check": lambda: dies_before(line._gate, "recheck"),
        "before the hold": lambda: dies_before(line._gate, "finish"),
        "after the hold": lambda: dies_after(line._gate._seats, "hold"),
        "after the action": lambda: dies_after(line._gate, "finish"),
        "after the bundle": lambda: dies_after(type(line._proofs), "record_all"),
        "before the facts": lambda: dies_before(line._events, "put"),
        "after the facts": lambda: dies_after(line, "_record"),
        "after the commit": lambda: dies_after(line, "_once"),
    }
    steps[given["step"]]()
    app.control.act(ActionProposal.model_validate(given["proposal"]))
    sys.exit("it was to be killed")


main()
