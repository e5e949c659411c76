"""A box's key and certificates on disk: cut anywhere, it has the old one or the new one."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cloud.pki.authority import DAY_MS, proven_key
from cloud.pki.folder import CaFolder
from edge import tls
from edge.clock import SystemClock
from edge.tls import BoxKeys
from shared.kernel.errors import CorruptError, RefusedError

DEV = "d-abcdefghijklmnop"
NOW_MS = SystemClock().now_ms()


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> CaFolder:
    made = CaFolder(tmp_path_factory.mktemp("ca"), os.urandom)
    made.init("shops.example", NOW_MS)
    return made


@pytest.fixture
def keys(tmp_path: Path) -> BoxKeys:
    return BoxKeys(tmp_path)


def answer_to(ca: CaFolder, csr: str, port: int = 8883, at_ms: int = NOW_MS) -> dict[str, Any]:
    made = ca.device(proven_key(csr.encode()), DEV, at_ms)
    pem = made.public_bytes(Encoding.PEM).decode()
    broker = {"host": "10.0.0.1", "port": port}
    return {"certificate": pem, "trust": ca.bundle("chain"), "broker": broker}


def test_the_key_is_made_here_for_its_owner_only_and_is_not_in_the_request(keys: BoxKeys) -> None:
    csr = keys.request()
    assert x509.load_pem_x509_csr(csr.encode()).is_signature_valid
    assert "PRIVATE" not in csr
    assert stat.S_IMODE((keys.folder / tls.NEW_KEY).stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.folder.stat().st_mode) == 0o700
    assert keys.request() == csr, "a repeat is the same request"


def test_a_renewal_takes_another_key_and_the_old_pair_stays_until_the_new_one_served(
    keys: BoxKeys, ca: CaFolder
) -> None:
    first = keys.request()
    keys.accept(answer_to(ca, first), is_first=True)
    old = keys.current()
    assert old is not None
    assert keys.upcoming() is None
    second = keys.request()
    assert second != first
    keys.accept(answer_to(ca, second, port=8884))
    new = keys.upcoming()
    assert new is not None
    assert (keys.current(), new.port, keys.newest()) == (old, 8884, new)
    keys.broker_context(old)
    keys.broker_context(new)
    keys.proved(old)
    assert keys.upcoming() == new, "it was the old one that was let in"
    keys.proved(new)
    assert (keys.upcoming(), keys.current() is not None) == (None, True)
    assert keys.newest() == keys.current() != old
    keys.proved(new)  # heard twice
    assert keys.current() is not None


def test_two_thirds_of_a_life_are_sixty_days(keys: BoxKeys, ca: CaFolder) -> None:
    keys.accept(answer_to(ca, keys.request()), is_first=True)
    found = keys.current()
    assert found is not None
    assert not found.is_due(NOW_MS + 59 * DAY_MS)
    assert found.is_due(NOW_MS + 60 * DAY_MS)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: answer.pop("certificate"),
        lambda answer: answer.update(certificate="half"),
        lambda answer: answer.update(trust=""),
        lambda answer: answer.update(broker={"host": "10.0.0.1", "port": 0}),
        lambda answer: answer.update(broker={"host": "a b", "port": 1}),
        lambda answer: answer.update(broker={"host": "a\nBroker: b 1", "port": 1}),
        lambda answer: answer.update(broker={"host": "a"}),
        lambda answer: answer.update(broker=None),
    ],
)
def test_an_answer_that_cannot_be_changes_nothing(
    keys: BoxKeys, ca: CaFolder, spoil: Callable[[dict[str, Any]], object]
) -> None:
    answer = answer_to(ca, keys.request())
    spoil(answer)
    with pytest.raises(RefusedError, match=r"tls\.answer"):
        keys.accept(answer)
    assert [path.name for path in keys.folder.iterdir()] == [tls.NEW_KEY]


def test_a_certificate_for_another_key_is_none_of_ours(
    keys: BoxKeys, ca: CaFolder, tmp_path: Path
) -> None:
    keys.request()
    other = BoxKeys(tmp_path / "other").request()
    with pytest.raises(RefusedError, match=r"tls\.answer"):
        keys.accept(answer_to(ca, other))


class PowerCutError(Exception):
    """The machine is off."""


@pytest.mark.parametrize("steps", range(8))
def test_a_power_cut_at_any_write_leaves_a_pair_that_serves(
    keys: BoxKeys, ca: CaFolder, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    keys.accept(answer_to(ca, keys.request()), is_first=True)
    left = iter(range(steps))

    def cut(real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:
            if next(left, None) is None:
                raise PowerCutError
            return real(*args, **kwargs)

        return step

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", cut(Path.unlink))
        patch.setattr(Path, "replace", cut(Path.replace))
        patch.setattr(tls, "write_secret", cut(tls.write_secret))
        try:
            keys.accept(answer_to(ca, keys.request()))
            keys.proved(keys.upcoming())  # type: ignore[arg-type]
        except PowerCutError:
            pass
    for found in (keys.current(), keys.upcoming()):
        if found is not None:
            keys.broker_context(found)
    assert keys.current() is not None
    keys.accept(answer_to(ca, keys.request()))
    assert keys.upcoming() is not None


def test_a_damaged_request_is_made_anew_and_a_damaged_certificate_is_told(keys: BoxKeys) -> None:
    csr = keys.request()
    (keys.folder / tls.NEW_KEY).write_text("half")
    assert keys.request() != csr
    (keys.folder / tls.CURRENT).write_text("Broker: 10.0.0.1 8883\nhalf")
    with pytest.raises(CorruptError, match=r"tls\.certificate"):
        keys.current()
    assert keys.was_let_in()


def test_without_a_ca_of_the_chain_only_public_certificates_are_believed(
    keys: BoxKeys, ca: CaFolder
) -> None:
    assert keys.https_trust() is True
    keys.request()
    keys.trust(ca.bundle("chain"))
    context = keys.https_trust()
    assert not isinstance(context, bool)
    assert "Tillbox chain" in str(context.get_ca_certs())
    assert context.cert_store_stats()["x509_ca"] > 50
    assert keys.https_trust() is context, "who keeps a connection may keep it"
    keys.trust(ca.bundle("chain") + ca.bundle("chain"))
    assert keys.https_trust() is not context
