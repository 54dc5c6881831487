"""The ways out of one installation: for each recipient of its policy the address, the channel, and the door."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from avow.errors import SetupError
from avow.language.suggest import did_you_mean
from avow.outbound.address import CHANNELS, MAIL, Address
from avow.outbound.https import HttpsChannel
from avow.outbound.recipient import RecipientDoor
from avow.outbound.smtp import Sign, SmtpChannel
from avow.outbound.ways import HttpsWay, MailWay, SftpWay, Way

if TYPE_CHECKING:
    from avow.engine import Policy


class Directory:
    """Who is reached where. `addresses` are URLs or `Address`es by recipient, and of the mail server under `mail`.

    Args:
        policy: the policy whose recipients they are.
        addresses: see `Address`.
        ca: a PEM file of the only authority that certificates may come from; default: the system's.
        timeout: seconds that a peer has to answer.
        sender: gives the mail address to write from.
        sign: signs a mail; see `SmtpChannel`.
        by_hand: recipients to whom people hand things over, and no channel of this installation leads.

    Raises:
        SetupError: an address is missing, is not one, is of nobody that the policy declares, or leads over a channel
            that the policy does not give this recipient; a key or host key of an SFTP server cannot be used.
    """

    def __init__(
        self,
        policy: Policy,
        addresses: Mapping[str, str | Address],
        *,
        ca: Path | None,
        timeout: float,
        sender: Callable[[], str],
        sign: Sign = lambda content: b"",
        by_hand: Collection[str] = (),
    ) -> None:
        self._policy = policy
        self._ca = ca
        self._timeout = timeout
        self._sender = sender
        self._sign = sign
        self._by_hand = frozenset(by_hand)
        self._addresses = {name: _address(name, value) for name, value in addresses.items()}
        self._check()
        self._https: dict[str, HttpsChannel] = {}
        self._ways = {name: self._way(name) for name, at in self._addresses.items() if at.channel == "sftp"}
        self._mail: SmtpChannel | None = None

    def channel_to(self, recipient: str) -> str:
        """The channel by which `recipient` is reached, by its name in policies.

        Without an address it is the first that the policy declares for it, or `https`.
        """
        if recipient in self._addresses:
            return self._addresses[recipient].channel
        declared = self._policy.recipients.get(recipient)
        return declared.channels[0] if declared and declared.channels else "https"

    def https(self, recipient: str) -> HttpsChannel:
        """The channel to a recipient over HTTPS, for an exchange.

        Raises:
            SetupError: it has no address, or another kind of address.
        """
        if recipient not in self._https:
            address = self._address(recipient)
            if address.channel != "https":
                raise SetupError(
                    f"`{recipient}` is reached over {address.channel}; this needs an answer, and so HTTPS",
                    help="give it an https:// address",
                )
            self._https[recipient] = HttpsChannel(address.url, self._ca, self._timeout)
        return self._https[recipient]

    @property
    def sends_mail(self) -> bool:
        """Whether a mail server is configured."""
        return MAIL in self._addresses

    @property
    def mail(self) -> SmtpChannel:
        """The channel to the mail server.

        Raises:
            SetupError: it has no address.
        """
        if self._mail is None:
            self._mail = self._smtp(self._address(MAIL))
        return self._mail

    def door(self, recipient: str) -> RecipientDoor:
        """The way out to a recipient.

        Raises:
            SetupError: it has no address.
        """
        if recipient not in self._ways:
            self._ways[recipient] = self._way(recipient)
        return RecipientDoor(self._policy, recipient, self._ways[recipient])

    def _way(self, name: str) -> Way:
        address = self._address(name)
        if address.channel == "sftp":
            return _sftp_way(name, address, self._timeout)
        if address.channel == "smtps":
            mailbox = address.endpoint.path.removeprefix("/")
            return MailWay(self._smtp(address), mailbox=mailbox, sender=self._sender())
        return HttpsWay(self.https(name))

    def _smtp(self, address: Address) -> SmtpChannel:
        return SmtpChannel(
            address.url, self._ca, self._timeout, user=address.user, password=address.password, sign=self._sign
        )

    def _address(self, name: str) -> Address:
        try:
            return self._addresses[name]
        except KeyError:
            if name in self._by_hand:
                raise SetupError(
                    f"`{name}` is reached by hand: nothing is sent there",
                    help="take it out of the site's `by_hand`, and give it an address",
                ) from None
            raise SetupError(
                f"no address is configured for `{name}`", help="pass it in `endpoints`, or run with --local-peers"
            ) from None

    def _check(self) -> None:
        recipients = self._policy.recipients
        for name in sorted(self._by_hand):
            if name not in recipients:
                raise SetupError(
                    f"`{name}` is reached by hand, and the policy does not declare it",
                    help=did_you_mean(name, recipients) or "declare the recipient in the policy, or leave it out",
                )
            if name in self._addresses:
                raise SetupError(f"`{name}` is reached by hand and has an address", help="leave one of the two out")
        needed = [name for name, recipient in recipients.items() if recipient.fields and name not in self._by_hand]
        needed += [MAIL] if self._policy.messages else []
        for name in self._addresses:
            if name not in recipients and name not in needed:
                raise SetupError(
                    f"an address is configured for `{name}`, which the policy does not declare",
                    help="declare the recipient in the policy, or remove the address",
                )
        missing = [name for name in needed if name not in self._addresses]
        if missing and self._addresses:
            raise SetupError(
                "no address is configured for " + ", ".join(f"`{name}`" for name in missing),
                help="give each recipient of the policy an endpoint",
            )
        for name, address in self._addresses.items():
            self._check_channel(name, address)

    def _check_channel(self, name: str, address: Address) -> None:
        recipient = self._policy.recipients.get(name)
        if recipient is None:
            permitted: tuple[str, ...] = ("smtps",)  # the mail server
        else:
            permitted = recipient.channels or tuple(CHANNELS.values())
        if address.channel not in permitted:
            schemes = [f"{scheme}://" for scheme, channel in CHANNELS.items() if channel in permitted]
            raise SetupError(
                f"`{name}` has an address over {address.channel}, and the policy lets it be reached over "
                f"{', '.join(permitted)} only",
                help=f"begin its address with {' or '.join(schemes)}",
            )
        mailbox = address.endpoint.path.removeprefix("/")
        if recipient is not None and address.channel == "smtps" and "@" not in mailbox:
            raise SetupError(
                f"the address of `{name}` names its mail server, and no mailbox there",
                help=f"write {address.endpoint}/orders@its-domain.example",
            )
        if recipient is None and mailbox:
            raise SetupError(f"the address of the mail server ends in `/{mailbox}`", help=f"write {address.endpoint}")


def _address(name: str, value: str | Address) -> Address:
    try:
        return Address.of(value)
    except SetupError as error:
        raise SetupError(f"the address of `{name}`: {error.args[0]}", help=error.help) from None


def _sftp_way(name: str, address: Address, timeout: float) -> SftpWay:
    try:
        from avow.outbound.sftp import SftpChannel
    except ImportError:
        raise SetupError(
            f"`{name}` is reached over SFTP, which needs asyncssh", help="pip install 'avow[sftp]'"
        ) from None
    assert address.key is not None  # Address has seen to it
    channel = SftpChannel(address.url, user=address.user, key=address.key, host_key=address.host_key, timeout=timeout)
    return SftpWay(channel)
