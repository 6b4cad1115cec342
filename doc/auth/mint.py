# python3 mint.py KEYFILE SUBJECT: prints a token that is valid for an hour.
import base64
import hashlib
import hmac
import json
import sys
import time


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def mint(secret, subject, rights, seconds=3600):
    now = int(time.time())
    header = {"alg": "HS256", "typ": "JWT"}
    claims = {"sub": subject, "iat": now, "exp": now + seconds, "sluice": rights}
    signed = b".".join(encode(json.dumps(part).encode()) for part in (header, claims))
    signature = hmac.new(secret, signed, hashlib.sha256).digest()
    return (signed + b"." + encode(signature)).decode()


with open(sys.argv[1], "rb") as file:
    secret = file.read().strip()
print(mint(secret, sys.argv[2], {"subscribe": ["chat.*"], "publish": ["chat.42"]}))
