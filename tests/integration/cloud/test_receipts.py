"""A customer opens a receipt's address: real entries, real PostgreSQL, a real signed tree."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from cloud.__main__ import main
from cloud.archive.tree import TreeMaker
from cloud.db import Database
from cloud.ingest.arrival import read_arrival
from cloud.ingest.service import ingest
from cloud.posters import POSTERS
from cloud.receipt.api import ANSWER_SECONDS, FAILURES_MAX
from cloud.signing import is_signed_by
from shared.journal.event import DayClosed, EntrySalvaged, SaleCompleted
from shared.journal.proof import check_proof, read_proof
from shared.sale.receipt_code import ReceiptLink, is_code_of, receipt_code, receipt_url
from tests.fakes.box_stream import DAY, START_MS, BoxStream, a_sale
from tests.lab.cloud_api import CloudApi

NewBox = Callable[[], BoxStream]
DAY_MS = 86_400_000
HEADLINE = {
    "stands": "This receipt stands, unchanged",
    "pending": "This receipt stands, seal pending",
    "broken": "This receipt stands, but later records were altered",
    "changed": "Head office&#x27;s record was altered",
    "mismatch": "The code does not match",
    "awaited": "Not yet arrived from the store",
    "unknown": "No such receipt",
}


def take(database: Database, box: BoxStream, first: int = 0) -> None:
    arrival = read_arrival(box.dev, box.batch(first, len(box.bodies) - 1))
    verdict = ingest(database=database, arrival=arrival, posters=POSTERS, now_ms=START_MS)
    assert verdict.code.value == "ok"


def seal(api: CloudApi) -> None:
    """Sign the tree of the day, as the archivist does."""
    context = api.context
    maker = TreeMaker(context.database, context.objects, context.hq_key)
    maker.make(DAY, START_MS + DAY_MS, START_MS + 2 * DAY_MS)


def link_of(box: BoxStream, seq: int, **changed: str) -> ReceiptLink:
    """What the receipt of entry `seq` prints."""
    link = ReceiptLink(box.store_id, DAY, f"1-{seq:06d}", receipt_code(box.hashes[seq]))
    return replace(link, **changed)


def look(api: CloudApi, link: ReceiptLink, language: str = "en") -> httpx.Response:
    return httpx.get(receipt_url(api.url, link), headers={"Accept-Language": language})


def standing(answer: httpx.Response) -> str:
    """Which of the headlines the page has."""
    found = re.search(r"<h1>(.*?)</h1>", answer.text)
    assert found is not None
    return next(name for name, headline in HEADLINE.items() if headline == found[1])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let answers come at once; the one test that measures them asks for the real time."""
    monkeypatch.setattr("cloud.receipt.api.ANSWER_SECONDS", 0.0)


@pytest.fixture
def box(new_box: NewBox, database: Database) -> BoxStream:
    """A store whose box has sent five sales; entry n is receipt n."""
    made = new_box()
    made.append_sales(5)
    take(database, made)
    return made


def test_a_receipt_stands_under_the_signed_tree_and_shows_its_goods(
    api: CloudApi, box: BoxStream
) -> None:
    assert standing(look(api, link_of(box, 2))) == "pending"
    seal(api)
    answer = look(api, link_of(box, 2))
    sale = a_sale(2)
    assert (answer.status_code, standing(answer)) == (200, "stands")
    assert all(line.name.replace("&", "&amp;") in answer.text for line in sale.lines)
    amount = f"{sale.totals.net_minor // 100}.{sale.totals.net_minor % 100:02}"
    assert amount in answer.text
    assert sale.member is not None
    for private in (sale.member, sale.operator):
        assert private not in re.sub(r"<style>.*?</style>", "", answer.text)


