"""Who pays in these tests: a founder and another, a manager, an agent, and the way of a payout through them."""

from datetime import timedelta

from steward.contracts.event import Envelope


def fact(event_type, name, at, stream="order", **data):
    return Envelope(
        id=f"{event_type}/{name}", source="shop", type=event_type, subject=f"{stream}/{name}", time=at, data=data
    )


class People:
    """Keys of a shop's people, and a fake server that their payouts go to."""

    def __init__(self, shop, server):
        self.shop, self.app, self.clock, self.server = shop, shop.app, shop.clock, server
        self.ana = self.app.access.create("ana", (), "founder")
        self.eve = self.app.access.create("eve", (), "founder", by=self.ana)
        self.ben = self.app.access.create("ben", (), "manager", by=self.ana)
        self.bot = self.app.access.create("bot", (), "agent", by=self.ana)

    def let_in(self, party, address, name):
        """Two founders let an address in, after ben rang."""
        asked = self.app.payees.change(party, address, name, "ben", "fay")
        assert asked["outcome"] == "held", asked
        for key in (self.ana, self.eve):
            self.read(asked["id"], key)
            done = self.app.approvals.approve(asked["id"], key, "cli")
            assert done.code == "", done
        self.app.events.sequence()
        assert done.state == "succeeded"
        self.clock.advance(timedelta(minutes=1))
        return asked["id"]

    def read(self, action, key):
        """Look at it, and take the time to."""
        self.app.approvals.show(action, self.app.access.recognise(key))
        self.clock.advance(timedelta(seconds=60))

    def prepared(self, **wish):
        made = self.app.payouts.prepare("fay", **wish)
        self.app.events.sequence()
        return made

    def agree(self, payout, key=None):
        shown = self.app.payouts.show(payout["payout_id"], key or self.ana)
        self.clock.advance(timedelta(seconds=60))
        done = self.app.payouts.approve(shown["payout_id"], key or self.ana, "cli", "as prepared")
        self.app.events.sequence()
        return done

    def send(self):
        """What a worker does: carry out, tell, follow."""
        self.app.dispatcher().drain()
        self.app.events.sequence()
        self.app.payouts.follow()
        self.app.events.sequence()
        self.shop.take_in()

    def state(self, payout):
        return self.app.payouts.show(payout["payout_id"])["state"]

    def told(self, name):
        return [e.envelope.data for e in self.app.events.read() if e.envelope.type == name]
