"""Sealed payloads by another implementation, written from docs/group-keys.md: members of a group, and strangers."""

import base64
import json
import os
import struct
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def _part(text):
    return struct.pack(">I", len(text.encode())) + text.encode()


def _url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unurl64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _cipher(secret, key_id, sender, topic, epoch):
    info = _part("coffer fleet stream key v1") + _part(key_id) + _part(sender) + _part(topic)
    return AESGCM(HKDF(algorithm=hashes.SHA256(), length=32, salt=epoch, info=info).derive(secret))


def _bound(key_id, sender, topic, epoch, sequence, sent_at):
    return (_part("coffer fleet payload v1") + _part(key_id) + _part(sender) + _part(topic) + epoch
            + struct.pack(">QQ", sequence, sent_at))


def seal(key, sender, topic, payload, epoch=None, sequence=0, sent_at=None):
    """`key`: one of the list's objects. The payload as it goes over the wire."""
    secret, epoch = _unurl64(key["secret"]), epoch or os.urandom(16)
    sent_at = int(time.time() * 1000) if sent_at is None else sent_at
    data = _bound(key["id"], sender, topic, epoch, sequence, sent_at)
    text = payload if isinstance(payload, str) else json.dumps(payload)
    ciphertext = _cipher(secret, key["id"], sender, topic, epoch).encrypt(
        bytes(4) + struct.pack(">Q", sequence), text.encode(), data)
    return json.dumps({"coffer_sealed": {
        "version": 1, "key_id": key["id"], "sender": sender, "topic": topic, "epoch": _url64(epoch), "sequence": sequence,
        "sent_at": sent_at, "ciphertext": base64.b64encode(ciphertext).decode()}}, separators=(",", ":"))


def unseal(keys, payload):
    """The document inside; `keys`: the list of the document of group keys."""
    e = json.loads(payload)["coffer_sealed"]
    key = next(key for key in keys if key["id"] == e["key_id"])
    epoch = _unurl64(e["epoch"])
    plain = _cipher(_unurl64(key["secret"]), e["key_id"], e["sender"], e["topic"], epoch).decrypt(
        bytes(4) + struct.pack(">Q", e["sequence"]), base64.b64decode(e["ciphertext"]),
        _bound(e["key_id"], e["sender"], e["topic"], epoch, e["sequence"], e["sent_at"]))
    return json.loads(plain)


def is_sealed(payload):
    try:
        return "coffer_sealed" in json.loads(payload)
    except ValueError:
        return False
