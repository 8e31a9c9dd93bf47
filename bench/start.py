"""How long `make run` takes until everything answers, and what each process holds in memory.

    python -m bench.start             # a demo shop in a folder of its own, started twice

The first start makes the database, loads the demo shop and trains it; the second is what everybody sees from
then on. Memory is the private and shared set (PSS), so that nothing is counted twice.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

from bench.visitor import free_port

ROOT = Path(__file__).resolve().parent.parent
PARTS = {"dashboard": "streamlit", "api": "uvicorn", "scheduler": "schedule", "launcher": "jobs.run"}
LIMIT_SECONDS = 300


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="runout-bench-"))
    folder.chmod(0o711)
    try:
        for which in ("first start", "second start"):
            once(folder / "home", which)
    finally:
        subprocess.run(
            [sys.executable, "-m", "db", "stop"],
            cwd=ROOT,
            env=os.environ | {"RUNOUT_HOME": str(folder / "home")},
            check=False,
            capture_output=True,
        )
        shutil.rmtree(folder, ignore_errors=True)


def once(home: Path, which: str) -> None:
    """Start, measure, stop."""
    port, api_port = free_port(), free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
    began = time.monotonic()
    launched = subprocess.Popen(
        [sys.executable, "-m", "jobs.run"],
        cwd=ROOT,
        env=environment | {"RUNOUT_HOME": str(home), "PORT": str(port), "API_PORT": str(api_port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        answered = {}
        waiting = {
            "dashboard": f"http://127.0.0.1:{port}/_stcore/health",
            "api": f"http://127.0.0.1:{api_port}/health/live",
            "database and scheduler behind the api": f"http://127.0.0.1:{api_port}/health/ready",
        }
        while waiting and time.monotonic() - began < LIMIT_SECONDS and launched.poll() is None:
            for part in [part for part, address in waiting.items() if answers(address)]:
                answered[part] = time.monotonic() - began
                del waiting[part]
            time.sleep(0.05)
        if waiting:
            raise SystemExit(f"did not answer: {', '.join(waiting)}")
        print(f"{which}: " + ", ".join(f"{part} after {seconds:.1f} s" for part, seconds in answered.items()))
        print(f"  memory, just started: {memory(launched)}")
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10).close()
        time.sleep(20)
        print(f"  memory, 20 s later:   {memory(launched)}")
        stopping = time.monotonic()
        launched.send_signal(signal.SIGTERM)
        launched.wait(60)
        print(f"  stopped in {time.monotonic() - stopping:.1f} s")
    finally:
        if launched.poll() is None:
            launched.kill()


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def memory(launched: subprocess.Popen) -> str:
    """MB (PSS) of each part."""
    held = dict.fromkeys(PARTS, 0)
    for process in [psutil.Process(launched.pid), *psutil.Process(launched.pid).children(recursive=True)]:
        words = " ".join(process.cmdline())
        part = next((name for name, word in PARTS.items() if word in words), None)
        if part is not None:
            held[part] += process.memory_full_info().pss
    return ", ".join(f"{name} {size / 2**20:.0f} MB" for name, size in held.items())


if __name__ == "__main__":
    main()
