"""Fuzz the website channel by its description: `python -m tests.channels.fuzz_web [OPTIONS]`.

Schemathesis wants a newer jsonschema than Rasa admits, so it lives in `build/schemathesis`.
Options go to schemathesis, for example `--max-examples 200`.
"""

import subprocess
import sys

import requests

from guide.paths import ROOT
from tests.widget.scripted import scripted

PROGRAM = ROOT / "build" / "schemathesis" / "bin" / "st"
PLENTY = "1000000/minute"


def main(options: list[str]) -> int:
    """Start the channel over a scripted agent, fuzz it, and return schemathesis' exit code."""
    if not PROGRAM.exists():
        print("schemathesis is missing; make an environment for it:")
        print("  python3 -m venv build/schemathesis")
        print("  build/schemathesis/bin/pip install schemathesis==4.30.1")
        return 2
    with scripted(
        session_messages=PLENTY, address_messages=PLENTY, address_sessions=PLENTY
    ) as server:
        url = server.page.rstrip("/")
        origin = url.split("/webhooks")[0]
        headers = {"Origin": origin}
        opened = requests.post(f"{url}/session", json={"consent": True}, headers=headers, timeout=9)
        arguments = ["run", str(ROOT / "channels" / "web_openapi.yml"), "--url", url]
        for name, value in {**headers, "Authorization": f"Bearer {opened.json()['token']}"}.items():
            arguments += ["--header", f"{name}: {value}"]
        # Ending the session would leave nothing to fuzz behind it; it takes no input.
        arguments += ["--exclude-operation-id", "endSession", "--continue-on-failure"]
        # Sanic itself answers unknown methods, TRACE without an Allow header.
        arguments += ["--exclude-checks", "unsupported_method"]
        return subprocess.run([str(PROGRAM), *arguments, *options], cwd=ROOT / "build").returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
