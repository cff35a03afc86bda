"""The official Python SDK, version 2, in the mode that it has by default."""

import asyncio
from contextlib import asynccontextmanager

from commands import run
from login import provider
from mcp import Client as SdkClient
from mcp import types
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client


class Client:
    """One session."""

    def __init__(self, client, list_changed):
        self.client = client
        self.list_changed = list_changed

    async def list(self):
        return [tool.name for tool in (await self.client.list_tools()).tools]

    async def call(self, name, arguments, on_progress=None):
        answer = await self.client.call_tool(name, arguments, progress_callback=on_progress)
        return answer.content[0].text


@asynccontextmanager
async def connect(command):
    list_changed = asyncio.Event()

    async def on_message(message):
        if isinstance(message, types.ToolListChangedNotification):
            list_changed.set()

    url, headers = command["url"], command["headers"]
    if command["transport"] == "sse":
        async with SdkClient(sse_client(url, headers=headers), message_handler=on_message) as client:
            yield Client(client, list_changed)
        return
    auth = provider(url) if command["transport"] == "oauth" else None
    async with create_mcp_http_client(headers=headers, auth=auth) as http:
        transport = streamable_http_client(url, http_client=http)
        async with SdkClient(transport, message_handler=on_message) as client:
            yield Client(client, list_changed)


run(connect)
