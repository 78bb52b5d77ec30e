"""The functions' package: ``python -m infra.package`` writes build/function.zip.

    infra/lock/runtime.txt --pip, hashes--> build/wheels/ --trimmed-->
    reconciler/, handlers/ ----------------------------------------->  one zip, same input: same bytes
    the policy file ------------------------------------------------>

The check of the policy runs inside the finished package: what it names has to be in there.
"""
