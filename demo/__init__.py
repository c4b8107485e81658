"""`make demo`: Gatehouse on this machine, with two journeys of users performed before your eyes. Development only."""
