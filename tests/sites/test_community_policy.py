"""What the policy of the support-and-shop site permits and refuses, row by row, and which sentence says so."""

from __future__ import annotations

import pytest

from .policy_table import Case, bound_and_shown, cases, demanded, hold, load, tells_contact, unasked, unfired

POLICY = load("community")

#: A grown-up client who is logged in, and helpers and staff who have all the papers.
IN_ORDER = {
    "age": 30.0,
    "discovered(age)": False,
    "done(ask age)": True,
    "logged_in(subject)": True,
    "entered(submission)": True,
    "assigned(ticket)": True,
    "unresolved(ticket)": True,
    "assigned(order)": True,
    "attested(helpers)": True,
    "agreed(recipient)": True,
    "priced(agreement)": False,
    "within_scope(job)": True,
    "within_scope(request)": True,
    "demanded(law)": True,
    "good_faith(belief)": True,
    "recorded(reason)": True,
    "presented(cookie.ticket)": True,
    "published(post)": True,
    "contains(post, contact)": False,
    "contains(post, card.number)": False,
    "below_limit(visit.address)": True,
    "below_limit(account)": True,
    "covered(checks)": True,
    "attested(checked-releases)": True,
}

TABLE = """
G1 + basics: collect {contact.name,contact.email,contact.phone,ticket.product,ticket.text} from client about client at
    support_page for support over https
G1 + agents: show {contact.name,contact.email,contact.phone,ticket.text,order.items} to support_agent at desk for
    support by support_agent
G1 - only-basics: collect {contact.address,contact,card.number,account.password,survey} from client about client at
    support_page for support over https
G1 - only-basics: collect {contact.email,ticket.text} from client at support_page for {advertising,surveys} over https
G1 - closed-files: show {card.last4,contact.address,account.name,survey} to support_agent at desk for support
G1 - closed-files: show {contact.name,ticket.text,order.items} to support_agent at desk for support if
    assigned(ticket)={no,unknown}
G1 - closed-files: show {contact.name,ticket.text} to support_agent at desk for support if unresolved(ticket)=no
G1 - closed-files: show {contact.name,ticket.text} to {order_desk,legal_desk,staff} at desk for support
G1 - responsible: share {contact.email,trail.page,visit.address} with {shipper,analyst,protector} for
    {sale,rental,trade,advertising,profiling} over https
G1 - responsible: {open,derive} {contact.email,card.number,ticket.text,trail.page} for {sale,advertising,profiling} by
    website

G2 + where-you-go: log {trail.page,trail.click,trail.time} about visitor at {home,forum,checkout} for popularity
G2 + report: derive trail for popularity as {counts(group 20),counts(group 50)}
G2 + report: show {trail.page,trail.click} to staff at report for popularity as counts(group 20)
G2 + more-of-it: derive popular from trail for popularity
G2 + more-of-it: show popular to visitor at home
G2 - report: show {trail.page,trail.click,trail} to staff at report for popularity
G2 - report: show trail.page to staff at report for popularity as {counts,counts(group 1),counts(group 19)}
G2 - report: derive trail.page for popularity as {counts,counts(group 2)}
G2 - report: derive trail.page for popularity
G2 - more-of-it: show trail.page to client at home

G3 + surroundings: log {visit.domain,visit.browser,visit.provider,visit.address,visit.last_seen} about visitor at
    {home,catalogue,privacy} for traffic
G3 + surroundings: open visit.browser for traffic by website
G3 - nothing-else-noted: log {visit.agent,visit} about visitor at home for traffic
G3 - nothing-else-noted: log visit.address about visitor at home for advertising
G3 - not-joined: link {visit.address,visit.browser,trail.page,cookie.visitor} with
    {account,contact.email,order,ticket.text,cookie.ticket,cookie.login}
G3 - not-joined: link {account,ticket.number,cookie.login} with {visit.last_seen,trail,cookie.visitor}

G4 + account-data: collect {contact.name,contact.address.shipping,contact.email,contact.phone,account.password} from
    client about client at signup for account_keeping over https
G4 + account-data: collect {contact.address.billing,order.items,card.number,card.code,card.expiry,card.name} from client
    about client at checkout for ordering over https
G4 + private-files: keep
    {contact.name,contact.phone,card.number,card.expiry,card.last4,ticket.text,order.items,account.password} about
    client for service
G4 + your-own-file: show {contact.address.billing,card.last4,order.items,ticket.text} to client at profile for
    account_keeping by website
G4 + order-desk: show {contact.name,contact.address.shipping,order.items} to order_desk at desk for ordering
G4 - closed-files: show {contact.email,card.last4,order.items,ticket.text} to client at profile for account_keeping if
    logged_in(subject)=no, entered(submission)=no
G4 - closed-files: show {contact.email,card.last4,order.items,ticket.text} to visitor at {home,profile,order_page} for
    account_keeping if entered(submission)=no
G4 - closed-files: show {card.number,card.code,card,account.password} to client at {profile,checkout} for
    account_keeping
G4 - closed-files: show {contact.name,order.items} to order_desk at desk for ordering if assigned(order)={no,unknown}
G4 - closed-files: show {contact.name,order.items} to {legal_desk,privacy_officer,security_officer,staff} at desk for
    ordering
G4 - closed-files: show {contact.email,card.last4} to order_desk at desk for {surveys,advertising}

G5 + to-serve-you: open {contact.email,order.items,card.number,ticket.text} for
    {service,ordering,payment,shipping,support} by website
G5 + our-mail: send {order_mail,ticket_mail} to contact.email for {ordering,support} over smtps
G5 - to-serve-you: open {contact.email,order.items,card.number,ticket.text} for
    {surveys,popularity,tailoring,legal_duty,age_check} by website
G5 - to-serve-you: open {contact.email,card.number} for service by {support_agent,order_desk}
G5 - responsible: open {contact.email,order.items,card.number} for {advertising,sale} by website
G5 - responsible: open contact.email by website
G5 - our-mail: send order_mail to contact.email for {advertising,surveys} over smtps
G5 - our-mail: send order_mail to contact.email for ordering over http
G5 - our-mail: send order_mail to contact.phone for ordering over smtps

G6 + age-first: ask age at {signup,checkout,support_page,forum}
G6 + age-first: collect age from visitor about visitor at signup for age_check over https if done(ask age)=no
G6 + private-files: keep contact.name about client for service if age=16
G6 - age-first: collect {contact.name,card.number,order.items} from client about client at checkout for ordering over
    https if done(ask age)={no,unknown}
G6 - age-first: collect post from client about client at forum for discussion over https if done(ask age)=unknown
G6 - under-sixteen: keep {contact.name,ticket.text,card.number,order.items,post} about client for service if
    age={15,15.99,unknown}
G6 - under-sixteen: keep {contact.name,account.password} about visitor for account_keeping if age=12
G6 - found-out: show contact.name to client at profile for account_keeping if discovered(age)={yes,unknown}
G6 - found-out: share {contact.name,contact.phone} with shipper for shipping over https if discovered(age)=yes
G6 - found-out: publish post at forum by author if discovered(age)=yes
G6 - found-out: show post to visitor at forum if discovered(age)=yes
G6 - found-out: send order_mail to contact.email for ordering over smtps if discovered(age)=yes

G7 + law-demands: share {contact.name,contact.address,order.items,post} with authority for legal_duty over https by
    legal_desk if good_faith(belief)=no
G7 + good-faith: share {contact.name,ticket.text} with authority for protection over https by legal_desk if
    demanded(law)=no
G7 + good-faith: share {contact.name,contact.phone} with protector for protection over https by legal_desk if
    demanded(law)=no
G7 - nobody-else: share {contact.name,post} with authority for legal_duty over https by legal_desk if demanded(law)=no,
    good_faith(belief)=unknown
G7 - nobody-else: share contact.name with {authority,protector} for protection over https by legal_desk if
    recorded(reason)={no,unknown}
G7 - nobody-else: share contact.name with protector for protection over https by legal_desk if good_faith(belief)=no
G7 - nobody-else: share contact.name with authority for legal_duty over https by {support_agent,website}
G7 - nobody-else: share contact.name with authority for legal_duty over sftp by legal_desk
G7 - as-named: share {contact.name,order.items,post} with authority for legal_duty over https by legal_desk if
    within_scope(request)={no,unknown}
G7 - as-named: share contact.phone with protector for protection over https by legal_desk if within_scope(request)=no

G8 + helpers: share contact.email with mailer for mailing over {https,smtps} by website
G8 - addresses-not-sold: share contact.email with {mailer,surveyor,processor,protector} for {sale,rental,trade} over
    https
G8 - addresses-not-sold: share contact.email with list_broker for trade over https
G8 - *: share {contact.email,contact} with {list_broker,partner} for {mailing,surveys,service} over https
G8 - nobody-else: share contact.email with {shipper,processor,analyst} for mailing over https
G8 - no-price: share contact.email with mailer for mailing over https if priced(agreement)={yes,unknown}
G8 - own-job: share contact.email with mailer for mailing over https if within_scope(job)={no,unknown}
G8 - addresses-not-sold: share {contact.email_hash,contact} with {surveyor,mailer,list_broker} for {surveys,mailing}
    over https

G9 + helpers: share {contact.name,contact.phone,contact.address.shipping} with shipper for shipping over https by
    website
G9 + helpers: share {card.number,card.code,card.expiry,card.name} with processor for payment over https by website
G9 + helpers: share {trail.page,trail.click,trail.time} with analyst for popularity over sftp
G9 + helpers: share contact.email with surveyor for surveys over https
G9 + helpers: share {order.number,ticket.number} with mailer for mailing over https
G9 - nobody-else: share {contact.name,contact.phone} with shipper for shipping over https if
    attested(helpers)={no,unknown}
G9 - confidential: share {contact.name,contact.phone} with shipper for shipping over https if
    agreed(recipient)={no,unknown}
G9 - confidential: share {trail.page,trail.time} with analyst for popularity over https if agreed(recipient)=no
G9 - confidential: share card.number with processor for payment over https if agreed(recipient)=no
G9 - nobody-else: share {contact.email,order.items,card.number} with shipper for shipping over https
G9 - helpers: share card.number with processor for {shipping,advertising} over https
G9 - helpers: share card.number with processor for payment over {http,sftp}
G9 - nobody-else: share card.number with shipper for payment over https
G9 - nobody-else: share visit.address with analyst for popularity over https

G10 + visitor-cookie: set cookie.visitor for {recognition,tailoring,popularity} at home
G10 + visitor-cookie: open cookie.visitor for {recognition,tailoring,popularity} by website
G10 + visitor-cookie: open trail.page for tailoring by website
G10 + ticket-cookie: set cookie.ticket for support at support_page
G10 + ticket-cookie: open cookie.ticket for support by website
G10 + status-only: show {ticket.number,ticket.status} to visitor at status_page for support by website if
    logged_in(subject)=no
G10 + your-own-file: show {contact.name,contact.address.billing} to client at checkout for ordering by website
G10 - status-only: show {contact.email,card.last4,ticket.text,ticket.product} to visitor at status_page for support by
    website
G10 - closed-files: show ticket.status to visitor at status_page for support if presented(cookie.ticket)={no,unknown}
G10 - closed-files: show {contact.name,card.last4,ticket.text} to client at {status_page,support_page} for support if
    logged_in(subject)=no, entered(submission)=no
G10 - no-other-cookie: open {cookie.visitor,cookie.ticket} for {advertising,profiling,account_keeping} by website
G10 - no-other-cookie: open cookie.ticket for recognition by website
G10 - no-other-cookie: open cookie.visitor for tailoring by {support_agent,order_desk}
G10 - no-other-cookie: {set,open} cookie.tracker for recognition at home
G10 - not-joined: link cookie.visitor with cookie.ticket

G11 + change-it: change {contact.address.billing,contact.address.shipping,contact.email,card.number,account.password}
    about client at profile by website
G11 - change-it: change {contact.address.billing,contact.email,card.number} about client at profile by website if
    logged_in(subject)={no,unknown}
G11 - change-it: change contact.email about client at profile by {support_agent,order_desk}
G11 - change-it: change {order.items,ticket.text} about client at profile by website
G11 - old-value-gone: keep former about client for service
G11 - old-value-gone: open former for service by website
G11 - old-value-gone: share former with shipper for shipping over https
G11 - old-value-gone: show former to client at profile
G11 - old-value-gone: send order_mail to former for ordering over smtps

G12 + posts-at-once: collect post from client about client at forum for discussion over https
G12 + posts-at-once: publish post at forum by author
G12 + posts-at-once: show post to {visitor,client,staff,support_agent} at forum
G12 + posts-at-once: publish post at forum by author if contains(post, contact)=yes, done(warn author)=yes
G12 - unreviewed: show post to {staff,support_agent,legal_desk} at {forum,desk} if published(post)={no,unknown}
G12 - unreviewed: open post for discussion by {support_agent,staff} if published(post)=no
G12 - unreviewed: {review,block,change} post at forum by {support_agent,website,staff} if published(post)={no,unknown}
G12 - unreviewed: hold post at forum by {support_agent,website,staff,author}
G12 - warned-first: publish post at forum by author if contains(post, contact)={yes,unknown}
G12 - no-card-in-posts: publish post at forum by author if contains(post, card.number)={yes,unknown}
G12 - no-card-in-posts: publish {card.number,card.last4} at forum by author
G12 - posts-at-once: publish post at {home,catalogue} by author
G12 - posts-at-once: publish post at forum by {client,visitor,support_agent,website}

G15 + guessing-stopped: unlock account at login by website for account_keeping
G15 + guessing-stopped: open visit.address for security by website
G15 + checked-releases: start release by builder
G15 - guessing-stopped: unlock account at login by website for account_keeping if
    below_limit(visit.address)={no,unknown}
G15 - guessing-stopped: unlock account at login by website for account_keeping if below_limit(account)={no,unknown}
G15 - checked-releases: start release by builder if covered(checks)={no,unknown}
G15 - checked-releases: start release by builder if attested(checked-releases)={no,unknown}
G15 - in-transit: collect {contact.name,card.number,account.password} from client about client at signup for
    account_keeping over http
G15 - in-transit: collect contact.name from client about client at signup for account_keeping

G16 + not-by-mail: show {order.number,ticket.number,link} to client at mail
G16 + our-mail: send order_mail to contact.email for service over smtps
G16 - not-by-mail: show
    {card.number,card.last4,account.password,contact.name,contact.email,contact.address,order.items,ticket.text} to
    client at {mail,mail.attachment,mail.quotation}

ours + second-look: show {contact.email,order.items,account.name} to visitor at {signup,checkout} if
    logged_in(subject)=no
ours - closed-files: show {card.number,card.code,account.password} to visitor at {signup,checkout}
ours - code-not-kept: keep {card.code,card} about client for {service,payment}
ours - birthday-not-kept: keep age about client for {service,age_check}
ours + answers: collect {order.payment,card.last4} from processor about client at checkout for payment over https
ours + answers: collect order.tracking from shipper about client at dispatch for shipping over https
ours + login-cookie: set cookie.login for account_keeping at login
ours + login-cookie: open cookie.login for {account_keeping,ordering} by website
ours - not-published: publish {contact.name,order.items,ticket.text,account.name} at forum by author
ours - bare-links: show {contact.email,order.number,trail.page} at link_url to visitor
ours - no-referrer: share {trail.page,visit.address,contact.email} with other_site for {traffic,service} over https
"""

