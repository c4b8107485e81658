"""Reads Gatehouse's settings from the environment (and `.env`) and names everything that is wrong with them at once.

A variable `X` may also be given as `X_FILE`, the path of a file that holds it (Docker and Kubernetes secrets). Values are taken as
they are: `$` in them means nothing.
"""

import builtins
import math
import os
import stat
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from apps.core.secret_values import MINIMUM_SECRET_BYTES, decode_32_bytes, parse_master_keys, secret_fault
from config import addresses, countries, dotenv, file_storage
from config.logging import log_level

__all__ = ["MINIMUM_SECRET_BYTES", "ConfigurationError", "Environment", "decode_32_bytes", "load", "parse_master_keys"]

PROJECT_ROOT = Path(__file__).resolve().parent.parent

PRODUCTION = "config.settings.production"
DEVELOPMENT = "config.settings.development"
WITHOUT_FILE = ("config.settings.test", "config.settings.checks")  # these do not read the `.env` beside the code

REQUIRED_IN_PRODUCTION = (
    "SECRET_KEY",
    "MASTER_KEYS",
    "SERVICE_ENCRYPTION_KEY",
    "DATABASE_URL",
    "REDIS_URL",
    "PUBLIC_URL",
    "ALLOWED_HOSTS",
    "EMAIL_URL",
    "DEFAULT_FROM_EMAIL",
)
SECRETS = ("SECRET_KEY", "MASTER_KEYS", "SERVICE_ENCRYPTION_KEY")
OPTIONAL_SECRETS = (
    "SERVICE_ENCRYPTION_KEY_PREVIOUS",
    "EMAIL_URL_FALLBACK",
    "CELERY_BROKER_URL",
    "DATABASE_LISTEN_URL",
    "SMS_TWILIO_AUTH_TOKEN",
    "SMS_HTTP_TOKEN",
    "FILES_S3_SECRET_ACCESS_KEY",
    "OPERATOR_OIDC_CLIENT_SECRET",
)
ENGINES = ("DATABASE_URL", "REDIS_URL")  # naming one means an installation, not a developer's machine
FORMS: dict[str, Callable[[str], object]] = {  # wherever it runs
    "MASTER_KEYS": parse_master_keys,
    "SERVICE_ENCRYPTION_KEY": decode_32_bytes,
    "SERVICE_ENCRYPTION_KEY_PREVIOUS": decode_32_bytes,
    "DATABASE_URL": addresses.postgresql,
    "DATABASE_LISTEN_URL": addresses.postgresql,
    "REDIS_URL": addresses.valkey,
    "REDIS_CLUSTER_NODES": addresses.cluster_nodes,
    "REDIS_CA_FILE": addresses.certificates,
    "CELERY_BROKER_URL": addresses.broker,
    "EMAIL_URL": addresses.smtp,
    "EMAIL_URL_FALLBACK": addresses.smtp,
    "TRUSTED_PROXIES": addresses.networks,
    "OPERATOR_OIDC_ISSUER": addresses.issuer,
    "GEOIP_DATABASE": countries.database,
    "FILES_STORAGE_URL": file_storage.bucket,
    "FILES_ROOT": file_storage.folder,
    "LOG_LEVEL": log_level,
}
FORMS_IN_PRODUCTION: dict[str, Callable[[str], object]] = {
    **FORMS,
    "PUBLIC_URL": addresses.public_url,
    "ALLOWED_HOSTS": addresses.hosts,
    "DEFAULT_FROM_EMAIL": addresses.sender,
    "SMS_HTTP_URL": addresses.web,
}
OPERATOR_OIDC = (  # the first two are needed
    "OPERATOR_OIDC_ISSUER",
    "OPERATOR_OIDC_CLIENT_ID",
    "OPERATOR_OIDC_CLIENT_SECRET",
    "OPERATOR_OIDC_SECOND_FACTOR",
)
TRUE, FALSE = ("true", "yes", "on", "y", "ok", "1"), ("false", "no", "off", "n", "0")


class ConfigurationError(Exception):
    """The environment cannot run Gatehouse. The message names every fault and what to do."""


