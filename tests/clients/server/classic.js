// The tools behind version 1 of the official TypeScript SDK: Streamable HTTP with sessions and resumable streams, and the
// older HTTP+SSE transport. Revisions 2024-11-05 to 2025-11-25.

import { randomUUID } from 'node:crypto';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import {
    CallToolRequestSchema,
    CompleteRequestSchema,
    CreateMessageResultSchema,
    ElicitResultSchema,
    GetPromptRequestSchema,
    ListPromptsRequestSchema,
    ListResourceTemplatesRequestSchema,
    ListResourcesRequestSchema,
    ListToolsRequestSchema,
    McpError,
    ReadResourceRequestSchema,
    SetLevelRequestSchema,
    SubscribeRequestSchema,
    UnsubscribeRequestSchema
} from '@modelcontextprotocol/sdk/types.js';

import { askingTools } from './asking-tools.js';
import { says } from './content.js';
import { EventStore } from './event-store.js';
import { listPrompts, prompts, read, resources, templates } from './resources.js';
import { Acknowledgements, sessionTools } from './session-tools.js';
import { inputSchema, tools as plainTools } from './tools.js';

const tools = { ...plainTools, ...sessionTools, ...askingTools };
const ANSWERS = { 'sampling/createMessage': CreateMessageResultSchema, 'elicitation/create': ElicitResultSchema };

/** How soon a client whose stream ended comes back for the rest. */
const RETRY_MS = 50;

/** One session: the SDK's server, and what the tools keep between two requests. */
class Session {
    acknowledgements = new Acknowledgements();
    #listening = 0;
    #comebacks = 0;

    constructor() {
        this.server = new Server(
            { name: 'upstream', version: '1.0.0' },
            {
                capabilities: {
                    tools: { listChanged: true },
                    resources: { subscribe: true, listChanged: true },
                    prompts: { listChanged: true },
                    logging: {},
                    completions: {}
                }
            }
        );
        wire(this.server, this);
    }

    listens = () => this.#listening > 0;
    comebacks = () => this.#comebacks;
    announce = () => this.server.sendToolListChanged();

    /** Takes note of a stream that the client opened. */
    noteStream(request, response) {
        if (request.headers['last-event-id']) this.#comebacks += 1;
        const wait = setInterval(() => {
            if (!response.headersSent) return;
            clearInterval(wait);
            this.#listening += 1;
        }, 2);
        response.on('close', () => {
            clearInterval(wait);
            if (response.headersSent) this.#listening -= 1;
        });
    }
}

function wire(server, session) {
    const handle = (schema, handler) => server.setRequestHandler(schema, handler);
    handle(ListToolsRequestSchema, () => ({
        tools: Object.entries(tools).map(([name, tool]) => ({
            name,
            description: tool.description,
            inputSchema: inputSchema(tool)
        }))
    }));
    handle(CallToolRequestSchema, async ({ params }, extra) => {
        const tool = tools[params.name];
        if (!tool) throw new McpError(-32602, `Unknown tool: ${params.name}`);
        try {
            return await tool.call(params.arguments ?? {}, io(session, extra));
        } catch (error) {
            return { ...says(error.message), isError: true };
        }
    });
    handle(ListResourcesRequestSchema, () => ({ resources }));
    handle(ListResourceTemplatesRequestSchema, () => ({ resourceTemplates: templates }));
    handle(ReadResourceRequestSchema, ({ params }) => {
        const found = read(params.uri);
        if (!found) throw new McpError(-32002, 'Resource not found', { uri: params.uri });
        return found;
    });
    handle(SubscribeRequestSchema, () => ({}));
    handle(UnsubscribeRequestSchema, () => ({}));
    handle(ListPromptsRequestSchema, () => ({ prompts: listPrompts(prompts) }));
    handle(GetPromptRequestSchema, ({ params }, extra) => {
        const prompt = prompts[params.name];
        if (!prompt) throw new McpError(-32602, `Unknown prompt: ${params.name}`);
        return prompt.get(params.arguments ?? {}, io(session, extra));
    });
    handle(CompleteRequestSchema, () => ({ completion: { values: [], total: 0, hasMore: false } }));
    handle(SetLevelRequestSchema, () => ({}));
}

/** What a tool can do while it is called. */
function io(session, extra) {
    const token = extra._meta?.progressToken;
    const notify = (method, params) => extra.sendNotification({ method, params });
    return {
        session,
        progress: (progress, total) =>
            token === undefined
                ? Promise.resolve()
                : notify('notifications/progress', { progressToken: token, progress, total }),
        log: (data) => notify('notifications/message', { level: 'info', data }),
        ask: (method, params) => extra.sendRequest({ method, params }, ANSWERS[method]),
        closeStream: () => extra.closeSSEStream?.(),
        requireCapability: () => undefined
    };
}

/** Streamable HTTP at one path. */
export function streamableHttp() {
    const sessions = new Map();
    return async (request, response) => {
        const id = request.headers['mcp-session-id'];
        const known = sessions.get(id);
        if (known) {
            if (request.method === 'GET') known.session.noteStream(request, response);
            return known.transport.handleRequest(request, response);
        }
        if (id !== undefined) {
            const error = { code: -32001, message: 'Session not found' };
            response.writeHead(404, { 'content-type': 'application/json' });
            return response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error }));
        }
        const session = new Session();
        const transport = new StreamableHTTPServerTransport({
            sessionIdGenerator: randomUUID,
            eventStore: new EventStore(),
            retryInterval: RETRY_MS,
            onsessioninitialized: (id) => sessions.set(id, { session, transport }),
            onsessionclosed: (id) => sessions.delete(id)
        });
        await session.server.connect(transport);
        return transport.handleRequest(request, response);
    };
}

/** HTTP+SSE: the stream, and the path that messages are posted to. */
export function httpSse() {
    const sessions = new Map();
    return {
        async open(request, response) {
            // A gateway that changes paths says how the client wrote this one. What is told to the client must be told in
            // the client's terms.
            const seen = request.headers['x-envoy-original-path'] ?? request.url;
            const endpoint = seen.split('?')[0].replace(/sse$/, 'messages');
            const transport = new SSEServerTransport(endpoint, response);
            const session = new Session();
            session.noteStream(request, response);
            sessions.set(transport.sessionId, transport);
            response.on('close', () => sessions.delete(transport.sessionId));
            await session.server.connect(transport);
        },
        async post(request, response) {
            const id = new URL(request.url, 'http://upstream').searchParams.get('sessionId');
            const transport = sessions.get(id);
            if (!transport) return response.writeHead(404).end('Session not found');
            return transport.handlePostMessage(request, response);
        }
    };
}
