"""What the mail provider's policy permits and refuses, row by row, and which sentence says so."""

from __future__ import annotations

import re

import pytest

from avow.values import Facts

from .policy_table import Case, bound_and_shown, cases, demanded, hold, judge, load, unfired

POLICY = load("mailhost")

#: A reported message that just arrived, and a legal desk that has all its papers in order. Times are seconds.
IN_ORDER: Facts = {
    "waiting": 0,
    "discarded(message)": False,
    "handed_on(message)": False,
    "addressed(recipient)": True,
    "recorded(finding)": True,
    "within_scope(finding)": True,
    "approved(2)": True,
    "evidence(our_interest)": True,
    "evidence(client_interest)": True,
    "valid(order)": True,
    "enforceable(order)": True,
    "within_scope(order)": True,
    "inadvertent(finding)": True,
    "evidence(crime)": True,
    "evidence(harm)": True,
    "required(law)": True,
    "reported(message)": True,
    "reviewed(message)": False,
    "harmful(message)": True,
    "violates(message, terms)": False,
}
#: Facts that no rule names, since the language adds them.
GATES: frozenset[str] = frozenset()

TABLE = """
M1 - welcome: show pages to visitor at {signup,console}
M1 + welcome: show pages to visitor at {home,privacy}
M1 - nothing-asked: ask {contact.name,payment.card,chosen.mailbox,account,demographic,message,report,preference} about
    visitor at {home,services_page,help_page,privacy}
M1 - nothing-asked: collect contact.phone from visitor at home for setup over https
M1 - nothing-asked: collect preference from visitor at privacy for tailoring over https
M1 - nothing-asked: collect message from visitor at help_page for delivery over https
M1 - no-cookie-there: set cookie.preferences for tailoring at home
M1 - no-cookie-there: set cookie.session for dealings at help_page

M2 + visit-log: log visit.domain about visitor at home for traffic
M2 + visit-log: log visit.time about visitor at client_pages for traffic
M2 + visit-log: log visit.page about visitor at signup for better_pages

ours + provider-lookup: derive visit.domain from visit.address for traffic by website

M2 - visit-nothing-else: log {visit.address,visit.browser,visit.referrer,visit.query,visit} about visitor at home for
    traffic
M2 - visit-nothing-else: log {visit.time,visit.domain} about visitor at {console,mail_service} for traffic
M2 - visit-nothing-else: log visit.page about client at home for traffic
M2 - visit-nothing-else: keep visit.address about visitor for traffic
M2 - visit-nothing-else: keep {visit.browser,visit.query} for traffic
M2 - visit-nothing-else: keep visit.referrer for better_pages

M3 + preferences-cookie: collect preference from visitor at preferences_page for tailoring
M3 + preferences-cookie: set cookie.preferences for tailoring at preferences_page
M3 + preferences-cookie: open cookie.preferences for tailoring at home
M3 - no-other-cookie: set cookie.preferences for {traffic,dealings,advertising} at preferences_page
M3 - no-other-cookie: set cookie.preferences for tailoring at {signup,abuse_form}
M3 - no-other-cookie: open {cookie,cookie.session} for tailoring at {home,signup}
M3 - no-other-cookie: open cookie.preferences for tailoring at {console,mail_service}
M3 - no-other-cookie: set {cookie.tracker,cookie} for tailoring at preferences_page
M3 - no-other-cookie: open cookie.tracker for tailoring at home
M3 - no-other-cookie: open cookie.preferences for profiling at home

M4 + visit-use: open visit.page for traffic by web_editor
M4 + visit-use: derive visit_totals from visit.time for traffic by web_editor
M4 + visit-use: show visit_totals to web_editor at console for better_pages
M4 + session-cookie: set cookie.session for dealings at login_page
M4 + session-cookie: open cookie.session for dealings at client_pages
M4 - visit-use-only: open visit.page for {sale,profiling,service} by web_editor
M4 - visit-use-only: open visit.domain for advertising by web_editor
M4 - visit-use-only: open visit.page for traffic by billing
M4 - visit-use-only: share visit.domain with partners for traffic over https
M4 - visit-use-only: show visit.page to web_editor at console for traffic
M4 - visit-use-only: publish visit.page at home
M4 - visit-use-only: link visit.time with account
M4 - visit-use-only: link contact.name with visit.domain
M4 - visit-use-only: link visit.page with cookie.session
M4 - visit-use: derive visit_totals from account.log for traffic by web_editor
M4 - visit-use: derive visit_totals from visit for advertising by web_editor
M4 - visit-use: show visit_totals to client at console for traffic
M4 - no-other-cookie: set {cookie,cookie.preferences} for dealings at {login_page,client_pages}
M4 - no-other-cookie: open {cookie,cookie.preferences} for {dealings,payment} at {client_pages,billing_page}
M4 - no-other-cookie: set cookie.session for dealings at {signup,preferences_page}
M4 - visit-use: show visit_totals to web_editor at home for traffic
M4 - no-other-cookie: open cookie.session for traffic at client_pages
M4 - no-other-cookie: open cookie.session for dealings at home
M4 - no-other-cookie: set cookie.session for advertising at login_page

M5 + your-pages: show {contact.name,account.status,chosen.mailbox} to client at client_pages for dealings
M5 - not-for-sale: open {contact.name,account.log} for {advertising,profiling,sale,partner_request} by client_desk
M5 - not-for-sale: show account.log to client_desk at console for curiosity
M5 - not-for-sale: derive contact.name for profiling
M5 - not-for-sale: show account.services to client_desk at console
M5 - relationship-only: open account.log for traffic by client_desk
M5 - relationship-only: open contact.name for review by abuse_desk
M5 - relationship-only: show contact.phone to client at home for dealings
M5 - relationship-only: show contact.phone to visitor at client_pages for dealings
M5 - relationship-only: show chosen.password to client at client_pages for dealings
M5 - relationship-only: open chosen.password for service by client_desk
M5 - relationship-only: show {contact.name,account.status} to client at client_pages for {review,tailoring}
M5 - relationship-only: log account.log about client at mail_service for {review,tailoring}
M5 - relationship-only: open contact.name for {review,dealings} by client_desk
M5 - relationship-only: show {contact.name,account.log} to client_desk at console for {review,dealings}
M5 - relationship-only: publish contact.name at home for dealings
M5 - relationship-only: open account.services for tailoring by website

M6 + signup-contact: collect {contact.name,contact.address,contact.phone} from client at signup for setup over https
M6 + signup-contact: ask {contact.name,contact.address,contact.phone} at signup for setup
M6 + signup-contact: keep contact.phone about client for setup
M6 + signup-payment: collect {payment.billing,payment.card.code} from client at signup for payment over https
M6 + signup-payment: collect payment.card.number from client at billing_page for payment over https
M6 + signup-payment: ask {payment.billing,payment.card.number} at {signup,billing_page} for payment
M6 + signup-payment: keep payment.card.number about client for payment
M6 + signup-services: collect {account.services,chosen.domain} from client at signup for setup over https
M6 + signup-services: ask {account.services,chosen.password} at signup for setup
M6 + signup-services: keep chosen.mailbox about client for service

ours + login: collect chosen.password from client at login_page for dealings over https
ours + login: collect chosen.password from client at mail_service for service over smtps
ours + corrections: collect contact.address from client at client_pages for dealings over https
ours + corrections: keep contact.address about client for dealings

M6 - signup-nothing-else: collect {demographic,account.log,contact,payment.card.number} from client at signup for
    setup over https
M6 - signup-nothing-else: ask {demographic,contact,account.log,payment.card.number} at signup for setup
M6 - signup-nothing-else: collect contact.name from partners at signup for setup over https
M6 - signup-nothing-else: collect contact.name from client at signup for advertising over https
M6 - signup-nothing-else: ask contact.name at signup
M6 - signup-payment: keep {payment.card.number,payment.billing} about {client,visitor} for setup
M6 - signup-contact: keep contact about client for setup
M6 - signup-nothing-else: collect {payment,payment.card,chosen,account} from client at signup for {setup,payment} over
    https
M6 - signup-payment: collect {payment,payment.card} from client at billing_page for payment over https
M6 - *: keep {chosen,account} about client for setup
M6 - *: keep chosen about client for service
ours - in-transit: collect {contact.name,payment.card.number,chosen.password,account.services} from client at signup for
    {setup,payment} over http
ours - in-transit: collect report.text from visitor at abuse_form for review over http
ours - in-transit: collect chosen.password from client at login_page for dealings
ours - in-transit: share {contact.name,account.log} with police for protection by legal_desk
ours - in-transit: share {contact.name,account.log} with police for protection over http by legal_desk
ours - in-transit: share message with addressee for delivery over http by mail_server

ours - card-code: keep payment.card.code about client for payment
ours - card-code: keep payment.card

M7 + account-records: log account.log about client at mail_service for service
M7 + account-records: keep {account.status,account.services,account.log} about client for service
M7 + mailbox: collect message.content from correspondent at mail_service for delivery
M7 + mailbox: collect message.envelope from client at mail_service for delivery
M7 + mailbox: keep message.content about client for delivery
M7 + mailbox: open message.content for delivery by mail_server
M7 + mailbox: show message.content to client at mailbox for delivery
M7 + mailbox: search message by mail_server at mailbox for delivery
M7 + mailbox: destroy message for delivery by mail_server if discarded(message)=yes
M7 + ninety-days: destroy message for delivery by mail_server if waiting=7776000
M7 + mailbox: keep message.content about client for delivery if waiting=7776000
M7 - ninety-days: keep message.content about client for delivery if waiting=7776001
M7 - ninety-days: keep message.envelope about client for delivery if waiting=unknown
M7 - mailbox: keep message.content about client for {profiling,review}
M7 - mailbox: keep message.content about visitor for delivery
M7 - relationship-only: log account about client at mail_service for service
M7 - no-surveillance: show message to client at {client_pages,console} for delivery
M7 - relationship-only: log account.log about client at home for service

M8 + contact-use: open contact.name for setup by client_desk
M8 + contact-use: show contact.phone to client_desk at console for setup
M8 + payment-use: open payment.card.number for payment by billing
M8 + payment-use: show payment.billing to client at billing_page for payment
M8 + payment-use: share {payment.billing,payment.card.number,payment.card.code} with processor for payment over https
M8 + account-use: show account.status to client_desk at console for service
M8 + payment-use: show payment.billing to billing at console for payment
M8 + account-use: open account.status for service by mail_server
M8 + account-use: open account.log for service by client_desk
M8 + account-use: open chosen.mailbox for delivery by mail_server
M8 - relationship-only: show contact.name to client_desk at {home,client_pages} for setup
M8 - relationship-only: show payment to {client,billing} at {billing_page,console} for payment
M8 - relationship-only: show payment.billing to {client,billing} at {home,signup} for payment
M8 - relationship-only: show {chosen,chosen.password} to client_desk at console for service
M8 - relationship-only: show account to client_desk at {home,client_pages} for service
M8 - contact-use: open contact.name for payment by billing
M8 - contact-use: open contact.phone for service by client_desk
M8 - contact-use: share contact.name with processor for payment over https
M8 - contact-use: open contact.name for delivery by mail_server
M8 - contact-use: open contact.name by client_desk
M8 - payment-use: open payment.billing for setup by client_desk
M8 - payment-use: open payment.card for service by billing
M8 - payment-use: open payment.card.number for dealings by billing
M8 - payment-use: show payment.billing to client at client_pages for dealings
M8 - payment-use: share payment.card.number with processor for payment over http
M8 - payment-use: share payment.card.number with processor for service over https
M8 - payment-use: share payment.billing with processor for payment
M8 - payment-use: open payment by billing
M8 - payment-use: share payment.card.number with court for protection over https by legal_desk
M8 - payment-use: share payment.billing with police for protection over https by legal_desk
M8 - payment-use: share payment.card.number with authority for legal_duty over https by legal_desk
M8 - account-use: open account.status for setup by client_desk
M8 - account-use: open account.log for payment by billing

M9 + against-harm: share {contact.name,account.log} with {counsel,court,police} for protection over https by
    legal_desk
M9 + by-law: share contact.address with authority for legal_duty over https by legal_desk
M9 + by-law: share account.log with court for legal_duty over https by legal_desk
M9 - no-other-ground: share contact.name with {authority,processor} for protection over https by legal_desk
M9 - no-other-ground: share contact.name with {counsel,police} for legal_duty over https by legal_desk
M9 - no-other-ground: share contact.name with police for protection over https by client_desk
M9 - no-other-ground: share chosen.password with police for protection over https by legal_desk
M9 - no-other-ground: share contact.name with police for crime_report over https by legal_desk
M9 - no-other-ground: share contact.name with police for protection over https by legal_desk if
    {evidence(harm),recorded(finding)}={no,unknown}
M9 - no-other-ground: share contact.name with authority for legal_duty over https by legal_desk if
    {required(law),recorded(finding)}={no,unknown}
M9 - not-for-sale: share contact.name with partners for {protection,partner_request} over https by legal_desk
M9 - not-for-sale: share account with partners for sale over https by legal_desk
M9 - not-for-sale: share contact.name with court for curiosity over https by legal_desk

M10 + to-deliver: share {message.content,message.envelope} with addressee for delivery over smtps by mail_server
M10 + to-protect: share message.content with counsel for defence over https by legal_desk
M10 + to-protect: share message.content.body with court for defence over https by legal_desk
M10 + to-obey: share message.content with authority for legal_order over https by legal_desk
M10 + to-report: share message.content with police for crime_report over https by legal_desk
M10 - no-other-case: share message.content with addressee for delivery over smtps by mail_server if
    addressed(recipient)={no,unknown}
M10 - no-other-case: share message.content with counsel for defence over https by legal_desk if
    evidence({our_interest,client_interest})={no,unknown}
M10 - no-other-case: share message.content with authority for legal_order over https by legal_desk if
    {valid(order),enforceable(order),within_scope(order)}={no,unknown}
M10 - no-other-case: share message.content with police for crime_report over https by legal_desk if
    {inadvertent(finding),evidence(crime)}={no,unknown}
M10 - finding: share message.content with counsel for defence over https by legal_desk if
    {recorded(finding),within_scope(finding)}={no,unknown}
M10 - finding: share message.content with court for legal_order over https by legal_desk if
    {recorded(finding),within_scope(finding)}={no,unknown}
M10 - finding: share message.content with police for crime_report over https by legal_desk if
    {recorded(finding),within_scope(finding)}={no,unknown}
ours - two-approvals: share message.content with counsel for defence over https by legal_desk if
    approved(2)={no,unknown}
ours - two-approvals: share message.content with court for legal_order over https by legal_desk if
    approved(2)={no,unknown}
ours - two-approvals: share message.content with police for crime_report over https by legal_desk if
    approved(2)={no,unknown}
M10 - not-by-chance: share message.content with police for crime_report over https by legal_desk if
    reviewed(message)={yes,unknown}
M10 - no-other-case: share message.content with partners for partner_request over https by legal_desk
M10 - no-other-case: share message.content with police for {curiosity,legal_order} over https by legal_desk
M10 - no-other-case: share message.content with counsel for crime_report over https by legal_desk
M10 - no-other-case: share message.envelope with authority for legal_order over https by legal_desk
M10 - no-other-case: share message.content with police for crime_report over https by abuse_desk
M10 - no-other-case: share message.content with {processor,counsel,police} for delivery over https by mail_server
M10 - no-other-case: share message.content with addressee for {review,service,traffic,advertising} over smtps by
    mail_server
M10 - no-other-case: share {message,message.envelope,message.trace} with counsel for defence over https by legal_desk
M10 - no-other-case: share {message,message.envelope} with police for crime_report over https by legal_desk
M10 - no-other-case: share message.content with authority for {service,review,protection} over https by legal_desk
M10 - no-other-case: publish {message.content,message.envelope} at home

M11 + unaltered: record message.trace by mail_server for delivery
M11 - reports: collect report from visitor at abuse_form for review over https
M11 - reports: show report to abuse_desk at {home,abuse_form} for review
M11 + reports: show report.text to abuse_desk at console for review
M11 + reports: collect report.text from visitor at abuse_form for review over https
M11 + reports: keep report.message about visitor for review
M11 + reports: open report.text for review by abuse_desk
M11 + review: open message.content for review by abuse_desk
M11 + review: review message for review by abuse_desk
M11 + review: show message.content to abuse_desk at console for review
M11 + delete-or-block: {destroy,block} message for review by abuse_desk if reviewed(message)=yes
M11 + delete-or-block: block message for review by abuse_desk if reviewed(message)=yes, violates(message, terms)=yes
M11 - unaltered: record {message,message.content} by mail_server for delivery
M11 - unaltered: record message.trace by {website,staff} for delivery
M11 - no-surveillance: {open,review} message for review by {staff,client_desk,website} if reviewed(message)=yes
M11 - no-surveillance: open message for review by abuse_desk
M11 - no-surveillance: show message to abuse_desk at console for review
M11 - no-surveillance: show message.content to abuse_desk at {home,mailbox} for review
M11 - unaltered: change {message.content,message.content.headers,message} by mail_server if reviewed(message)=yes
M11 - unaltered: change message.content.body by abuse_desk if reviewed(message)=yes
M11 - no-surveillance: open message.content for review by abuse_desk if reported(message)={no,unknown}
M11 - no-surveillance: review message for review by abuse_desk if reported(message)={no,unknown}
M11 - no-surveillance: show message.content to abuse_desk at console for review if reported(message)={no,unknown}
M11 - no-surveillance: open message.content for review by client_desk if reviewed(message)=yes
M11 - no-surveillance: open message.content for curiosity by abuse_desk if reviewed(message)=yes
M11 - no-surveillance: show message.content to legal_desk at console for review if reviewed(message)=yes
M11 - no-surveillance: review message for curiosity by abuse_desk if reviewed(message)=yes
M11 - no-surveillance: search message by abuse_desk for review if reviewed(message)=yes
M11 - no-surveillance: search message by staff at mailbox for delivery if reviewed(message)=yes
M11 - no-surveillance: search message.content by mail_server for review if reviewed(message)=yes
M11 - no-surveillance: search message by mail_server at console for delivery if reviewed(message)=yes
M11 - no-censoring: {destroy,block} message for review by abuse_desk
M11 - no-censoring: {destroy,block} message for review by abuse_desk if reviewed(message)=unknown
M11 - no-censoring: {destroy,block} message for review by abuse_desk if reviewed(message)=yes, harmful(message)=no
M11 - no-censoring: {destroy,block} message for review by abuse_desk if reviewed(message)=yes,
    harmful(message)=unknown
M11 - no-censoring: block message for curiosity by abuse_desk if reviewed(message)=yes
M11 - no-censoring: {block,destroy} message for review by client_desk if reviewed(message)=yes
M11 - no-censoring: destroy message for delivery by mail_server if reviewed(message)=yes
M11 - reports: open report.sender for advertising by abuse_desk
"""

