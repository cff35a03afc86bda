// The audit log: who changed what, from what to what. With an organisation's key, of one project or of all.

import { withQuery } from './api.js';
import { button } from './button.js';
import { ACTIONS, actionWords, actorWords, changeList } from './audit-words.js';
import { h } from './dom.js';
import { empty } from './empty.js';
import { field, select } from './field.js';
import { pageHead } from './page-head.js';
import { recordList } from './record-list.js';
import { addressOf, link, setQuery } from './router.js';
import { isOrganisation, projectName } from './session.js';
import { time } from './words.js';

const PARAMETERS = ['action', 'actor_id', 'target_id', 'since', 'until'];

export const auditPage = {
    title: 'Audit log',
    needs: null,
    draw(context) {
        const chosen = Object.fromEntries(PARAMETERS.map((name) => [name, context.query.get(name) ?? '']));
        const whole = !context.project;
        const list = recordList({
            what: 'entries',
            caption: 'Audit log',
            id: 'audit',
            columns: columns(whole, (filter) => narrow(filter)),
            fetchPage: (cursor) => {
                const parameters = {
                    ...chosen,
                    since: dayStart(chosen.since),
                    until: dayStart(chosen.until, 1),
                    limit: cursor ? 100 : 50,
                    cursor,
                };
                return whole
                    ? context.api.organisationAudit(withQuery('', parameters))
                    : context.api.project(withQuery('/audit_log', parameters));
            },
            empty: () =>
                isNarrow(chosen)
                    ? empty({
                          picture: 'audit',
                          title: 'Nothing like that',
                          text: 'No change matches these filters.',
                          action: button('Clear the filters', { onclick: () => clear() }),
                      })
                    : empty({
                          picture: 'audit',
                          title: 'Nothing yet',
                          text: 'Every change to the project, its settings, keys and MCP servers will have an entry here.',
                      }),
        });

        function narrow(filter) {
            Object.assign(chosen, filter);
            setQuery(chosen);
            const before = document.activeElement;
            bar.sync(chosen);
            list.reload();
            // What was pressed may be gone: the focus goes to what came of it.
            if (!before.isConnected || before.hidden) bar.focus();
        }

        function clear() {
            narrow(Object.fromEntries(PARAMETERS.map((name) => [name, ''])));
        }

        const bar = filterBar(chosen, narrow, clear);
        list.reload();
        return [pageHead('Audit log', lead(context, whole)), bar.element, list.element];
    },
};

function lead({ session }, whole) {
    const { name } = session.organisation;
    if (whole) return `Every change in ${name}, deleted projects included. Entries are never changed or removed.`;
    return [
        'Every change to this project, its settings, keys and MCP servers. Entries are never changed or removed.',
        isOrganisation() && [' ', link(addressOf('audit'), `See all of ${name}`)],
    ];
}

function isNarrow(chosen) {
    return PARAMETERS.some((name) => chosen[name]);
}

function filterBar(chosen, narrow, clear) {
    const action = field({
        label: 'Action',
        id: 'audit-action',
        control: select({
            fit: true,
            options: [['', 'All actions'], ...Object.entries(ACTIONS)],
            value: chosen.action,
            onchange: () => narrow({ action: action.value }),
        }),
    });
    const from = field({
        label: 'From',
        id: 'audit-since',
        type: 'date',
        value: chosen.since,
        onchange: () => narrow({ since: from.value }),
    });
    const to = field({
        label: 'To',
        id: 'audit-until',
        type: 'date',
        value: chosen.until,
        onchange: () => narrow({ until: to.value }),
    });
    const only = h('div', { class: 'field' });
    const reset = button('Clear', { kind: 'plain', id: 'audit-clear', onclick: clear });

    function sync(now) {
        action.input.value = now.action;
        from.input.value = now.since;
        to.input.value = now.until;
        reset.hidden = !isNarrow(now);
        only.hidden = !now.actor_id && !now.target_id;
        only.replaceChildren(
            h('span', { class: 'label' }, 'Only'),
            h(
                'span',
                { class: 'with-button' },
                now.actor_id && tag('by', now.actor_id, () => narrow({ actor_id: '' })),
                now.target_id && tag('of', now.target_id, () => narrow({ target_id: '' })),
            ),
        );
    }

    sync(chosen);
    return {
        element: h(
            'div',
            { class: 'toolbar', role: 'search', 'aria-label': 'Filter the audit log' },
            action.element,
            from.element,
            to.element,
            only,
            reset,
        ),
        sync,
        focus: () => (only.querySelector('button:last-of-type') ?? action.input).focus(),
    };
}

function tag(word, id, remove) {
    return button([`${word} `, h('code', {}, id), ' ×'], { 'aria-label': `No longer only ${word} ${id}`, onclick: remove });
}

function columns(whole, narrow) {
    return [
        { label: 'Time', cell: (entry) => time(entry.at, 'exact') },
        { label: 'Who', cell: (entry) => who(entry.actor, narrow) },
        { label: 'What', head: true, cell: (entry) => [actionWords(entry.action), ' ', what(entry, narrow)] },
        whole && {
            label: 'Project',
            cell: ({ project_id: id }) =>
                id
                    ? (projectName(id) ?? h('code', {}, id))
                    : h('span', { class: 'faded' }, 'None'),
        },
        { label: 'Changes', class: 'tall', cell: (entry) => changeList(entry) },
        { label: 'Ids', class: 'tall', cell: (entry) => ids(entry) },
    ].filter(Boolean);
}

function who(actor, narrow) {
    const { name, under, id } = actorWords(actor);
    const label = id
        ? h(
              'button',
              {
                  type: 'button',
                  class: 'link-button',
                  'aria-label': `Only what ${name} did`,
                  title: id,
                  onclick: () => narrow({ actor_id: id }),
              },
              h('bdi', {}, name),
          )
        : h('bdi', {}, name);
    return h('div', {}, label, under && h('span', { class: 'under' }, under));
}

function what({ action, target }, narrow) {
    if (action === 'settings.changed' && !isOrganisation()) return null;
    const only = () => narrow({ target_id: target.id });
    return [
        h(
            'button',
            {
                type: 'button',
                class: 'link-button',
                'aria-label': `Only what was done to ${target.name}`,
                title: target.id,
                onclick: only,
            },
            h('bdi', {}, target.name),
        ),
        target.kind === 'mcp_server' && h('code', { class: 'under' }, target.id),
    ];
}

/** What programs know the entry by, for whoever compares it with logs. */
function ids({ actor, target, request_id: request }) {
    const known = [
        ['Who', actor.id],
        ['Session', actor.session_id],
        ['What', target.id],
        ['Request', request],
    ].filter(([, id]) => id);
    return h(
        'details',
        { class: 'small' },
        h('summary', { class: 'nowrap' }, 'Show ids'),
        h(
            'ul',
            { class: 'changes' },
            known.map(([label, id]) => h('li', {}, h('span', { class: 'what' }, `${label}: `), h('code', {}, id))),
        ),
    );
}

/** The beginning of a day in the reader's time, as the API takes it. */
function dayStart(date, later = 0) {
    if (!/^\d{4}-\d\d-\d\d$/.test(date)) return '';
    const [year, month, day] = date.split('-').map(Number);
    return new Date(year, month - 1, day + later).toISOString();
}