class Environment:
    """Typed values of variables; one that is not set, or blank, has its default.

    What is malformed has its default too, and is noted in `faults`: the settings module says them all at its end (`refuse`).
    """

    def __init__(self) -> None:
        self.faults: builtins.list[builtins.str] = []

    def str(
        self, name: builtins.str, *, default: builtins.str, form: Callable[[builtins.str], object] | None = None
    ) -> builtins.str:
        """The value as it is. `form` raises ValueError for a wrong one."""
        value = os.environ.get(name, "")
        if not value.strip():
            return default
        try:
            (form or FORMS.get(name, builtins.str))(value)
        except ValueError as error:
            self.faults.append(f"{name} {error}.")
            return default
        return value

    def list(self, name: builtins.str, *, default: builtins.list[builtins.str]) -> builtins.list[builtins.str]:
        """Comma-separated."""
        parts = [part.strip() for part in self.str(name, default="").split(",")]
        return builtins.list(filter(None, parts)) or default

    def bool(self, name: builtins.str, *, default: builtins.bool) -> builtins.bool:
        """A word for yes or no. Any other word is an error: a typing mistake must not switch a protection off."""
        text = os.environ.get(name, "").strip().lower()
        if text and text not in TRUE + FALSE:
            self.faults.append(f"{name} must be true or false.")
            return default
        return text in TRUE if text else default

    def int(self, name: builtins.str, *, default: builtins.int, most: builtins.int | None = None) -> builtins.int:
        """A whole number that is not negative; with `most`, one from 1 to that."""
        text = os.environ.get(name, "").strip()
        if text and not (text.isascii() and text.isdecimal()):
            self.faults.append(f"{name} must be a whole number, such as {default}.")
            return default
        number = builtins.int(text) if text else default
        if most is not None and not 1 <= number <= most:
            self.faults.append(f"{name} must be from 1 to {most}, such as {default}.")
            return default
        return number

    def float(self, name: builtins.str, *, default: builtins.float) -> builtins.float:
        """A finite number above zero; zero too where that is the default."""
        text = os.environ.get(name, "").strip()
        try:
            number = builtins.float(text) if text else default
        except ValueError:
            number = math.nan
        if not (0 < number < math.inf or number == default == 0):
            self.faults.append(f"{name} must be a number above zero, such as {default:g}.")
            return default
        return number


def choose_settings(*, otherwise: str = DEVELOPMENT) -> None:
    """Choose DJANGO_SETTINGS_MODULE if it is not set. Every entry point calls this before Django asks for it.

    `.env` is read first. If it does not set it either, a named engine means production: settings for development would write
    codes into the log, and let operators in without a second factor.
    """
    if os.environ.get("DJANGO_SETTINGS_MODULE"):
        return
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)  # blank
    load()
    named = any(os.environ.get(name) or os.environ.get(f"{name}_FILE") for name in ENGINES)
    if not os.environ.get("DJANGO_SETTINGS_MODULE"):
        os.environ["DJANGO_SETTINGS_MODULE"] = PRODUCTION if named else otherwise


def load() -> Environment:
    """Read `.env` beside manage.py, if there, and every `X_FILE`; variables already set win. Ends the process if it cannot."""
    try:
        if os.environ.get("DJANGO_SETTINGS_MODULE") not in WITHOUT_FILE:
            for name, value in file_values().items():
                os.environ.setdefault(name, value)
        _read_secret_files()
    except ConfigurationError as error:
        raise SystemExit(str(error)) from None
    return Environment()


def file_values() -> dict[str, str]:
    """The variables of `.env`. Raises ConfigurationError if it cannot be read: nothing may run as if there were none."""
    path = PROJECT_ROOT / ".env"
    try:
        return dotenv.parse(path.read_text(encoding="utf-8")) if path.exists() else {}
    except dotenv.MalformedLine as error:
        raise ConfigurationError(f"{path}: {error}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 text.") from error
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}. Give it to the user that runs this."
        ) from error


def _read_secret_files() -> None:
    for name in (*REQUIRED_IN_PRODUCTION, *OPTIONAL_SECRETS):
        path = os.environ.get(f"{name}_FILE")
        if path and not os.environ.get(name):
            os.environ[name] = _text_of(name, path)