CASES = cases(TABLE, IN_ORDER)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_flow_is_answered_by_its_sentence(case: Case) -> None:
    hold(POLICY, case)


def test_every_row_is_bound_and_shown_from_both_sides() -> None:
    bound_and_shown(POLICY, CASES)
    assert not unfired(POLICY, CASES)


def test_every_fact_that_is_in_order_is_asked_for() -> None:
    assert not unasked(POLICY, IN_ORDER)


@pytest.mark.parametrize(
    ("anchor", "duty"),
    [
        ("sealed-files", "must encrypt personal at rest"),  # G4
        ("found-out", "must erase person within 1 day after discovered(age)"),  # G6
        ("found-out", "must notify helpers within 1 day after discovered(age)"),
        ("authors-opinion", "must show opinion_notice at forum"),  # G12
        ("nothing-confidential", "must show confidential_notice at forum"),
        ("marked-links", "must mark outside_link at site"),  # G13
        ("questions", "must show contact at privacy"),  # G14
        ("versions", "must announce version at privacy"),
        ("versions", "must show history at privacy"),
        ("versions", "must attach version"),
        ("page-protection", "must attach security_headers at site"),  # G15
        ("checks-shown", "must show checks at security_page"),
        ("no-advice", "must show advice_notice at forum"),  # G17
    ],
)
def test_a_sentence_demands_its_duty(anchor: str, duty: str) -> None:
    assert duty in demanded(POLICY, anchor)


def test_the_signatures_that_permissions_hang_on() -> None:
    signed = {anchor: (str(a.role), str(a.every)) for anchor, a in POLICY.attested.items()}
    assert signed == {
        "helpers": ("privacy_officer", "12 months"),
        "checked-releases": ("security_officer", "12 months"),
    }


def test_the_policy_says_where_questions_go() -> None:
    assert tells_contact(POLICY, "questions")
