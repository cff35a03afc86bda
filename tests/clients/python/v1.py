"""The official Python SDK, version 1."""

import asyncio
from contextlib import asynccontextmanager

from commands import run
from login import provider
from mcp import ClientSession, types
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client


class Client:
    """One session."""

    def __init__(self, session, list_changed):
        self.session = session
        self.list_changed = list_changed

    async def list(self):
        return [tool.name for tool in (await self.session.list_tools()).tools]

    async def call(self, name, arguments, on_progress=None):
        answer = await self.session.call_tool(name, arguments, progress_callback=on_progress)
        return answer.content[0].text


@asynccontextmanager
async def connect(command):
    list_changed = asyncio.Event()

    async def on_message(message):
        if isinstance(message, types.ServerNotification) and isinstance(message.root, types.ToolListChangedNotification):
            list_changed.set()

    async with transport(command) as (read, write, *_):
        async with ClientSession(read, write, message_handler=on_message) as session:
            await session.initialize()
            yield Client(session, list_changed)


@asynccontextmanager
async def transport(command):
    url, headers = command["url"], command["headers"]
    if command["transport"] == "sse":
        async with sse_client(url, headers=headers) as streams:
            yield streams
        return
    auth = provider(url) if command["transport"] == "oauth" else None
    async with create_mcp_http_client(headers=headers, auth=auth) as http:
        async with streamable_http_client(url, http_client=http) as streams:
            yield streams


run(connect)
