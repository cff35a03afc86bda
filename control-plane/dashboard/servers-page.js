// The project's MCP servers: the ids in MCP URLs that stand for it.

import { withQuery } from './api.js';
import { button, copyButton } from './button.js';
import { connectSection, fillIn } from './connect.js';
import { ask, confirm, openDialog } from './dialog.js';
import { h } from './dom.js';
import { empty } from './empty.js';
import { field } from './field.js';
import { icon } from './icons.js';
import { menu, menuItem } from './menu.js';
import { pageHead } from './page-head.js';
import { recordList } from './record-list.js';
import { toast } from './toast.js';
import { time } from './words.js';

export const serversPage = {
    title: 'MCP servers',
    needs: 'project',
    draw(context) {
        const register = () => askToRegister(context, () => list.refresh());
        const list = recordList({
            what: 'servers',
            caption: 'MCP servers',
            id: 'servers',
            columns: columns(context, () => list.refresh()),
            fetchPage: (cursor) => context.api.project(withQuery('/mcp_servers', { limit: cursor ? 100 : 50, cursor })),
            empty: () =>
                empty({
                    picture: 'servers',
                    title: 'No MCP servers yet',
                    text: 'Where the gateway’s URLs name a server and not a project, register the server’s id here: calls to it are then decided by this project’s settings and keys.',
                    action: button('Register server', { kind: 'primary', onclick: register }),
                }),
        });
        list.reload();
        return [
            pageHead('MCP servers', 'Calls to a URL with one of these ids are decided by this project’s settings and keys.', [
                button([icon('plus', 16), 'Register server'], { kind: 'primary', id: 'register-server', onclick: register }),
            ]),
            list.element,
        ];
    },
};

function columns(context, reload) {
    const template = context.session.mcp_url;
    const hasUrl = template?.includes('{server_id}');
    const url = (server) => fillIn(template, context.project.id, server.id);
    return [
        { label: 'Name', head: true, cell: (server) => server.name },
        { label: 'Id', cell: (server) => h('code', { class: 'chip' }, server.id) },
        hasUrl && {
            label: 'URL',
            class: 'tall',
            cell: (server) => [
                h('code', {}, url(server)),
                ' ',
                copyButton(`the URL of ${server.name}`, url(server), { kind: 'compact plain' }),
            ],
        },
        { label: 'Registered', cell: (server) => time(server.created_at, 'date') },
        { label: 'Actions', unseen: true, class: 'actions', cell: (server) => actions(context, server, reload) },
    ].filter(Boolean);
}

function actions(context, server, reload) {
    const trigger = h(
        'button',
        { type: 'button', class: 'button plain icon', 'aria-label': `Actions for ${server.name}` },
        icon('more'),
    );
    return menu(
        trigger,
        [
            menuItem('Connect a client…', () => showHow(context, server)),
            h('hr'),
            menuItem('Remove…', () => askToRemove(context, server, reload), { danger: true }),
        ],
        { label: `Actions for ${server.name}` },
    );
}

function askToRegister({ api }, done) {
    const name = field({
        label: 'Name',
        name: 'name',
        id: 'server-name',
        hint: 'For people, such as “Product catalogue”.',
        maxlength: 100,
        required: true,
    });
    const id = field({
        label: 'Id in the URL (optional)',
        name: 'id',
        id: 'server-id',
        class: 'input mono',
        hint: '1 to 64 letters, digits, _ and -. Leave it empty for a random one. An id belongs to whoever registers it first.',
        maxlength: 64,
        autocapitalize: 'none',
    });
    ask({
        title: 'Register an MCP server',
        fields: [name, id],
        label: 'Register server',
        submit: async () => {
            const { body } = await api.project('/mcp_servers', {
                method: 'POST',
                body: { name: name.value.trim(), id: id.value.trim() || undefined },
            });
            toast(`Server “${body.name}” registered.`);
            done();
        },
    });
}

function askToRemove({ api }, server, done) {
    confirm({
        title: `Remove “${server.name}”?`,
        body: [
            h('p', {}, 'Calls to URLs with the id ', h('code', { class: 'chip' }, server.id), ' get 404 within about a second.'),
            h('p', { class: 'quiet' }, 'The id stays reserved for your organisation and can be registered again.'),
        ],
        label: 'Remove server',
        danger: true,
        act: async () => {
            await api.project(`/mcp_servers/${encodeURIComponent(server.id)}`, { method: 'DELETE' });
            toast('Server removed.');
            done();
        },
    });
}

function showHow(context, server) {
    const dialog = openDialog({
        title: `Connect a client to “${server.name}”`,
        wide: true,
        body: [
            h('p', {}, 'Put one of the project’s keys where it says ', h('code', { class: 'chip' }, 'YOUR_API_KEY'), '.'),
            h('div', { class: 'stack' }, connectSection({ context, key: 'YOUR_API_KEY', server })),
        ],
        foot: button('Close', { onclick: () => dialog.close() }),
    });
}