def _text_of(name: str, path: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(
            f"{name}_FILE names {path}, which cannot be read: {why}. Give a readable file, or set the variable itself."
        ) from error
    if "\0" in text:
        raise ConfigurationError(f"{name}_FILE names {path}, which holds a NUL byte.")
    return text


SMS_CONSOLE = "apps.mail.sms_transports.Console"
NEEDED_BY_SMS_BACKEND = {
    "apps.mail.sms_transports.Twilio": ("SMS_TWILIO_ACCOUNT_SID", "SMS_TWILIO_AUTH_TOKEN", "SMS_TWILIO_FROM"),
    "apps.mail.sms_transports.Http": ("SMS_HTTP_URL",),
    "apps.mail.sms_transports.File": ("SMS_FILE_PATH",),
}


def check_production(*, noted: Iterable[str] = ()) -> None:
    """Refuse to start with a missing, weak or malformed setting. Raises ConfigurationError naming every fault.

    `noted`: faults that reading the values has found.
    """
    faults = [fault for name in REQUIRED_IN_PRODUCTION if (fault := _fault(name))]
    optional = [name for name in FORMS_IN_PRODUCTION if name not in REQUIRED_IN_PRODUCTION]
    faults += [fault for name in optional if (fault := _form_fault(name))]
    faults.extend([*_sms_faults(), *_cluster_faults(), *_operator_faults()])
    _raise(dict.fromkeys([*faults, *noted]))


def end_unless_fit_for_production(env: Environment) -> None:
    """The last step of production's settings: end the process with one message, or let it run, perhaps with warnings."""
    try:
        check_production(noted=env.faults)
    except ConfigurationError as error:
        raise SystemExit(str(error)) from None
    warn_about_production()


def refuse(faults: Iterable[str]) -> None:
    """End the process if there are any, naming each."""
    try:
        _raise(dict.fromkeys(faults))
    except ConfigurationError as error:
        raise SystemExit(str(error)) from None


def _raise(faults: dict[str, None]) -> None:
    if faults:
        listing = "\n".join(f"  - {fault}" for fault in faults)
        raise ConfigurationError(
            f"Gatehouse cannot start: the environment has {len(faults)} fault(s).\n{listing}\n"
            "`python manage.py generate_env` prints a good set to start from."
        )


def refuse_another_installation() -> None:
    """Settings for development never run with the keys and engines of an installation, if its `.env` is here. Ends the process."""
    said = file_values()
    module = said.get("DJANGO_SETTINGS_MODULE", "")
    named = any(said.get(name) or said.get(f"{name}_FILE") for name in ENGINES)
    if module != DEVELOPMENT and (module or named):
        raise SystemExit(
            f"{PROJECT_ROOT / '.env'} is an installation's, and these are the settings for development. Develop in another checkout, "
            f"or move the file away; or, if it is for development, write DJANGO_SETTINGS_MODULE={DEVELOPMENT} there."
        )


def warn_about_production() -> None:
    """Say on stderr what should be mended, but is no reason not to start."""
    warnings = [
        f"{name} sends its password unencrypted to a host that may be anywhere. Use TLS (rediss://, smtp+tls://, amqps://)."
        for name in ("REDIS_URL", "CELERY_BROKER_URL", "EMAIL_URL", "EMAIL_URL_FALLBACK")
        if addresses.carries_password_in_clear(os.environ.get(name, ""))
    ]
    if fault := file_storage.folder_fault(os.environ):
        warnings.append(f"{fault} Until then no files can be kept.")
    path = PROJECT_ROOT / ".env"
    if path.exists() and path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        warnings.append(f"{path} holds every secret, and each user of this machine can read it: chmod 600 {path}")
    for warning in warnings:
        sys.stderr.write(f"Gatehouse: warning: {warning}\n")


def _sms_faults() -> list[str]:
    """Settings that the chosen SMS backend lacks: better said now than by a worker at the first SMS."""
    backend = os.environ.get("SMS_BACKEND", "").strip()
    if backend == SMS_CONSOLE:
        return ["SMS_BACKEND must not be the console in production: it writes codes into the log."]
    needed = [name for name in NEEDED_BY_SMS_BACKEND.get(backend, ()) if not os.environ.get(name, "").strip()]
    return [f"{name} is missing, which SMS_BACKEND needs." for name in needed]


def _operator_faults() -> list[str]:
    """A provider that is named in part, and doors that are all shut."""
    given = {name for name in OPERATOR_OIDC if os.environ.get(name, "").strip()}
    faults = [
        f"{name} is missing, which the other settings of OPERATOR_OIDC_… need."
        for name in OPERATOR_OIDC[:2]
        if given and name not in given
    ]
    by_password = os.environ.get("OPERATOR_PASSWORD_SIGN_IN", "").strip().lower()
    if by_password in FALSE and not given:
        faults.append(
            "OPERATOR_PASSWORD_SIGN_IN must stay true without OPERATOR_OIDC_ISSUER: no operator could sign in."
        )
    return faults


def _cluster_faults() -> list[str]:
    """What cannot be where Valkey is a cluster: Celery speaks to none, and it has no databases but the first."""
    if not os.environ.get("REDIS_CLUSTER_NODES", "").strip():
        return []
    faults = []
    if not os.environ.get("CELERY_BROKER_URL", "").strip():
        faults.append(
            "CELERY_BROKER_URL is missing: Celery cannot use the cluster of REDIS_CLUSTER_NODES as its broker."
        )
    if not (_fault("REDIS_URL") or addresses.is_of_cluster(os.environ["REDIS_URL"])):
        faults.append(
            "REDIS_URL must be redis://HOST:PORT/0 or rediss://HOST:PORT/0: of a cluster, by REDIS_CLUSTER_NODES."
        )
    return faults


def _fault(name: str) -> str | None:
    value = os.environ.get(name, "").strip()
    if not value:
        return f"{name} is missing."
    return (secret_fault(name, value) if name in SECRETS else None) or _form_fault(name)


def _form_fault(name: str) -> str | None:
    value = os.environ.get(name, "")
    try:
        if value.strip():
            FORMS_IN_PRODUCTION.get(name, str)(value)
    except ValueError as error:
        return f"{name} {error}."
    return None
