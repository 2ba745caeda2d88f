"""Encryption of what is pushed to a browser (RFC 8291, by RFC 8188's aes128gcm), and who says so (RFC 8292, VAPID)."""

from __future__ import annotations

import base64
import functools
import json
import os
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD_BYTES = 4_096
MAX_BYTES = 3_993  # of a payload, so that everything fits the 4,096 bytes that push services must take
_CURVE = ec.SECP256R1()
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256 (SEC 2, 2.4.2)


def encrypted(
    payload: bytes,
    *,
    browser_key: bytes,
    browser_secret: bytes,
    salt: bytes | None = None,
    own_key: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """The body of the request. `salt` and `own_key` are made anew for every message, except for the RFC's example.

    Raises ValueError where the browser's key is no point of the curve.
    """
    salt = salt or os.urandom(16)
    own_key = own_key or ec.generate_private_key(_CURVE)
    own_public = public_bytes(own_key)
    shared = own_key.exchange(ec.ECDH(), public_key(browser_key))
    secret = _derived(shared, salt=browser_secret, info=b"WebPush: info\0" + browser_key + own_public, length=32)
    key = _derived(secret, salt=salt, info=b"Content-Encoding: aes128gcm\0", length=16)
    nonce = _derived(secret, salt=salt, info=b"Content-Encoding: nonce\0", length=12)
    head = salt + RECORD_BYTES.to_bytes(4, "big") + bytes([len(own_public)]) + own_public
    return head + AESGCM(key).encrypt(nonce, payload + b"\x02", None)


def authorization(*, audience: str, contact: str, key: ec.EllipticCurvePrivateKey, at: datetime) -> str:
    """The header that says who pushes, for 12 hours. `audience`: the push service's origin; `contact`: a mailto: or
    https: address under which its operators find ours."""
    claims = {"aud": audience, "exp": int((at + timedelta(hours=12)).timestamp()), "sub": contact}
    signed = ".".join(to_base64(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ES256"}, claims))
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    signature = to_base64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={signed}.{signature}, k={to_base64(public_bytes(key))}"


@functools.cache
def private_key(text: str, *, secret: str) -> ec.EllipticCurvePrivateKey:
    """The key in `text`, or, where that is empty, the one that follows from `secret`: the same on every machine."""
    if text:
        return ec.derive_private_key(int.from_bytes(from_base64(text), "big"), _CURVE)
    derived = _derived(secret.encode(), salt=None, info=b"switchyard web push", length=48)
    return ec.derive_private_key(int.from_bytes(derived, "big") % (_ORDER - 1) + 1, _CURVE)


def public_key(point: bytes) -> ec.EllipticCurvePublicKey:
    """Raises ValueError where it is no point of the curve."""
    return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point)


def public_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def to_base64(data: bytes) -> str:
    """URL-safe, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64(text: str) -> bytes:
    """URL-safe, with or without padding. Raises ValueError."""
    return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)


def _derived(secret: bytes, *, salt: bytes | None, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)
