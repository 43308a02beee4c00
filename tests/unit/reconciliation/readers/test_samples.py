"""Every sample file of STEWARD_TEST_DATA: read with the money an independent parse finds, or refused with this reason.

The parsers below are a few lines of csv, json, regular expressions and ElementTree; they share nothing with the readers.
Most refused samples are hand-made by their projects to test field by field, with totals that never held.
"""

import csv
import io
import json
import os
import re
import xml.etree.ElementTree as ET
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from steward.reconciliation.readers import read

PLACES = {"JPY": 0, "HUF": 2}
CHARIOT = {
    "provider": "chariot", "date_format": "%Y-%m-%dT%H:%M:%S.%f%z",
    "columns": {
        "id": "gateway_txn_id", "type": "type", "currency": "settled_currency", "gross": "settled_total_amount",
        "fee": "settled_fee_amount", "net": "settled_net_amount", "at": "date", "payout": "settlement_batch_reference",
    },
    "types": {"donation": "payment", "payout": "payout"},
    "total": {"column": "type", "values": ["payout"], "payout": True},
}  # fmt: skip
GRAVY = {
    "columns": {"id": "id", "type": "status", "currency": "currency", "gross": "captured_amount", "at": "captured_at"},
    "units": "minor", "date_format": "%Y-%m-%dT%H:%M:%S.%f%z",
}  # fmt: skip
MAPPINGS = {"chariot": CHARIOT, "gravy": GRAVY}

