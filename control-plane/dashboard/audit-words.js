// The audit log in words: who, what, and from what to what.

import { h } from './dom.js';
import { SETTINGS, settingValue, time } from './words.js';

/** What was done, by the API's word. */
export const ACTIONS = {
    'settings.changed': 'Changed settings',
    'api_key.created': 'Created API key',
    'api_key.changed': 'Changed API key',
    'api_key.rotated': 'Rotated API key',
    'api_key.revoked': 'Revoked API key',
    'mcp_server.created': 'Registered MCP server',
    'mcp_server.removed': 'Removed MCP server',
    'project.created': 'Created project',
    'project.renamed': 'Renamed project',
    'project.deleted': 'Deleted project',
    'organisation_key.created': 'Created organisation key',
    'organisation_key.revoked': 'Revoked organisation key',
    'organisation.created': 'Created organisation',
};

const KINDS = { api_key: 'API key', organisation_key: 'Organisation key', dashboard_session: 'Dashboard', cli: 'Command line' };

const FIELDS = {
    name: 'Name',
    created_at: 'Created',
    expires_at: 'Expires',
    disabled_at: 'Disabled',
    revoked_at: 'Revoked',
    replaced_by: 'Replaced by',
    masked_key: 'Key',
    id: 'Id',
    project_id: 'Project',
    organisation_id: 'Organisation',
};

/** Fields that a new or removed thing has, but that say nothing that the entry does not say already. */
const KNOWN = new Set(['id', 'name', 'project_id', 'organisation_id', 'created_at', 'last_used_at', 'config']);

/** Who did it: a name, and under it what kind of caller. */
export function actorWords({ kind, id, name }) {
    const label = KINDS[kind] ?? kind.replaceAll('_', ' ');
    return name ? { name, under: label, id } : { name: label, under: '', id };
}

/** What was done. */
export function actionWords(action) {
    return ACTIONS[action] ?? action;
}

/** The fields that changed, each as it was and as it is since. */
export function changeList({ before, after }) {
    const old = flat(before);
    const now = flat(after);
    const created = before === null;
    const removed = after === null;
    const names = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter(
        (name) => !(created || removed) || !KNOWN.has(name),
    );
    const told = names.filter((name) => !((created && blank(now[name])) || (removed && blank(old[name]))));
    if (told.length === 0) return null;
    return h(
        'ul',
        { class: 'changes' },
        told.map((name) =>
            h(
                'li',
                {},
                h('span', { class: 'what' }, `${SETTINGS[name]?.title ?? FIELDS[name] ?? name}: `),
                !created && h('del', {}, value(name, old[name])),
                !created && !removed && [h('span', { class: 'unseen' }, ' became '), h('span', { 'aria-hidden': 'true' }, ' → ')],
                !removed && h('ins', {}, value(name, now[name])),
            ),
        ),
    );
}

/** A project's settings lie in a field of their own; here they are fields like the others. */
function flat(state) {
    const { config, ...rest } = state ?? {};
    return { ...rest, ...config };
}

function blank(one) {
    return one === null || one === undefined;
}

function value(name, one) {
    if (name in SETTINGS) return settingValue(name, one);
    if (blank(one)) return name === 'expires_at' ? 'never' : 'no';
    if (name.endsWith('_at')) return time(one);
    return typeof one === 'object' ? JSON.stringify(one) : String(one);
}
