"""A stand-in for hardware: a key that "the chip" shares with its maker. A real TEE has a signing key and a chain."""

import hashlib
import hmac
import json


def load_key(path):
    with open(path, "rb") as file:
        key = file.read()
    if len(key) < 32:
        raise SystemExit(f"{path}: expected a key of at least 32 bytes, found {len(key)}")
    return key


def measure(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def mac(key, fields):
    return hmac.new(key, json.dumps(fields, sort_keys=True).encode(), hashlib.sha256).hexdigest()
