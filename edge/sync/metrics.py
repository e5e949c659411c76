"""Counters of the sync room."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

CONNECTIONS = Counter(
    "tillbox_sync_connections_total", "Broker connections by outcome", ["outcome"]
)
BAD_MESSAGES = Counter(
    "tillbox_sync_bad_messages_total", "Messages from the cloud that were refused", ["code"]
)
REFUSED_PUBLISHES = Counter(
    "tillbox_sync_refused_publishes_total", "Publishes that the broker did not take", ["reason"]
)
BATCHES_SENT = Counter("tillbox_sync_batches_sent_total", "Journal batches handed to the broker")
ENTRIES_SENT = Counter("tillbox_sync_entries_sent_total", "Journal entries in those batches")
ACKS = Counter("tillbox_sync_acks_total", "Acknowledgements by what they did", ["verdict"])
TIMEOUTS = Counter("tillbox_sync_timeouts_total", "Batches and hellos without an answer in time")
UNSYNCED = Gauge("tillbox_sync_unsynced_entries", "Entries the cloud has not acknowledged")
FETCHES = Counter("tillbox_sync_fetches_total", "Objects fetched by outcome", ["outcome"])
CONVERGE_ERRORS = Counter(
    "tillbox_sync_converge_errors_total", "Failed steps towards the desired revision", ["code"]
)
ACTIVE_REVISION = Gauge("tillbox_active_revision", "Catalogue revision new baskets are priced with")
CERTIFICATES = Counter(
    "tillbox_sync_certificates_total", "Requests for the next certificate by outcome", ["outcome"]
)
TIME_ANSWERS = Counter(
    "tillbox_sync_time_answers_total", "Questions for the signed time by outcome", ["outcome"]
)
