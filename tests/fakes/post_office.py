"""A mail server that keeps what it is given."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.lab.net import LOOPBACK, free_port


class PostOffice:
    """Listens on a port of this machine; the newest letter is the last."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.port = free_port()
        self._controller = Controller(self, hostname=LOOPBACK, port=self.port)

    def start(self) -> PostOffice:
        self._controller.start()
        return self

    def stop(self) -> None:
        self._controller.stop()

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd asks for
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 OK"

    def links_to(self, address: str) -> list[str]:
        """The links that were sent to an address, oldest first."""
        found = [letter for letter in self.letters if letter["To"] == address]
        return [link for letter in found for link in re.findall(r"http\S+", letter.get_content())]
