"""SQL of the signals of sales. Reads `item` for costs and the stores of releases for guards."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, text

from cloud.release.guard import Rate, Signal
from cloud.release.signal import MINUTE_MS, Fact, Signals, signals_of
from shared.kernel.clock import Clock

KEPT_MINUTES = 2 * 24 * 60
DAY_MINUTES = 24 * 60
CONTROLS_MAX = 200
"""Stores without the release that stand for all of them."""
SETTLED_MINUTES = 5
"""Sales of a store are compared once it has had the release for so long."""
ONLINE_MS = 180_000

# A quantity of a box that is out of its mind times a cost passes what a column holds.
_ADD = text("""
    WITH told AS (
        SELECT * FROM unnest(
            CAST(:minutes AS bigint[]), CAST(:revs AS integer[]), CAST(:sales AS integer[]),
            CAST(:lines AS integer[]), CAST(:units AS bigint[]), CAST(:zeros AS integer[]),
            CAST(:overrides AS integer[]), CAST(:refunds AS integer[]),
            CAST(:voids AS integer[]), CAST(:nets AS bigint[]))
        AS told (minute, rev, sales, lines, units, zero_lines, overridden_lines, refunds, voids,
            net_minor)),
    costed AS (
        SELECT sold.minute, sold.rev, sum(sold.lines) AS lines, sum(sold.net_minor) AS net_minor,
            sum(greatest(-1e15, least(1e15,
                trunc(CAST(item.cost_minor AS numeric) * sold.qty_milli / 1000)))) AS cost_minor
        FROM unnest(
            CAST(:sold_minutes AS bigint[]), CAST(:sold_revs AS integer[]),
            CAST(:sold_gtins AS text[]), CAST(:sold_lines AS integer[]),
            CAST(:sold_qtys AS bigint[]), CAST(:sold_nets AS bigint[]))
        AS sold (minute, rev, gtin, lines, qty_milli, net_minor)
        JOIN item ON item.gtin = sold.gtin AND item.cost_minor IS NOT NULL
        GROUP BY sold.minute, sold.rev)
    INSERT INTO sale_signal AS kept (
        store_id, minute, rev, sales, lines, units, zero_lines, overridden_lines, refunds, voids,
        net_minor, costed_lines, costed_net_minor, cost_minor)
    SELECT :store_id, told.*, coalesce(costed.lines, 0), coalesce(costed.net_minor, 0),
        coalesce(costed.cost_minor, 0)
    FROM told LEFT JOIN costed USING (minute, rev)
    ON CONFLICT (store_id, minute, rev) DO UPDATE SET
        sales = kept.sales + excluded.sales, lines = kept.lines + excluded.lines,
        units = kept.units + excluded.units, zero_lines = kept.zero_lines + excluded.zero_lines,
        overridden_lines = kept.overridden_lines + excluded.overridden_lines,
        refunds = kept.refunds + excluded.refunds, voids = kept.voids + excluded.voids,
        net_minor = kept.net_minor + excluded.net_minor,
        costed_lines = kept.costed_lines + excluded.costed_lines,
        costed_net_minor = kept.costed_net_minor + excluded.costed_net_minor,
        cost_minor = kept.cost_minor + excluded.cost_minor""")
_DROP = text("DELETE FROM sale_signal WHERE minute < :before")
_SEEN = text("""
    SELECT signal.store_id, sum(sales), sum(lines), sum(zero_lines), sum(overridden_lines),
        sum(refunds), sum(voids), sum(costed_lines), sum(costed_net_minor), sum(cost_minor)
    FROM release_store brought JOIN sale_signal signal
        ON signal.store_id = brought.store_id AND signal.rev >= brought.rev
        AND signal.minute >= :from_minute
    WHERE brought.release_id = :release_id AND brought.state <> 'withdrawn'
    GROUP BY signal.store_id""")
_OF_WAVE = text("""
    SELECT coalesce(sum(signal.sales), 0)
    FROM release_wave_store placed
    JOIN release_store brought USING (release_id, store_id)
    JOIN sale_signal signal ON signal.store_id = placed.store_id
        AND signal.rev >= brought.rev AND signal.minute >= :from_minute
    WHERE placed.release_id = :release_id AND placed.n = :n AND brought.state <> 'withdrawn'""")
_SPANS = """
    online AS (
        SELECT device.store_id FROM device JOIN box_state box USING (dev)
        WHERE device.status = 'active' AND box.online
            AND box.last_contact_at_ms > :now_ms - :online_ms),
    having_it AS (
        SELECT brought.store_id, greatest(planned.at_ms, wave.started_at_ms) / 60000 AS since
        FROM release_store brought
        JOIN release_wave_store planned USING (release_id, store_id)
        JOIN release_wave wave USING (release_id, n)
        JOIN online USING (store_id)
        WHERE brought.release_id = :release_id AND brought.state <> 'withdrawn'),
    span AS (
        SELECT store_id, since, least(:now_minute - since, :window_minutes) AS minutes
        FROM having_it WHERE since <= :now_minute - :settled)"""
_RATES = text(f"""
    WITH {_SPANS}
    SELECT span.store_id,
        sum(sales) FILTER (WHERE minute >= :now_minute - minutes AND minute < :now_minute),
        sum(sales) FILTER (WHERE minute >= since - minutes AND minute < since),
        sum(sales) FILTER (WHERE minute >= :now_minute - minutes - :day
            AND minute < :now_minute - :day),
        sum(sales) FILTER (WHERE minute >= since - minutes - :day AND minute < since - :day)
    FROM span JOIN sale_signal signal ON signal.store_id = span.store_id
        AND (minute >= since - minutes
            OR minute BETWEEN :now_minute - minutes - :day AND :now_minute - :day
            OR minute BETWEEN since - minutes - :day AND since - :day)
    GROUP BY span.store_id""")  # noqa: S608 - fixed text
_CONTROL = text(f"""
    WITH {_SPANS},
    edge AS (SELECT min(since) AS since, max(minutes) AS minutes FROM span),
    control AS (
        SELECT store_id FROM online WHERE NOT EXISTS (
            SELECT FROM release_store brought
            WHERE brought.release_id = :release_id AND brought.store_id = online.store_id)
        ORDER BY store_id LIMIT :controls)
    SELECT coalesce(sum(sales) FILTER (
            WHERE minute >= :now_minute - minutes AND minute < :now_minute), 0),
        coalesce(sum(sales) FILTER (WHERE minute >= since - minutes AND minute < since), 0)
    FROM edge CROSS JOIN control JOIN sale_signal signal ON signal.store_id = control.store_id
        AND minute >= since - minutes""")  # noqa: S608 - fixed text


class SignalPoster:
    """Adds up sales in the transaction that stores their entries.

    Sales that come late, or again as the books are rebuilt, are nobody's signal any more.
    """

    tables = ("sale_signal",)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def prepare(self, store_id: str, sales: Sequence[Fact]) -> Callable[[Connection], None]:
        """Fold new sales of one store; what comes back adds them, each once."""
        oldest_ms = self._clock.now_ms() - KEPT_MINUTES * MINUTE_MS
        signals = signals_of(sale for sale in sales if sale.at > oldest_ms)
        return lambda connection: add(connection, store_id, signals)


def add(connection: Connection, store_id: str, signals: Signals) -> None:
    """Add up a store's sums."""
    if not signals.counts:
        return
    counts, sold = signals.counts, signals.sold
    told = list(counts.values())
    connection.execute(
        _ADD,
        {
            "store_id": store_id,
            "minutes": [minute for minute, _ in counts],
            "revs": [rev for _, rev in counts],
            "sales": [each.sales for each in told],
            "lines": [each.lines for each in told],
            "units": [each.units for each in told],
            "zeros": [each.zero_lines for each in told],
            "overrides": [each.overridden_lines for each in told],
            "refunds": [each.refunds for each in told],
            "voids": [each.voids for each in told],
            "nets": [each.net_minor for each in told],
            "sold_minutes": [minute for minute, _, _ in sold],
            "sold_revs": [rev for _, rev, _ in sold],
            "sold_gtins": [gtin for _, _, gtin in sold],
            "sold_lines": [each.lines for each in sold.values()],
            "sold_qtys": [each.qty_milli for each in sold.values()],
            "sold_nets": [each.net_minor for each in sold.values()],
        },
    )


