"""Domain names as DNS knows them: A-labels by IDNA 2008 (RFC 5891), mapped as UTS 46 says, non-transitional.

Python's own codec "idna", which sockets, smtplib and Django use, is IDNA 2003: it turns `straße.example` into
`strasse.example`, which belongs to somebody else. So names are translated here before anything else sees them.
"""

import idna


class NotADomain(ValueError):
    """DNS cannot hold such a name."""


def in_ascii(domain: str) -> str:
    """The name in lower case with A-labels. Raises NotADomain.

    IDNA does not concern a name of plain ASCII without A-labels: `ab--cd.example` stays as it is.
    """
    if domain.isascii() and "xn--" not in domain.lower():
        return domain.lower()
    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    except idna.IDNAError as error:
        raise NotADomain(error.code) from error  # its text quotes the name


def address_in_ascii(address: str) -> str:
    """An email address with its domain as A-labels; the part before the @ stays as it is. Raises NotADomain."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{in_ascii(domain)}"
