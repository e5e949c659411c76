"""Mail: the one module that knows SMTP. Letters leave in a thread of their own.

Nobody waits for a mail server, and how long an answer takes tells nobody whether a letter was sent.
"""

from __future__ import annotations

import smtplib
import ssl
import threading
from dataclasses import dataclass
from email.message import EmailMessage
from queue import Empty, Full, Queue

import structlog

from cloud.settings import Settings
from shared.kernel.errors import RefusedError

LETTERS_MAX = 200
TRIES = 4
CONNECT_S = 15
FIRST_WAIT_S = 2.0
STOP_S = 5.0
TLS_WAYS = ("", "starttls", "tls")

_log = structlog.get_logger("cloud.mail")


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail in plain text."""

    to: str
    subject: str
    body: str


class Mailer:
    """Sends letters in order; its thread begins with the first one."""

    def __init__(self, settings: Settings) -> None:
        """Raise RefusedError `settings.value` for an unknown kind of encryption."""
        if settings.smtp_tls not in TLS_WAYS:
            raise RefusedError(
                "settings.value", field="smtp_tls", value=settings.smtp_tls, allowed="starttls, tls"
            )
        self._settings = settings
        self._letters: Queue[Letter] = Queue(LETTERS_MAX)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def can_send(self) -> bool:
        """Whether this installation has a mail server."""
        return bool(self._settings.smtp_host and self._settings.mail_from)

    def post(self, letter: Letter) -> bool:
        """Hand in a letter; False when there is no mail server, or too many letters wait."""
        if not self.can_send:
            return False
        try:
            self._letters.put_nowait(letter)
        except Full:
            _log.error("mail_queue_full", waiting=LETTERS_MAX)
            return False
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="mail", daemon=True)
                self._thread.start()
        return True

    def stop(self) -> None:
        """End the thread; letters that wait are given up."""
        self._stop.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(STOP_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                letter = self._letters.get(timeout=0.2)
            except Empty:
                continue
            self._deliver(letter)

    def _deliver(self, letter: Letter) -> None:
        for number in range(TRIES):
            try:
                self._send(letter)
            except (OSError, smtplib.SMTPException) as error:
                # The address is a person's and stays out of the log.
                _log.warning("mail_failed", attempt=number + 1, error=type(error).__name__)
                if self._stop.wait(FIRST_WAIT_S * 2**number):
                    return
            else:
                return
        _log.error("mail_given_up", tries=TRIES)

    def _send(self, letter: Letter) -> None:
        told = self._settings
        message = EmailMessage()
        message["From"], message["To"] = told.mail_from, letter.to
        message["Subject"] = letter.subject
        message.set_content(letter.body)
        with self._connection() as connection:
            if told.smtp_tls == "starttls":
                connection.starttls(context=ssl.create_default_context())
            if told.smtp_user:
                connection.login(told.smtp_user, told.smtp_password)
            connection.send_message(message)

    def _connection(self) -> smtplib.SMTP:
        host, port = self._settings.smtp_host, self._settings.smtp_port
        if self._settings.smtp_tls == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(host, port, timeout=CONNECT_S, context=context)
        return smtplib.SMTP(host, port, timeout=CONNECT_S)
