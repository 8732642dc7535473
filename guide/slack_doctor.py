"""Whether the Slack app is set up: token, scopes, workspace, and the address that Slack calls."""

import json
import time
from collections.abc import Iterator

import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier

from guide.content import load_yaml
from guide.findings import LOOK, OK, WRONG, Finding
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
        remedy = "`kap-guide slack doctor --address https://your-server`"
        yield Finding("Slack address", LOOK, "not looked at", remedy)
    else:
        yield _address(settings, f"{address.rstrip('/')}/webhooks/slack/events")


def _token(settings: SlackSettings) -> Iterator[Finding]:
    part = "Slack token"
    client = WebClient(settings.bot_token, base_url=settings.api, timeout=SECONDS)
    try:
        answer = client.auth_test()
    except SlackApiError as error:
        what = f"Slack says {error.response.get('error')}"
        yield Finding(part, WRONG, what, "copy SLACK_BOT_TOKEN again")
        return
    except OSError as error:
        yield Finding(part, WRONG, f"Slack cannot be reached ({type(error).__name__})")
        return
    yield Finding(part, OK, f"the app is {answer['user']} in {answer['team']}")
    team = answer["team_id"]
    if team in settings.teams:
        yield Finding("Slack workspace", OK, team)
    else:
        yield Finding("Slack workspace", WRONG, f"{team} is not in SLACK_TEAMS", f"add {team}")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    granted = set(str(headers.get("x-oauth-scopes", "")).replace(" ", "").split(","))
    missing = sorted(set(needed_scopes()) - granted)
    if missing:
        remedy = "add them under OAuth & Permissions and reinstall the app"
        yield Finding("Slack scopes", WRONG, f"{', '.join(missing)} are missing", remedy)
    else:
        yield Finding("Slack scopes", OK, "all granted")


def needed_scopes() -> list[str]:
    """Return the scopes that the app's manifest asks for."""
    scopes: list[str] = load_yaml(MANIFEST)["oauth_config"]["scopes"]["bot"]
    return scopes


def _address(settings: SlackSettings, url: str) -> Finding:
    body = json.dumps({"type": "url_verification", "challenge": "doctor"})
    now = str(int(time.time()))
    verifier = SignatureVerifier(settings.signing_secret)
    signature = str(verifier.generate_signature(timestamp=now, body=body))
    try:
        signed = _post(url, body, now, signature)
        unsigned = _post(url, body, now, "")
    except (requests.RequestException, OSError) as error:
        return Finding("Slack address", WRONG, f"{url} cannot be reached ({type(error).__name__})")
    if signed.status_code == 401:
        what = "the server has another SLACK_SIGNING_SECRET than this command"
        return Finding("Slack address", WRONG, what)
    if signed.status_code != 200 or "doctor" not in signed.text:
        what = f"{url} answers {signed.status_code}"
        return Finding("Slack address", WRONG, what, "start the server with --with slack")
    if unsigned.status_code != 401:
        return Finding("Slack address", WRONG, f"{url} takes requests without a signature")
    return Finding("Slack address", OK, f"{url} answers, and takes nothing unsigned")


def _post(url: str, body: str, timestamp: str, signature: str) -> requests.Response:
    headers = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature,
    }
    return requests.post(url, data=body, headers=headers, timeout=SECONDS, allow_redirects=False)
