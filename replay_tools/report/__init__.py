"""One HTML page from the recordings of two or more Regions: who wrote what, and what was overwritten.

recordings -> gather   each record through the real worker: what it shows, and what was decided      (Seen)
           -> lineage  which record is a write, a replication, a repair; which write was overwritten  (Mark)
           -> page     one self-contained file; every value in it is text, and is shown as text
"""
