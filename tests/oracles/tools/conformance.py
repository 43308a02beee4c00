"""Every checked verb against the official description it names: what it builds, what it lets through, what it reads."""

import json
from functools import cache
from random import Random

from described import Described
from generated import changed, least, most

from steward.catalog.loader import parse_yaml
from steward.gateway.core.calls import build_call, problems_of
from steward.gateway.core.reading import Reply, read_reply
from steward.kernel.errors import BadInput

UNDESCRIBED = {("paypal", "submit_evidence"): "body: input is not described"}
"""PayPal's description of this operation names the file alone; its page names the part `input` beside it."""
KEY = "act_0123456789abcdef0123456789abcdef"


class Harness:
    """`loosen` takes the schemas of arguments away, `spoil` renames a field of each body: the controls."""

    def __init__(self, book, descriptions, examples, *, loosen=False, spoil=False):
        self.book, self.folder, self.examples = book, descriptions, examples
        self.loosen, self.spoil = loosen, spoil
        self.described = cache(lambda name: Described(descriptions / name))
        self.written = cache(lambda tool: parse_yaml((examples / f"{tool}.yaml").read_text(encoding="utf-8"), tool))
        self.verb = cache(self._verb)
        self.arguments_kept = cache(self.arguments)
        self.open = cache(lambda tool, verb: self.verb(tool, verb).model_copy(update={"params": {}}))

    def verbs(self):
        return [
            (name, verb.verb)
            for name in self.book.names()
            for verb in self.book.tool(name).verbs
            if verb.evidence.level == "checked"
        ]

    def _verb(self, tool, verb):
        found = self.book.verb(tool, verb)
        if self.loosen:
            found = found.model_copy(update={"params": {}})
        if self.spoil and isinstance(found.body, dict) and found.body:
            name = next(iter(found.body))
            body = {f"{key}_x" if key == name else key: part for key, part in found.body.items()}
            found = found.model_copy(update={"body": body})
        return found

    def settings(self, tool):
        given = self.written(tool).get("_settings", {})
        return {name: str(given.get(name, f"{name.replace('_', '-')}-1")) for name in self.book.tool(tool).settings}

    def arguments(self, tool, verb):
        """The written example, and the least and the most its schema allows, where they can be derived."""
        spec, written = self.book.verb(tool, verb), self.written(tool)[verb].get("args", {})
        found = [written]
        for make in (least, most):
            args = make(spec.params, written)
            if problems_of(spec, args) == [] and args not in found:
                found.append(args)
        return found

    def request(self, tool, verb, args, *, unchecked=False):
        spec = self.open(tool, verb) if unchecked else self.verb(tool, verb)
        found = self.book.tool(tool)
        return build_call(found, spec, args, KEY, self.settings(tool), found.base)

    def problems(self, tool, verb, request):
        evidence = self.book.verb(tool, verb).evidence
        found = self.described(evidence.description).problems(request, evidence.operation)
        return [one for one in found if one != UNDESCRIBED.get((tool, verb))]

    def built(self):
        """(tool, verb, number of requests, what the description refuses of them)."""
        for tool, verb in self.verbs():
            wrong, args = [], self.arguments(tool, verb)
            for one in args:
                wrong += self.problems(tool, verb, self.request(tool, verb, one))
            yield tool, verb, len(args), sorted(set(wrong))

    def mutations(self, wanted, seed=7, tries=30):
        """Changed arguments whose request the description refuses: how many of those are refused before sending."""
        random = Random(seed)
        verbs = [pair for pair in self.verbs() if self.book.verb(*pair).params.get("properties")]
        seen, violating, refused, tried, through = set(), 0, 0, 0, []
        while violating < wanted and tried < wanted * tries:
            tried += 1
            tool, verb = random.choice(verbs)
            args = random.choice(self.arguments_kept(tool, verb))
            for _ in range(random.choice((1, 1, 2, 3))):
                args = changed(args, random)
            mark = f"{tool} {verb} {args!r}"
            if mark in seen:
                continue
            seen.add(mark)
            try:
                request = self.request(tool, verb, args, unchecked=True)
            except BadInput:
                continue  # no request: the description cannot be asked
            wrong = self.problems(tool, verb, request)
            if not wrong:
                continue
            violating += 1
            try:
                self.request(tool, verb, args)
            except BadInput:
                refused += 1
            else:
                through.append((tool, verb, repr(args)[:200], wrong[:2]))
        return {"tried": tried, "violating": violating, "refused": refused, "through": through}

    def read(self):
        """(tool, verb, whether a published answer reads as good and gives something the verb names)."""
        for tool, verb in self.verbs():
            spec = self.book.verb(tool, verb)
            for status, answer in self.described(spec.evidence.description).responses(spec.evidence.operation):
                body = answer if isinstance(answer, str) else json.dumps(answer, default=str)
                said = read_reply(self.book.tool(tool), spec, Reply("answer", status, {}, body.encode()))
                yield tool, verb, said.kind == "ok" and (bool(said.result) or not spec.result), said
                break
