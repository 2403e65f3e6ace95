"""A tracking server's settings: each that must not be is named, word for word; the server doesn't start with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.registry.guard import settings
from workbench.runs import doctor

LONG = "fourteen long words"


@pytest.fixture
def sound(tmp_path) -> dict[str, str]:
    """The environment of a server that may start."""
    auth = tmp_path / "auth.ini"
    auth.write_text("[mlflow]\ndefault_permission = READ\nadmin_username = admin\n")
    auth.chmod(0o600)
    return {
        "MLFLOW_AUTH_CONFIG_PATH": str(auth),
        "MLFLOW_AUTH_ADMIN_PASSWORD": LONG,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "0123456789abcdef",
    }


SECRET = "; set it to a random text: `openssl rand -hex 32`"
OTHER = "; set another, of 12 characters or more"
TLS = (
    " without TLS, and passwords would travel readable; give --uvicorn-opts"
    ' "--ssl-keyfile … --ssl-certfile …", or listen on 127.0.0.1 behind a proxy that does'
)


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("MLFLOW_FLASK_SERVER_SECRET_KEY", "", f"MLFLOW_FLASK_SERVER_SECRET_KEY is empty{SECRET}"),
        (
            "MLFLOW_FLASK_SERVER_SECRET_KEY",
            "my-secret-key",
            f"MLFLOW_FLASK_SERVER_SECRET_KEY is one that everybody knows{SECRET}",
        ),
        (
            "MLFLOW_AUTH_ADMIN_PASSWORD",
            "password1234",
            f"MLFLOW_AUTH_ADMIN_PASSWORD is one that everybody knows{OTHER}",
        ),
        ("MLFLOW_AUTH_ADMIN_PASSWORD", "short", f"MLFLOW_AUTH_ADMIN_PASSWORD is shorter than 12 characters{OTHER}"),
        (
            "MLFLOW_AUTH_CONFIG_PATH",
            "/no/file",
            "MLFLOW_AUTH_CONFIG_PATH: /no/file is not there; docs/server.md shows one",
        ),
        ("MLFLOW_HOST", "0.0.0.0", f"the server listens on 0.0.0.0{TLS}"),
        (
            "MLFLOW_ENABLE_WORKSPACES",
            "true",
            "MLFLOW_ENABLE_WORKSPACES is set: the guard knows a server without workspaces only; unset it",
        ),
    ],
)
def test_what_must_not_be_is_named(sound, name, value, fault):
    assert settings.faults(sound) == []
    assert settings.faults(sound | {name: value}) == [fault]


def test_a_file_that_others_may_read_and_a_password_in_it_are_named(sound):
    path = Path(sound["MLFLOW_AUTH_CONFIG_PATH"])
    path.write_text("[mlflow]\nadmin_password = password1234\n")
    path.chmod(0o644)
    assert settings.faults(sound) == [
        f"MLFLOW_AUTH_CONFIG_PATH: admin_password is one that everybody knows{OTHER}",
        f"{path}: others may read the passwords in it; `chmod 600 {path}`",
    ]


def test_a_line_with_tls_or_of_this_machine_alone_is_let_be(sound):
    started = ["uvicorn", "--host", "10.0.0.5", "--port", "5000"]
    assert settings.faults(sound, started) == [f"the server listens on 10.0.0.5{TLS}"]
    assert settings.faults(sound, [*started, "--ssl-keyfile", "key.pem", "--ssl-certfile", "cert.pem"]) == []
    assert settings.faults(sound, ["uvicorn", "--host", "127.0.0.1"]) == []


def test_a_clients_password_and_line_are_looked_at(monkeypatch):
    there = {"MLFLOW_TRACKING_URI": "http://mlflow.bank:5000", "MLFLOW_TRACKING_PASSWORD": "password1234"}
    assert settings.client_faults(there) == [
        f"MLFLOW_TRACKING_PASSWORD is one that everybody knows{OTHER}",
        "MLFLOW_TRACKING_URI names mlflow.bank without TLS, and passwords travel readable; use https://",
    ]
    assert (
        settings.client_faults({"MLFLOW_TRACKING_URI": "https://mlflow.bank", "MLFLOW_TRACKING_PASSWORD": LONG}) == []
    )


def test_the_doctor_names_them_where_a_server_is_set_up(sound, monkeypatch):
    assert doctor._server() == []
    for name, value in sound.items():
        monkeypatch.setenv(name, value)
    assert doctor._server() == [(True, "tracking server: its settings are sound")]
    monkeypatch.setenv("MLFLOW_AUTH_ADMIN_PASSWORD", "password1234")
    assert doctor._server() == [
        (False, f"tracking server: MLFLOW_AUTH_ADMIN_PASSWORD is one that everybody knows{OTHER}")
    ]


def test_the_app_is_not_made_with_them(sound):
    code = """
import os
from workbench.registry.guard import app
try:
    app.create()
except SystemExit as e:
    print(e.code)
os.environ.update(MLFLOW_AUTH_ADMIN_PASSWORD=os.environ["SOUND"], _MLFLOW_SERVER_SERVE_ARTIFACTS="false")
app.create()
"""  # one process: MLflow's server takes seconds to import
    known = {"MLFLOW_AUTH_ADMIN_PASSWORD": "password1234", "SOUND": sound["MLFLOW_AUTH_ADMIN_PASSWORD"]}
    environ = {**os.environ, **sound, **known}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "2\n")
    assert done.stderr.splitlines() == [
        f"workbench: MLFLOW_AUTH_ADMIN_PASSWORD is one that everybody knows{OTHER}",
        "workbench: mlflow server: clients would reach artifacts past the guard; leave --no-serve-artifacts out",
    ]
