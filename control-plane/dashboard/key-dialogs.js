// The dialogs about keys: create, rename, expiry, rotate, switch off, revoke.

import { loadServers, needsServers } from './connect.js';
import { ask, confirm } from './dialog.js';
import { h } from './dom.js';
import { expiryFields } from './expiry.js';
import { field, select } from './field.js';
import { guardSecret, newKeyView } from './new-key-view.js';
import { toast } from './toast.js';
import { time } from './words.js';

const HOUR = 3600;
const GRACES = [
    [0, 'None: the old key stops at once'],
    [HOUR, '1 hour'],
    [24 * HOUR, '24 hours'],
    [7 * 24 * HOUR, '7 days'],
    [30 * 24 * HOUR, '30 days'],
    [90 * 24 * HOUR, '90 days'],
];

const path = (key) => `/api_keys/${encodeURIComponent(key.id)}`;

/** Creates a key and shows it. */
export function askToCreate(context, done) {
    const name = field({
        label: 'Name',
        name: 'name',
        id: 'key-name',
        hint: 'Who or what will use it, such as “CI” or “Ada’s laptop”.',
        maxlength: 100,
        required: true,
    });
    const expiry = expiryFields('Expires');
    withSecret(context, done, (show) => ({
        title: 'Create an API key',
        fields: [name, ...expiry.fields],
        label: 'Create key',
        submit: async () => {
            const { body } = await context.api.project('/api_keys', {
                method: 'POST',
                body: { name: name.value.trim(), expires_at: expiry.value() },
            });
            return show(body, `Key “${body.name}” created`);
        },
    }));
}

/** Replaces a key by a new one and shows that. */
export function askToRotate(context, key, done) {
    const grace = field({
        label: 'How long the old key still works',
        name: 'grace_period_seconds',
        id: 'key-grace',
        control: select({ options: GRACES.map(([seconds, label]) => [String(seconds), label]), value: String(24 * HOUR) }),
        hint: 'Time to put the new key in place of the old one.',
    });
    const expiry = expiryFields('The new key expires');
    withSecret(context, done, (show) => ({
        title: `Rotate “${key.name}”?`,
        body: [
            h('p', {}, 'A new key with the same name takes its place. Until the grace period ends both work.'),
            key.is_presented_key && ownKey('Once the old key stops you are signed out. Sign in with the new one then.'),
        ],
        fields: [grace, ...expiry.fields],
        label: 'Rotate key',
        submit: async () => {
            const { body } = await context.api.project(`${path(key)}/rotate`, {
                method: 'POST',
                body: { grace_period_seconds: Number(grace.value), expires_at: expiry.value() },
            });
            const until = body.old_key.expires_at;
            const told =
                Date.parse(until) > Date.now()
                    ? ['The old key ', h('code', { class: 'chip' }, body.old_key.masked_key), ' works until ', time(until), '.']
                    : ['The old key ', h('code', { class: 'chip' }, body.old_key.masked_key), ' works no more.'];
            return show(body.new_key, `New key for “${key.name}”`, told);
        },
    }));
}

/** Gives a key another name. */
export function askToRename({ api }, key, done) {
    const name = field({ label: 'Name', name: 'name', id: 'key-name', value: key.name, maxlength: 100, required: true });
    ask({
        title: `Rename “${key.name}”`,
        fields: [name],
        label: 'Rename key',
        submit: async () => {
            await api.project(path(key), { method: 'PATCH', body: { name: name.value.trim() } });
            toast('Key renamed.');
            done();
        },
    });
}

/** Moves a key's expiry. */
export function askForExpiry({ api }, key, done) {
    const expiry = expiryFields('Expires', key.expires_at);
    ask({
        title: `When “${key.name}” expires`,
        fields: expiry.fields,
        label: 'Change expiry',
        submit: async () => {
            await api.project(path(key), { method: 'PATCH', body: { expires_at: expiry.value() } });
            toast('Expiry changed.');
            done();
        },
    });
}

/** Switches a key off. It can be switched on again. */
export function askToDisable({ api }, key, done) {
    confirm({
        title: `Disable “${key.name}”?`,
        body: [
            h('p', {}, 'Requests with it are refused within about a second. It can be enabled again.'),
            lastUsed(key),
            key.is_presented_key && ownKey('You are signed out at once, and somebody with another key must enable it.'),
        ],
        label: 'Disable key',
        danger: true,
        act: async () => {
            await api.project(path(key), { method: 'PATCH', body: { disabled: true } });
            toast('Key disabled.');
            done();
        },
    });
}

/** Ends a key for good. */
export function askToRevoke({ api }, key, done) {
    confirm({
        title: `Revoke “${key.name}” for good?`,
        body: [
            h(
                'p',
                {},
                'Requests with ',
                h('code', { class: 'chip' }, key.masked_key),
                ' are refused within about a second. This cannot be undone.',
            ),
            lastUsed(key),
            key.is_presented_key && ownKey('You are signed out at once.'),
        ],
        label: 'Revoke key',
        danger: true,
        act: async () => {
            await api.project(path(key), { method: 'DELETE' });
            toast('Key revoked.');
            done();
        },
    });
}

function ownKey(consequence) {
    return h(
        'div',
        { class: 'notice warn' },
        h('p', { class: 'title' }, 'This is the key that you are signed in with'),
        h('p', {}, consequence),
    );
}

function lastUsed(key) {
    return h(
        'p',
        { class: 'quiet' },
        key.last_used_at ? ['It was last used ', time(key.last_used_at, 'ago'), '.'] : 'It was never used for an MCP request.',
    );
}

/** A form whose answer is a key; the list is read again when the dialog closes. */
function withSecret(context, done, form) {
    const guard = guardSecret();
    // Read beforehand: when the key signed in with is rotated, its session may end with it.
    const servers = needsServers(context) ? loadServers(context) : null;
    servers?.catch(() => {});
    const show = (created, title, told) => {
        guard.show();
        return newKeyView({ context, created, title, told, servers, keep: guard.keep, close: () => dialog.leave() });
    };
    const given = form(show);
    const dialog = ask({
        ...given,
        submit: async () => {
            await servers?.catch(() => {});
            return given.submit();
        },
        onleave: guard.stays,
        onclose: () => {
            if (guard.isShown()) done();
            guard.end();
        },
    });
}
