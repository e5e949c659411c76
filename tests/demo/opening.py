"""Set up stores the way IT and HQ do: store, claim, enrolment, staff."""

from __future__ import annotations

from tests.demo.chain import CURRENCY, TIME_ZONE, Chain

MANAGER = "1001"
CASHIER = "1002"


def set_up_stores(chain: Chain) -> None:
    """Create each store at HQ, enrol its box, and give all of them a manager and a cashier."""
    hq, state = chain.console, chain.state
    for box in chain.boxes:
        hq.put_store(box.store.store_id, box.store.name, TIME_ZONE, CURRENCY)
        box.enrol(chain.console_url, hq.claim(box.store.store_id))
    everywhere = [box.store.store_id for box in chain.boxes]
    manager = {"name": "王芳", "role": "manager", "pin": state.manager_pin}
    cashier = {"name": "李明", "role": "cashier", "pin": state.cashier_pin}
    hq.put_operator(MANAGER, {**manager, "store_ids": everywhere})
    hq.put_operator(CASHIER, {**cashier, "store_ids": everywhere})
