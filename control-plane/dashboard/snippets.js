// What to paste into each MCP client: its own configuration with the server's URL and the key's header filled in.

/** A name that every client accepts, made of one for people; empty when nothing is left of that. */
function clientName(name) {
    return name
        .normalize('NFKD')
        .replace(/\p{M}/gu, '')
        .replaceAll('ß', 'ss')
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '-')
        .replace(/^-+|-+$/g, '')
        .slice(0, 40);
}

/** All clients, for a server's name, id and URL and a key. Each has blocks: where the text goes, and the text. */
export function snippetsFor({ name, id, url, key }) {
    const server = { name: clientName(name) || clientName(id) || 'mcp-server', url: shellSafe(url), key };
    return [claudeCode(server), cursor(server), vsCode(server), mcpRemote(server), python(server), typescript(server)];
}

function claudeCode({ name, url, key }) {
    return {
        id: 'claude-code',
        label: 'Claude Code',
        blocks: [
            { where: 'In a terminal', text: `claude mcp add --transport http ${name} "${url}" --header "x-api-key: ${key}"` },
            {
                where: 'Or in a project’s .mcp.json',
                text: json({ mcpServers: { [name]: { type: 'http', url, headers: { 'x-api-key': key } } } }),
            },
        ],
        note: 'In a file that others see, write "${MCP_API_KEY}" instead of the key and set that variable.',
    };
}

function cursor({ name, url, key }) {
    return {
        id: 'cursor',
        label: 'Cursor',
        blocks: [{ where: '~/.cursor/mcp.json', text: json({ mcpServers: { [name]: { url, headers: { 'x-api-key': key } } } }) }],
        note: 'In a file that others see, write "${env:MCP_API_KEY}" instead of the key and set that variable.',
    };
}

function vsCode({ name, url, key }) {
    return {
        id: 'vs-code',
        label: 'VS Code',
        blocks: [
            {
                where: 'Command “MCP: Open User Configuration”',
                text: json({ servers: { [name]: { type: 'http', url, headers: { 'x-api-key': key } } } }),
            },
        ],
        note: 'VS Code takes a missing or wrong key for a call to log in. If it offers to, correct the header instead.',
    };
}

function mcpRemote({ name, url, key }) {
    const insecure = /^http:\/\/(?!localhost\b|127\.|\[::1\])/.test(url) ? ['--allow-http'] : [];
    // No blank after the colon: some hosts split arguments at blanks.
    const args = ['-y', 'mcp-remote', url, ...insecure, '--header', 'x-api-key:${MCP_API_KEY}'];
    return {
        id: 'mcp-remote',
        label: 'mcp-remote',
        blocks: [
            {
                where: 'claude_desktop_config.json, and other clients that only start local servers',
                text: json({ mcpServers: { [name]: { command: 'npx', args, env: { MCP_API_KEY: key } } } }),
            },
        ],
        note: 'mcp-remote stands between such a client and the server. It needs Node.js.',
    };
}

function python({ url, key }) {
    return {
        id: 'python',
        label: 'Python',
        blocks: [
            { where: 'In a terminal', text: 'pip install "mcp>=2"' },
            {
                where: 'Python, with the SDK mcp',
                text: `import asyncio

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

URL = ${JSON.stringify(url)}
API_KEY = ${JSON.stringify(key)}


async def main():
    timeout = httpx2.Timeout(30, read=300)
    async with httpx2.AsyncClient(headers={"x-api-key": API_KEY}, timeout=timeout) as http:
        async with Client(streamable_http_client(URL, http_client=http)) as client:
            tools = await client.list_tools()
            print([tool.name for tool in tools.tools])


asyncio.run(main())`,
            },
        ],
    };
}

function typescript({ url, key }) {
    return {
        id: 'typescript',
        label: 'TypeScript',
        blocks: [
            { where: 'In a terminal', text: 'npm install @modelcontextprotocol/client' },
            {
                where: 'TypeScript or JavaScript module',
                text: `import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const url = ${JSON.stringify(url)};
const apiKey = ${JSON.stringify(key)};

const transport = new StreamableHTTPClientTransport(new URL(url), {
  requestInit: { headers: { 'x-api-key': apiKey } },
});
const client = new Client({ name: 'my-app', version: '1.0.0' });
await client.connect(transport);
const { tools } = await client.listTools();
console.log(tools.map((tool) => tool.name));
await client.close();`,
            },
        ],
    };
}

function json(value) {
    return JSON.stringify(value, null, 2);
}

/** Within double quotes of a shell, these would mean something; in a URL they can be written otherwise. */
function shellSafe(url) {
    return url.replace(/["$`\\!\s]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`);
}
