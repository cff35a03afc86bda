// The MCP server behind the gateway: the official TypeScript SDKs on one port. Prints its address as JSON when it listens.
//
//   /mcp                    Streamable HTTP, revisions up to 2025-11-25
//   /mcp/2026               Streamable HTTP, revision 2026-07-28
//   /mcp/sse, /mcp/messages HTTP+SSE of revision 2024-11-05

import { createServer } from 'node:http';

import { httpSse, streamableHttp } from './classic.js';
import { modern } from './modern.js';

const LOCAL = new Set(['127.0.0.1', 'localhost', '[::1]']);
const sse = httpSse();
const handlers = {
    '/mcp': streamableHttp(),
    '/mcp/2026': modern(),
    '/mcp/sse': sse.open,
    '/mcp/messages': sse.post
};

/** Against DNS rebinding: only names that a browser cannot be lied to about. */
function isLocal(header) {
    if (header === undefined) return true;
    try {
        return LOCAL.has(new URL(header.includes('://') ? header : `http://${header}`).hostname);
    } catch {
        return false;
    }
}

const server = createServer(async (request, response) => {
    if (!isLocal(request.headers.host) || !isLocal(request.headers.origin)) {
        return response.writeHead(403).end('Not a local name');
    }
    const handler = handlers[new URL(request.url, 'http://upstream').pathname];
    if (!handler) return response.writeHead(404).end('Not found');
    try {
        await handler(request, response);
    } catch (error) {
        console.error(error);
        if (!response.headersSent) response.writeHead(500);
        response.end();
    }
});
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
    const { address, port } = server.address();
    console.log(JSON.stringify({ listening: `${address}:${port}` }));
});
// The rig holds our standard input: when it is gone, so are we.
process.stdin.resume().on('end', () => process.exit(0));
