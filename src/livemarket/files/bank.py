"""The bank account as ISO 20022 camt.053 statements, one a week: opening and closing balance, one entry for each
movement, with the reference its counterpart would put.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from livemarket.core.money import Bank
from livemarket.core.state import PROCESSORS
from livemarket.core.world import World
from livemarket.files import names
from livemarket.files.faults import major

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"
ACCOUNT = "SIM00LIVEMARKET0001"  # no IBAN of any country: nothing here can be mistaken for a real account
PARTIES = {Bank.FULFILMENT: "warehouse-3pl", Bank.ADS: "tiktok_ads", Bank.TAX: "tax office"}


def _party(kind: Bank, party: int) -> str:
    if kind == Bank.PAYOUT:
        return PROCESSORS[party]
    if kind == Bank.SUPPLIER:
        return names.supplier(party)
    return names.creator(party) if kind == Bank.CREATOR else PARTIES[kind]


def _reference(world: World, kind: Bank, party: int, number: int, day: int) -> str:
    if number < 0:  # paid by hand, under its own reference
        return world.state.references[-1 - number]
    if kind == Bank.PAYOUT:
        return names.payout(party, number)
    if kind == Bank.SUPPLIER:
        return f"spay-{number}"
    tag = {Bank.FULFILMENT: "3pay", Bank.ADS: "apay", Bank.TAX: "tax", Bank.CREATOR: f"cpay-{party:03d}"}[kind]
    date = names.calendar_date(day).isoformat()
    return f"{tag}-{date}" if kind in {Bank.TAX, Bank.CREATOR} else f"{tag}-{date}-0"


def _balance(code: str, amount: int, date: str) -> str:
    side = "CRDT" if amount >= 0 else "DBIT"
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="{names.CURRENCY}">{major(abs(amount))}</Amt>'
        f"<CdtDbtInd>{side}</CdtDbtInd><Dt><Dt>{date}</Dt></Dt></Bal>\n"
    )


def _entry(world: World, kind: Bank, party: int, number: int, amount: int, day: int) -> str:
    side, other = ("CRDT", "Dbtr") if amount >= 0 else ("DBIT", "Cdtr")
    date = names.calendar_date(day).isoformat()
    reference = escape(_reference(world, kind, party, number, day))
    return (
        f'<Ntry><Amt Ccy="{names.CURRENCY}">{major(abs(amount))}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts>BOOK</Sts>'
        f"<BookgDt><Dt>{date}</Dt></BookgDt><ValDt><Dt>{date}</Dt></ValDt><AcctSvcrRef>{reference}</AcctSvcrRef>"
        f"<BkTxCd><Prtry><Cd>{kind.name}</Cd></Prtry></BkTxCd><NtryDtls><TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs>"
        f"<RltdPties><{other}><Nm>{escape(_party(kind, party))}</Nm></{other}></RltdPties>"
        f"<RmtInf><Ustrd>{reference}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>\n"
    )


def described(world: World, row: int) -> dict[str, str]:
    """One entry as names and text."""
    table = world.state.bank_lines
    kind, party, number, amount, day = (int(table[n][row]) for n in ("kind", "party", "number", "amount", "day"))
    return {
        "reference": _reference(world, Bank(kind), party, number, day), "party": _party(Bank(kind), party),
        "kind": Bank(kind).name, "amount": major(amount), "currency": names.CURRENCY,
    }  # fmt: skip


def made(world: World, first: int, last: int, opening: int) -> tuple[str, str, int]:
    """The statement of the days from `first` to `last`: its path, its text and the closing balance."""
    table = world.state.bank_lines
    rows = np.flatnonzero((table["day"] >= first) & (table["day"] <= last))
    columns = (table.at(n, rows).tolist() for n in ("kind", "party", "number", "amount", "day"))
    body = "".join(_entry(world, Bank(k), p, n, a, d) for k, p, n, a, d in zip(*columns, strict=True))
    closing = opening + int(table.at("amount", rows).sum())
    begins, ends = names.calendar_date(first).isoformat(), names.calendar_date(last).isoformat()
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{NAMESPACE}"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>simulated-{ends}</MsgId><CreDtTm>{ends}T23:59:59+00:00</CreDtTm></GrpHdr>\n"
        f"<Stmt><Id>stmt-{ends}</Id><CreDtTm>{ends}T23:59:59+00:00</CreDtTm>"
        f"<FrToDt><FrDtTm>{begins}T00:00:00+00:00</FrDtTm><ToDtTm>{ends}T23:59:59+00:00</ToDtTm></FrToDt>"
        f"<Acct><Id><Othr><Id>{ACCOUNT}</Id></Othr></Id><Ccy>{names.CURRENCY}</Ccy></Acct>\n"
        f"{_balance('OPBD', opening, begins)}{_balance('CLBD', closing, ends)}{body}"
        "</Stmt></BkToCstmrStmt></Document>\n"
    )
    return f"bank/{begins}_{ends}.camt053.xml", text, closing


def write(world: World, first: int, last: int, opening: int, folder: Path) -> tuple[str, int]:
    """The same in a file below `folder`; returns its path and the closing balance."""
    file, text, closing = made(world, first, last, opening)
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return file, closing
