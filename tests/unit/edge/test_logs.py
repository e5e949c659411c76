"""A log tells where something failed, never what was in the hands of the code that failed."""

import json
import subprocess
import sys

FAILING = """
import structlog
from edge.logs import set_up_logs

def check(pin):
    raise ValueError("no such operator")

set_up_logs()
try:
    check("kept" + "-secret")
except ValueError:
    structlog.get_logger("box").exception("failed")
"""


def test_a_traceback_in_the_log_holds_no_local_variables() -> None:
    command = [sys.executable, "-c", FAILING]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stderr
    assert json.loads(said)["exception"][0]["exc_value"] == "no such operator"
    assert "check" in said
    assert "kept-secret" not in said
