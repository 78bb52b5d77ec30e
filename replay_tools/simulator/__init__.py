"""The simulator: a Global Table of N Regions, deterministic by seed, over the real writer and the real worker.

    generate -> steps -> world (replication, replica, the real Writer and Worker) -> oracle -> verdict
                  ^                                                                              |
                  +---------------------- shrink: fewer steps that still fail ------------------+

A history is data (`steps`), written and read in one mini-language (`language`). The oracle knows the acknowledged
requests and what each execution had seen, and nothing of `join`. `exhaustive` walks every interleaving of small ones.
"""
