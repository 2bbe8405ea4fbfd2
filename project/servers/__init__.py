"""What each kind of database server says and wants to hear: one file a kind, `SERVERS` has them all.

asked      what is asked of a server, and the totals that are held against what arrives
server     what every kind has in common
postgres   COPY out of a REPEATABLE READ transaction, shared by several connections
sqlite     one read transaction on a file
mariadb    START TRANSACTION WITH CONSISTENT SNAPSHOT; MySQL too
oracle     a read-only transaction, rows by python-oracledb's Arrow reader
sqlserver  snapshot isolation
"""
