"""Certificates of the till pages over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from cloud.access import DEVICE, ContextDep
from cloud.answer import json_answer
from cloud.clock import random_bytes
from cloud.fleet.till_pages import ADDRESSES_MAX, certify
from cloud.pki.authority import CSR_BYTES_MAX
from cloud.pki.folder import ca_of
from shared.kernel.errors import MissingError
from shared.kernel.ids import DeviceId

ADDRESS_CHARS_MAX = 45
router = APIRouter(prefix="/v1/device", tags=["fleet"])


class TillPagesRequest(BaseModel):
    """A certificate request (PEM; only its key counts) and the box's private addresses."""

    csr: str = Field(max_length=CSR_BYTES_MAX)
    addresses: list[Annotated[str, Field(max_length=ADDRESS_CHARS_MAX)]] = Field(
        max_length=ADDRESSES_MAX
    )


class TillPagesCertificate(BaseModel):
    """A server certificate (PEM) and the names that it is for."""

    certificate: str
    names: list[str]


@router.post("/till-certificate", response_model=TillPagesCertificate)
def certify_till_pages(
    body: TillPagesRequest, context: ContextDep, dev: Annotated[DeviceId, Depends(DEVICE)]
) -> Response:
    """Sign the certificate that a store's tills are served with."""
    ca = ca_of(context.settings, random_bytes)
    if ca is None:
        raise MissingError("ca.none")
    asked = (body.csr.encode(), body.addresses)
    return json_answer(certify(context.database, ca, dev, asked, context.clock.now_ms()))
