"""A load generator: keep-alive connections that each send the next request when answered.

Run as a process of its own (python -m bench.load), pinned to a core; reads a job as
JSON from standard input and prints the outcome as JSON.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
import uuid

import uvloop

_MESSAGE = (
    '{"type":"page","anonymousId":"%s","messageId":"%s","timestamp":"%s","name":"Product",'
    '"properties":{"url":"https://www.example.com/products/widget?utm_source=google&utm_medium=cpc",'
    '"path":"/products/widget","referrer":"https://www.google.com/","title":"Widget – Example",'
    '"search":"?utm_source=google&utm_medium=cpc"},"context":{"campaign":{"source":"google",'
    '"medium":"cpc","name":"spring"},"locale":"en-US","library":{"name":"analytics.js",'
    '"version":"next-1.81.0"},"timezone":"Europe/Berlin"}}'
)
_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Caller(asyncio.Protocol):
    """One connection. Notes the seconds that each answer took."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.buffer = b""

    def connection_made(self, transport) -> None:
        self.transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        if len(rest) < length:
            return
        self.buffer = b""
        self.job.note(head.startswith(b"HTTP/1.1 200"), time.perf_counter() - self.sent_at)
        if time.perf_counter() < self.job.ends_at:
            self._send()
        else:
            self.transport.close()

    def connection_lost(self, error) -> None:
        self.job.open -= 1
        if not self.job.open:
            self.job.finished.set()

    def _send(self) -> None:
        request = self.job.request()
        self.sent_at = time.perf_counter()
        self.transport.write(request)


class Job:
    """`is_scattered`: message ids are random, as those of real senders; otherwise they count up."""

    def __init__(
        self,
        *,
        port: int,
        path: str,
        key: str,
        batch: int,
        callers: int,
        seconds: float,
        is_scattered: bool = False,
    ):
        self.path, self.batch, self.callers = path, batch, callers
        self.is_scattered = is_scattered
        self.port, self.ends_at = port, time.perf_counter() + seconds
        self.seconds = seconds
        auth = base64.b64encode(f"{key}:".encode()).decode()
        self.head = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {_AGENT}\r\n"
            f"Authorization: Basic {auth}\r\nContent-Type: application/json\r\nContent-Length: "
        )
        self.now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.run_id, self.count = uuid.uuid4().hex[:20], 0
        self.open = callers
        self.finished = asyncio.Event()
        self.seconds_each: list[float] = []
        self.failed = 0

    def request(self) -> bytes:
        messages = [self._message() for _ in range(self.batch or 1)]
        body = f'{{"batch":[{",".join(messages)}]}}' if self.batch else messages[0]
        data = body.encode()
        return f"{self.head}{len(data)}\r\n\r\n".encode() + data

    def _message(self) -> str:
        self.count += 1
        number = uuid.uuid4().hex if self.is_scattered else f"{self.run_id}{self.count:012x}"
        return _MESSAGE % (f"{self.run_id}{self.count % 5000:012x}", number, self.now)

    def note(self, is_success: bool, seconds: float) -> None:
        if is_success:
            self.seconds_each.append(seconds)
        else:
            self.failed += 1

    async def run(self) -> dict:
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        for _ in range(self.callers):
            await loop.create_connection(lambda: Caller(self), "127.0.0.1", self.port)
        await self.finished.wait()
        took = time.perf_counter() - began
        times = sorted(self.seconds_each)
        events = len(times) * (self.batch or 1)
        return {
            "events": events,
            "failed": self.failed,
            "per_second": events / took,
            "p50_ms": 1000 * times[len(times) // 2],
            "p99_ms": 1000 * times[int(len(times) * 0.99)],
        }


if __name__ == "__main__":
    uvloop.install()
    print(json.dumps(asyncio.run(Job(**json.load(sys.stdin)).run())))
