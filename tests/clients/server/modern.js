// The same tools behind version 2 of the official TypeScript SDK, for revision 2026-07-28: no sessions, no handshake.

import { toNodeHandler } from '@modelcontextprotocol/node';
import {
    McpServer,
    MissingRequiredClientCapabilityError,
    ProtocolError,
    ResourceNotFoundError,
    createMcpHandler,
    createRequestStateCodec,
    fromJsonSchema,
    inputRequired
} from '@modelcontextprotocol/server';

import { says } from './content.js';
import { inputRequiredTools } from './input-required-tools.js';
import { listPrompts, modernPrompts as prompts, read, resources, templates } from './resources.js';
import { inputSchema, tools as plainTools } from './tools.js';

const tools = { ...plainTools, ...inputRequiredTools };
const CACHE = { ttlMs: 0, cacheScope: 'private' };
const states = createRequestStateCodec({ key: crypto.getRandomValues(new Uint8Array(32)) });

function create() {
    const mcp = new McpServer(
        { name: 'upstream', version: '2.0.0' },
        {
            capabilities: {
                tools: { listChanged: true },
                resources: { listChanged: true },
                prompts: { listChanged: true },
                logging: {},
                completions: {}
            },
            cacheHints: { 'tools/list': CACHE },
            requestState: { verify: states.verify }
        }
    );
    const handle = (method, handler) => mcp.server.setRequestHandler(method, handler);
    for (const [name, tool] of Object.entries(tools)) {
        const config = { description: tool.description, inputSchema: fromJsonSchema(inputSchema(tool)) };
        mcp.registerTool(name, config, () => undefined);
    }
    // The SDK's own handler would turn a protocol's error into a tool's. What it knows of the tools stays in use: it holds
    // `Mcp-Param-*` against their arguments.
    handle('tools/call', async ({ params }, context) => {
        const tool = tools[params.name];
        if (!tool) throw new ProtocolError(-32602, `Unknown tool: ${params.name}`);
        try {
            return await tool.call(params.arguments ?? {}, io(context));
        } catch (error) {
            if (error instanceof ProtocolError) throw error;
            return { ...says(error.message), isError: true };
        }
    });
    handle('resources/list', () => ({ ...CACHE, resources }));
    handle('resources/templates/list', () => ({ ...CACHE, resourceTemplates: templates }));
    handle('resources/read', ({ params }) => {
        const found = read(params.uri);
        if (!found) throw new ResourceNotFoundError(params.uri);
        return { ...CACHE, ...found };
    });
    handle('prompts/list', () => ({ ...CACHE, prompts: listPrompts(prompts) }));
    handle('prompts/get', ({ params }, context) => {
        const prompt = prompts[params.name];
        if (!prompt) throw new ProtocolError(-32602, `Unknown prompt: ${params.name}`);
        return prompt.get(params.arguments ?? {}, io(context));
    });
    handle('completion/complete', () => ({ completion: { values: [], total: 0, hasMore: false } }));
    return mcp;
}

/** What a tool can do while it is called. */
function io({ mcpReq }) {
    const token = mcpReq._meta?.progressToken;
    const capabilities = mcpReq.envelope?.['io.modelcontextprotocol/clientCapabilities'] ?? {};
    return {
        progress: (progress, total) =>
            token === undefined
                ? Promise.resolve()
                : mcpReq.notify({ method: 'notifications/progress', params: { progressToken: token, progress, total } }),
        log: (data) => mcpReq.log('info', data),
        inputs: mcpReq.inputResponses ?? {},
        state: () => mcpReq.requestState(),
        need: async (inputRequests, state) =>
            inputRequired({ inputRequests, ...(state ? { requestState: await states.mint(state) } : {}) }),
        clientCan: (name) => name in capabilities,
        requireCapability(name) {
            if (!(name in capabilities)) {
                throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { [name]: {} } });
            }
            return undefined;
        }
    };
}

/** The stateless endpoint at one path. */
export const modern = () => toNodeHandler(createMcpHandler(create, { legacy: 'reject' }));