def drop_old(connection: Connection, now_ms: int) -> None:
    """Forget what no guard asks for any more."""
    connection.execute(_DROP, {"before": now_ms // 60_000 - KEPT_MINUTES})


def seen(connection: Connection, release_id: int, now_ms: int, window_s: int) -> dict[str, Signal]:
    """Sales that a release priced, by store."""
    asked = {"release_id": release_id, "from_minute": (now_ms // 1000 - window_s) // 60}
    return {
        store_id: Signal(*map(int, sums)) for store_id, *sums in connection.execute(_SEEN, asked)
    }


def sales_of_wave(connection: Connection, release_id: int, n: int, since_ms: int) -> int:
    """How many sales the stores of a wave made by a release, since an instant (UTC ms)."""
    asked = {"release_id": release_id, "n": n, "from_minute": since_ms // MINUTE_MS}
    return int(connection.execute(_OF_WAVE, asked).scalar_one())


def rates(
    connection: Connection, release_id: int, now_ms: int, window_s: int
) -> tuple[dict[str, Rate], Rate]:
    """Sales of online stores that sell by a release, and of some that do not have it."""
    asked = {
        "release_id": release_id,
        "now_ms": now_ms,
        "online_ms": ONLINE_MS,
        "now_minute": now_ms // 60_000,
        "window_minutes": max(1, window_s // 60),
        "settled": SETTLED_MINUTES,
        "day": DAY_MINUTES,
    }
    found = {
        store_id: Rate(*(int(each or 0) for each in sums))
        for store_id, *sums in connection.execute(_RATES, asked)
    }
    now, before = connection.execute(_CONTROL, {**asked, "controls": CONTROLS_MAX}).one()
    return found, Rate(int(now), int(before))
