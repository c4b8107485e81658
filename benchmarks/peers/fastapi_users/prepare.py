"""Run in the peer's environment: `python -m benchmarks.peers.fastapi_users.prepare COUNT`. No address is verified yet."""

import asyncio
import sys

from fastapi_users.password import PasswordHelper

from benchmarks.peers.fastapi_users.application import Base, User, engine, new_session
from benchmarks.peers.people import PASSWORD, email


async def prepare(count: int) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    hashed = PasswordHelper().hash(PASSWORD)
    async with new_session() as session:
        session.add_all(User(email=email(number), hashed_password=hashed) for number in range(count))
        await session.commit()
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(prepare(int(sys.argv[1])))
