"""The application: users in PostgreSQL, sign-in by password, verification of an address by a token that is mailed."""

import os
import uuid
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
from fastapi_users.db import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

SECRET = os.environ["SECRET"]
LIFETIME_SECONDS = 3600
CONNECTIONS = (
    16  # as many as the load generator has: of SQLAlchemy's five, each further one would be made anew and closed
)
engine = create_async_engine(
    os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+asyncpg:", 1), pool_size=CONNECTIONS
)
new_session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """What all tables derive from."""


class User(SQLAlchemyBaseUserTableUUID, Base):
    """A user, with the library's columns alone."""


class UserRead(schemas.BaseUser[uuid.UUID]):
    """What callers see of a user."""


class UserUpdate(schemas.BaseUserUpdate):
    """What callers may change of a user."""


class UserManager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    """The hooks that would send mails do nothing here, which favours this peer."""

    reset_password_token_secret = SECRET
    verification_token_secret = SECRET


async def database_session() -> AsyncIterator[AsyncSession]:
    async with new_session() as session:
        yield session


async def user_database(
    session: Annotated[AsyncSession, Depends(database_session)],
) -> AsyncIterator[SQLAlchemyUserDatabase]:
    yield SQLAlchemyUserDatabase(session, User)


async def user_manager(users: Annotated[SQLAlchemyUserDatabase, Depends(user_database)]) -> AsyncIterator[UserManager]:
    yield UserManager(users)


def strategy() -> JWTStrategy[User, uuid.UUID]:
    return JWTStrategy(secret=SECRET, lifetime_seconds=LIFETIME_SECONDS)


backend = AuthenticationBackend(name="jwt", transport=BearerTransport(tokenUrl="auth/jwt/login"), get_strategy=strategy)
users = FastAPIUsers[User, uuid.UUID](user_manager, [backend])
application = FastAPI()
application.include_router(users.get_auth_router(backend), prefix="/auth/jwt")
application.include_router(users.get_verify_router(UserRead), prefix="/auth")
application.include_router(users.get_users_router(UserRead, UserUpdate), prefix="/users")
