"""What the shop's policy permits and refuses, row by row, and which sentence says so."""

from __future__ import annotations

import re

import pytest

from avow.values import Facts

from .policy_table import (
    bound_and_shown,
    cases,
    demanded,
    hold,
    judge,
    load,
    rows,
    tells_contact,
    unasked,
    unfired,
)

POLICY = load("gourmet")

#: A customer who brought what is needed, asked for the newsletter, objected to nothing; a release and a sale in order.
IN_ORDER: Facts = {
    "presented(link)": True,
    "presented(cookie.greeting)": True,
    "logged_in(subject)": True,
    "consented(newsletter)": True,
    "withdrawn(newsletter)": False,
    "objected(mail)": False,
    "objected(other_uses)": False,
    "fills(recipient, order)": True,
    "bound(successor)": True,
    "complete(package)": True,
    "believed(ground)": True,
    "recorded(ground)": True,
    "within_scope(release)": True,
    "lapsed(release)": False,
    "approved(2)": True,
    "consented(version)": False,
    "weaker(version)": False,
}

TABLE = """
I1 + what-we-store: keep contact.name about customer for ordering
I1 - private: publish {contact.name,contact.address.street,card.number,order.items,visit.time,parcel.tracking} at shop
I1 - private: publish {account.password_hash,request,objection,membership,payment.authorisation} at privacy

I2 + what-we-store: collect contact.{name,email} from customer about customer at checkout for ordering by storefront
    over {https,loopback}
I2 + what-we-store: collect contact.address.{street,unit,city,region,postcode,country} from customer about customer
    at checkout for ordering by storefront over {https,loopback}
I2 + what-we-store: collect order.{items,note} from customer about customer at checkout for ordering by storefront
    over {https,loopback}
I2 + what-we-store: collect {contact.name,order.items} from customer about customer at phone for ordering by order_desk
    over {https,loopback}
I2 + what-we-store: keep {contact.name,contact.email,contact.address.city,order.items,order.note} about customer
    for ordering
I2 + by-phone: show {contact.name,contact.email,contact.address.city,order.note} to order_desk at phone for ordering
I2 + requests: collect {request,contact.name,contact.email} from {customer,visitor} at {contact_page,mailbox,phone}
    for answers over https
I2 + requests: keep {request,contact.name,contact.email} about {customer,visitor} for answers
I2 - card-never-kept: keep card.{number,code} about customer for {ordering,payment}
I2 - card-never-kept: keep card.{number,code} for selection
I2 - card-never-kept: keep card.{number,code} about customer
I2 - what-we-store: collect order.note from customer about customer at shop for ordering over https
I2 - what-we-store: collect contact.email from customer about customer at checkout for advertising over https
I2 - what-we-store: collect contact.name from ups about customer at checkout for ordering over https
I2 - what-we-store: collect {contact,order} from customer about customer at checkout for ordering over https
I2 - what-we-store: keep contact.{address.city,address.street} about customer for advertising
I2 - what-we-store: keep {contact.address.street,order.note} about visitor for ordering
I2 - what-we-store: keep {contact,order} about customer for ordering
I2 - by-phone: show {contact.name,order.note} to service_desk at phone for ordering
I2 - requests: collect request from customer at {contact_page,mailbox} for {marketing,profiling} over https
I2 - requests: keep request about {customer,visitor} for {marketing,selection,profiling}

I3 + use-orders: open {contact.name,order.items,order.note} for {ordering,shipping} by {storefront,order_desk}
I3 + use-orders: show {contact.address.city,order.items} to order_desk at desk for ordering
I3 + use-answers: open {request,contact.email,order.items} for answers by {service_desk,mailroom}
I3 + use-answers: show {request,contact.email,parcel.tracking} to service_desk at desk for answers
I3 + use-answers: send answer to contact.email for answers over smtps
I3 + use-answers: show {contact.name,request} to {customer,visitor} at mail for answers
I3 + use-selection: derive demand from {order.items,visit.time,visit.referrer} for selection by storefront
    as counts(group 10)
I3 + use-selection: show demand to {order_desk,service_desk} at report for selection as counts(group 10)
I3 + use-communication: open contact.{name,email} for communication by storefront
I3 + use-communication: send notice to contact.email for {communication,account_keeping} over smtps
I3 + use-communication: show contact.name to customer at mail for {communication,account_keeping}
I3 + use-marketing: open {contact.email,order.items} for marketing by storefront
I3 + use-marketing: send {offer,survey} to contact.email for marketing over smtps
I3 + use-marketing: show contact.name to customer at mail for marketing
I3 - no-sale: share {contact.email,order.items,visit.time,request} with {ups,processor} for {sale,advertising,profiling}
    over https
I3 - no-sale: open {contact.email,order.items,visit.time,request} for {sale,advertising,profiling}
I3 - no-sale: derive {membership,order.items} from order for {sale,advertising,profiling}
I3 - no-other-use: open {contact.address.city,payment.authorisation} for {selection,answers,marketing} by storefront
I3 - no-other-use: open {contact.email,request} for marketing by {service_desk,order_desk,legal_desk}
I3 - no-other-use: open {request,visit.time} for shopping by storefront
I3 - no-other-use: open contact for communication by storefront
I3 - no-other-use: derive membership from request for loyalty by storefront
I3 - use-selection: derive demand from order.items for selection by storefront
I3 - use-selection: derive demand from order.items for selection by storefront as counts(group 2)
I3 - use-selection: derive demand from contact.email for selection by storefront as counts(group 10)
I3 - use-selection: show demand to {order_desk,service_desk} at report for selection
I3 - use-answers: send answer to contact.email for {marketing,answers}
I3 - use-marketing: send offer to contact.email for marketing
I3 - use-marketing: send {offer,survey} to contact.name for marketing over smtps
I3 - use-communication: send notice to contact.email for marketing over smtps

I4 + visit: log visit.{time,referrer,browser} about visitor at {shop,cart,checkout,order_page,privacy,profile}
    for selection
I4 + use-selection: derive demand from visit.{time,browser} for selection by storefront as counts(group 10)
I4 - visit-nothing-else: log visit.{address,agent} at shop for selection
I4 - visit-nothing-else: log visit.{time,browser} at shop for {profiling,marketing,greeting}
I4 - visit-nothing-else: log visit.time at mail for selection
I4 - visit-nothing-else: log visit at shop for selection
I4 - visit-nothing-else: keep visit.{address,agent} about visitor for selection
I4 - no-other-use: open visit.time for {greeting,loyalty,ordering} by storefront

I5 + newsletter: send newsletter to contact.email for newsletter_service over smtps
I5 + newsletter-asked: collect {contact.email,subscription} from {customer,visitor} about {customer,visitor}
    at {newsletter_page,checkout,signup,profile} for newsletter_service over https
I5 + newsletter-asked: keep {contact.email,subscription} about {customer,visitor} for newsletter_service
I5 - newsletter: send newsletter to contact.email for newsletter_service over smtps if
    consented(newsletter)={no,unknown}
I5 - newsletter-ends: send newsletter to contact.email for newsletter_service over smtps if
    withdrawn(newsletter)={yes,unknown}
I5 - newsletter: send newsletter to contact.email for {marketing,advertising} over smtps
I5 - newsletter: send newsletter to contact.email for newsletter_service
I5 - newsletter: send newsletter to contact.name for newsletter_service over smtps
I5 - newsletter-asked: collect subscription from customer at shop for newsletter_service over https
I5 - newsletter-asked: collect subscription from ups at signup for newsletter_service over https
I5 - newsletter-asked: keep subscription about {customer,visitor} for {marketing,profiling}
I5 - no-open-tracking: collect reading from customer at {mail,site} for {newsletter_service,selection}
I5 - no-open-tracking: derive reading from visit for selection as counts(group 10)
I5 - no-open-tracking: keep reading about customer for selection
I5 - plain-mail: ask reading at mail
I5 - plain-mail: log reading at {mail,site} for selection

I6 + cart-cookie: set cookie.cart for {shopping,ordering} at {shop,cart,checkout}
I6 + cart-cookie: open cookie.cart for {shopping,ordering} at {shop,cart,checkout} by storefront
I6 + greeting-cookie: set cookie.greeting for {greeting,loyalty} at {shop,login}
I6 + greeting-cookie: open cookie.greeting for {greeting,loyalty} at shop by storefront
I6 + greeting-cookie: show {contact.name,membership} to customer at {shop,cart} for {greeting,loyalty}
I6 + login-cookie: set cookie.login for account_keeping at login
I6 + login-cookie: open cookie.login for {account_keeping,ordering} at {profile,checkout} by storefront
I6 + loyalty: derive membership from order for loyalty by storefront
I6 + loyalty: keep membership about customer for loyalty
I6 + loyalty: open {membership,order.items} for loyalty by storefront
I6 - no-other-cookie: set cookie.cart for {profiling,greeting} at shop
I6 - no-other-cookie: set cookie.cart for shopping at mail
I6 - no-other-cookie: open cookie.cart for {profiling,selection,greeting} at shop by storefront
I6 - no-other-cookie: open cookie.greeting for {profiling,selection,ordering,account_keeping} at shop by storefront
I6 - no-other-cookie: set cookie.{greeting,login} for {shopping,selection} at shop
I6 - no-other-cookie: {set,open} cookie for shopping at shop
I6 - no-other-cookie: {set,open} cookie.tracker for shopping at shop
I6 - greeting-cookie: show contact.name to customer at shop for greeting if presented(cookie.greeting)={no,unknown}
I6 - *: show contact.email to customer at shop for greeting
I6 - loyalty: keep membership about {customer,visitor} for {marketing,profiling}

I7 + carriers: share contact.name with {ups,fedex} for shipping over https by storefront
I7 + carriers: share contact.address.{street,unit,city,region,postcode,country} with {ups,fedex} for shipping over https
I7 + makers: share {contact.name,contact.address.street,order.lines} with {creamery,olive_press,smokehouse} for shipping
    over {smtps,https,sftp}
I7 - carriers: share contact.{name,address.street} with ups for {ordering,advertising} over https
I7 - carriers: share contact.{name,address.street} with {ups,fedex} for shipping over {http,smtps,sftp}
I7 - carriers: share contact.{name,address.street} with ups for shipping
I7 - carriers: share contact.{name,address.street} with ups over https
I7 - nobody-else: share contact.{name,address.street} with processor for {shipping,payment} over https
I7 - nobody-else: share {contact,contact.email,order.items,order.lines,payment.authorisation} with {ups,fedex}
    for shipping over https
I7 - nobody-else: share visit.time with processor for payment over https
I7 - own-lines: share {contact.name,order.lines} with {creamery,olive_press,smokehouse} for shipping over https if
    fills(recipient, order)={no,unknown}
I7 - own-lines: share order.{items,note} with {creamery,olive_press,smokehouse} for shipping over https
I7 - makers: share {contact.name,order.lines} with {creamery,smokehouse} for shipping over http
I7 - makers: share {contact.name,order.lines} with olive_press for {marketing,ordering} over https
I7 - makers: share {contact.name,order.lines} with olive_press for shipping
I7 - nobody-else: share {contact.email,card.last4,membership} with {creamery,olive_press} for shipping over https

I8 + card-entry: collect card.{number,code,expiry,name} from customer about customer at {checkout,pay_page,phone}
    for ordering by storefront over {https,loopback}
I8 + card-passed-on: share card.{number,code,expiry,name} with processor for payment over https by storefront
I8 + payment-answer: collect {card.last4,payment.authorisation} from processor about customer at {checkout,pay_page}
    for ordering over https
I8 + payment-answer: keep {card.last4,payment.authorisation} about customer for {ordering,payment}
I8 - card-passed-on: share card.{number,code,expiry,name} with processor for payment over http
I8 - card-passed-on: share card.{number,code,expiry,name} with processor for {ordering,advertising} over https
I8 - card-passed-on: share card.{number,code} with processor for payment
I8 - card-passed-on: share card.{number,code} with processor over https
I8 - card-passed-on: share card.{number,code,expiry,name} with {ups,fedex,creamery} for {payment,shipping} over https
I8 - card-passed-on: share card.number with {authority,fraud_network} for {legal_duty,fraud_prevention} over https
    by legal_desk
I8 - card-passed-on: share card with processor for payment over https
I8 - nobody-else: share card.last4 with processor for payment over https
I8 - card-entry: collect card.{number,code,expiry,name} from customer at {shop,mail,mailbox,profile} for ordering
    over https
I8 - card-entry: collect card.{number,code,expiry,name} from customer at checkout for {profiling,account_keeping}
    over https
I8 - card-entry: collect card.{number,code,expiry,name} from ups at checkout for ordering over https
I8 - *: collect card from {customer,processor} about customer at checkout for ordering over https
I8 - payment-answer: collect card.last4 from {customer,ups} at checkout for ordering over https
I8 - payment-answer: collect {card.last4,payment.authorisation} from processor at shop for ordering over https
I8 - payment-answer: collect {payment,payment.authorisation} from processor at checkout for profiling over https
I8 - payment-answer: keep {card.last4,payment.authorisation} about customer for {profiling,marketing}
I8 - payment-answer: keep {card.last4,payment.authorisation} about visitor for ordering
I8 - *: keep payment about customer for ordering

I9 + objecting: collect {objection,contact.email} from {customer,visitor} about {customer,visitor}
    at {mailbox,stop_page,profile,phone} for objections over https
I9 + objecting: keep {objection,contact.email} about {customer,visitor} for objections
I9 + objecting: open {objection,contact.email} for objections by {storefront,mailroom,order_desk}
I9 + use-orders: open contact.address.city for ordering by order_desk if objected(other_uses)={yes,unknown}
I9 + use-answers: send answer to contact.email for answers over smtps if objected(other_uses)=yes
I9 + carriers: share contact.name with ups for shipping over https if objected(other_uses)=yes
I9 - other-uses: send {offer,survey} to contact.email for marketing over smtps if objected(other_uses)={yes,unknown}
I9 - other-uses: send newsletter to contact.email for newsletter_service over smtps if
    objected(other_uses)={yes,unknown}
I9 - other-uses: open contact.email for {marketing,communication} by storefront if objected(other_uses)={yes,unknown}
I9 - other-uses: show contact.name to customer at shop for greeting if objected(other_uses)={yes,unknown}
I9 - no-other-use: open order.items for marketing by storefront if objected(other_uses)={yes,unknown}
I9 - objecting: collect objection from ups at mailbox for objections over https
I9 - objecting: keep objection about customer for {marketing,profiling}

I10 + succession: share {contact,order,request,payment,parcel,membership,card.last4,subscription,objection} with
    successor
    for succession over {https,sftp} by legal_desk
I10 + succession: share account.{password_hash,passkey} with successor for succession over sftp by legal_desk
I10 - still-this-policy: share {contact,order} with successor for succession over sftp by legal_desk if
    bound(successor)={no,unknown}
I10 - still-this-policy: share {contact,order} with successor for succession over sftp by legal_desk if
    complete(package)={no,unknown}
I10 - nobody-else: share {contact,order} with successor for {marketing,ordering} over sftp by legal_desk
I10 - nobody-else: share {contact,order} with successor for succession over http by legal_desk
I10 - nobody-else: share {contact,order} with successor for succession over sftp by {storefront,order_desk}
I10 - card-passed-on: share card.number with successor for succession over sftp by legal_desk
I10 - nobody-else: share visit with successor for succession over sftp by legal_desk

I11 + law: share {contact,order,request,payment,parcel,card.last4,visit} with authority for legal_duty over https
    by legal_desk
I11 + protection: share {contact,order,request,parcel} with {authority,protector} for protection over https by
    legal_desk
I11 + fraud: share {contact,order,payment,card.last4} with fraud_network for fraud_prevention over https by legal_desk
I11 + fraud: collect fraud_report from fraud_network at desk for fraud_prevention by legal_desk
I11 + fraud: keep fraud_report for fraud_prevention
I11 + fraud: show fraud_report to legal_desk at desk for fraud_prevention
I11 - nobody-else: share contact.name with authority for legal_duty over https by legal_desk if
    believed(ground)={no,unknown}
I11 - nobody-else: share contact.name with authority for legal_duty over https by legal_desk if
    recorded(ground)={no,unknown}
I11 - nobody-else: share contact.name with protector for protection over https by legal_desk if
    believed(ground)={no,unknown}
I11 - nobody-else: share contact.name with protector for protection over https by legal_desk if
    recorded(ground)={no,unknown}
I11 - nobody-else: share contact.name with fraud_network for fraud_prevention over https by legal_desk if
    believed(ground)={no,unknown}
I11 - nobody-else: share contact.name with fraud_network for fraud_prevention over https by legal_desk if
    recorded(ground)={no,unknown}
I11 - exact-scope: share contact.name with {authority,protector,fraud_network} for protection over https by legal_desk
    if within_scope(release)={no,unknown}
I11 - exact-scope: share contact.name with {authority,protector,fraud_network} for protection over https by legal_desk
    if lapsed(release)={yes,unknown}
I11 - two-approve: share contact.name with {authority,protector,fraud_network} for protection over https by legal_desk
    if approved(2)={no,unknown}
I11 - nobody-else: share contact.name with {authority,protector} for legal_duty over https by {storefront,order_desk}
I11 - nobody-else: share {order.note,request} with {ups,processor} for legal_duty over https by legal_desk
I11 - nobody-else: share contact.name with fraud_network for legal_duty over https by legal_desk
I11 - nobody-else: share {membership,subscription} with authority for legal_duty over https by legal_desk
I11 - fraud: collect fraud_report from {ups,customer} at desk for fraud_prevention by legal_desk
I11 - fraud: keep fraud_report for {marketing,ordering}
I11 - fraud: show fraud_report to service_desk at desk for fraud_prevention

I12 + what-we-store: collect contact.email from customer about customer at checkout for ordering over https
I12 - in-transit: collect {contact.name,order.note,card.number} from customer at checkout for ordering over http
I12 - in-transit: collect {contact.name,order.note,card.number} from customer at checkout for ordering
I12 - in-transit: collect {account.password,account.passkey} from customer at login for account_keeping over http
I12 - in-transit: collect {request,subscription,objection} from visitor at {contact_page,newsletter_page} for answers
    over http

I13 + older-data: apply version to customer
I13 + older-data: apply version to customer if weaker(version)=yes, consented(version)=yes
I13 + older-data: apply version to customer if weaker(version)=unknown, consented(version)=yes
I13 - older-data: apply version to customer if weaker(version)={yes,unknown}
I13 - older-data: apply version to customer if weaker(version)={yes,unknown}, consented(version)=unknown
I13 - older-data: apply version to visitor
I13 - older-data: apply version

I15 + objecting: collect objection from customer about customer at mailbox for objections over https by mailroom
I15 + confirmation: send confirmation to contact.email for ordering over smtps if objected(mail)={yes,unknown}
I15 - no-more-mail: send newsletter to contact.email for newsletter_service over smtps if objected(mail)={yes,unknown}
I15 - no-more-mail: send {offer,survey} to contact.email for marketing over smtps if objected(mail)={yes,unknown}
I15 - no-more-mail: send answer to contact.email for answers over smtps if objected(mail)={yes,unknown}
I15 - no-more-mail: send notice to contact.email for communication over smtps if objected(mail)={yes,unknown}

I16 + last-four: show card.last4 to customer at order_page for ordering by storefront
I16 + last-four: show card.last4 to customer at mail for ordering by storefront
I16 + last-four: show card.last4 to customer at profile for account_keeping
I16 + last-four: show card.last4 to order_desk at phone for ordering
I16 - last-four: show card.{number,code,expiry,name} to customer at {order_page,mail,checkout,shop,profile} for ordering
I16 - last-four: show card.{number,code,expiry,name} to order_desk at {phone,desk} for ordering
I16 - last-four: show card to customer at {order_page,mail} for ordering
I16 - last-four: show card.last4 to customer at {shop,checkout} for ordering
I16 - last-four: show card.last4 to customer at order_page for ordering if presented(link)={no,unknown}
I16 - last-four: show card.last4 to customer at profile for account_keeping if logged_in(subject)={no,unknown}
I16 - last-four: show card.last4 to service_desk at phone for ordering
I16 - last-four: show card.last4 at {order_page,mail} for ordering

I17 + sealed: keep contact.email about customer for ordering

ours + form-comes-back: show contact.{name,email,address.city} to customer at {checkout,signup,contact_page}
    for ordering
ours + form-comes-back: show {order.note,request} to customer at {checkout,contact_page} for ordering
ours - last-four: show card.number to customer at checkout for ordering
ours - password: show account.password to customer at {login,signup} for account_keeping
ours - card-rest-never-kept: keep card.{expiry,name} about customer for ordering
ours + account: collect {contact.name,account.password,account.passkey} from customer at {signup,login,profile}
    for account_keeping over https
ours + account: keep {contact.name,account.password_hash,account.passkey} about customer for account_keeping
ours + account: open account.{password_hash,passkey} for account_keeping by storefront
ours + password: derive account.password_hash from account.password for account_keeping by storefront
ours - password: keep account.password about customer for account_keeping
ours + your-pages: show {contact.email,order.items,request,membership,subscription,objection,erasure} to customer
    at profile for account_keeping
ours - your-pages: show {order.items,membership,objection} to customer at profile for account_keeping if
    logged_in(subject)={no,unknown}
ours + correct: change contact.email at profile by storefront for account_keeping
ours - correct: change contact.email at profile by storefront for account_keeping if logged_in(subject)={no,unknown}
ours - correct: change {order.items,objection} at {profile,desk} by {storefront,order_desk} for account_keeping
ours + erase: collect erasure from customer about customer at profile for account_keeping over https
ours + erase: keep erasure about customer for account_keeping
ours - erase: keep erasure about customer for marketing
ours + order-page: show {contact.name,order.items,payment.authorisation,parcel.tracking} to customer
    at {order_page,pay_page} for ordering
ours - order-page: show {order.items,parcel.tracking} to customer at order_page for ordering if
    presented(link)={no,unknown}
ours + confirmation: send confirmation to contact.email for ordering over smtps
ours + confirmation: show {contact.name,contact.address.city,order.items} to customer at mail for ordering
ours - confirmation: send confirmation to contact.email for ordering
ours - confirmation: send confirmation to contact.name for ordering over smtps
ours + tracking: collect parcel.tracking from {ups,fedex} about customer at dispatch for shipping over https
ours + tracking: keep parcel.tracking about customer for shipping
ours - tracking: collect parcel.tracking from {processor,customer} about customer at dispatch for shipping over https
"""

