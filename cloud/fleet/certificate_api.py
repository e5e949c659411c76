"""Certificates over HTTP: a box's next one, and what everybody may know of the CAs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from cloud.access import PUBLIC, UPLOADER, ContextDep
from cloud.answer import json_answer
from cloud.clock import random_bytes
from cloud.context import Context
from cloud.fleet import schemas
from cloud.fleet.certificates import Giver, Renewal, renew, revocation_lists
from cloud.pki.folder import CaFolder, ca_of
from shared.kernel.errors import MissingError
from shared.kernel.ids import DeviceId

PEM = "application/x-pem-file"
router = APIRouter(prefix="/v1", tags=["fleet"])


class PemAnswer(Response):
    """Certificates or revocation lists as PEM."""

    media_type = PEM


@router.post("/device/certificate", response_model=schemas.DeviceCertificate)
def renew_certificate(
    body: schemas.RenewalRequest, context: ContextDep, dev: Annotated[DeviceId, Depends(UPLOADER)]
) -> Response:
    """Give a box its next certificate, also when its last one has run out."""
    giver = Giver(context.settings, _ca(context), context.hq_key)
    renewal = Renewal(dev, body.csr.encode(), body.t, bytes.fromhex(body.proof))
    return json_answer(renew(context.database, giver, renewal, context.clock.now_ms()))


@router.get("/pki/chain-ca.pem", response_class=PemAnswer, dependencies=[Depends(PUBLIC)])
def chain_ca(context: ContextDep) -> Response:
    """The certificates that the chain's own servers come from."""
    return PemAnswer(_ca(context).bundle("chain"))


@router.get("/pki/device-ca.pem", response_class=PemAnswer, dependencies=[Depends(PUBLIC)])
def device_ca(context: ContextDep) -> Response:
    """The certificates that the boxes' own come from, for a broker."""
    return PemAnswer(_ca(context).bundle("device"))


@router.get("/pki/device.crl", response_class=PemAnswer, dependencies=[Depends(PUBLIC)])
def device_crl(context: ContextDep) -> Response:
    """Which boxes' certificates count no more, for a broker on another machine."""
    return PemAnswer(revocation_lists(context.database, _ca(context), context.clock.now_ms()))


def _ca(context: Context) -> CaFolder:
    found = ca_of(context.settings, random_bytes)
    if found is None:
        raise MissingError("ca.none")
    return found