def test_the_downloaded_proof_holds_without_asking_anybody(api: CloudApi, box: BoxStream) -> None:
    link = link_of(box, 3)
    assert httpx.get(f"{receipt_url(api.url, link)}/proof.json").status_code == 404
    seal(api)
    answer = httpx.get(f"{receipt_url(api.url, link)}/proof.json")
    proof = read_proof(answer.content)
    check_proof(proof, bytes.fromhex(api.context.hq_key.public_hex), is_signed_by)
    assert is_code_of(link.code, proof.hash)
    assert (proof.seq, proof.tree.leaf_seq, len(proof.links), proof.body) == (3, 4, 1, b"")
    assert "attachment" in answer.headers["Content-Disposition"]


def test_a_body_that_was_altered_at_head_office_is_said_to_be(
    api: CloudApi, box: BoxStream, database: Database
) -> None:
    seal(api)
    altered = box.bodies[2].replace(b'"change_minor":', b'"change_minor":1')
    tamper(database, box, 2, altered)
    page = look(api, link_of(box, 2))
    assert standing(page) == "changed"
    assert a_sale(2).lines[0].name not in page.text
    # The receipts before it are what was printed, but lead to no signed root any more.
    assert standing(look(api, link_of(box, 1))) == "broken"
    assert standing(look(api, link_of(box, 3))) == "stands"


def test_a_sum_that_was_altered_in_the_books_alone_is_seen(
    api: CloudApi, box: BoxStream, database: Database
) -> None:
    with database.begin() as connection:
        statement = "UPDATE sale SET net_minor = net_minor - 1 WHERE entry_id = :id"
        connection.execute(text(statement), {"id": box.id_at(2)})
    assert standing(look(api, link_of(box, 2))) == "changed"


def test_a_wrong_code_is_told_apart_and_gives_nothing_away(api: CloudApi, box: BoxStream) -> None:
    forged = link_of(box, 2, code=receipt_code(box.hashes[3]))
    answer = look(api, forged)
    assert (answer.status_code, standing(answer)) == (200, "mismatch")
    sale = a_sale(2)
    assert sale.lines[0].name not in answer.text
    assert f"{sale.totals.net_minor / 100:.2f}" not in answer.text


def test_a_code_is_read_as_people_type_it(api: CloudApi, box: BoxStream) -> None:
    link = link_of(box, 2)
    typed = replace(link, code=link.code.lower().replace("-", " ").replace("0", "o"))
    assert standing(look(api, typed)) == "pending"


def test_what_may_still_be_in_the_store_is_awaited_and_what_cannot_be_is_unknown(
    api: CloudApi, box: BoxStream, database: Database
) -> None:
    code = receipt_code(box.hashes[0])
    to_come = link_of(box, 4, receipt_no="1-000009")
    assert standing(look(api, to_come)) == "awaited"
    assert standing(look(api, replace(to_come, receipt_no="2-000001"))) == "awaited"
    assert standing(look(api, replace(to_come, business_date="2017-08-06"))) == "unknown"
    assert standing(look(api, replace(to_come, receipt_no="1-K7QM-000009"))) == "awaited"
    for nothing in (
        ReceiptLink("nowhere", DAY, "1-000001", code),
        ReceiptLink(box.store_id, "2017-99-07", "1-000001", code),
        ReceiptLink(box.store_id, DAY, "<b>", code),
        ReceiptLink(box.store_id, DAY, "1-000001", "ABC"),
    ):
        answer = look(api, nothing)
        assert (answer.status_code, standing(answer)) == (404, "unknown")
        assert "<b>" not in answer.text
    box.append(DayClosed(DAY, {}))
    take(database, box, 5)
    assert standing(look(api, to_come)) == "unknown"


def test_a_receipt_that_came_in_another_journal_keeps_its_code(
    api: CloudApi, new_box: NewBox, database: Database
) -> None:
    old, box = new_box(), new_box()
    old.append_sales(2)
    body = old.bodies[1]
    carried = EntrySalvaged(old.stream_id.hex(), 1, old.hashes[1].hex(), body.decode())
    box.append_sales(1)
    box.append(carried, entry_id=old.id_at(1))
    take(database, box)
    seal(api)
    link = ReceiptLink(box.store_id, DAY, "1-000001", receipt_code(old.hashes[1]))
    page = look(api, link)
    assert standing(page) == "stands"
    assert a_sale(1).lines[0].name in page.text
    # The chain holds its carrier: what could be downloaded would not be of the printed code.
    assert "proof.json" not in page.text
    assert httpx.get(f"{receipt_url(api.url, link)}/proof.json").status_code == 404


