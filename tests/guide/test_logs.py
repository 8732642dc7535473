"""A record says where and what kind, and never what was said."""

import json
import subprocess
import sys

SCRIPT = """
import logging, sys, threading, warnings
logging.basicConfig(stream=sys.stdout, level=logging.DEBUG)
from guide.logs import protect_logs
protect_logs()
protect_logs()
ours, theirs = logging.getLogger("channels.turn"), logging.getLogger("rasa.core.processor")
ours.info("our own words")
theirs.error("SECRET %s", "SECRET")
def fail(words):
    try:
        raise KeyError(words)
    except KeyError as error:
        raise ValueError(words) from error
for logger in (ours, theirs):
    try:
        fail("SECRET")
    except ValueError:
        logger.exception("failed")
theirs.warning("x", stack_info=True, extra={"text": "SECRET"})
warnings.warn("SECRET")
thread = threading.Thread(target=fail, args=("SECRET",))
thread.start(); thread.join()
logging.getLogger("root").info("the server is up")
fail("SECRET")
"""


def test_records_warnings_threads_and_the_end_hold_no_words() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert done.stderr == ""
    assert "SECRET" not in done.stdout
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["event"] for record in records if record["level"] == "info"] == [
        "our own words",
        "the server is up",
    ]
    (failed,) = [record for record in records if record["event"] == "failed"]
    assert [cause["type"] for cause in failed["exception"]] == ["ValueError", "KeyError"]
    assert all(place.endswith(("fail", "<module>")) for place in failed["exception"][0]["places"])
    assert any("UserWarning at" in record["event"] for record in records)
    assert records[-1]["event"] == "the process ends"