DUTIES = [
    ("version", "must attach version"),  # I1
    ("policy-on-every-page", "must show policy at site"),
    ("cookies-off", "must show cookies_notice at cart"),  # I6
    ("unsubscribe", "must offer unsubscribe in newsletter"),  # I5
    ("mail-stopped", "must show stopped at stop_page"),  # I15
    ("history", "must show history at privacy"),  # I13
    ("questions", "must show contact_details at privacy, mail"),  # I14
    ("sealed", "must encrypt personal at rest"),  # I17
    ("review", "must verify personal every 1 year"),
    ("erase", "must erase customer within 30 days after erasure_asked"),
]

CASES = cases(TABLE, IN_ORDER)
#: The rows whose service is built, so that what the policy answers is a part of how they are kept.
BUILT = ("I1", "I2", "I4", "I6", "I7", "I8", "I12", "I14", "I16")


def marked(kind: str, permitted: bool) -> list[object]:
    """Each row that the table shows from this side; built ones count as tests of the promise."""
    shown = sorted({case.row for case in CASES if case.permitted is permitted}, key=lambda row: (len(row), row))
    return [pytest.param(row, marks=[pytest.mark.promise(row, kind)] if row in BUILT else [], id=row) for row in shown]


@pytest.mark.parametrize("row", marked("works", True))
def test_what_a_row_lets_happen_is_permitted(row: str) -> None:
    for case in CASES:
        if case.row == row and case.permitted:
            hold(POLICY, case)