def test_one_number_given_twice_is_found_by_its_code(
    api: CloudApi, box: BoxStream, database: Database
) -> None:
    """A clone may have printed the same number before anybody knew."""
    twin = box.append(SaleCompleted(replace(a_sale(77), receipt_no="1-000002")))
    take(database, box, twin)
    for seq, lines in ((2, a_sale(2).lines), (twin, a_sale(77).lines)):
        page = look(api, link_of(box, seq, receipt_no="1-000002"))
        assert standing(page) == "pending"
        assert lines[0].name in page.text


@pytest.mark.parametrize(
    ("header", "headline"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "小票属实，等待封存"),
        ("zh-HK, en;q=0.1", "收據屬實，等待封存"),
        ("fr, en;q=0.2", HEADLINE["pending"]),
        ("", HEADLINE["pending"]),
        ("en;q=0, zh;q=nonsense", HEADLINE["pending"]),
    ],
)
def test_the_page_speaks_the_browsers_language(
    api: CloudApi, box: BoxStream, header: str, headline: str
) -> None:
    answer = look(api, link_of(box, 2), header)
    assert f"<h1>{headline}</h1>" in answer.text


def test_the_page_runs_no_script_and_is_kept_nowhere(api: CloudApi, box: BoxStream) -> None:
    answer = look(api, link_of(box, 2))
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "<script" not in answer.text
    assert 'style="' not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"


def test_the_form_leads_to_the_receipt(api: CloudApi, box: BoxStream) -> None:
    form = httpx.get(f"{api.url}/r", headers={"Accept-Language": "en"})
    assert 'name="code"' in form.text
    link = link_of(box, 2)
    filled = {
        "store": link.store_id,
        "day": link.business_date,
        "no": f" {link.receipt_no} ",
        "code": link.code.lower(),
        "lang": "en",
    }
    answer = httpx.get(f"{api.url}/r", params=filled, follow_redirects=True)
    assert standing(answer) == "pending"
    again = httpx.get(f"{api.url}/r", params=filled | {"code": '"><b>'})
    assert 'value="&quot;&gt;&lt;b&gt;"' in again.text


