// The official TypeScript SDK, version 1.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';

import { NoLogin } from './no-login.js';

/** Connects as a command says. */
export async function connect({ transport: kind, url, headers }) {
    const options = { requestInit: { headers }, ...(kind === 'oauth' ? { authProvider: new NoLogin() } : {}) };
    const Transport = kind === 'sse' ? SSEClientTransport : StreamableHTTPClientTransport;
    const transport = new Transport(new URL(url), options);
    const client = new Client({ name: 'client-tests', version: '1.0.0' });
    await client.connect(transport);
    return {
        list: async () => (await client.listTools()).tools.map(({ name }) => name),
        call: async (name, input, options) =>
            (await client.callTool({ name, arguments: input }, undefined, options)).content[0].text,
        onListChanged: (listener) => client.setNotificationHandler(ToolListChangedNotificationSchema, listener),
        async close() {
            await transport.terminateSession?.();
            await client.close();
        }
    };
}