FRAGMENT = "a fragment of a message"
REFUSED = {
    "adyen/settlement_detail_report_chargeback.csv": "the file says USD 4.03, its lines make USD -4.80",
    "adyen/settlement_detail_report_donation-ideal.csv": "the file says USD 0.76, its lines make USD 5.43",
    "adyen/settlement_detail_report_refund.csv": "the file says USD 4.03, its lines make USD -2.80",
    "camt/camt052.v6.xml": "SEK in an account of CHF",
    "camt/camt053.v2.all-balance-types.xml": "the file says EUR 4.04, its lines make EUR 9.86",
    "camt/camt053.v2.minimal.ultimate.xml": "a balance of SEK in an account of EUR",
    "camt/camt053.v2.minimal.xml": "a balance of SEK in an account of EUR",
    "camt/camt053.v2.with-account-name.xml": "EUR in an account of JPY",
    "camt/camt053.v2.with-party-ids.xml": "a balance of SEK in an account of EUR",
    "camt/camt053.v2.wrong.xml": "the document has no Stmt",
    "camt/camt053.v3.xml": "a balance of SEK in an account of EUR",
    "camt/camt53.only-Dt-with-DtTm.xml": "no opening or no closing booked balance",
    "checkoutcom/payouts_ent_testcheckoutfixture_20260701_20260702_1(1)-1.csv": "says USD 79.51, its lines make USD 79.45",
    "gravy/all_transactions_report.csv": "a list of payment attempts",
    "gravy/all_transactions_report_no_captured_trnxs.csv": "a list of payment attempts",
    "gravy/all_transactions_report_refund.csv": "a list of payment attempts",
    "mt940/mt940_tests_betterplace_amount_formats.sta": FRAGMENT,
    "mt940/mt940_tests_betterplace_currency_in_25.sta": FRAGMENT,
    "mt940/mt940_tests_betterplace_empty_86.sta": FRAGMENT,
    "mt940/mt940_tests_betterplace_empty_entry_date.sta": FRAGMENT,
    "mt940/mt940_tests_betterplace_empty_line.sta": FRAGMENT,
    "mt940/mt940_tests_betterplace_missing_crlf_at_end.sta": FRAGMENT,
    "mt940/mt940_tests_betterplace_sepa_snippet.sta": "says EUR -4,472,049.09, its lines make EUR -4,472,349.17",
    "mt940/mt940_tests_betterplace_sepa_snippet_broken.sta": ":25: comes twice in one message",
    "mt940/mt940_tests_cmxl_account_balance_credit.sta": FRAGMENT,
    "mt940/mt940_tests_cmxl_account_balance_debit.sta": FRAGMENT,
    "mt940/mt940_tests_cmxl_account_identification_iban.sta": FRAGMENT,
    "mt940/mt940_tests_cmxl_account_identification_legacy.sta": FRAGMENT,
    "mt940/mt940_tests_cmxl_available_balance.sta": FRAGMENT,
    "mt940/mt940_tests_cmxl_closing_balance.sta": FRAGMENT,
    "mt940/mt940_tests_cmxl_reference.sta": FRAGMENT,
    "mt940/mt940_tests_cmxl_statement_details.sta": FRAGMENT,
    "mt940/mt940_tests_cmxl_statement_line.sta": FRAGMENT,
    "mt940/mt940_tests_cmxl_statement_number.sta": FRAGMENT,
    "mt940/mt940_tests_jejik_abnamro.sta": "the file says EUR 876.84, its lines make EUR 2,914.84",
    "mt940/mt940_tests_jejik_ing.sta": "the file says EUR 3.47, its lines make EUR -45.59",
    "mt940/mt940_tests_jejik_knab.sta": "the file says EUR 798.98, its lines make EUR -3,701.02",
    "mt940/mt940_tests_jejik_postfinance.sta": "the file says CHF 159.60, its lines make CHF 159.40",
    "mt940/mt940_tests_jejik_rabobank.sta": "the file says EUR 395.82, its lines make EUR -740.11",
    "mt940/mt940_tests_jejik_triodos.sta": "the file says EUR 4,370.79, its lines make EUR 4,259.39",
    "mt940/mt940_tests_mBank_with_newline_in_tnr.sta": "the file says PLN 860.17, its lines make PLN 89.46",
    "paypal/sar_classic_subscr_cancel.csv": "a subscription agreement report (SAR) is no settlement",
    "paypal/sar_classic_subscr_signup.csv": "a subscription agreement report (SAR) is no settlement",
    "paypal/stl.csv": "SF GBP gross debits: the file says GBP 1.34, its lines make GBP 2.34",
    "paypal/stl_currency_convert.csv": "no totals (SF, RF) of BRL, USD: the file is cut",
    "paypal/stl_dr_payment.csv": "RF USD number of rows: the file says 1 rows, it has 2",
    "paypal/trr_express_checkout_donation_denied.csv": "no line of this file moved money",
    "paypal/trr_express_with_non_data_rows.csv": "the file says 20039 rows, it has 1",
    "shopify/balance.json": "a balance is no settlement",
    "shopify/dispute.json": "a dispute is no settlement",
    "shopify/disputes.json": "a list of disputes is no settlement",
    "shopify/payouts.json": "the file says USD 43.12, its lines make USD 42.90",
    "shopify/payouts_transactions.json": "gross -150 less fee -25 is not net -175",
    "shopify/refund.json": "a refund of an order is no settlement",
    "shopify/tender_transactions.json": "a list of tenders is no settlement",
    "shopify/transactions.json": "a list of an order's transactions is no settlement",
    "stripe/openapi_fixtures3.json": "without a list of balance transactions is no settlement",
}  # fmt: skip

