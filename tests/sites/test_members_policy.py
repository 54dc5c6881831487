"""What the membership site's policy permits and refuses, row by row, and which sentence says so."""

from __future__ import annotations

import re

import pytest

from avow.values import Facts

from .policy_table import Case, bound_and_shown, cases, demanded, hold, judge, load, unfired

POLICY = load("members")

#: A member who is logged in, refuses nothing, has permitted every helper, and came back after the last change.
IN_ORDER: Facts = {
    "submitted(form)": True,
    "refused(cookies)": False,
    "signalled(gpc)": False,
    "own(record)": True,
    "assigned(inquiry)": True,
    "due(statistics)": True,
    "left(budget)": True,
    "done(announce version)": True,
    "returned(version)": True,
    "objected(newsletter)": False,
    "consented(newsletter_help)": True,
    "consented(survey_help)": True,
    "consented(operations_help)": True,
    "withdrawn(newsletter_help)": False,
    "withdrawn(survey_help)": False,
    "withdrawn(operations_help)": False,
}
#: Facts that no rule names, since the language adds them.
GATES = frozenset({"due(statistics)", "done(announce version)"})

TABLE = """
S2 + anonymous: show pages to visitor at {home,privacy}
S2 + registration: collect contact.email from member at registration for operation over https
S2 + registration: collect account.password from member at login_page for operation over https
S2 + registration: keep contact.email about member for operation
S2 + invitations: collect order.items from member at orders for operation over https
S2 + invitations: keep order.items about member for operation
S2 + invitations: collect inquiry from visitor at contact_page for customer_service over https
S2 + invitations: collect feedback from member at contact_page for improvement over https
S2 + invitations: collect demographics.region from member at profile for group_view over https
S2 - own-submission: collect contact.email from member at registration for operation over https if
    submitted(form)={no,unknown}
S2 - own-submission: collect demographics.region from member at profile for group_view over https if
    submitted(form)={no,unknown}
S2 - own-submission: collect feedback from visitor at contact_page for improvement over https if
    submitted(form)={no,unknown}
S2 - invitations: keep {inquiry,feedback,demographics,order} about {member,visitor} for {advertising,news,tracking}
S2 - anonymous: show pages to visitor at {members_area,console}
S2 - registration: keep contact about member for operation
S2 - invitations: keep contact about member for customer_service
S2 - invitations: keep {inquiry,feedback} for {customer_service,improvement}
S2 - invitations: keep {order,demographics} about visitor for {operation,group_view}
S2 - registration: keep account.username about {member,visitor} for {advertising,tracking}
S2 - own-submission: collect contact.email from partners at registration for operation over https
S2 - own-submission: collect contact.email at registration for operation over https
S2 - registration: collect contact.email from visitor at {home,registration} for operation over https
S2 - invitations: collect demographics.region from member at {home,orders} for {group_view,advertising} over https
S2 - registration: collect {contact,account} from member at registration for operation over https
S2 - registration: collect {contact.email,account.username} from member at registration for {advertising,news,survey}
    over https

S3 + technical: log {visit.browser,visit.computer,visit.system,visit.provider,visit.connection} about visitor at home
    for improvement
S3 + technical: open visit.browser for improvement by editor
S3 - technical-not-joined: link visit.browser with contact.email
S3 - technical-not-joined: link account with visit
S3 - technical-not-joined: link trail with order
S3 - technical-not-joined: link {visit.provider,cookie.trail} with cookie.session
S3 - technical-not-joined: link acceptance with trail
S3 - technical-not-joined: log visit.system about member at members_area for improvement
S3 - technical-not-joined: keep visit.system about member for improvement
S3 - technical-not-joined: log visit.browser at home for improvement
S3 - technical-only: open visit.browser for {profiling,operation,tracking} by editor
S3 - technical-only: share visit.provider with advertisers for advertising over https
S3 - technical-only: publish visit.computer at home
S3 - technical-only: log visit about visitor at home for {tracking,improvement}
S3 - technical-only: log visit.browser about visitor for improvement
S3 - technical-only: log visit.browser about visitor at {console,mail} for improvement
S3 - technical-only: open visit.browser for improvement
S3 - technical-only: derive visit.system for profiling
S3 - technical-only: show visit.browser to member at profile for operation

S4 + session-cookie: set cookie.session for record_keeping at login_page
S4 + session-cookie: open cookie.session for operation at orders
S4 + trail-cookie: set cookie.trail for tracking at home
S4 + trail-cookie: open cookie.trail for tracking at articles
S4 + trail-cookie: log trail about visitor at home for tracking
S4 + trail-cookie: open trail for improvement by editor
S4 - refusal: set cookie.trail for tracking at home if refused(cookies)={yes,unknown}
S4 - refusal: open cookie.trail for tracking at articles if refused(cookies)={yes,unknown}
S4 - refusal: log trail about visitor at home for tracking if refused(cookies)={yes,unknown}
S4 - gpc: set cookie.trail for tracking at home if signalled(gpc)={yes,unknown}
S4 - gpc: open cookie.trail for tracking at articles if signalled(gpc)={yes,unknown}
S4 - gpc: log trail about visitor at home for tracking if signalled(gpc)={yes,unknown}
S4 - no-substitute: {collect,log} {device_marks.fingerprint,device_marks.cache_tag,device_marks.storage} at home for
    tracking
S4 - no-substitute: {derive,keep} {device_marks.fingerprint,device_marks.cache_tag,device_marks.storage} for tracking
S4 - no-substitute: {collect,log} {device_marks.fingerprint,device_marks.cache_tag,device_marks.storage} at home for
    tracking if refused(cookies)=yes, signalled(gpc)=yes
S4 - no-substitute: {derive,keep} {device_marks.fingerprint,device_marks.cache_tag,device_marks.storage} for tracking
    if refused(cookies)=yes, signalled(gpc)=yes
S4 - no-other-cookie: {set,open} cookie.advertiser for tracking at home
S4 - no-other-cookie: set cookie.trail for advertising at home
S4 - no-other-cookie: open cookie.trail for profiling at home
S4 - no-other-cookie: open cookie.session for tracking at members_area
S4 - no-other-cookie: set cookie.session for tracking at home
S4 - no-other-cookie: set cookie.session for {tracking,news,advertising} at login_page
S4 - no-other-cookie: set cookie.session for record_keeping at {home,articles}
S4 - no-other-cookie: open cookie.session for operation at {home,articles}
S4 - trail-cookie: open trail for improvement
S4 - trail-cookie: share trail with advertisers for tracking over https
S4 - trail-cookie: open trail for profiling by editor
S4 - trail-cookie: log trail about visitor at home for advertising
S4 - trail-cookie: publish trail at home

S5 + run-the-site: open {contact.email,order.items} for operation by website
S5 + customer-service: open inquiry for customer_service by support
S5 + group-view: derive usage from {order,demographics} for group_view by website as totals
S5 + group-view: show usage at home for group_view
S5 + group-view: show usage at console for improvement
S5 + feedback: open feedback for improvement by editor
S5 + feedback: show feedback to editor at console for improvement
S5 + periodic-mail: send order_update to contact.email for order_mail over smtps
S5 + periodic-mail: send answer to contact.email for customer_service over smtps
S5 + periodic-mail: show order.status to member at mail for order_mail
S5 + periodic-mail: show inquiry to visitor at mail for customer_service
S5 - no-profiles: {open,derive} {contact.email,order.items,feedback,demographics} for {advertising,profiling} by website
S5 - no-other-purpose: open {contact.email,order.items,inquiry,feedback,demographics} for
    {news,survey,tracking,unsubscribing,trade} by {website,support,editor}
S5 - no-profiles: open {contact.email,inquiry,feedback} by {website,support,editor}
S5 - no-other-purpose: open contact.email for improvement by editor
S5 - no-profiles: share contact.email with partners for {advertising,profiling} over https
S5 - no-profiles: send {order_update,answer} to contact.email for advertising over smtps
S5 - technical-only: send {order_update,answer} to visit.provider for {order_mail,customer_service} over smtps
S5 - no-other-purpose: send order_update to contact.email for order_mail
S5 - no-other-purpose: send answer to contact.email for customer_service
S5 - no-profiles: send {order_update,answer} to {contact.email,account.username} over smtps
S5 - no-other-purpose: send {order_update,answer} to {account.username,contact} for {order_mail,customer_service} over
    smtps
S5 - no-other-purpose: show {order,inquiry} at mail for {order_mail,customer_service}
S5 - no-profiles: show {order,inquiry} to member at mail
S5 - no-other-purpose: show feedback to editor at console for {operation,survey}
S5 - no-other-purpose: send {order_update,answer} to contact.email for {operation,survey} over smtps
S5 - no-other-purpose: show {order,inquiry} to member at mail for {operation,survey}
S5 - no-other-purpose: show {order,feedback} to member at profile for {survey,unsubscribing}
S5 - no-other-purpose: show {contact,order} to support at console for {survey,operation}
S5 - no-other-purpose: open account.passkey for {survey,customer_service} by website
S5 - no-other-purpose: show contact to support at console for customer_service
S5 - no-other-purpose: show feedback at console for improvement
S5 - no-other-purpose: show feedback to editor at {home,profile} for improvement
S5 - no-other-purpose: open account.password_hash for operation by website
S5 - group-view: derive usage from order for profiling by website as totals
S5 - group-view: derive usage from order for group_view by website
S5 - group-view: derive usage from contact for group_view by website as totals
S5 - group-view: derive usage from order for group_view by website as statistics
S5 - group-view: derive usage from order for group_view as totals
S5 - group-view: show usage to member at {home,console} for {profiling,advertising}
S5 - group-view: show usage to member at home
S5 - news-only-there: send {order_update,answer} to contact.email for news over smtps

S6 + own-record: show contact.email to member at profile for operation
S6 + own-record: show order.amount to member at orders for operation
S6 + own-record: show demographics.garden to member at profile for group_view
S6 + staff: show order.status to support at console for customer_service
S6 + password: derive account.password_hash from account.password for operation
S6 + password: keep account.password_hash about member for operation
S6 + passkey: collect account.passkey from member at profile for operation over https
S6 + passkey: keep account.passkey about member for operation
S6 + passkey: open account.passkey for operation by website
S6 + own-changes: change contact.email by member
S6 + own-changes: destroy demographics by member
S6 + own-changes: collect contact.email from member at profile for operation over https
S6 - own-record: show contact.email to member at profile for operation if own(record)={no,unknown}
S6 - own-record: show order.amount to member at orders for operation if own(record)={no,unknown}
S6 - own-record: show contact.email to visitor at home for operation
S6 - own-record: show order.items to editor at console for improvement
S6 - own-record: show contact.email to support at console for customer_service if assigned(inquiry)={no,unknown}
S6 - staff: open {contact.email,inquiry} for customer_service by {support,editor} if assigned(inquiry)={no,unknown}
S6 - staff: open order.items for operation by editor if assigned(inquiry)=no
S6 - staff: open feedback for improvement by support if assigned(inquiry)=no
S6 - password: keep account.password about member for operation
S6 - password: keep account.password_hash about {member,visitor} for tracking
S6 - password: keep account.password_hash for operation
S6 - no-other-purpose: derive {account.passkey,account.username} from account.password for operation
S6 - no-other-purpose: derive account.password_hash from {contact.email,order} for operation
S6 - passkey: keep account.passkey about visitor for operation
S6 - passkey: keep account.passkey about member for tracking
S6 - passkey: keep account.passkey {about member,for operation}
S6 - staff: open {account.password_hash,account.passkey} for {operation,customer_service} by {support,editor}
S6 - own-record: show account.passkey to {member,support} at {profile,console} for {operation,customer_service}
S6 - own-record: show order at profile for operation
S6 - own-record: show order to member at {home,registration} for operation
S6 - no-profiles: show order to member at profile
S6 - own-record: show order at console for customer_service
S6 - own-record: show order to support at {home,contact_page} for customer_service
S6 - no-profiles: show order to support at console
S6 - password: open account.password for operation by website
S6 - password: show {account.password,account.password_hash} to member at profile for operation
S6 - encrypted: collect contact.email from member at registration for operation over http
S6 - encrypted: collect account.password from member at login_page for operation
S6 - own-changes: change contact.email by member if own(record)={no,unknown}
S6 - own-changes: destroy order about member by member if own(record)={no,unknown}
S6 - own-changes: change contact.email by {website,visitor,person}
S6 - own-changes: change contact.email by support
S6 - own-changes: destroy order by editor
S6 - own-changes: change account.password_hash by staff

S7 + statistics: share demographics with {partners,affiliates,advertisers} for
    {operation,customer_service,group_view,improvement,order_mail} over https as statistics(epsilon 1, group 20)
S7 + statistics: share demographics with partners for improvement over https as
    statistics(epsilon 0.5, group 100)
S7 - not-for-sale: share contact.email with {partners,mailing_provider} for sale over https
S7 - not-for-sale: share order with advertisers for rent over https
S7 - not-for-sale: share account.username with affiliates for trade over https
S7 - not-for-sale: share demographics with partners for sale over https as statistics(epsilon 1, group 20)
S7 - statistics: share demographics with partners for improvement over https as
    statistics(epsilon 2, group 20)
S7 - statistics: share demographics with partners for improvement over https as statistics(epsilon 1, group 5)
S7 - statistics: share demographics with partners for improvement over https as statistics
S7 - statistics: share demographics.region with advertisers for improvement over https
S7 - statistics: share demographics.region with affiliates for group_view over https as totals
S7 - statistics-only: share demographics with partners for improvement over https as statistics(epsilon 1, group 20) if
    due(statistics)={no,unknown}
S7 - statistics-only: share demographics with partners for improvement over https as statistics(epsilon 1, group 20) if
    left(budget)={no,unknown}
S7 - statistics-only: share demographics with survey_provider for improvement over https as
    statistics(epsilon 1, group 20)
S7 - statistics-only: share demographics with partners for tracking over https as statistics(epsilon 1, group 20)
S7 - statistics-only: share demographics with partners for improvement over http as statistics(epsilon 1, group 20)
S7 - statistics-only: share demographics for improvement over https as statistics(epsilon 1, group 20)
S7 - nobody-else: share contact.email with partners for improvement over https
S7 - nobody-else: publish demographics at home
S7 - nobody-else: publish feedback at articles

S8 + newsletter-help: share contact.email with mailing_provider for news over https
S8 + survey-help: share contact.email with survey_provider for survey over https
S8 + operations-help: share order with operations_provider for operation over https
S8 - providers: share contact.email with mailing_provider for news over https if
    consented(newsletter_help)={no,unknown}
S8 - providers: share contact.email with survey_provider for survey over https if consented(survey_help)={no,unknown}
S8 - providers: share order with operations_provider for operation over https if
    consented(operations_help)={no,unknown}
S8 - permission-withdrawn: share contact.email with mailing_provider for news over https if
    withdrawn(newsletter_help)={yes,unknown}
S8 - permission-withdrawn: share contact.email with survey_provider for survey over https if
    withdrawn(survey_help)={yes,unknown}
S8 - permission-withdrawn: share order with operations_provider for operation over https if
    withdrawn(operations_help)={yes,unknown}
S8 - newsletter-help: share contact.email with mailing_provider for {advertising,customer_service} over https
S8 - newsletter-help: share contact.email with mailing_provider over https
S8 - newsletter-help: share contact.email with mailing_provider for news over http
S8 - survey-help: share contact.email with survey_provider for {advertising,customer_service} over https
S8 - survey-help: share contact.email with survey_provider over https
S8 - survey-help: share contact.email with survey_provider for survey over http
S8 - operations-help: share order with operations_provider for {advertising,customer_service} over https
S8 - operations-help: share order with operations_provider over https
S8 - operations-help: share order with operations_provider for operation over http
S8 - providers: share contact.email with mailing_provider for news over https if
    consented(newsletter_help)=unknown, consented(newsletter)=yes, subscribed(newsletter)=yes
S8 - providers: share order with mailing_provider for news over https
S8 - providers: share inquiry with operations_provider for operation

S9 + newsletter: send newsletter to contact.email for news over smtps by website
S9 - newsletter-stops: send newsletter to contact.email for news over smtps by website if
    objected(newsletter)={yes,unknown}
S9 - no-profiles: send newsletter to contact.email for advertising over smtps by website
S9 - no-other-purpose: send newsletter to contact.email for news by website
S9 - no-other-purpose: send newsletter to contact.email for news over smtps by support

S10 - banner: apply version to member if done(announce version)={no,unknown}

S11 + acceptance: keep acceptance about member for operation
S11 + going-on: apply version to member
S11 - going-on: apply version to member if returned(version)={no,unknown}
S11 - going-on: apply version to visitor
S11 - going-on: apply version
S11 - not-going-on: keep acceptance about member for unsubscribing
S11 - not-going-on: keep acceptance about visitor for operation
S11 - acceptance: keep acceptance about member for {tracking,advertising}
"""

