"""The commands of a client program, as tests/clients/README.md lists them, over whatever `connect` gives."""

import asyncio
import json
import sys
from contextlib import suppress

# Larger than any buffer on the way, and with every kind of character.
LONG = '0123456789 äöü 你好 🦀 "\\\n' * 12_000 + "end"


async def serve(connect):
    """Runs commands until there are no more. `connect(command)` is an asynchronous context that gives a client."""
    lines = await _lines()
    while (command := await _next(lines)) is not None:
        try:
            if command["do"] == "session":
                answer = await _session(connect, command)
            elif command["do"] == "try":
                async with connect(command) as client:
                    await client.list()
                answer = {"connected": True}
            elif command["do"] == "open":
                answer = await _open(connect, command, lines)
            elif command["do"] == "close":
                answer = {"ok": True}
            else:
                answer = {"shown": f"no such command here: {command['do']}"}
        except BaseException as error:
            answer = {"shown": shown(error)}
        _say(answer)


async def _open(connect, command, lines):
    """A session in parts: what follows `open` runs inside of its context, up to `close`. An error that takes the whole
    session with it is the answer to the command that met it."""
    async with connect(command) as client:
        await client.list()
        _say({"ok": True})
        while (command := await _next(lines)) is not None and command["do"] != "close":
            try:
                await asyncio.wait_for(client.call("echo", {"message": "still here"}), 3)
                _say({"ok": True})
            except Exception as error:
                _say({"shown": shown(error)})
    return {"ok": True}


async def _session(connect, command):
    steps = []
    try:
        async with connect(command) as client:
            steps.append("initialize")
            _expect("echo" in await client.list(), True)
            steps.append("list")
            _expect(await client.call("echo", {"message": LONG}), LONG)
            steps.append("call")
            await _progress(client)
            steps.append("progress")
            _expect(await client.call("announce", {}), "announced")
            await asyncio.wait_for(client.list_changed.wait(), 20)
            steps.append("notification")
            if command["transport"] != "sse":
                _expect(await client.call("break_off", {}, _ignore), "resumed")
                steps.append("resume")
        steps.append("close" if command["transport"] == "sse" else "delete")
        return {"steps": steps}
    except BaseException as error:
        return {"steps": steps, "shown": shown(error)}


async def _progress(client):
    """Acknowledges each progress while the call that reports it is still under way."""
    acknowledging = []

    async def on_progress(progress, _total, _message):
        acknowledging.append(asyncio.create_task(client.call("seen", {"step": int(progress)})))

    _expect(await client.call("count_together", {"to": 3}, on_progress), "counted to 3")
    await asyncio.gather(*acknowledging)
    _expect(len(acknowledging), 3)


async def _ignore(_progress, _total, _message):
    """Asks for progress, so that the answer streams, and does nothing with it."""


def _expect(found, wanted):
    if found != wanted:
        raise AssertionError(f"{str(found)[:200]} instead of {str(wanted)[:200]}")


def shown(error):
    """What the last line of a traceback says, of the first error in a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}".strip()


def _say(answer):
    print(json.dumps(answer), flush=True)


async def _lines():
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def _next(lines):
    line = await lines.readline()
    return json.loads(line) if line else None


def run(connect):
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(connect))
