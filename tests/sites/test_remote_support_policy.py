"""What the policy of the remote-support service permits and refuses, row by row, and which sentence says so."""

from __future__ import annotations

import pytest

from .policy_table import Case, bound_and_shown, cases, demanded, hold, load, tells_contact, unasked, unfired

POLICY = load("remote_support")

#: A grown-up customer who is registered and logged in, and staff who have signed for everything.
IN_ORDER = {
    "age": 30.0,
    "discovered(age)": False,
    "done(ask age)": True,
    "done(ask personal)": True,
    "done(show policy)": True,
    "done(show version)": True,
    "registered(subject)": True,
    "logged_in(subject)": True,
    "entered(submission)": True,
    "needed(payment)": True,
    "requested(remote_session)": True,
    "consented(remote_session)": True,
    "withdrawn(remote_session)": False,
    "trained(expert)": True,
    "signed(conduct)": True,
    "attested(control)": True,
    "done(show diagnosis)": True,
    "appointed(recipient)": True,
    "done(accept licence)": True,
    "done(mask personal)": True,
    "presented(receipt)": True,
    "attested(servers)": True,
    "attested(need-to-know)": True,
    "attested(not-for-children)": True,
    "assigned(task)": True,
    "locked(console)": False,
    "done(ask staff_password)": True,
    "verified(staff_password)": True,
    "acknowledged(practices)": True,
    "required(law)": True,
    "within_scope(law)": True,
    "verified(contact.email)": True,
    "due(offers)": True,
    "done(erase former)": True,
    "concerned(subject)": True,
    "done(announce version)": True,
    "mailed(version)": True,
    "bounced(version)": False,
    "resubmitted(version)": True,
}

