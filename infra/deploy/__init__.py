"""The deployment: ``python -m infra.deploy`` runs `aws` and `sam`, and then looks whether what runs is what was meant.

    steps   every command, in order, as a value: what is printed by --dry-run is what is run without it
    check   what the last commands answered, held against the package and its policy

Every step may be repeated: after a failure, the same command goes on where it stopped.
"""
