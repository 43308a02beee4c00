"""Plumbing without business meaning: settings, clock, database, embedded PostgreSQL, migrations, SQL files.

Promises      commits happen only in db.py; time is read only in clock.py; PostgreSQL starts by itself, survives
              kill -9, and never trusts a connection without a password.
Never         adds users to the machine; changes a folder it did not create; knows an event or an account.
Read next     db.py, then postgres.py.
"""
