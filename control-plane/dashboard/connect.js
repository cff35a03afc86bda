// How to connect a client: the choice of the server's URL, and what to paste, by client.

import { copyButton } from './button.js';
import { h, put } from './dom.js';
import { field, select } from './field.js';
import { allPages } from './load.js';
import { withQuery } from './api.js';
import { snippetsFor } from './snippets.js';
import { tabs } from './tabs.js';

/** What stands for a URL that is not known. */
const UNKNOWN_URL = 'https://YOUR-GATEWAY/YOUR-MCP-SERVER';

/** Whether a server must be chosen before its URL is known. */
export const needsServers = ({ session }) => session.mcp_url?.includes('{server_id}') ?? false;

/** The project's MCP servers, to choose one of. */
export function loadServers({ api }) {
    return allPages((cursor) => api.project(withQuery('/mcp_servers', { limit: 100, cursor })), 1000);
}

/**
 * Snippets with that key. With `server`, for that one; otherwise, where URLs hold a server's id, for one to choose of `servers`,
 * a promise. `oncopy` is called when a snippet was copied.
 */
export function connectSection({ context, key, server = null, servers = null, oncopy = () => {} }) {
    const { session, project } = context;
    const template = session.mcp_url;
    const view = h('div');
    let client = 'claude-code';

    function show(url, named) {
        const all = snippetsFor({ name: named.name, id: named.id, url, key });
        const drawn = tabs({
            label: 'Client',
            small: true,
            chosen: client,
            tabs: all.map((one) => ({ id: one.id, label: one.label, draw: () => blocks(one, oncopy) })),
            onchoose: (id) => {
                client = id;
            },
        });
        put(view, drawn.element);
    }

    const url = (id) => fillIn(template, project.id, id);
    if (!template)
        return [
            urlField(
                (text) => show(text || UNKNOWN_URL, server ?? project),
                () => show(UNKNOWN_URL, server ?? project),
            ),
            view,
        ];
    if (server || !needsServers(context)) {
        show(url(server?.id), server ?? project);
        return [view];
    }
    return [serverChoice(servers ?? loadServers(context), (chosen) => show(url(chosen?.id), chosen ?? project)), view];
}

/** The URL of a server by the operator's template; a part that is not known stays as a placeholder in capitals. */
export function fillIn(template, projectId, serverId) {
    return template.replaceAll('{project_id}', projectId).replaceAll('{server_id}', serverId ?? 'YOUR-MCP-SERVER');
}

function urlField(change, begin) {
    const url = field({
        label: 'MCP server URL',
        id: 'mcp-url',
        type: 'url',
        inputmode: 'url',
        placeholder: UNKNOWN_URL,
        hint: 'The address of the MCP server that the client is to use. Ask whoever runs the gateway if you do not know it.',
    });
    url.input.addEventListener('input', () => change(url.value.trim()));
    begin();
    return url.element;
}

function serverChoice(loaded, change) {
    const control = select({ options: [['', 'Loading MCP servers…']] });
    const choice = field({ label: 'MCP server', id: 'mcp-server', control });
    change(null);
    loaded
        .then((servers) => {
            put(
                control,
                servers.length === 0 && h('option', { value: '' }, 'No MCP server is registered yet'),
                servers.map((one) => h('option', { value: one.id }, `${one.name} (${one.id})`)),
            );
            control.addEventListener('change', () => change(servers.find((one) => one.id === control.value)));
            if (servers.length > 0) change(servers[0]);
        })
        .catch(() => put(control, h('option', { value: '' }, 'The MCP servers could not be loaded')));
    return choice.element;
}

function blocks({ label, blocks: all, note }, oncopy) {
    return [
        all.map(({ where, text }) =>
            h(
                'div',
                { class: 'snippet' },
                h(
                    'div',
                    { class: 'snippet-head' },
                    h('span', {}, where),
                    copyButton(`for ${label}: ${where}`, text, { kind: 'compact plain', oncopy }),
                ),
                h('pre', { tabindex: '0', 'aria-label': `${label}: ${where}` }, h('code', {}, text)),
            ),
        ),
        note && h('p', { class: 'snippet-note' }, note),
    ];
}
