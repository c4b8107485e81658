"""An API of your own that takes Gatehouse's access tokens: offline for what is harmless, by introspection for what is grave."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import httpx
import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

DEMO = Path(__file__).resolve().parents[3] / ".data" / "demo.json"
FACTS = json.loads(Path(os.environ.get("GATEHOUSE_DEMO", DEMO)).read_text(encoding="utf-8"))

# One for all requests: it remembers the keys for five minutes, and asks once more when it meets one that it does not know.
keys = jwt.PyJWKClient(f"{FACTS['issuer']}/.well-known/jwks.json", timeout=5, cooldown_duration=5)
gatehouse = httpx.Client(base_url=FACTS["base_url"], headers={"X-OTP-API-Key": FACTS["introspection_key"]}, timeout=5)
app = FastAPI()
notes = {1: "Water the plants"}

Bearer = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]
User = dict[str, Any]


def as_signed(bearer: Bearer) -> User:
    """The user as the token says: costs no request, and is as old as the last refresh."""
    token = bearer.credentials
    try:
        header = jwt.get_unverified_header(token)
        claims: User = jwt.decode(
            token,
            keys.get_signing_key_from_jwt(token),
            algorithms=["ES256"],  # the customer's, whatever the token says
            issuer=FACTS["issuer"],
            audience=FACTS["customer_id"],
            leeway=30,  # seconds by which two clocks may differ
            options={"require": ["exp", "nbf", "sub"]},
        )
    except jwt.PyJWKClientConnectionError as error:
        raise HTTPException(503, "The keys cannot be had at the moment.") from error
    except jwt.PyJWTError as error:
        raise refused() from error
    if header.get("typ") != "at+jwt":
        raise refused()
    return claims


def as_it_is_now(bearer: Bearer) -> User:
    """The user as Gatehouse knows it at this moment: signed out, deactivated or without the permission, it is refused."""
    try:
        answer = gatehouse.post("/api/auth/introspect", data={"token": bearer.credentials}).raise_for_status()
    except httpx.HTTPError as error:
        raise HTTPException(503, "Gatehouse cannot be asked at the moment.") from error
    user: User = answer.json()
    if not user["active"] or user["token_use"] != "access":
        raise refused()
    return user


def refused() -> HTTPException:
    return HTTPException(401, "Sign in.", {"WWW-Authenticate": 'Bearer error="invalid_token"'})


def who_may(permission: str, find: Callable[[HTTPAuthorizationCredentials], User]) -> Any:
    """The user whom `find` finds, if it holds this permission."""

    def check(user: Annotated[User, Depends(find)]) -> User:
        if permission not in user["permissions"]:
            raise HTTPException(403, f"You may not do this: {permission} is needed.")
        return user

    return Depends(check)


@app.get("/notes")
def list_notes(user: Annotated[User, who_may("notes.read", as_signed)]) -> dict[str, Any]:
    return {"notes": notes, "for": user["email"]}


@app.delete("/notes/{number}", status_code=204)
def delete_note(number: int, _: Annotated[User, who_may("notes.write", as_it_is_now)]) -> None:
    notes.pop(number, None)
