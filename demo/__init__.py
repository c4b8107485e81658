"""`make demo`: Gatehouse on this machine, with two journeys of users that you can watch. Development only."""