DUTIES = [
    ("ninety-days", "must destroy message within 90 days after arrived"),  # M7
    ("sealed-mail", "must encrypt message at rest"),
    ("review-deadline", "must review message within 3 days after reported(message)"),  # M11
    ("questions", "must show contact_details at privacy"),
]

CASES = cases(TABLE, IN_ORDER)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_policy_answers(case: Case) -> None:
    hold(POLICY, case)


def test_every_row_is_bound_and_shown_from_both_sides() -> None:
    bound_and_shown(POLICY, CASES)


def test_every_sentence_with_rules_decides_some_flow() -> None:
    assert unfired(POLICY, CASES) == set()


def test_every_word_of_a_permitted_flow_counts() -> None:
    """Leave out where, what for or by whom, and the same flow is refused."""
    loose = []
    for case in filter(lambda case: case.permitted, CASES):
        words = re.findall(r"[^\s(]+(?:\([^)]*\))?", case.flow)
        shorter = [" ".join(words[:at] + words[at + 2 :]) for at in range(2, len(words), 2)]
        loose += [flow for flow in shorter if judge(POLICY, flow, case.facts).permitted]
    assert not loose


def test_every_fact_of_the_table_is_one_that_a_rule_asks_for() -> None:
    """A fact that no rule asks for would be a misspelt one."""
    asked = " ".join(rule.text for rule in POLICY.rules)
    assert all(fact in asked for fact in IN_ORDER.keys() - GATES)


@pytest.mark.parametrize(("anchor", "duty"), DUTIES)
def test_a_sentence_demands_its_duty(anchor: str, duty: str) -> None:
    assert duty in demanded(POLICY, anchor)


def test_the_policy_says_where_questions_go() -> None:
    said = POLICY.sentence("questions").text
    contact = POLICY.contact
    assert all(way and way in said for way in (contact.email, contact.phone, contact.address))


def test_a_field_that_the_policy_does_not_name_is_refused() -> None:
    """M6: a sign-up form cannot ask for what the vocabulary does not have."""
    verdict = judge(POLICY, "collect contact.email from client at signup for setup over https", IN_ORDER)
    assert not verdict.permitted