# files that are read, and whether totals held them
READ = {
    "adyen/payments_accounting_report_chargeback.csv": None,
    "adyen/payments_accounting_report_gravy_chargeback.csv": None,
    "adyen/payments_accounting_report_nyce.csv": None,
    "adyen/settlement_detail_report_donation-ach.csv": True,
    "adyen/settlement_detail_report_donation.csv": True,
    "adyen/settlement_detail_report_donation_reordered.csv": True,
    "adyen/settlement_detail_report_emptynetcredit.csv": None,
    "adyen/settlement_detail_report_ignore.csv": True,
    "braintree/raw_batch_report_dispute.json": None,
    "braintree/raw_batch_report_refund.json": None,
    "braintree/raw_settlement_batch_report.json": None,
    "braintree/settlement_batch_report_2022-06-27.json": None,
    "braintree/settlement_batch_report_dispute_2022-06-27.json": None,
    "braintree/settlement_batch_report_refund_2022-06-27.json": None,
    "camt/camt052.v1.xml": None,
    "camt/camt052.v2.other-account.xml": None,
    "camt/camt052.v2.with-account-name.xml": None,
    "camt/camt052.v2.xml": None,
    "camt/camt054.v2.with-account-name.xml": None,
    "camt/camt054.v2.xml": None,
    "chariot/20260502081216-Groundswell-1000.00-deposit_01kqkvxnj5mc751be13egn6j6p.csv": True,
    "checkoutcom/settlement-breakdown_ent_testcheckoutfixture_20260702_00000003k599_1.csv": None,
    "mt940/mt940_tests_ASNB_mt940.txt": True,
    "mt940/mt940_tests_ASNB_mt940_with_spaces_for_entry_date.txt": True,
    "mt940/mt940_tests_betterplace_sepa_mt9401.sta": True,
    "mt940/mt940_tests_betterplace_with_binary_character.sta": True,
    "mt940/mt940_tests_citi_mt940.txt": True,
    "mt940/mt940_tests_cmxl_mt940.sta": True,
    "mt940/mt940_tests_jejik_generic.sta": True,
    "mt940/mt940_tests_jejik_rabobank-iban.sta": True,
    "mt940/mt940_tests_jejik_sns.sta": True,
    "mt940/mt940_tests_mBank_mt940.sta": True,
    "mt940/mt940_tests_mBank_mt942.sta": True,
    "mt940/mt940_tests_sberbank_171011_01234945.sta": True,
    "paypal/trr_dr_payment.csv": None,
    "paypal/trr_express_checkout_donation.csv": None,
    "paypal/trr_express_checkout_recurring_donation.csv": None,
    "paypal/trr_express_checkout_recurring_refund.csv": None,
    "paypal/trr_express_checkout_refund.csv": None,
    "paypal/trr_give_lively.csv": None,
    "paypal/trr_giving_fund.csv": None,
    "paypal/trr_grant.csv": None,
    "paypal/trr_gravy_donation.csv": None,
    "paypal/trr_void.csv": None,
    "shopify/payout.json": True,
    "stripe/payments_activity.csv": None,
    "stripe/settlement_report_giving_basket.csv": None,
    "stripe/settlement_report_with_customer_data.csv": None,
}


def minor(text, currency):
    return int(Decimal(text).scaleb(PLACES.get(currency, 2)))


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def stripe(content):
    return [(r["currency"].upper(), minor(r["net"], r["currency"])) for r in rows(content)]


def paypal(content):
    head, *body = [r for r in csv.reader(io.StringIO(content.decode())) if r and r[0] in {"CH", "SB"}]
    found = []
    for r in (dict(zip(head, line, strict=True)) for line in body):
        if r["Transaction Event Code"].startswith("T13"):
            continue
        sign = {"CR": 1, "DR": -1, "": 0}
        net = sign[r["Transaction Debit or Credit"]] * int(r["Gross Transaction Amount"])
        net += sign[r["Fee Debit or Credit"]] * int(r["Fee Amount"] or 0)
        found.append((r["Gross Transaction Currency"], net))
    return found


def adyen(content):
    found = []
    for r in rows(content):
        if "Record Type" in r:
            if r["Record Type"] in {"Settled", "Chargeback"}:
                found.append((r["Settlement Currency"], minor(r["Payable (SC)"], "USD")))
        else:
            net = minor(r["Net Credit (NC)"] or "0", "USD") - minor(r["Net Debit (NC)"] or "0", "USD")
            found.append((r["Net Currency"], net))
    return found


