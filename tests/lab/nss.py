"""A browser's own list of whom it trusts: the NSS database of a home folder, read by Chromium."""

from __future__ import annotations

import ctypes
from ctypes import c_char_p, c_int, c_uint, c_ulong, c_void_p
from pathlib import Path
from typing import Any

_TRUSTED_CA = 1 << 7 | 1 << 4 | 1 << 3
"""CERTDB_TRUSTED_CLIENT_CA, CERTDB_TRUSTED_CA and CERTDB_VALID_CA of certdb.h."""


class NssMissingError(RuntimeError):
    """Without the libraries nobody can be trusted; the text says what to install."""


def trust(home: Path, certificate_der: bytes) -> None:
    """Let a browser with that home folder trust a CA for websites."""
    folder = home / ".pki" / "nssdb"
    folder.mkdir(parents=True)
    nss, smime = _library("libnss3.so"), _library("libsmime3.so")
    _done(nss.NSS_InitReadWrite(f"sql:{folder}".encode()))
    slot = _function(nss, "PK11_GetInternalKeySlot", c_void_p)()
    _done(_function(nss, "PK11_InitPin", c_int, c_void_p, c_char_p, c_char_p)(slot, None, b""))
    decode = _function(smime, "CERT_DecodeCertFromPackage", c_void_p, c_char_p, c_int)
    certificate = decode(certificate_der, len(certificate_der))
    assert certificate, "no certificate"
    keep = _function(nss, "PK11_ImportCert", c_int, c_void_p, c_void_p, c_ulong, c_char_p, c_int)
    _done(keep(slot, certificate, 0, b"chain", 0))
    known = _function(nss, "CERT_GetDefaultCertDB", c_void_p)()
    change = _function(nss, "CERT_ChangeCertTrust", c_int, c_void_p, c_void_p, c_void_p)
    _done(change(known, certificate, ctypes.byref((c_uint * 3)(_TRUSTED_CA, 0, 0))))
    _function(nss, "CERT_DestroyCertificate", None, c_void_p)(certificate)
    _function(nss, "PK11_FreeSlot", None, c_void_p)(slot)
    _done(nss.NSS_Shutdown())


def _library(name: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(name)
    except OSError:
        message = f"{name} is missing: install it (apt-get install libnss3)."
        raise NssMissingError(message) from None


def _function(library: ctypes.CDLL, name: str, answer: Any, *arguments: Any) -> Any:
    found = library[name]
    found.restype, found.argtypes = answer, list(arguments)
    return found


def _done(code: int) -> None:
    assert code == 0, "NSS refused"
