"""Several assistants and action servers behind nginx, over one PostgreSQL and one Redis."""

import getpass
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

from guide.encryption import new_key
from guide.paths import MODEL
from guide.servers import HOST, START_SECONDS, Server, environment, free_port
from tests.needs import need
from tests.services import Postgres, Redis, a_postgres, a_redis

NGINX = """
user {user}; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    # A call of an action is longer than what nginx would keep in memory by itself.
    client_body_buffer_size 1m; client_max_body_size 4m;
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    # A message carries its own id, so it may be given to another process when the first has died.
    proxy_next_upstream error timeout non_idempotent;
    proxy_connect_timeout 2s; proxy_read_timeout 60s; proxy_buffering on;
    upstream assistants {{ {assistants} }}
    upstream actions {{ {actions} }}
    server {{
        listen {host}:{port};
        location / {{
            proxy_pass http://assistants; proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }}
    }}
    server {{ listen {host}:{action_port}; location / {{ proxy_pass http://actions; }} }}
}}
"""

CREDENTIALS = """
channels.web.WebChannel:
  proxies: 1
  session_messages: 100000/minute
  address_messages: 100000/minute
  address_sessions: 100000/minute
"""


class Cluster:
    """The running cluster. `url` is the website channel, behind nginx."""

    def __init__(
        self, postgres: Postgres, redis: Redis, folder: Path, assistants: int, actions: int
    ) -> None:
        self.postgres = postgres
        self.redis = redis
        self.folder = folder
        self.ports = [free_port() for _ in range(assistants)]
        self.action_ports = [free_port() for _ in range(actions)]
        self.port, action_port = free_port(), free_port()
        self.url = f"http://{HOST}:{self.port}/webhooks/web"
        self.env = {
            **environment(action_port),
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": postgres.url,
            "REDIS_URL": redis.url,
            "STORE_KEYS": new_key(),
            "WEB_SECRET": "s" * 32,
            "OMP_NUM_THREADS": "1",
        }
        (folder / "credentials.yml").write_text(CREDENTIALS)
        (folder / "nginx.conf").write_text(
            NGINX.format(
                folder=folder,
                user=getpass.getuser(),
                host=HOST,
                port=self.port,
                action_port=action_port,
                assistants=_servers(self.ports),
                actions=_servers(self.action_ports),
            )
        )
        self.actions = [self._action_server(port) for port in self.action_ports]
        self.assistants = [self._assistant(port) for port in self.ports]

    def _action_server(self, port: int) -> Server:
        return Server(
            "action server",
            ["rasa_sdk", "--actions", "actions", "--port", str(port)],
            self.env,
            self.folder / f"actions-{port}.log",
        )

    def _assistant(self, port: int) -> Server:
        return Server(
            "assistant",
            [
                *("rasa", "run", "--model", str(MODEL), "--interface", HOST, "--port", str(port)),
                *("--endpoints", "endpoints.yml"),
                *("--credentials", str(self.folder / "credentials.yml")),
            ],
            self.env,
            self.folder / f"assistant-{port}-{time.monotonic_ns()}.log",
        )

    def await_ready(self) -> None:
        """Wait until every assistant can answer."""
        deadline = time.monotonic() + 2 * START_SECONDS
        for port, server in zip(self.ports, self.assistants, strict=True):
            while True:
                server.require_alive()
                try:
                    url = f"http://{HOST}:{port}/webhooks/web/ready"
                    if requests.get(url, timeout=10).ok:
                        break
                except requests.RequestException:
                    pass
                assert time.monotonic() < deadline, server.log.read_text()[-2000:]
                time.sleep(0.5)

    def kill_assistant(self, number: int) -> None:
        """Kill a process as a failing machine would, and start it again."""
        self.assistants[number].process.kill()
        self.assistants[number].process.wait()
        self.assistants[number] = self._assistant(self.ports[number])

    def kill_actions(self, number: int) -> None:
        """Kill an action server, and start it again."""
        self.actions[number].process.kill()
        self.actions[number].process.wait()
        self.actions[number] = self._action_server(self.action_ports[number])

    def logs(self) -> str:
        """Return everything that any process has logged."""
        return "".join(path.read_text(errors="replace") for path in self.folder.glob("*.log"))

    def stop(self) -> None:
        """End the processes of the cluster."""
        for server in (*self.assistants, *self.actions):
            server.stop()


def _servers(ports: list[int]) -> str:
    return " ".join(f"server {HOST}:{port} max_fails=1 fail_timeout=1s;" for port in ports)


@contextmanager
def a_cluster(assistants: int, actions: int) -> Iterator[Cluster]:
    """A cluster that answers, until the end."""
    nginx = need(shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"), "no nginx")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kap-cluster-")))
        postgres, redis = stack.enter_context(a_postgres()), stack.enter_context(a_redis())
        cluster = Cluster(postgres, redis, folder, assistants, actions)
        stack.callback(cluster.stop)
        proxy = subprocess.Popen(
            [nginx, "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
        )
        stack.callback(proxy.wait)
        stack.callback(proxy.terminate)
        cluster.await_ready()
        yield cluster
