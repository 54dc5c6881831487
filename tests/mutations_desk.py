"""Guards of the desks: who comes to one, and what it shows, says and answers."""

from __future__ import annotations

from tests.mutation import Mutation

_EDGE, _SHOP, _VAULT = "src/avow/edge", "sites/gourmet", "src/avow/vault"

DESKS: tuple[Mutation, ...] = (
    Mutation(
        "I3", f"{_EDGE}/staff.py", "if not self._fits(password, member):", "if False:",
        "any password lets in to a desk",
    ),
    Mutation(
        "I3", f"{_EDGE}/staff.py", "if now < attempts.until:", "if False:",
        "passwords of staff can be guessed at without end",
    ),
    Mutation(
        "I3", f"{_EDGE}/staff.py", "if not set(roles) & set(member.roles):", "if False:",
        "a member of staff comes to a desk of another role",
    ),
    Mutation(
        "I2", f"{_EDGE}/middleware.py", "        if not declaration.staff:\n            return None",
        "        if True:\n            return None",
        "the desks are served to everybody",
    ),
    Mutation(
        "I3", f"{_SHOP}/choice.py", '"objected(mail)": not said.get("mail", True)', '"objected(mail)": False',
        "the desk answers by mail who wants no mail",
    ),
    Mutation(
        "I3", f"{_VAULT}/envelope.py", "        except InvalidTag:\n", '''        except InvalidTag:
            return _decode(head), b""\n''',
        "a desk sees nothing wrong with what somebody changed in the database",
    ),
    Mutation(
        "I2", f"{_EDGE}/form.py", "return replace(spec, echo=False, autocomplete", "return replace(spec, autocomplete",
        "the form of the order desk gives a card back",
    ),
    Mutation(
        "I2", f"{_VAULT}/unit.py", '''            self.judge(
                "show",''', '''            (lambda *flow, **about: None)(
                "show",''',
        "what stands at the telephone is shown to anybody whom a page is served to",
    ),
)  # fmt: skip