def braintree(content):
    found = []
    for r in json.loads(content):
        if "gross" in r:
            found.append((r["currency"], minor(r["gross"], "USD") * (-1 if r.get("type") else 1)))
        elif "amountDisputed" in r:
            if any(event["disbursementDate"] for event in r["statusHistory"]):
                found.append((r["amountDisputed"]["currencyCode"], -minor(r["amountDisputed"]["value"], "USD")))
        else:
            found.append((r["amount"]["currencyCode"], minor(r["disbursementDetails"]["amount"]["value"], "USD")))
    return found


def camt(content):
    root = ET.fromstring(re.sub(rb' xmlns="[^"]*"', b"", content))
    signs = {"CRDT": 1, "DBIT": -1}
    return [
        (e.find("Amt").get("Ccy"), signs[e.findtext("CdtDbtInd")] * minor(e.findtext("Amt"), "SEK"))
        for e in root.iter("Ntry")
    ]


def mt940(content):
    found, currency = [], ""
    for line in content.decode("latin-1").splitlines():
        told = re.match(r":(?:60[FM]:[CD]\d{6}|34F:)([A-Z]{3})", line)
        currency = told[1] if told else currency
        entry = re.match(r":61:\d{6}(?:\d{4}|    )?(R?)([CD])[A-Z]?(\d+),(\d*)", line)
        if entry and int(entry[3] + entry[4]):
            sign = (1 if entry[2] == "C" else -1) * (-1 if entry[1] else 1)
            found.append((currency, sign * int(entry[3] + entry[4].ljust(2, "0"))))
    return found


def chariot(content):
    return [
        (r["settled_currency"], minor(r["settled_net_amount"], "USD") * (-1 if r["type"] == "payout" else 1))
        for r in rows(content)
    ]


def checkoutcom(content):
    return [(r["Holding Currency"], minor(r["Net In Holding Currency"], "USD")) for r in rows(content)]


def shopify(content):
    payout = json.loads(content)["payout"]
    return [(payout["currency"], -minor(payout["amount"], "USD"))]


INDEPENDENT = {
    "stripe": stripe, "paypal": paypal, "adyen": adyen, "braintree": braintree, "camt": camt, "mt940": mt940,
    "chariot": chariot, "checkoutcom": checkoutcom, "shopify": shopify,
}  # fmt: skip


@pytest.fixture(scope="module")
def samples():
    folder = os.environ.get("STEWARD_TEST_DATA")
    place = Path(folder or "", "settlements")
    if not folder or not place.is_dir():
        pytest.skip("STEWARD_TEST_DATA names no folder with settlements/")
    return place


def reading_of(samples, name):
    content = (samples / name).read_bytes()
    folder, _, file = name.partition("/")
    return read("csv" if folder in MAPPINGS else folder, content, file, MAPPINGS.get(folder)), content


def test_every_sample_is_in_the_tables(samples):
    assert sorted([*READ, *REFUSED]) == sorted(f"{path.parent.name}/{path.name}" for path in samples.glob("*/*"))


@pytest.mark.parametrize("name", REFUSED)
def test_a_sample_is_refused_with_its_reason(samples, name):
    reading, _ = reading_of(samples, name)
    assert reading.refused is not None
    assert REFUSED[name] in reading.refused.reason
    assert reading.statements == ()


@pytest.mark.parametrize("name", READ)
def test_a_sample_is_read_with_the_money_of_an_independent_parse(samples, name):
    reading, content = reading_of(samples, name)
    assert reading.refused is None
    assert reading.control_total_ok is READ[name]
    lines = [line for statement in reading.statements for line in statement.lines]
    found = [(x.currency, x.net_minor if hasattr(x, "net_minor") else x.amount_minor) for x in lines]
    assert Counter(found) == Counter(INDEPENDENT[name.partition("/")[0]](content))
