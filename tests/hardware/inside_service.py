"""Runs beside the box's own systemd unit, with nothing but Debian's Python; writes results.

Each check is a function; it raises AssertionError with what is wrong, and may return figures.
"""

import json
import os
import subprocess
import sys
import time
import traceback
import urllib.request
from pathlib import Path

UNIT = "tillbox-edge.service"
OUT = Path("/run/lab")
PORT = int((OUT / "port").read_text())
START_WITHIN_S = 60
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def show(name):
    asked = ["systemctl", "show", "--property", name, "--value", UNIT]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def main_pid():
    return int(show("MainPID"))


def health():
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/healthz", timeout=5) as answer:
        return json.load(answer)


def until(is_true, within_s, what):
    began = time.monotonic()
    while not is_true():
        assert time.monotonic() - began < within_s, f"{what}: not within {within_s} s"
        time.sleep(0.05)
    return round(time.monotonic() - began, 2)


def is_back(old_pid):
    return show("ActiveState") == "active" and main_pid() not in {0, old_pid}


@check
def the_box_tells_systemd_when_it_is_ready():
    until(lambda: show("ActiveState") == "active", START_WITHIN_S, "active")
    assert health()["state"] == "ok"
    took_us = int(show("ActiveEnterTimestampMonotonic")) - int(
        show("ExecMainStartTimestampMonotonic")
    )
    return {"start to ready": f"{took_us / 1e6:.2f} s"}


@check
def it_runs_as_its_own_user_without_rights():
    pid = main_pid()
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    assert status["Uid"].split()[0] == str(Path("/var/lib/tillbox").stat().st_uid) != "0"
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    return {"resident": status["VmRSS"].strip()}


@check
def it_sees_nothing_of_the_system_that_it_could_write():
    pid = main_pid()
    for place in ("/etc/x", "/usr/x", "/opt/x", "/root/x", "/home/x"):
        tried = ["nsenter", f"--target={pid}", "--mount", "touch", place]
        assert subprocess.run(tried, capture_output=True, check=False).returncode != 0, place
    own = ["nsenter", f"--target={pid}", "--mount", "touch", "/var/lib/tillbox/x"]
    assert subprocess.run(own, capture_output=True, check=False).returncode == 0
    Path("/var/lib/tillbox/x").unlink()


@check
def a_killed_box_is_back_by_itself():
    pid, head = main_pid(), health()["head_seq"]
    os.kill(pid, 9)
    took_s = until(lambda: is_back(pid), START_WITHIN_S, "back after a kill")
    assert health()["head_seq"] >= head
    assert health()["journal"] == "ok"
    return {"kill to ready": f"{took_s} s"}


@check
def a_box_that_hangs_is_killed_and_started_again():
    pid = main_pid()
    os.kill(pid, 19)
    took_s = until(lambda: is_back(pid), 45 + START_WITHIN_S, "back after a hang")
    log = subprocess.run(
        ["journalctl", "--unit", UNIT, "--no-pager"], capture_output=True, text=True, check=True
    ).stdout
    assert "Watchdog timeout" in log
    assert health()["state"] == "ok"
    return {"hang to ready": f"{took_s} s"}


@check
def it_stops_when_it_is_told_to():
    began = time.monotonic()
    subprocess.run(["systemctl", "stop", UNIT], check=True)
    assert show("Result") == "success"
    return {"stop": f"{time.monotonic() - began:.2f} s"}


def run(function):
    began, problem, measured = time.monotonic(), "", {}
    try:
        measured = function() or {}
    except Exception:  # noqa: BLE001 - whatever went wrong is the result
        problem = traceback.format_exc(limit=3)
    return {
        "check": f"inside_service.py::test_{function.__name__}",
        "outcome": "failed" if problem else "passed",
        "took_s": round(time.monotonic() - began, 1),
        "measured": measured,
        "problem": problem,
    }


def main():
    failures = 0
    with (OUT / "results.jsonl").open("a") as results:
        for function in CHECKS:
            result = run(function)
            failures += result["outcome"] != "passed"
            results.write(json.dumps(result) + "\n")
            results.flush()
    (OUT / "ended").write_text(str(min(failures, 1)))


if __name__ == "__main__":
    sys.exit(main())
