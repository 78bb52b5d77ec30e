"""DynamoDB Local: the real conditions and the real streams, offline, with one database for every Region."""