DUTIES = [
    ("declining", "must show closed_notice at registration, gate"),  # S2
    ("without-cookies", "must show cookies_notice at registration, login_page, gate"),  # S4
    ("encrypted", "must encrypt personal at rest, transit"),  # S6
    ("backup", "must keep backup every 1 day"),
    ("daily-check", "must verify personal every 1 day"),
    ("subscription-is-no-permission", "must ask newsletter_help, survey_help, operations_help at profile"),  # S8
    ("permission-withdrawn", "must notify mailing_provider within 1 day after withdrawn(newsletter_help)"),
    ("permission-withdrawn", "must notify survey_provider within 1 day after withdrawn(survey_help)"),
    ("permission-withdrawn", "must notify operations_provider within 1 day after withdrawn(operations_help)"),
    ("newsletter-told", "must show subscription_notice at registration"),  # S9
    ("one-click", "must offer unsubscribe in newsletter"),
    ("banner", "must announce version at home for 30 days"),  # S10
    ("banner", "must show comparison at home for 30 days"),
    ("questions", "must show contact_details at privacy"),  # S12
    ("last-update", "must show last_update at privacy"),
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


def test_each_issue_of_the_newsletter_comes_with_its_link() -> None:
    """S9: the duty accompanies the permission itself."""
    verdict = judge(POLICY, "send newsletter to contact.email for news over smtps by website", IN_ORDER)
    assert "must offer unsubscribe in newsletter" in [duty.text for duty in verdict.duties]
