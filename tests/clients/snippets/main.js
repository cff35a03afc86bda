// Pastes what the dashboard shows beside a new key, as its reader would, and says what became of it: a line of JSON for each
// snippet. Arguments: the server's URL and the key. Cursor and VS Code do not run here; of theirs only the form is looked at.

import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport, getDefaultEnvironment } from '@modelcontextprotocol/sdk/client/stdio.js';

import { snippetsFor } from './snippets.js';

const [url, key] = process.argv.slice(2);
const PACKAGES = new URL('../node_modules/', import.meta.url).pathname;
const run = promisify(execFile);
const name = 'Product catalogue: "Ada\'s"';

/** How each client takes its snippets. Each returns what shows that the server's tools were listed. */
const PASTE = {
    'claude-code': ([command, file]) => Promise.all([claudeByCommand(command), claudeByFile(file)]),
    cursor: ([file]) => onlyServer(JSON.parse(file).mcpServers),
    'vs-code': ([file]) => onlyServer(JSON.parse(file).servers),
    'mcp-remote': ([file]) => mcpRemote(Object.values(JSON.parse(file).mcpServers)[0]),
    python: ([, program]) => script('main.py', program, process.env.PYTHON ?? 'python3'),
    typescript: ([, program]) => script('main.mjs', program, process.execPath),
};

for (const { id, blocks } of snippetsFor({ name, id: 'srv_1', url, key })) {
    let shown = null;
    try {
        await PASTE[id](blocks.map(({ text }) => text));
    } catch (error) {
        shown = `${error.message}\n${error.stderr ?? ''}`.trim();
    }
    console.log(JSON.stringify({ client: id, shown }));
}

async function claudeByCommand(command) {
    const claude = claudeIn(mkdtempSync(join(tmpdir(), 'pasted-')));
    await claude.run('sh', ['-c', command]);
    connected(await claude.run('claude', ['mcp', 'list']));
}

async function claudeByFile(file) {
    const folder = mkdtempSync(join(tmpdir(), 'pasted-'));
    writeFileSync(join(folder, '.mcp.json'), file);
    // Who works in a project is asked once whether its servers are to be trusted.
    writeFileSync(join(folder, '.claude.json'), JSON.stringify({ projects: { [folder]: { hasTrustDialogAccepted: true } } }));
    const settings = JSON.stringify({ enableAllProjectMcpServers: true });
    const claude = claudeIn(folder);
    connected(await claude.run('claude', ['--settings', settings, 'mcp', 'list']));
}

/** Claude Code with a home of its own, and leave to call nobody but the server. */
function claudeIn(folder) {
    const env = {
        HOME: folder,
        PATH: `${PACKAGES}@anthropic-ai/claude-code-linux-x64:${process.env.PATH}`,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
        DISABLE_TELEMETRY: '1',
    };
    const program = (command) => (command === 'claude' ? `${PACKAGES}@anthropic-ai/claude-code-linux-x64/claude` : command);
    return { run: (command, args) => run(program(command), args, { cwd: folder, env, timeout: 60_000 }) };
}

function connected({ stdout }) {
    if (!stdout.includes('✔')) throw new Error(stdout);
}

async function mcpRemote({ command, args, env }) {
    if (command !== 'npx' || args[0] !== '-y' || args[1] !== 'mcp-remote') throw new Error(`${command} ${args.join(' ')}`);
    const folder = mkdtempSync(join(tmpdir(), 'pasted-'));
    const transport = new StdioClientTransport({
        command: process.execPath,
        args: [`${PACKAGES}mcp-remote/dist/proxy.js`, ...args.slice(2)],
        env: { ...getDefaultEnvironment(), MCP_REMOTE_CONFIG_DIR: folder, BROWSER: 'true', ...env },
        stderr: 'ignore',
    });
    const client = new Client({ name: 'client-tests', version: '1.0.0' });
    try {
        await client.connect(transport);
        const { tools } = await client.listTools();
        if (tools.length === 0) throw new Error('there are no tools');
    } finally {
        await transport.close();
    }
}

async function script(file, program, interpreter) {
    // Within the packages' folder, so that they are found as in a project of the reader's own.
    const path = join(mkdtempSync(new URL('../pasted-', import.meta.url).pathname), file);
    writeFileSync(path, program);
    const { stdout } = await run(interpreter, [path], { timeout: 60_000 });
    if (!/\[\s*'/.test(stdout)) throw new Error(`it prints ${JSON.stringify(stdout)}`);
}

function onlyServer(servers) {
    const [server] = Object.values(servers);
    if (server.url !== url || server.headers['x-api-key'] !== key) throw new Error(JSON.stringify(servers));
}
