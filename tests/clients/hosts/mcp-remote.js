// `mcp-remote`, as Claude Desktop and others run it: a local server on standard input and output that passes everything on to
// a remote one. The official TypeScript SDK, version 1, plays the host.

import { mkdtempSync, readFileSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport, getDefaultEnvironment } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';

import { performer } from '../typescript/commands.js';
import { serve } from '../typescript/serve.js';

const PROGRAM = new URL('../node_modules/mcp-remote/dist/proxy.js', import.meta.url).pathname;

/** What the proxy wrote when it gave up, and its host shows as the reason. */
const lastError = (log) => {
    const lines = readFileSync(log, 'utf8').split('\n').map((line) => line.replace(/^\[\d+\]\s*/, '').trim());
    return lines.findLast((line) => line.startsWith('Fatal error:')) ?? lines.join(' ');
};

async function connect({ transport: kind, url, headers }) {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-remote-'));
    const log = join(folder, 'log');
    const options = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}:${value}`]);
    const transport = new StdioClientTransport({
        command: process.execPath,
        args: [PROGRAM, url, '--allow-http', '--transport', kind === 'sse' ? 'sse-only' : 'http-only', ...options],
        // Its own folder, so that nothing is remembered from one run to the next, and no browser to open.
        env: { ...getDefaultEnvironment(), MCP_REMOTE_CONFIG_DIR: folder, BROWSER: 'true' },
        stderr: openSync(log, 'w')
    });
    const client = new Client({ name: 'client-tests', version: '1.0.0' });
    try {
        await client.connect(transport);
    } catch {
        await transport.close();
        throw Object.assign(new Error(lastError(log)), { name: 'mcp-remote' });
    }
    return {
        list: async () => (await client.listTools()).tools.map(({ name }) => name),
        call: async (name, input, options) =>
            (await client.callTool({ name, arguments: input }, undefined, options)).content[0].text,
        onListChanged: (listener) => client.setNotificationHandler(ToolListChangedNotificationSchema, listener),
        close: () => client.close()
    };
}

await serve(performer(connect));
