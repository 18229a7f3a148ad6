"""The whole of promise three in fast time: schedulers, web processes, speakers, people and faults, from one seed.

What decides is the real code: the ticks, the ledger, the plans and the services on a real database; the speaker's
rules, journal and messages. Simulated are time, the network, power, processes that die at any statement, and people.
The same seed gives the same days; what broke is told with the seed that shows it again (docs/faults.md).
"""
