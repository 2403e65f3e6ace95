"""A message as an e-mail: plain text and HTML, the pack or pages attached, through the bank's own SMTP server."""

from __future__ import annotations

import os
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.params import UserError
from workbench.reporting import page
from workbench.reporting.telling import Message
from workbench.words import speaking

USER, PASSWORD = "WORKBENCH_SMTP_USER", "WORKBENCH_SMTP_PASSWORD"  # names of environment variables
SECONDS = 30


class Server(BaseModel):
    """The SMTP server. User and password come from the environment (`WORKBENCH_SMTP_USER`, `…_PASSWORD`) alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    port: int = Field(587, ge=1, le=65_535)
    sender: str = Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$")
    security: Literal["starttls", "tls", "none"] = "starttls"


def send(server: Server, to: str, message: Message, pages: Sequence[Path] = ()) -> None:
    """Send one message to one address; raises `OSError` of one line where the server doesn't take it.

    Its certificate is held to the system's authorities, or to those in the file that `SSL_CERT_FILE` names. A password
    over a connection that isn't encrypted is refused with `UserError`.
    """
    user, password = os.environ.get(USER, ""), os.environ.get(PASSWORD, "")
    if user and server.security == "none":
        raise UserError(f"mail: {USER} is set, but security is none; a password is sent encrypted only")
    try:
        with _connected(server) as smtp:
            if server.security == "starttls":
                smtp.starttls(context=ssl.create_default_context())
            if user:
                smtp.login(user, password)
            smtp.send_message(written(server.sender, to, message, pages))
    except OSError as e:
        raise OSError(f"server {server.host}:{server.port} {_problem(e)}") from None


def _connected(server: Server) -> smtplib.SMTP:
    if server.security == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=context)
    return smtplib.SMTP(server.host, server.port, timeout=SECONDS)


def _problem(error: OSError) -> str:
    """Return what went wrong and what to do; of a server's answer the code alone, its words may repeat an address."""
    match error:
        case ssl.SSLCertVerificationError(verify_message=why):
            return f"has a certificate that is not trusted ({why}); let SSL_CERT_FILE name its authority's"
        case ssl.SSLError():
            return "speaks no TLS on this port; write security: starttls, or the port that does"
        case smtplib.SMTPAuthenticationError(smtp_code=code):
            return f"refused user or password ({code}); look at {USER} and {PASSWORD}"
        case smtplib.SMTPNotSupportedError() if "STARTTLS" in str(error):
            return "offers no STARTTLS; write security: tls and its port, or ask who runs it"
        case smtplib.SMTPNotSupportedError() if "AUTH" in str(error):
            return f"offers no login; unset {USER}"
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            return f"refused the recipient ({next(iter(refused.values()))[0]})"
        case smtplib.SMTPResponseException(smtp_code=code):
            return f"answered {code}"
    return f"could not be reached: {error.strerror or error}"


def written(sender: str, to: str, message: Message, pages: Sequence[Path] = ()) -> EmailMessage:
    """Return the e-mail. Its Message-ID is the same whenever the same message goes to the same address."""
    out = EmailMessage()
    out["From"], out["To"], out["Subject"] = sender, to, " ".join(message.subject.split())
    out["Message-ID"] = f"<{message.mark(to)}@{sender.rpartition('@')[2]}>"
    out["Auto-Submitted"] = "auto-generated"  # no out-of-office answers
    out.set_content("\n\n".join([message.subject, *message.lines, *([message.link] if message.link else [])]))
    with speaking(message.language):
        html = page.templates().get_template("mail.html").render(m=message)
    out.add_alternative(html, subtype="html")
    for path in pages:
        kind = ("application", "pdf") if path.suffix == ".pdf" else ("text", "html")
        out.add_attachment(path.read_bytes(), *kind, filename=path.name)
    return out
