# python3 mint_pyjwt.py KEYFILE SUBJECT: the same with PyJWT (Debian: python3-jwt).
import sys
import time

import jwt

with open(sys.argv[1]) as file:
    secret = file.read().strip()
now = int(time.time())
rights = {"subscribe": ["chat.*"], "publish": ["chat.42"]}
claims = {"sub": sys.argv[2], "iat": now, "exp": now + 3600, "sluice": rights}
print(jwt.encode(claims, secret, algorithm="HS256"))
