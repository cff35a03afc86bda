// Claude Code, as far as it goes without a model: it is given the server with `claude mcp add`, and `claude mcp list` says what
// became of it. It has a home of its own, and leave to call nobody but the server.

import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { serve } from '../typescript/serve.js';

const PROGRAM = new URL('../node_modules/@anthropic-ai/claude-code-linux-x64/claude', import.meta.url).pathname;
const run = promisify(execFile);

await serve(async ({ do: action, transport: kind, url, headers }) => {
    if (action !== 'try') return { shown: `no such command here: ${action}` };
    const home = mkdtempSync(join(tmpdir(), 'claude-code-'));
    const env = {
        HOME: home,
        PATH: process.env.PATH,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
        DISABLE_TELEMETRY: '1'
    };
    const claude = (...args) => run(PROGRAM, args, { cwd: home, env, timeout: 60_000 });
    const options = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]);
    const transport = kind === 'sse' ? 'sse' : 'http';
    await claude('mcp', 'add', '--scope', 'user', '--transport', transport, 'upstream', url, ...options);
    const { stdout } = await claude('mcp', 'list');
    const line = stdout.split('\n').find((line) => line.startsWith('upstream:')) ?? stdout;
    if (line.includes('✔')) return { connected: true };
    return { shown: line.split(' - ').slice(1).join(' - ').trim() };
});
