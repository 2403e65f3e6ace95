"""How long a customer waits for the desk's answer: 200 questions over HTTP to the running desk, one after another.

`python benchmarks/desk_latency.py [STUDY]`, from the repository; the study's step actions/service has run
(`workbench run service_desk --step actions/service`). The desk is opened as a user opens it (`workbench desk STUDY
--trial`), asked its own held-out questions, then others made of them, each of them new to it, on one connection.
Exit code 1 where more than one in twenty takes longer than the goal.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections import Counter

import numpy as np

from workbench.actions import opening, service

N, WARM, GOAL = 200, 5, 50.0  # questions measured, asked before; milliseconds


def questions(study: str) -> list[str]:
    """Return questions no two of which are alike: those held out, then the same with another beginning."""
    p = opening.parameters(study)
    held = service.part(service.questions(p), service.TEST)["question"].tolist()
    begun = [f"{hello} {q}" for hello in ("Hello,", "One more thing:", "你好，") for q in held]
    return list(dict.fromkeys([*held, *begun]))[: N + WARM]


def asked(host: str, lines: list[str]) -> tuple[np.ndarray, Counter[str]]:
    """Return the time of each answer (milliseconds) and how many came to what."""
    connection, times, became = http.client.HTTPConnection(host, timeout=60), [], Counter()
    for question in lines:
        content = json.dumps({"question": question}).encode()
        began = time.perf_counter()
        connection.request("POST", "/ask", content, {"content-type": "application/json"})
        answer = connection.getresponse()
        reply = json.loads(answer.read())
        times.append(1000 * (time.perf_counter() - began))
        became[reply["became"]] += 1
    connection.close()
    return np.array(times), became


def main(study: str = "service_desk") -> int:
    """Print the percentiles of the waiting time, and say whether the goal is reached."""
    command = [sys.executable, "-m", "workbench.cli", "desk", study, "--trial", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as desk:
        try:
            line = desk.stdout.readline() if desk.stdout else ""
            if "http://" not in line:
                print("the desk did not open")
                return 2
            times, became = asked(line.strip().rpartition("//")[2], questions(study))
        finally:
            desk.terminate()
    times = times[WARM:]
    p50, p95, p99 = np.percentile(times, (50, 95, 99))
    print(f"{study}: {len(times)} questions over HTTP, one after another; {dict(became)}")
    print(f"p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms, longest {times.max():.1f} ms; goal p95 {GOAL:.0f} ms")
    return int(p95 > GOAL)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
