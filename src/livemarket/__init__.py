"""livemarket: a simulated live-shopping business, its buyers and the outside world. Everything it makes is simulated.

A shop sells in live shows and on its own pages; parcels, returns, refunds, disputes, settlements and bills follow.
One day is `core/step.py`; `files/run.py` writes a business in files; `faces/` serves it over HTTP in the providers'
dialects; `core/counterfactual.py` answers what would have happened otherwise.

Promises: the same version, setting and seed give the same bytes on every machine; a random number is a function of
seed, entity, day and purpose, so that an action changes only what it causes; goods, money and people add up every
day; every number stands in `data/` with its source and quality.
Never: imports steward (they meet through files and HTTP); shows the truth through anything but `truth/` and
tests; reads a clock anywhere but in `faces/clock.py`.
Read next: README.md beside this file, `core/step.py`, `data/graph.yaml`.
"""
