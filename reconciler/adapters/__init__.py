"""Adapters: the ports answered by memory, DynamoDB and SQS; the only home of boto3 and botocore."""
