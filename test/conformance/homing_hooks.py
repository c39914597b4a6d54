"""What schemathesis is told of a deployment: who asks, and which ids exist. openapi.ts gives it all by the environment."""

import itertools
import json
import os
import re
import urllib.error
import urllib.request
import zlib

import schemathesis

URL = os.environ["HOMING_URL"]
*PEOPLE, ADMIN = json.loads(os.environ["HOMING_PEOPLE"])
TURNS = itertools.cycle([*PEOPLE, ADMIN])
KNOWN = json.loads(os.environ["HOMING_KNOWN"])
UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)


def ask(path, body=None, token=None):
    headers = {"content-type": "application/json"} if body else {}
    if token:
        headers["authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(urllib.request.Request(URL + path, data, headers, method="POST")) as answer:
        return json.loads(answer.read() or "{}")


def sign_in(who):
    return ask("/v1/auth/login", {name: who[name] for name in ("identifier", "password")})["session"]["accessToken"]


def sign_in_whoever_it_is(who):
    try:
        return sign_in(who)
    except urllib.error.HTTPError:
        # The admin, too, does whatever can be asked: this one has been suspended by it.
        ask(f"/v1/admin/users/{who['id']}/reactivate", token=sign_in(ADMIN))
        return sign_in(who)


def of_admins(case, context):
    return context.operation.path.startswith("/v1/admin/")


# Some operations end the session that asks, and no token outlives a long run: everybody signs in again and again, in turn.
@schemathesis.auth(refresh_interval=5, cache_by_key=of_admins)
class SignedIn:
    def get(self, case, context):
        who = ADMIN if of_admins(case, context) else next(TURNS)
        return sign_in_whoever_it_is(who)

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Bearer {data}"


# An id that names nothing is refused before anything else is looked at: half of them name what is there. What is no id
# stays as it is; the choice hangs on the id alone, so that a seed has the same run again.
@schemathesis.hook
def map_path_parameters(context, path_parameters):
    for name, value in (path_parameters or {}).items():
        if name in KNOWN and isinstance(value, str) and UUID.match(value):
            chosen = zlib.crc32(value.encode())
            if chosen % 2:
                path_parameters[name] = KNOWN[name][chosen // 2 % len(KNOWN[name])]
    return path_parameters