def test_no_answer_tells_by_its_time_whether_the_number_exists(
    api: CloudApi, box: BoxStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud.receipt.api.ANSWER_SECONDS", ANSWER_SECONDS)
    wrong = receipt_code(box.hashes[0])
    for number in ("1-000002", "1-999999", "nonsense"):
        answer = look(api, link_of(box, 1, receipt_no=number, code=wrong))
        assert answer.elapsed.total_seconds() >= ANSWER_SECONDS


def test_guessing_is_bounded_and_a_right_code_does_not_count(
    database: Database, tmp_path_factory: Any, box: BoxStream
) -> None:
    guarded = CloudApi(database.url, tmp_path_factory.mktemp("guarded")).start()
    try:
        right, wrong = link_of(box, 2), link_of(box, 2, code=receipt_code(box.hashes[0]))
        for _ in range(FAILURES_MAX):
            assert look(guarded, right).status_code == 200
            assert look(guarded, wrong).status_code == 200
        refused = look(guarded, wrong)
        assert (refused.status_code, "Too many tries" in refused.text) == (429, True)
        proof = httpx.get(f"{receipt_url(guarded.url, right)}/proof.json")
        assert (proof.status_code, proof.json()["code"]) == (429, "receipt.too_many_tries")
    finally:
        guarded.stop()


def test_asking_again_and_again_is_bounded_too(
    api: CloudApi, box: BoxStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud.receipt.api.LOOKS_MAX", 3)
    guarded = CloudApi(api.database_url, api.folder / "bounded").start()
    try:
        answers = [look(guarded, link_of(box, 2)) for _ in range(4)]
    finally:
        guarded.stop()
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]


@pytest.fixture
def run(
    api: CloudApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.setenv("TILLBOX_CLOUD_DATABASE_URL", api.database_url)
    monkeypatch.setenv("TILLBOX_CLOUD_HQ_KEY_FILE", str(api.folder / "hq.key"))

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(["receipt", "verify", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_the_command_line_proves_online_and_offline(
    api: CloudApi, box: BoxStream, tmp_path: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    link, file = link_of(box, 2), tmp_path / "proof.json"
    named = (link.store_id, link.business_date, link.receipt_no, link.code)
    code, out, _ = run(*named)
    assert (code, "seal pending" in out) == (0, True)
    assert run(*named, "--save", str(file))[0] == 1
    seal(api)
    code, out, _ = run(receipt_url(api.url, link), "--save", str(file))
    assert (code, out.startswith("This receipt stands, unchanged.")) == (0, True)
    public = ("--hq-pub", api.context.hq_key.public_hex)
    code, out, _ = run("--proof", str(file), *public)
    assert (code, f"The receipt with the check code {link.code} stands." in out) == (0, True)
    assert f"{a_sale(2).totals.net_minor} minor units" in out
    assert run(*named, "--proof", str(file), *public)[0] == 0
    other = receipt_url(api.url, link_of(box, 3))
    assert link.code in run(other, "--proof", str(file), *public)[2]
    assert "another" in run("--proof", str(file), "--hq-pub", "00" * 32)[2]
    file.write_bytes(file.read_bytes().replace(b"change_minor", b"change_minir"))
    assert "was changed" in run("--proof", str(file), *public)[2]


def test_the_command_line_says_in_one_sentence_what_is_wrong(
    box: BoxStream, tmp_path: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    link = link_of(box, 2)
    wrong = (link.store_id, link.business_date, link.receipt_no, receipt_code(box.hashes[0]))
    code, out, _ = run(*wrong)
    assert (code, out.startswith("The code does not match.")) == (1, True)
    nothing = tmp_path / "nothing.json"
    nothing.write_text("[]")
    for arguments in (
        (),
        ("https://hq.example/", "--hq-pub", "00" * 32),
        ("one", "two"),
        ("--proof", str(nothing)),
        ("--proof", str(tmp_path / "missing.json")),
        ("--proof", str(nothing), "--hq-pub", "nonsense"),
    ):
        code, out, error = run(*arguments)
        assert (code, out, error.count("\n")) == (1, "", 1), arguments


def tamper(database: Database, box: BoxStream, seq: int, body: bytes) -> None:
    with database.begin() as connection:
        statement = "UPDATE entry SET body = :body WHERE stream_id = :stream AND seq = :seq"
        parameters = {"body": body, "stream": box.stream_id, "seq": seq}
        assert connection.execute(text(statement), parameters).rowcount == 1


def test_an_address_that_no_database_can_hold_is_no_receipt(api: CloudApi, box: BoxStream) -> None:
    for changed in ({"store_id": "s\0"}, {"receipt_no": "1-00\x000001"}):
        answer = look(api, link_of(box, 1, **changed))
        assert (answer.status_code, standing(answer)) == (404, "unknown")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("totals", "units"), "<b>2</b>"),
        (("lines", 0, "qty_milli"), "9"),
        (("lines", 0, "name"), 1),
    ],
)
def test_what_a_broken_box_signed_is_not_shown(
    api: CloudApi, box: BoxStream, database: Database, place: tuple[str | int, ...], value: Any
) -> None:
    """The books took the first entry with that id; the second one is another story."""
    body = json.loads(box.bodies[2]) | {"seq": 5}
    last = body["data"]["sale"]
    for name in place[:-1]:
        last = last[name]
    last[place[-1]] = value
    box.append_body(json.dumps(body).encode())
    take(database, box, 5)
    answer = look(api, link_of(box, 2, code=receipt_code(box.hashes[5])))
    assert (answer.status_code, standing(answer)) == (200, "pending")
    assert "<b>" not in answer.text
    assert a_sale(2).lines[0].name not in answer.text
