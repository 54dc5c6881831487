"""A service, declared: its policy, its records, its pages and what happens when something left.

Declaring opens nothing. `open()` puts the parts together on a folder or database; only then do units
of work exist. A site may be opened, closed and opened elsewhere, as tests do.

    site = Site("policy.md", pages="pages", static="static")

    class Order(site.Record): ...

    @site.page("/", role="storefront", purpose="shopping", place="shop")
    def home(work):
        return work.render("home.html")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from avow.edge.acts import acts, declared
from avow.edge.form import Form
from avow.edge.one_click import is_one_click
from avow.edge.pages import STATIC
from avow.edge.visits import FIELDS, visit_record
from avow.engine import Policy
from avow.errors import SetupError
from avow.language.suggest import did_you_mean
from avow.site.adopting import Adopting
from avow.site.console import EVIDENCE, show_evidence
from avow.site.log import PATH, LogPages
from avow.site.mailing import Mailing
from avow.site.opened import Opened
from avow.site.settings import Settings
from avow.site.transfer import Transfers
from avow.site.versions import PAGES
from avow.site.work import Work
from avow.values import NO_FACTS, Facts
from avow.vault.record import record_base

if TYPE_CHECKING:
    from avow.outbound.exchange import Reply
    from avow.site.demo import Demo
    from avow.vault.unit import Unit

Handler = Callable[[Work], Response]
FactsOf = Callable[[Work, Any, str | None], Facts]
ContextOf = Callable[[Work], Mapping[str, Any]]
Roles = str | tuple[str, ...]
FormHandler = Callable[[Work, Any], Response]


class Site(Mailing, Adopting, Transfers):
    """One service. `policy` is the path of its policy file, read and checked at once.

    Args:
        store: a database URL, if the site always lives in the same one.
        pages: folder of the templates; `pages/mail/NAME.txt` are the mails.
        static: folder of files that carry nothing personal, served under /static.
        subject, visitor: the policy's names for whose information it is, and for who only looks.
        visits_for: the purpose for which visits are noted.
        address: the category that holds a person's mail address.
        card, card_code: the categories that a card number or security code found in free text counts as.
        link: the path of the page that a secret link in a mail leads to.
        links: the paths of other secret links by their use (`{"stop": "/stop/{secret}"}`), `links("stop")` in mails.
        offers: by which of these links a mail offers what the policy says it must (`{"unsubscribe": "stop"}`).
        reading: the category under which it counts whether somebody opens a mail or follows its links.
        acceptance: the category as which it is kept that somebody accepted a version of the policy.
        login: the cookie by which a browser is known as logged in. A form given to it serves no other browser.
        by_hand: recipients to whom people hand things over; all others need an address to open the site.

    Raises:
        PolicyError: the policy does not hold; all its faults at once.
        SetupError: visits would be noted for a purpose that the policy does not declare.
    """

    def __init__(
        self,
        policy: str | Path,
        store: str | None = None,
        *,
        pages: str | Path | None = None,
        static: str | Path | None = None,
        subject: str = "customer",
        visitor: str = "visitor",
        visits_for: str = "selection",
        address: str = "contact.email",
        card: str = "card.number",
        card_code: str = "card.code",
        link: str = "/order/{secret}",
        links: Mapping[str, str] | None = None,
        offers: Mapping[str, str] | None = None,
        reading: str = "reading",
        acceptance: str = "acceptance",
        login: str = "login",
        by_hand: tuple[str, ...] = (),
    ) -> None:
        self.policy = Policy.load(policy)
        self.policy_file = Path(policy)
        self.store = store
        self.pages = Path(pages) if pages else None
        self.subject = subject
        self.visitor = visitor
        self.visits_for = visits_for
        self.address = address
        self.card = card
        self.card_code = card_code
        self.link = link
        self.links = dict(links or {})
        self.offers = dict(offers or {})
        self.reading = reading
        self.mailroom = None
        self.announcing = None
        self.acceptance = acceptance
        self.jobs = {}
        self.taking_over = []
        self.on_leaving, self.on_arrived = {}, {}
        self.login = login
        self.by_hand = by_hand
        self.home, self.Record, self.person_class = record_base()
        self.visit = visit_record(self.Record) if self._notes_visits() else None
        self.routes: list[BaseRoute] = []
        self.on_settled: dict[str, Callable[[Work, Any, Reply], None]] = {}
        self.on_shared: dict[str, Callable[[Work, Any, Mapping[str, Any]], None]] = {}
        self.shared_context: dict[str, Any] = {}
        self.context_of: ContextOf = lambda work: {}
        self.facts_of: FactsOf = lambda work, record, recipient: NO_FACTS
        self.examples: Callable[[Demo], None] | None = None
        self._opened: Opened | None = None
        if static:
            self._serve_files("/static", static)
        self._declare_privacy()
        self.routes.append(Mount(PATH, LogPages(self)))

    # -- declaring --------------------------------------------------------------------------------

    def page(
        self,
        path: str,
        *,
        role: Roles,
        purpose: str,
        place: str | None,
        methods: tuple[str, ...] = ("GET",),
        staff: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Declare a page: a plain function of `work` that returns a response.

        With `staff` it is served only to members of staff who have the role, or one of several; the unit acts in the
        first of them that the member has, and what is shown is shown to that role.
        """

        def declare(handler: Handler) -> Handler:
            @_acts(role, purpose, place, staff)
            def endpoint(request: Request) -> Response:
                return handler(self._work(request))

            self.routes.append(Route(path, endpoint, methods=list(methods), name=f"{place}:{path}:{methods}"))
            return handler

        return declare

    def form(
        self,
        path: str,
        form: type[Form],
        *,
        role: Roles,
        purpose: str,
        place: str,
        page: Callable[[Work, Any], Response],
        staff: bool = False,
        one_click: Handler | None = None,
    ) -> Callable[[FormHandler], FormHandler]:
        """Declare what a sent form does. A form that is not in order goes back to `page(work, form)`.

        The same path also serves the empty form on GET. With `staff`, both are for members of staff; see `page`.
        `one_click` answers the POST by which a mail program ends a subscription (RFC 8058), without the form.
        """

        def declare(handler: FormHandler) -> FormHandler:
            @_acts(role, purpose, place, staff, one_click is not None)
            def endpoint(request: Request) -> Response:
                work = self._work(request)
                if one_click is not None and is_one_click(request.scope["avow"][1]):
                    return one_click(work)
                if request.method != "POST":
                    return page(work, form())
                sent = work.read_form(form)
                response = handler(work, sent) if sent.valid else page(work, sent)
                if not sent.valid:  # by its fields, or because the handler found a reason
                    response.status_code = 422
                return response

            self.routes.append(Route(path, endpoint, methods=["GET", "POST"], name=f"{place}:{path}:form"))
            return handler

        return declare

    def console(self, *, role: Roles, purpose: str, place: str | None = None) -> str:
        """Serve the evidence of each sentence to members of staff who have the role; its path.

        See `avow.site.console`.
        """
        self.page(EVIDENCE, role=role, purpose=purpose, place=place, staff=True)(show_evidence)
        return EVIDENCE

    def settled(self, recipient: str) -> Callable[[Any], Any]:
        """Declare what the outcome of an exchange changes: called in the transaction that records it."""
        return self._register(self.on_settled, recipient)

    def facts(self, function: FactsOf) -> FactsOf:
        """Declare what the site knows of a record and its owner: consents, objections, assignments.

        The function takes `work`, the record and the recipient of a share (else None), and gives facts by their
        spelling in the policy. It is asked whenever a unit begins to deal with a record, also when a queued mail or
        share is about to leave.
        """
        self.facts_of = function
        return function

    def context(self, function: ContextOf) -> ContextOf:
        """Declare what every page of the site may use beside its own: a function of `work` that returns names."""
        self.context_of = function
        return function

    def demo(self, function: Callable[[Demo], None]) -> Callable[[Demo], None]:
        """Declare what makes the site's examples; see `avow.site.demo`."""
        self.examples = function
        return function

    def shared(self, recipient: str) -> Callable[[Any], Any]:
        """Declare what a recipient's reply changes: called in the transaction that records the delivery."""
        return self._register(self.on_shared, recipient)

    def _register(self, where: dict[Any, Any], key: Any) -> Callable[[Any], Any]:
        def declare(handler: Any) -> Any:
            where[key] = handler
            return handler

        return declare

    @property
    def desks(self) -> dict[str, tuple[str, ...]]:
        """The paths that are served to members of staff only, each with the roles of which one is needed."""
        found = ((str(getattr(route, "path", "")), declared(route)) for route in self.routes)
        return {path: declaration.staff for path, declaration in found if declaration and declaration.staff}

    # -- opening ----------------------------------------------------------------------------------

    def open(self, data: str | Path, **settings: Any) -> Opened:
        """Put the parts together on the folder `data`; see `Settings` for what else may be given.

        Raises:
            SetupError: something is declared or configured wrongly; nothing was started.
            StoreError, KeyringError, LedgerError: the installation cannot be used as it stands.
        """
        if self._opened is not None:
            raise SetupError("the site is open already", help="close() it first")
        self._opened = Opened(self, Settings(Path(data), store=settings.pop("store", None) or self.store, **settings))
        return self._opened

    def close(self) -> None:
        """Stop what `open` started."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @property
    def opened(self) -> Opened:
        """The open installation. A site that names its SQLite file is opened beside it on first use.

        Raises:
            SetupError: the site is not open and does not say where it lives.
        """
        if self._opened is None:
            if self.store is None or not self.store.startswith("sqlite:///"):
                raise SetupError("the site is not open", help="call site.open(folder) first, or `avow serve`")
            self.open(Path(self.store.removeprefix("sqlite:///")).absolute().parent)
        assert self._opened is not None
        return self._opened

    def acting(
        self,
        role: str,
        purpose: str,
        *,
        place: str | None = None,
        channel: str | None = None,
        facts: dict[str, bool | float | None] | None = None,
    ) -> Acting:
        """A unit of work, for jobs and scripts: `with site.acting("storefront", "fulfilment") as work: …`."""
        return Acting(self.opened, self.opened.unit(role, purpose, place=place, channel=channel, facts=facts))

    # -- inside -----------------------------------------------------------------------------------

    def _work(self, request: Request) -> Work:
        unit, intake, cookies = request.scope["avow"]
        return Work(
            self.opened,
            unit,
            intake=intake,
            cookies=cookies,
            path={k: str(v) for k, v in request.path_params.items()},
            query=dict(request.query_params),
        )

    def _notes_visits(self) -> bool:
        known = self.policy.vocabulary.words["category"]
        if not all(category in known for category in FIELDS.values()):
            return False
        if self.visits_for not in self.policy.vocabulary.words["purpose"]:
            raise SetupError(
                f"visits would be noted for `{self.visits_for}`, which is no purpose of the policy",
                help=did_you_mean(self.visits_for, self.policy.vocabulary.words["purpose"])
                or "say which purpose it is: Site(…, visits_for=…)",
            )
        return True

    def _declare_privacy(self) -> None:
        """The policy's own pages show nothing personal, so that any role and purpose will do for them."""
        words = self.policy.vocabulary.words
        for kind in ("role", "purpose"):
            if not words[kind]:
                raise SetupError(
                    f"the policy declares no {kind}, and every page of a site acts in one",
                    help=f"add `{kind}s:` to its front matter",
                )
        place = "privacy" if "privacy" in words["place"] else None
        for path, page in PAGES.items():
            self.page(path, role=next(iter(words["role"])), purpose=next(iter(words["purpose"])), place=place)(page)
        self._serve_files("/avow", STATIC)

    def _serve_files(self, path: str, folder: str | Path) -> None:
        files = StaticFiles(directory=folder)
        files.__avow_public__ = True  # type: ignore[attr-defined]
        self.routes.append(Mount(path, files))


def _acts(role: Roles, purpose: str, place: str | None, staff: bool, one_click: bool = False) -> Callable[[Any], Any]:
    """The declaration of a route. Only members of staff may come in one of several roles."""
    roles = (role,) if isinstance(role, str) else role
    if not roles or (len(roles) > 1 and not staff):
        raise SetupError("a route acts in one role", help="name one, or say staff=True where it is for several desks")
    return acts(roles[0], purpose, place, staff=roles if staff else (), one_click=one_click)


class Acting:
    """The context of `site.acting`: enters the unit, gives a `Work`, commits or rolls back at the end."""

    def __init__(self, opened: Opened, unit: Unit) -> None:
        self._opened = opened
        self._unit = unit

    def __enter__(self) -> Work:
        self._unit.__enter__()
        return Work(self._opened, self._unit)

    def __exit__(self, *error: Any) -> None:
        self._unit.__exit__(*error)
