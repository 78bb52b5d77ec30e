"""The deployment, tried on a machine without AWS: ministack serves the templates' own stacks, and runs the package.

    table.yaml, worker.yaml --expanded--> CloudFormation of each Region --> tables, queues, functions, mapping
    build/function.zip -----S3 of each Region---------------------------------^
    the project's own replicator <--the tables' streams--> the other Region: MREC, conflicts included

What ministack does not do is listed in `limits`, and said with every run.
"""
