"""Ed25519 keys of persons (RFC 8032): made outside the repository, readable by their owner alone; what they sign."""

from __future__ import annotations

import base64
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import home
from workbench.params import UserError, shown

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def folder() -> Path:
    """Return where a person's private keys lie: `workbench/keys` in the user's configuration folder."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "workbench" / "keys"


def place(person: str) -> Path:
    """Return where a person's private key lies unless another place is named."""
    return folder() / f"{person}.pem"


def work_id(text: str) -> str:
    """Return a person's work id as it is; `ValueError` where the policy could name nobody so."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]{1,31}", text):
        raise ValueError("no work id; write 2 to 32 of a-z, 0-9, _ and -, a letter first, such as d001")
    return text


def generate(person: str, path: Path | None = None) -> str:
    """Write a new private key (PKCS #8, mode 0600) and return its public key (Base64 of 32 bytes).

    `UserError` for a person by no work id, and where the place lies inside the workbench's folder or holds a file.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    try:
        work_id(person)
    except ValueError as e:
        raise UserError(f"keygen: {shown(person)} is {e}") from None
    path = path or place(person)
    if path.resolve().is_relative_to(home.root().resolve()):
        raise UserError(f"{path}: a private key doesn't belong into the workbench's folder; name a place outside")
    key = Ed25519PrivateKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UserError(f"{path} is there already and may have signed; name another place with --key") from None
    with os.fdopen(handle, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return public_of(key)


def load(person: str, path: Path | None = None) -> Ed25519PrivateKey:
    """Return a person's private key; `UserError` where it is missing, readable by others or none."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    path = path or place(person)
    if not path.is_file():
        raise UserError(f"{path}: '{person}' has no private key there; `workbench keygen {person}`, or name it: --key")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise UserError(f"{path}: others may read this private key; `chmod 600` it, or make a new one")
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError):
        raise UserError(f"{path}: no private key without a password; `workbench keygen` writes one") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UserError(f"{path}: not an Ed25519 key; `workbench keygen` writes one")
    return key


def public(person: str, path: Path | None = None) -> str:
    """Return the public key of a person's private key (Base64)."""
    return public_of(load(person, path))


def sign(key: Ed25519PrivateKey, content: bytes) -> str:
    """Return the signature of some bytes (Base64 of 64 bytes)."""
    return base64.b64encode(key.sign(content)).decode()


def is_signed(public_key: str, signature: str, content: bytes) -> bool:
    """Say whether a signature is that of this content by the owner of a public key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(_bytes(public_key)).verify(_bytes(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_key(text: str) -> bool:
    """Say whether a text is a public key: Base64 of 32 bytes."""
    try:
        return len(_bytes(text)) == 32
    except ValueError:
        return False


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def public_of(key: Ed25519PrivateKey) -> str:
    """Return the public key that belongs to a private one (Base64)."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
