// The project's API keys: what there is, and what can be done with each.

import { withQuery } from './api.js';
import { button } from './button.js';
import { connectSection } from './connect.js';
import { openDialog } from './dialog.js';
import { h } from './dom.js';
import { empty } from './empty.js';
import { failureNotice } from './failure.js';
import { field, select } from './field.js';
import { icon } from './icons.js';
import { askForExpiry, askToCreate, askToDisable, askToRename, askToRevoke, askToRotate } from './key-dialogs.js';
import { menu, menuItem } from './menu.js';
import { pageHead } from './page-head.js';
import { recordList } from './record-list.js';
import { setQuery } from './router.js';
import { toast } from './toast.js';
import { time } from './words.js';

const FILTERS = [
    ['', 'All but revoked'],
    ['live', 'Live'],
    ['disabled', 'Disabled'],
    ['expired', 'Expired'],
    ['revoked', 'Revoked'],
    ['all', 'All'],
];
const STATES = { live: ['good', 'Live'], disabled: ['warn', 'Disabled'], expired: ['', 'Expired'], revoked: ['bad', 'Revoked'] };

export const keysPage = {
    title: 'API keys',
    needs: 'project',
    draw(context) {
        const asked = context.query.get('status') ?? '';
        let status = FILTERS.some(([value]) => value === asked) ? asked : '';
        const create = () => askToCreate(context, () => list.refresh());
        const list = recordList({
            what: 'keys',
            caption: 'API keys',
            id: 'keys',
            columns: columns(context, () => list.refresh()),
            fetchPage: (cursor) => context.api.project(withQuery('/api_keys', { status, limit: cursor ? 100 : 50, cursor })),
            empty: () => (status ? noneLikeThat() : noneAtAll(create)),
        });
        const filter = field({
            label: 'Show',
            id: 'key-filter',
            control: select({
                fit: true,
                options: FILTERS,
                value: status,
                onchange: () => {
                    status = filter.value;
                    setQuery({ status });
                    list.reload();
                },
            }),
        });
        list.reload();
        return [
            pageHead(
                'API keys',
                [
                    'A client opens this project’s MCP servers with one of these keys, in the header ',
                    h('code', { class: 'nowrap' }, 'x-api-key'),
                    '.',
                ],
                [button([icon('plus', 16), 'Create key'], { kind: 'primary', id: 'create-key', onclick: create })],
            ),
            h(
                'div',
                { class: 'toolbar' },
                filter.element,
                button('Connect a client', { kind: 'plain push', onclick: () => showHow(context) }),
            ),
            list.element,
        ];
    },
};

function columns(context, reload) {
    return [
        {
            label: 'Name',
            head: true,
            cell: (key) => [
                h('bdi', {}, key.name),
                key.is_presented_key && [' ', h('span', { class: 'badge accent' }, 'Signed in with')],
                key.replaced_by && h('span', { class: 'under' }, 'Rotated: a new key takes its place'),
            ],
        },
        { label: 'Key', cell: (key) => h('code', { class: 'nowrap' }, key.masked_key) },
        { label: 'Status', cell: (key) => state(key) },
        { label: 'Created', cell: (key) => time(key.created_at, 'date') },
        {
            label: 'Expires',
            cell: (key) =>
                key.revoked_at
                    ? [h('span', { class: 'quiet' }, 'Revoked '), time(key.revoked_at, 'date')]
                    : key.expires_at
                      ? time(key.expires_at, 'moment')
                      : h('span', { class: 'faded' }, 'Never'),
        },
        {
            label: 'Last used',
            cell: (key) => (key.last_used_at ? time(key.last_used_at, 'ago') : h('span', { class: 'faded' }, 'Never')),
        },
        { label: 'Actions', unseen: true, class: 'actions', cell: (key) => actions(context, key, reload) },
    ];
}

function state(key) {
    const [kind, label] = STATES[key.status] ?? ['', key.status];
    return h('span', { class: `badge ${kind}`, 'data-status': key.status }, label);
}

function actions(context, key, reload) {
    if (key.status === 'revoked') return null;
    const trigger = h(
        'button',
        { type: 'button', class: 'button plain icon', 'aria-label': `Actions for ${key.name}` },
        icon('more'),
    );
    const items = [
        menuItem('Rename…', () => askToRename(context, key, reload)),
        key.status === 'live' && !key.replaced_by && menuItem('Rotate…', () => askToRotate(context, key, reload)),
        menuItem('Change expiry…', () => askForExpiry(context, key, reload)),
        key.disabled_at === null
            ? menuItem('Disable…', () => askToDisable(context, key, reload))
            : menuItem('Enable', () => enable(context, key, reload)),
        h('hr'),
        menuItem('Revoke…', () => askToRevoke(context, key, reload), { danger: true }),
    ];
    return menu(trigger, items, { label: `Actions for ${key.name}` });
}

async function enable({ api }, key, reload) {
    try {
        await api.project(`/api_keys/${encodeURIComponent(key.id)}`, { method: 'PATCH', body: { disabled: false } });
        toast('Key enabled.');
        reload();
    } catch (failure) {
        if (failure.name === 'AbortError' || failure.signedOut) return;
        const dialog = openDialog({
            title: `“${key.name}” was not enabled`,
            body: failureNotice(failure),
            foot: button('Close', { onclick: () => dialog.close() }),
        });
    }
}

function noneAtAll(create) {
    return empty({
        picture: 'keys',
        title: 'No keys yet',
        text: 'Create one for each client, so that you can see who makes which requests and revoke one without touching the others.',
        action: button('Create key', { kind: 'primary', onclick: create }),
    });
}

function noneLikeThat() {
    return empty({
        picture: 'keys',
        title: 'No such keys',
        text: 'No key of this project is in that state. Choose another one above.',
    });
}

function showHow(context) {
    const dialog = openDialog({
        title: 'Connect a client',
        wide: true,
        body: [
            h(
                'p',
                {},
                'Put one of the project’s keys where it says ',
                h('code', { class: 'chip' }, 'YOUR_API_KEY'),
                '. A key is shown only when it is created.',
            ),
            h('div', { class: 'stack' }, connectSection({ context, key: 'YOUR_API_KEY' })),
        ],
        foot: button('Close', { onclick: () => dialog.close() }),
    });
}
