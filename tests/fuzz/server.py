"""`python -m tests.fuzz.server PORT`: the API as it is served, but that passwords cost little to compare."""

import sys

import uvicorn

from core import passwords

if __name__ == "__main__":
    passwords.BCRYPT_ROUNDS = 4
    uvicorn.run("api.main:app", port=int(sys.argv[1]), ws="none", access_log=False, log_level="error")
