"""Asks a server by the Model Context Protocol, with the client that its authors publish (PyPI `mcp`).

client.py stdio PROGRAM WORD...   starts the server and talks over pipes
client.py http URL                talks to one that runs

Reads a list of [tool, arguments] from standard input; prints, as JSON, the tools that there are and an answer to each.
"""

import asyncio
import json
import sys

from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client


async def main() -> None:
    kind, target, *words = sys.argv[1:]
    if kind == "stdio":
        transport = stdio_client(StdioServerParameters(command=target, args=words))
    else:
        transport = streamable_http_client(target)
    async with Client(transport) as client:
        tools = await client.list_tools()
        answers = []
        for tool, arguments in json.load(sys.stdin):
            result = await client.call_tool(tool, arguments)
            text = "".join(getattr(part, "text", "") for part in result.content)
            answers.append({"error": text} if result.is_error else result.structured_content)
        print(json.dumps({"tools": [tool.name for tool in tools.tools], "answers": answers}))


asyncio.run(main())
