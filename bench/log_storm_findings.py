"""What the log storm left behind, against what was sent and what readers saw."""

import sys
import time
from array import array
from itertools import islice

import psycopg
from log_storm_actors import FOREIGN, SEEN, event_of, seen, source_of, viewers_of

READERS = 3
_PAGE = 20_000
_SUMS = """
    SELECT source, count(*), sum((data->>'viewers')::bigint)::bigint FROM event GROUP BY source ORDER BY source
"""


class Findings:
    """Every check of one storm; `wrong` is empty where all of them hold."""

    def __init__(self, stage, conninfo, shares):
        self.stage, self.conninfo, self.shares = stage, conninfo, shares
        self.wrong = []
        self.control = []

    def look(self):
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            self.look_at_counts(connection)
            self.look_at_rows(connection)
            self.look_at_projection(connection)
            self.look_at_control(connection)

    def look_at_counts(self, connection):
        sent = sum(self.shares)
        for what, query, expected in (
            ("rows in event", "SELECT count(*) FROM event", sent),
            ("the highest position", "SELECT coalesce(max(position), 0) FROM event", sent),
            ("the size in log_head", "SELECT size FROM log_head", sent),
            ("rows in event_key", "SELECT count(*) FROM event_key", sent),
            ("events left in the outbox", "SELECT count(*) FROM event_outbox", 0),
            ("conflicts", "SELECT count(*) FROM event_conflict", 0),
        ):
            found = connection.execute(query).fetchone()[0]
            if found != expected:
                self.wrong.append(f"{what}: {found:,}, should be {expected:,}")

    def look_at_rows(self, connection):
        """One pass over the table beside the files of all readers: the same records, in the same order."""
        counts = [bytearray(share) for share in self.shares]
        files = [(self.stage.folder / f"seen-{number}").open("rb") for number in range(READERS)]
        differing, position, foreign = set(), 0, 0
        with connection.transaction(), connection.cursor(name="rows") as cursor:
            cursor.itersize = _PAGE
            cursor.execute("SELECT position, source, event_id, subject, data FROM event ORDER BY position")
            while page := list(islice(cursor, _PAGE)):
                records = [seen(*row[:3]) for row in page]
                for record in records:
                    position += 1
                    at, writer, number = SEEN.unpack(record)
                    if at != position:
                        self.wrong.append(f"position {position} is followed by {at}")
                        return
                    if (writer, number) == FOREIGN or writer >= len(counts) or number >= len(counts[writer]):
                        foreign += 1
                    else:
                        counts[writer][number] = min(255, counts[writer][number] + 1)
                self.look_at_bodies(page[:: max(1, len(page) // 50)])
                expected = b"".join(records)
                for number, file in enumerate(files):
                    if number not in differing and (found := file.read(len(expected))) != expected:
                        differing.add(number)
                        self.wrong.append(f"reader {number} {_difference(expected, found)}")
        for number, file in enumerate(files):
            if number not in differing and (rest := file.read(SEEN.size)):
                self.wrong.append(f"reader {number} saw {SEEN.unpack(rest)} beyond the end")
            file.close()
        if foreign:
            self.wrong.append(f"{foreign} events that nobody sent")
        for writer, found in enumerate(counts):
            if missing := found.count(0):
                self.wrong.append(f"{missing} events of writer {writer} are missing")
            if repeated := len(found) - found.count(0) - found.count(1):
                self.wrong.append(f"{repeated} events of writer {writer} are stored more than once")

    def look_at_bodies(self, rows):
        """A sample of rows against the events they were made from."""
        for position, source, event_id, subject, data in rows:
            _, writer, number = SEEN.unpack(seen(position, source, event_id))
            if (writer, number) == FOREIGN:
                continue
            event = event_of(writer, number)
            if (event.subject, event.data) != (subject, data):
                self.wrong.append(f"position {position} holds another body than {source} {event_id} was sent with")

    def look_at_projection(self, connection):
        expected = sorted(
            (source_of(writer), share, sum(viewers_of(writer, number) for number in range(share)))
            for writer, share in enumerate(self.shares)
        )
        stored = connection.execute(_SUMS).fetchall()
        derived = connection.execute("SELECT source, events, viewers FROM projection ORDER BY source").fetchall()
        if stored != expected:
            self.wrong.append(f"count and sum by source in the log differ from what was sent: {stored}")
        if derived != stored:
            self.wrong.append(f"the projection differs from the log: {derived}")

    def look_at_control(self, connection):
        """How many of the naive table's rows each reader never saw."""
        top, rows = connection.execute("SELECT coalesce(max(pos), 0), count(*) FROM naive").fetchone()
        flags = []
        for number in range(READERS):
            found = bytearray(top + 1)
            serials = array("Q", (self.stage.folder / f"naive-{number}").read_bytes())
            for serial in serials:
                if serial <= top:
                    found[serial] = 1
            flags.append(found)
        missed = [0] * READERS
        with connection.transaction(), connection.cursor(name="serials") as cursor:
            cursor.itersize = _PAGE
            for (serial,) in cursor.execute("SELECT pos FROM naive"):
                for number, found in enumerate(flags):
                    missed[number] += not found[serial]
        self.control = {
            "rows": rows,
            "missed_by_reader": missed,
            "missed_percent": [f"{100 * part / max(1, rows):.2f}" for part in missed],
        }
        if not all(missed):
            self.wrong.append(f"the control missed {missed}: each of its readers must miss some, or nothing is shown")

    def verify(self, database):
        """Every byte of the log, with progress."""
        total, done, shown = sum(self.shares), 0, time.monotonic()

        def progress(rows):
            nonlocal done, shown
            done += rows
            if time.monotonic() - shown > (0.2 if sys.stderr.isatty() else 15) or done == total:
                shown = time.monotonic()
                bar = "#" * (30 * done // max(1, total))
                end = "\r" if sys.stderr.isatty() and done < total else "\n"
                print(f"verify [{bar:<30}] {done:,}", end=end, file=sys.stderr, flush=True)

        report = self.stage.log(database).verify(progress)
        self.wrong += [f"verify: {violation}" for violation in report.violations[:5]]
        return report


def _difference(expected, found):
    """Where a reader's records part from the table's, and how."""
    for start in range(0, len(expected), SEEN.size):
        ours, theirs = expected[start : start + SEEN.size], found[start : start + SEEN.size]
        if ours != theirs:
            stored = SEEN.unpack(ours)
            if len(theirs) < SEEN.size:
                return f"ends before position {stored[0]}"
            return f"saw (position, writer, number) {SEEN.unpack(theirs)} where the log has {stored}"
    return "differs"
