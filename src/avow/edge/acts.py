"""What a route is for: the role it acts in, the purpose, and the place it is.

Every route declares it; one that does not is refused when the application is put together, not when
somebody visits it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.routing import BaseRoute, Match, Mount, Route

from avow.errors import SetupError
from avow.language import Vocabulary

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
_ATTRIBUTE = "__avow_acts__"


@dataclass(frozen=True, slots=True)
class Acts:
    """A route's declaration. `public` marks files that carry nothing personal and open no unit.

    `staff` are the roles of which a member of staff must have one to be served; empty where everybody is served.
    `one_click` says that a mail program may end a subscription here by one POST (RFC 8058).
    """

    role: str
    purpose: str
    place: str | None
    public: bool = False
    staff: tuple[str, ...] = ()
    one_click: bool = False


def acts(
    role: str, purpose: str, place: str | None, *, staff: tuple[str, ...] = (), one_click: bool = False
) -> Callable[[Endpoint], Endpoint]:
    """Declare what an endpoint of any ASGI framework on starlette's routing is for."""

    def declare(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _ATTRIBUTE, Acts(role, purpose, place, staff=staff, one_click=one_click))
        return endpoint

    return declare


def declared(route: BaseRoute) -> Acts | None:
    """The declaration of a route, or None."""
    if isinstance(route, Mount):
        return Acts("", "", "", public=True) if getattr(route.app, "__avow_public__", False) else None
    return getattr(getattr(route, "endpoint", None), _ATTRIBUTE, None)


def check_routes(routes: Iterable[BaseRoute], vocabulary: Vocabulary) -> None:
    """Refuse routes that do not say what they are for, or say it in words that the policy does not have.

    Raises:
        SetupError: naming every such route.
    """
    silent = []
    for route in routes:
        path, acts = getattr(route, "path", repr(route)), declared(route)
        if acts is None:
            silent.append(path)
        elif not acts.public:
            roles = [("role", role) for role in acts.staff or (acts.role,)]
            for kind, word in (*roles, ("purpose", acts.purpose), ("place", acts.place)):
                if word is not None and word not in vocabulary.words[kind]:
                    raise SetupError(
                        f"the route `{path}` names the {kind} `{word}`, which the policy does not know",
                        help=f"it knows {', '.join(sorted(vocabulary.words[kind]))}",
                    )
    if silent:
        raise SetupError(
            "these routes do not declare a role, a purpose and a place: " + ", ".join(f"`{p}`" for p in silent),
            help='declare each with @site.page(path, role=…, purpose=…, place=…) or @acts("role", "purpose", "place")',
        )


def match(routes: Iterable[BaseRoute], scope: dict[str, Any]) -> Acts | None:
    """The declaration of the route that serves this request, or None where no route does."""
    partial: Acts | None = None
    for route in routes:
        found, _ = route.matches(scope)
        if found is Match.FULL:
            return declared(route)
        if found is Match.PARTIAL and partial is None and isinstance(route, Route):
            partial = declared(route)
    return partial