@pytest.mark.parametrize("row", marked("holds", False))
def test_what_a_row_forbids_is_refused_by_its_sentence(row: str) -> None:
    for case in CASES:
        if case.row == row and not case.permitted:
            hold(POLICY, case)


def test_every_row_is_bound_and_shown_from_both_sides() -> None:
    bound_and_shown(POLICY, CASES)
    assert {case.row for case in CASES} - {"ours"} == rows("gourmet") - {"I14"}


def test_every_sentence_with_rules_decides_some_flow() -> None:
    assert unfired(POLICY, CASES) == set()


def test_every_fact_of_the_table_is_one_that_a_rule_asks_for() -> None:
    assert unasked(POLICY, IN_ORDER) == set()


@pytest.mark.parametrize(("anchor", "duty"), DUTIES)
def test_a_sentence_demands_its_duty(anchor: str, duty: str) -> None:
    assert duty in demanded(POLICY, anchor)


@pytest.mark.promise("I14", "holds")
def test_the_policy_says_where_questions_go() -> None:
    assert tells_contact(POLICY, "questions")
    assert "must show contact_details at privacy, mail" in demanded(POLICY, "questions")


@pytest.mark.promise("I1", "holds")
def test_all_is_stored_under_a_version_and_every_page_leads_to_the_policy() -> None:
    assert "must attach version" in demanded(POLICY, "version")
    assert "must show policy at site" in demanded(POLICY, "policy-on-every-page")


def test_each_issue_of_the_newsletter_comes_with_its_link() -> None:
    verdict = judge(POLICY, "send newsletter to contact.email for newsletter_service over smtps", IN_ORDER)
    assert "must offer unsubscribe in newsletter" in [duty.text for duty in verdict.duties]


def test_no_recipient_is_declared_more_than_some_rule_shares() -> None:
    """The fields of the front matter go out together: one that no rule shares would stop every share."""
    shared = {
        (case.flow.split()[1], re.search(r" with (\S+)", case.flow))
        for case in CASES
        if case.permitted and case.flow.startswith("share ")
    }
    to = {
        recipient: {word for word, found in shared if found and found[1] == recipient}
        for recipient in POLICY.recipients
    }
    for name, recipient in POLICY.recipients.items():
        for declared in recipient.fields:
            assert any(POLICY.vocabulary.covers("category", declared, word) for word in to[name]), (name, declared)
