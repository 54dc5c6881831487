"""The desks of the staff: where they lead, and the service desk, which answers what people asked.

Who may come here is in the file of staff; what is shown here, and to which role, the policy says.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from avow import Refused, Work
from avow.edge import form as ask
from avow.edge.form import Form

from .records import Order
from .request import ANSWERED, CLOSED, OPEN, Request
from .shop import site

#: Requests on one page, those that wait longest first.
AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Desk:
    """One desk as the first page of the staff names it; `roles` may come to it."""

    path: str
    name: str
    words: str
    roles: tuple[str, ...]


DESKS = (
    Desk("/desk/phone", "Telephone orders", "Take an order by telephone, with the card.", ("order_desk",)),
    Desk("/desk/requests", "Questions", "Read what people ask, and answer it by mail.", ("service_desk",)),
    Desk("/desk/report", "Report", "What is asked for, and where visits come from.", ("order_desk", "service_desk")),
    Desk(
        site.console(role="security_officer", purpose="legal_duty"),
        "Evidence",
        "See what became of each sentence of our policy.",
        ("security_officer",),
    ),
)
EVERYBODY = ("order_desk", "service_desk")


class Answer(Form):
    """What the service desk answers."""

    answer = ask.paragraph("request.answer", "Your answer", maximum=4000, hint="Please no card numbers.")


class Close(Form):
    """A request that needs no answer."""


@site.page("/desk", place="desk", role=(*EVERYBODY, "security_officer"), purpose="answers", staff=True)
def show_desks(work: Work) -> Response:
    """Where the member of staff who is here may go."""
    return work.render("desk/desks.html", desks=[desk for desk in DESKS if set(desk.roles) & set(work.roles)])


@site.page("/desk/requests", place="desk", role="service_desk", purpose="answers", staff=True)
def show_requests(work: Work) -> Response:
    """The open requests."""
    waiting = work.select(Request, Request.state == OPEN)
    waiting.sort(key=lambda request: (request.arrived, request.id))
    return work.render("desk/requests.html", requests=waiting[:AT_ONCE], waiting=len(waiting), now=_hour(work))


def show_request(work: Work, form: Form) -> Response:
    """One request, the order it is about, and the form for the answer."""
    request = _request(work)
    if request is None:
        text = ["It may have been erased, or the address has a slip in it."]
        return work.render("desk/lost.html", status=404, title="There is no such question", text=text)
    order = None
    if request.order_id is not None:
        order = work.db.get(Order, (request.customer, request.order_id))
    shown = form if isinstance(form, Answer) else Answer()
    return work.render("desk/request.html", request=request, order=order, form=shown, now=_hour(work))


@site.form(
    "/desk/requests/{id}", Answer, place="desk", role="service_desk", purpose="answers", page=show_request, staff=True
)
def answer(work: Work, form: Form) -> Response:
    """Store the answer and send it by mail; a request is answered once."""
    request = _request(work)
    if request is None or request.state != OPEN:
        return show_request(work, form)
    try:
        work.send("answer", request)
    except Refused as refused:
        said = refused.verdict.sentences[0].text if refused.verdict and refused.verdict.sentences else str(refused)
        form.fail("answer", f"No mail may go to this address: “{said}” Call, or close it without an answer.")
        return show_request(work, form)
    work.update(request, source="service_desk", answer=form["answer"], state=ANSWERED)
    return work.redirect("/desk/requests")


@site.form(
    "/desk/requests/{id}/close",
    Close,
    place="desk",
    role="service_desk",
    purpose="answers",
    page=show_request,
    staff=True,
)
def close(work: Work, form: Form) -> Response:
    """Put a request away without an answer: it was answered on the telephone, or asks for none."""
    request = _request(work)
    if request is not None and request.state == OPEN:
        work.update(request, state=CLOSED)
    return work.redirect("/desk/requests")


def _request(work: Work) -> Request | None:
    found = work.select(Request, Request.id == work.path["id"])
    return found[0] if found else None


def _hour(work: Work) -> int:
    return int(work.now // 3600)
