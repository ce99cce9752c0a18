"""One Redis client a process, behind one circuit breaker, for the audio cache and the rate limits.

How a Redis in trouble is left alone
------------------------------------
Commands run only while the circuit breaker is closed. It begins open, so no request waits for the first connection.
A command that times out or loses its connection opens it, for the cache and the rate limits alike.

While it is open, a background task probes Redis: after half a second, then after twice as long each time, at most every
30 s. Up to a quarter is added at random, so that workers do not probe in step. The first probe that is answered in time
closes the breaker. Each change is one line in the log.

An error that Redis answers (it is full, read-only, or forbids the command) does not open the breaker. Commands of that
kind rest for a while, behind a circuit breaker of their own (`commands.py`); the others go on.
"""
