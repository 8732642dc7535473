"""Whether the Slack app is set up: token, scopes, workspace, and the address that Slack calls."""

import json
import time
from collections.abc import Iterator

import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier

from guide.content import load_yaml
from guide.findings import Finding
from guide.paths import ROOT
from guide.staff_settings import SlackSettings

MANIFEST = ROOT / "deploy" / "slack" / "manifest.yml"
SECONDS = 10


def slack_findings(settings: SlackSettings, address: str | None) -> Iterator[Finding]:
    """Yield what was found.

    Args:
        settings: of the channel.
        address: of the running server as Slack reaches it, such as https://kap.example; None leaves
            that part out.
    """
    yield from _token(settings)
    if address is None:
        yield Finding("address: not looked at; give it with --address https://your-server")
    else:
        yield from _address(settings, f"{address.rstrip('/')}/webhooks/slack")


def _token(settings: SlackSettings) -> Iterator[Finding]:
    client = WebClient(settings.bot_token, base_url=settings.api, timeout=SECONDS)
    try:
        answer = client.auth_test()
    except SlackApiError as error:
        reason = error.response.get("error")
        yield Finding("token", f"Slack says {reason}; copy SLACK_BOT_TOKEN again")
        return
    except OSError as error:
        yield Finding("token", f"Slack cannot be reached ({type(error).__name__})")
        return
    yield Finding(f"token: the app is {answer['user']} in {answer['team']}")
    team = answer["team_id"]
    listed = team in settings.teams
    yield Finding(
        f"workspace {team}", None if listed else f"SLACK_TEAMS does not hold it; add {team}"
    )
    headers = {name.lower(): value for name, value in answer.headers.items()}
    granted = set(str(headers.get("x-oauth-scopes", "")).replace(" ", "").split(","))
    missing = sorted(set(needed_scopes()) - granted)
    remedy = (
        f"missing {', '.join(missing)}; add them under OAuth & Permissions and reinstall the app"
    )
    yield Finding("scopes", remedy if missing else None)


def needed_scopes() -> list[str]:
    """Return the scopes that the app's manifest asks for."""
    scopes: list[str] = load_yaml(MANIFEST)["oauth_config"]["scopes"]["bot"]
    return scopes


def _address(settings: SlackSettings, base: str) -> Iterator[Finding]:
    body = json.dumps({"type": "url_verification", "challenge": "doctor"})
    now = str(int(time.time()))
    signature = SignatureVerifier(settings.signing_secret).generate_signature(
        timestamp=now, body=body
    )
    headers = {"Content-Type": "application/json", "X-Slack-Request-Timestamp": now}
    url = f"{base}/events"
    try:
        signed = requests.post(
            url,
            data=body,
            headers={**headers, "X-Slack-Signature": str(signature)},
            timeout=SECONDS,
            allow_redirects=False,
        )
        unsigned = requests.post(
            url, data=body, headers=headers, timeout=SECONDS, allow_redirects=False
        )
    except (requests.RequestException, OSError) as error:
        yield Finding(f"address {url}", f"cannot be reached ({type(error).__name__})")
        return
    if signed.status_code == 401:
        problem = "the server has another SLACK_SIGNING_SECRET than this command"
    elif signed.status_code != 200 or "doctor" not in signed.text:
        problem = f"answers {signed.status_code}; is the server started with --with slack?"
    elif unsigned.status_code != 401:
        problem = "takes requests without a signature; something else answers there"
    else:
        problem = ""
    yield Finding(f"address {url}", problem or None)
