"""TLS of cache and broker, in one place: the certificate must be valid, and for the host in the URL.

By themselves the libraries differ: redis-py checks both, kombu checks neither for `rediss://` and no host name for `amqps://`.
"""

import ssl
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from config.addresses import TLS_FILES


def without_tls_parameters(url: str) -> str:
    """The URL without `ssl_…` in its query, so that nothing in it can overrule `options`."""
    parts = urlsplit(url)
    if parts.scheme != "rediss" or "ssl" not in parts.query:
        return url
    kept = [(name, value) for name, value in parse_qsl(parts.query) if not name.startswith("ssl")]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(kept), ""))


def options(url: str, ca_file: str) -> dict[str, Any]:
    """The TLS options of redis-py for this URL (kombu passes them on); none without TLS.

    The system's authorities count unless `ca_file`, or the URL's own `ssl_ca_certs`, names others.
    """
    parts = urlsplit(url)
    if parts.scheme != "rediss":
        return {}
    files = {name: value for name, value in parse_qsl(parts.query) if name in TLS_FILES}
    authorities = {"ssl_ca_certs": ca_file} if ca_file else {}
    return {**authorities, **files, "ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}


def broker_options(urls: str, ca_file: str) -> dict[str, Any] | bool:
    """Celery's `broker_use_ssl` for one broker or several (separated by semicolons)."""
    for url in urls.split(";"):
        scheme = urlsplit(url).scheme
        if scheme == "rediss":
            return options(url, ca_file)
        if scheme == "amqps":
            authorities = {"ca_certs": ca_file} if ca_file else {}
            # None: kombu puts in the host of the URL that it connects to.
            return {**authorities, "cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None}
    return False
