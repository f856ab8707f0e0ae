"""What must be true after a crash, and the command that tries it some hundred times.

    python -m fund_assets_tests.reliability [--kills 200] [--server-kills 20] [--engine ...]

Belongs here: killing clients and servers, full and read-only disks, concurrent publishes,
and a reader that watches all the while. Does not belong here: wrong data (`faults/`).
"""