TABLE = """
N1 + registration: collect {contact.email,account.password} from customer about customer at registration_form for
    registration over https
N1 - acceptance: collect {contact.email,account.login} from customer about customer at registration_form for
    registration over https if done(show policy)={no,unknown}
N1 - acceptance: collect card.number from customer at checkout for payment over https if done(show policy)=no
N1 - acceptance: collect {device.make,request} from customer about customer at support_form for support over https if
    done(show policy)=no

N2 + registration: collect contact.last_name from customer about customer at {registration_form,phone,inbox} for
    registration over https
N2 + asking-for-help: collect request from customer about customer at {support_form,phone,inbox} for support over https
N2 - in-our-hands: share {contact.email,device.model,diagnosis.system,recording.chat,visit.page} with
    {processor,bureau,diagnosis_server} for {sale,rental} over https
N2 - in-our-hands: {open,derive} {contact.email,device.model,recording.chat} for {sale,rental} by website
N2 - in-our-hands: share contact.email with list_broker for sale over https
N2 - nobody-outside: share {contact.email,request,recording.chat,visit.address} with diagnosis_server for
    {research,surveys} over https
N2 - nobody-outside: publish {contact.email,request,recording.picture,visit.page} at home
N2 - no-profile: open {contact.email,device.model} for {advertising,profiling} by website

N3 + asked-first: ask {contact.email,card.number,device.make} at {registration_form,checkout,support_form,phone}
N3 + registration: collect
    {contact.first_name,contact.last_name,contact.email,contact.address.postcode,account.identifier} from customer about
    customer at registration_form for registration over https
N3 + registered-first: start session about customer by {support_agent,expert} for support
N3 + reaching-you: open contact.email for {support,renewals,offers,surveys} by website
N3 + reaching-you: send {service_mail,renewal_notice,survey_invitation} to contact.email for {renewals,surveys,support}
    over smtps
N3 + offers: send offer to contact.email for offers over smtps
N3 - asked-first: collect {contact.email,account.identifier} from customer about customer at registration_form for
    registration over https if done(ask personal)={no,unknown}
N3 - registered-first: start session about customer by {support_agent,expert} for support if
    registered(subject)={no,unknown}
N3 - registered-first: start session about customer by billing_clerk for support
N3 - no-other-purpose: open {contact.email,account.login} for {trends,research,tools,creditworthiness,knowledge_base} by
    website
N3 - no-other-purpose: open account.password for surveys by website
N3 - reaching-you: send renewal_notice to contact.email for {research,advertising} over smtps
N3 - reaching-you: send survey_invitation to contact.email for surveys over http

N4 + card-entry: collect {card.name,card.number,card.expiry,card.billing_address} from customer about customer at
    checkout for payment over https
N4 + card-passed-on: share {card.name,card.number,card.expiry,card.billing_address} with processor for payment over
    https by website
N4 + transaction: collect {transaction.amount,transaction.reference,transaction.outcome} from processor about customer
    at checkout for payment over https
N4 + transaction: open transaction.amount for payment by website
N4 - card-passed-on: share card.number with processor for {support,renewals,offers,creditworthiness} over https
N4 - card-passed-on: share card.number with processor for payment over {http,sftp}
N4 - card-passed-on: share card.number with processor for payment over https if needed(payment)={no,unknown}
N4 - card-passed-on: share {card.number,card.name} with {bureau,diagnosis_server} for payment over https
N4 - nobody-outside: share {contact.email,device.id_number,request} with processor for payment over https
N4 - card-passed-on: share {transaction.amount,card} with processor for payment over https
N4 - card-entry: collect card.number from customer about customer at {registration_form,phone,inbox,support_form} for
    payment over https

N5 + computer-facts: collect
    {device.purchase_date,device.type,device.id_number,device.make,device.model,device.attached,device.condition,device.registry,device.software,device.errors}
    from customer about customer at support_form for support over https
N5 + computer-facts-use: open {device.model,device.errors} for {support,tools,product_list} by website
N5 + computer-counts: derive device.model for {tools,product_list} as {counts(group 20),counts(group 200)}
N5 + computer-counts: show device.model to product_team at report for product_list as counts(group 20)
N5 + servers: keep {device.model,device.registry} about customer for support
N5 - no-other-purpose: open {device.model,device.id_number} for {offers,payment,trends,research} by website
N5 - computer-counts: show {device.model,device.id_number} to product_team at report for product_list
N5 - computer-counts: show device.model to product_team at report for product_list as {counts,counts(group 19)}
N5 - computer-counts: derive device.model for tools as {counts,counts(group 1)}
N5 - nobody-else-sees: show device.model to {quality_reviewer,product_team} at desk for research
N5 - no-other-source: collect device.model from bureau about customer at support_form for support over https

N6 + control: control computer about customer by expert for support
N6 - control: control computer about customer by expert for support if requested(remote_session)={no,unknown}
N6 - control: control computer about customer by expert for support if consented(remote_session)={no,unknown}
N6 - control: control computer about customer by expert for support if withdrawn(remote_session)={yes,unknown}
N6 - control: control computer about customer by expert for support if trained(expert)={no,unknown}
N6 - control: control computer about customer by expert for support if attested(control)={no,unknown}
N6 - control: control computer about customer by {support_agent,support_lead,administrator} for support
N6 - control: control computer about customer by expert for {research,quality,disputes}
N6 - signed-conduct: control computer about customer by expert for support if signed(conduct)={no,unknown}
N6 - nothing-taken: start {file_transfer,shared_clipboard,tunnel} by {expert,website} for support
N6 - nothing-taken: collect {belongings.files,belongings.clipboard,belongings.network,secrets.passwords} from customer
    at desk for support by expert
N6 - nothing-taken: keep {belongings.files,secrets.messages} about customer for support
N6 - nothing-destroyed: {destroy,erase} belongings.files for support by expert
N6 - not-correlated: link recording with {consent,moment}

N7 + tool-document: collect {diagnosis.system,diagnosis.applications} from customer about customer at tool for diagnosis
    over https
N7 + tool-sends: share {diagnosis.system,diagnosis.applications} with diagnosis_server for diagnosis over https
N7 + tool-sends: open diagnosis.system for {diagnosis,support} by website
N7 - tool-shows: collect diagnosis.system from customer about customer at tool for diagnosis over https if done(show
    diagnosis)={no,unknown}
N7 - tool-document: collect {diagnosis,device.id_number,device.software,contact.email,account.login,visit.page} from
    customer about customer at tool for diagnosis over https
N7 - tool-document: collect diagnosis.system from customer about customer at {support_form,inbox} for diagnosis over
    https
N7 - tool-document: collect diagnosis.system from customer about customer at tool for diagnosis over http
N7 - tool-leaves-out: collect
    {secrets.sites,secrets.messages,secrets.addressees,secrets.passwords,secrets.profiles,secrets} from customer about
    customer at tool for diagnosis over https
N7 - tool-sends: share diagnosis.system with diagnosis_server for diagnosis over https if
    appointed(recipient)={no,unknown}
N7 - tool-sends: share diagnosis.system with {processor,bureau} for diagnosis over https
N7 - *: share diagnosis.system with another_server for diagnosis over https
N7 - tool-sends: share diagnosis.applications with diagnosis_server for {research,tools} over https
N7 - tool-sends: share diagnosis.system with diagnosis_server for diagnosis over http

N8 + monitored: review session by quality_reviewer for quality
N8 + recorded: record session by website for {reference,disputes,improvement,knowledge_base,research}
N8 + recorded: keep {recording.picture,recording.chat,recording.sound} for
    {reference,disputes,improvement,knowledge_base,research}
N8 + recorded: open recording.chat for {knowledge_base,research} by website
N8 + recorded: show recording.chat to {quality_reviewer,product_team} at desk for {disputes,research}
N8 + receipt: show recording.picture to customer at receipt_page for reference
N8 + receipt: destroy recording at receipt_page for reference by website
N8 - not-correlated: link recording with
    {contact.email,account.identifier,consent,moment,visit.address,visit.time,cookie.page,transaction.reference}
N8 - not-correlated: link {contact.email,device.id_number,cookie.page} with {recording.chat,recording.sound}
N8 - scrubbed: keep {recording.picture,recording.chat,recording.sound} for reference if done(mask personal)={no,unknown}
N8 - receipt: show recording.picture to customer at receipt_page for reference if presented(receipt)={no,unknown}
N8 - receipt: destroy recording at receipt_page for reference by website if presented(receipt)={no,unknown}
N8 - recorded: keep recording.chat for {offers,advertising,profiling,support}
N8 - recorded: open recording.chat for {offers,support,quality} by website
N8 - recorded: record session by {expert,administrator} for research
N8 - monitored: review session by {expert,billing_clerk} for quality

N9 + page-cookie: set cookie.page for customising at {home,products,privacy}
N9 + page-cookie: open cookie.page for customising at home by website
N9 - cookie-apart: link {cookie.page,cookie} with {contact.email,account.login,request,consent}
N9 - cookie-apart: {set,open} cookie.page for customising at {registration_form,profile,checkout,login}
N9 - cookie-apart: log cookie.page at {home,profile} for trends
N9 - no-other-cookie: {set,open} cookie.page for {trends,movement,offers} at home
N9 - no-other-cookie: {set,open} cookie.tracker for customising at home

N10 + addresses: log {visit.address,visit.page,visit.time} about visitor at {home,profile} for
    {trends,administration,movement}
N10 + addresses: open visit.address for {trends,movement,administration} by {website,administrator}
N10 + addresses: block visit.address for administration by administrator
N10 + demographics: derive demographics.region from visit.address for demography as counts(group 20)
N10 + demographics: show demographics.region to product_team at report for demography as counts(group 20)
N10 - demographics: derive demographics.region from visit.address for demography
N10 - demographics: show demographics.region to product_team at report for demography as {counts,counts(group
    19),counts(group 1)}
N10 - no-marketing-by-address: {open,derive} {visit.address,visit.page} for {marketing,offers,advertising,profiling} by
    website
N10 - no-marketing-by-address: link visit.address with contact.email
N10 - addresses: block visit.address for administration by {expert,website}
N10 - addresses: log visit.address about visitor at home for offers

N11 + asked-first: ask age at {registration_form,phone}
N11 + age-first: collect age from visitor at registration_form for age_check over https if done(ask age)=no
N11 + registration: collect contact.email from customer about customer at registration_form for registration over https
    if age=13
N11 - age-first: collect {contact.email,card.number,device.make} from customer about customer at registration_form for
    registration over https if done(ask age)={no,unknown}
N11 - under-thirteen: collect {contact.email,account.login} from customer about customer at registration_form for
    registration over https if age={12,12.99,unknown}
N11 - under-thirteen: collect request from customer at {support_form,phone} for support over https if age=10
N11 - under-thirteen: keep {contact.email,device.model,diagnosis.system} about customer for service if age=12
N11 - under-thirteen: start subscription about customer by website for registration if age=12
N11 - not-for-children: start subscription by website for registration if attested(not-for-children)={no,unknown}
N11 - found-out: open contact.email for support by website if discovered(age)={yes,unknown}
N11 - found-out: share card.number with processor for payment over https if discovered(age)=yes
N11 - found-out: send service_mail to contact.email for support over smtps if discovered(age)=yes
N11 - found-out: show request to expert at desk for support if discovered(age)=yes

N12 + registration: collect account.password from customer about customer at registration_form for registration over
    {https,loopback}
N12 - in-transit: collect {account.password,contact.email} from customer about customer at registration_form for
    registration over http
N12 - in-transit: collect card.number from customer about customer at checkout for payment over http
N12 - in-transit: collect card.number from customer about customer at checkout for payment
N12 - in-transit: share {card.number,diagnosis.system} with {processor,diagnosis_server} for payment over http

N13 + credit-report: share {contact.first_name,contact.last_name,contact.address} with bureau for creditworthiness over
    https
N13 + credit-report: collect credit_report from bureau about customer at credit_check for creditworthiness over https
N13 + credit-report: open credit_report for creditworthiness at credit_check by credit_judge
N13 + yes-or-no: derive creditworthy from credit_report for creditworthiness
N13 + servers: keep creditworthy about customer for service
N13 - report-destroyed: keep credit_report about customer for {creditworthiness,service}
N13 - report-destroyed: log credit_report at {credit_check,desk} for administration
N13 - report-destroyed: show credit_report to {customer,billing_clerk} at {desk,profile}
N13 - report-destroyed: share credit_report with {processor,law_officer} for creditworthiness over https
N13 - credit-report: collect credit_report from {processor,customer} about customer at credit_check for creditworthiness
    over https
N13 - credit-report: collect credit_report from bureau about customer at {desk,registration_form} for creditworthiness
    over https
N13 - credit-report: open credit_report for {offers,research} at credit_check by credit_judge
N13 - credit-report: open credit_report for creditworthiness at credit_check by {website,billing_clerk}
N13 - no-other-source: collect {contact.email,contact.address,request} from {bureau,processor,diagnosis_server} about
    customer at registration_form for registration over https
N13 - *: collect contact.email from data_broker about customer at registration_form for registration over https
N13 - nobody-outside: share {contact.email,device.model,transaction.amount} with bureau for creditworthiness over https

N14 + welcome: send welcome to contact.email for registration over smtps
N14 + welcome: show {account.login,link} to customer at mail
N14 + offers: send {offer,newsletter} to contact.email for offers over smtps
N14 - no-password-in-mail: show {account.password,account} to customer at mail
N14 - offers: send {offer,newsletter} to contact.email for offers over smtps if verified(contact.email)={no,unknown}
N14 - offers: send {offer,newsletter} to contact.email for offers over smtps if due(offers)={no,unknown}
N14 - nobody-else-sees: show {contact.last_name,device.model,transaction.amount} to customer at mail

N15 + your-profile: show {contact.address.postcode,account.login,device.model,transaction.amount} to customer at profile
    by website if entered(submission)=no
N15 + correct-it: change {contact.address.postcode,account.password,device.condition} about customer at profile by
    website
N15 + remove-it: erase {contact.email,device.errors,person} about customer at profile by website
N15 + gone-for-good: start restored_backup by administrator for administration
N15 - correct-it: change contact.email about customer at profile by website if logged_in(subject)={no,unknown}
N15 - correct-it: change contact.email about customer at desk by {support_agent,billing_clerk}
N15 - remove-it: erase {contact.email,device.errors} about customer at profile by website if
    logged_in(subject)={no,unknown}
N15 - nobody-else-sees: show contact.email to customer at profile by website if logged_in(subject)=no,
    entered(submission)=no
N15 - gone-for-good: keep former about customer for service
N15 - gone-for-good: open former for support by website
N15 - gone-for-good: show former to customer at profile
N15 - gone-for-good: share former with bureau for creditworthiness over https
N15 - gone-for-good: send service_mail to former for support over smtps
N15 - gone-for-good: start restored_backup by administrator for administration if done(erase former)={no,unknown}

N16 - version-shown: collect contact.email from customer about customer at registration_form for registration over https
    if done(show version)={no,unknown}
N16 - version-shown: collect card.number from customer at checkout for payment over https if done(show version)=no

N17 + new-use-announced: send announcement to contact.email about customer for announcement over smtps
N17 + old-data-old-policy: apply version to customer
N17 - new-use-announced: send announcement to contact.email about customer for announcement over smtps if
    concerned(subject)={no,unknown}
N17 - old-data-old-policy: apply version to customer if mailed(version)={no,unknown}
N17 - old-data-old-policy: apply version to customer if bounced(version)={yes,unknown}
N17 - old-data-old-policy: apply version to customer if resubmitted(version)={no,unknown}
N17 - new-use-announced: apply version to customer if done(announce version)={no,unknown}

N19 + law: share {contact.first_name,transaction.amount,request} with law_officer for legal_duty over https by
    legal_desk
N19 - nobody-outside: share contact.first_name with law_officer for legal_duty over https by legal_desk if
    required(law)={no,unknown}
N19 - nobody-outside: share {contact.first_name,request} with law_officer for legal_duty over https by legal_desk if
    within_scope(law)={no,unknown}
N19 - nobody-outside: share {contact.first_name,device.model} with processor for legal_duty over https by legal_desk
N19 - credit-report: share contact.first_name with bureau for legal_duty over https by legal_desk
N19 - nobody-outside: share contact.first_name with law_officer for legal_duty over https by
    {support_agent,billing_clerk}
N19 - law: share contact.first_name with law_officer for {research,offers} over https by legal_desk
N19 - law: share contact.first_name with law_officer for legal_duty over sftp by legal_desk
N19 - nobody-outside: share {recording.chat,visit.address} with law_officer for legal_duty over https by legal_desk

N20 + licence: start {remote_tool,diagnostic_tool} by customer for {support,diagnosis}
N20 - licence: start {remote_tool,diagnostic_tool} by customer for support if done(accept licence)={no,unknown}
N20 - licence: start {remote_tool,diagnostic_tool} by {expert,support_agent,website,visitor} for support
N20 - licence: start diagnostic_tool by {expert,website} for diagnosis

N21 + need-to-know: show {contact.address,transaction.amount} to billing_clerk at desk for payment
N21 + need-to-know: show {contact.email,device.model,request,diagnosis.system} to {support_agent,expert} at desk for
    support
N21 - nobody-else-sees: show {contact.email,device.model,diagnosis.system} to
    {quality_reviewer,product_team,administrator,staff} at desk for support
N21 - nobody-else-sees: show {device.model,request,diagnosis.system} to billing_clerk at desk for payment
N21 - nobody-else-sees: show {transaction.amount,card.number} to {support_agent,expert} at desk for support
N21 - nobody-else-sees: show {card.number,account.identifier} to billing_clerk at desk for payment
N21 - nobody-else-sees: show contact.email to {billing_clerk,support_agent} at desk for {payment,support} if
    assigned(task)={no,unknown}
N21 - nobody-else-sees: show contact.email to {billing_clerk,support_agent} at desk for {payment,support} if
    attested(need-to-know)={no,unknown}
N21 - nobody-else-sees: open {contact.email,diagnosis.system} for support by {expert,billing_clerk}

N22 + locked-screens: unlock console by {expert,billing_clerk}
N22 - locked-screens: unlock console by expert if done(ask staff_password)={no,unknown}
N22 - locked-screens: unlock console by expert if verified(staff_password)={no,unknown}
N22 - locked-shows-nothing: show {contact.email,device.model,diagnosis.system} to {support_agent,expert} at desk for
    support if locked(console)={yes,unknown}
N22 - locked-shows-nothing: show recording.chat to quality_reviewer at desk for disputes if locked(console)=yes

N23 + reminders: send reminder to staff_email for staff_training over smtps
N23 - acknowledged-first: show {contact.email,device.model} to {support_agent,expert} at desk for support if
    acknowledged(practices)={no,unknown}
N23 - acknowledged-first: show transaction.amount to billing_clerk at desk for payment if acknowledged(practices)=no
N23 - reminders: send reminder to contact.email for staff_training over smtps

N24 + servers: keep {contact.email,account.password,transaction.reference,request,diagnosis.system} about customer for
    service
N24 - servers: keep {contact.email,device.model,request} about customer for service if attested(servers)={no,unknown}

ours + second-look: show {contact.email,request} to visitor at {registration_form,support_form} if logged_in(subject)=no
ours - card-not-kept: keep {card.number,card.name,card} about customer for {payment,service}
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
        ("acceptance", "must record acceptance with collect(contact, account, card, device, request)"),  # N1
        ("stopped-at-once", "must stop remote_session within 1 second after withdrawn(remote_session)"),  # N6
        ("signed-conduct", "must sign conduct by expert within 1 hour after session_ended"),
        ("found-out", "must erase person within 1 day after discovered(age)"),  # N11
        ("ask-a-parent", "must show parents_notice at registration_form"),
        ("in-transit", "must encrypt personal, diagnosis at transit"),  # N12
        ("at-rest", "must encrypt personal, diagnosis at rest"),
        ("report-destroyed", "must destroy credit_report within 1 minute after judged"),  # N13
        ("welcome", "must send welcome within 1 day after registered(customer)"),  # N14
        ("posted", "must announce version at privacy"),  # N16
        ("posted", "must show history at privacy"),
        ("posted", "must attach version"),
        ("questions", "must show contact at privacy, mail"),  # N18
        ("locked-screens", "must lock console within 5 minutes after idle"),  # N22
        ("reminders", "must notify staff every 3 months"),  # N23
        ("reminders", "must notify staff after version"),
        ("reminders", "must acknowledge practices by staff every 3 months"),
        ("reminders", "must acknowledge practices by staff after version"),
    ],
)
def test_a_sentence_demands_its_duty(anchor: str, duty: str) -> None:
    assert duty in demanded(POLICY, anchor)


def test_the_signatures_that_permissions_hang_on() -> None:
    signed = {anchor: (str(a.role), str(a.every)) for anchor, a in POLICY.attested.items()}
    assert signed == {
        "control": ("support_lead", "12 months"),
        "not-for-children": ("editor", "12 months"),
        "servers": ("facilities_manager", "12 months"),
        "need-to-know": ("office_manager", "6 months"),
    }


def test_the_policy_says_where_questions_go() -> None:
    assert tells_contact(POLICY, "questions")
