"""`make demo`: Gatehouse on this machine, with the journey of a user performed before your eyes. Development only."""
