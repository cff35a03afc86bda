// The official TypeScript SDK, version 2.

import { Client, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

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
        call: async (name, input, options) => (await client.callTool({ name, arguments: input }, options)).content[0].text,
        onListChanged: (listener) => client.setNotificationHandler('notifications/tools/list_changed', listener),
        async close() {
            await transport.terminateSession?.();
            await client.close();
        }
    };
}
