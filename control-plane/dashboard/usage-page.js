// How many requests there were, with which key, and what became of them: figures, a chart over time, and a table by key.

import { withQuery } from './api.js';
import { barChart } from './chart.js';
import { h, put } from './dom.js';
import { empty } from './empty.js';
import { allPages, fill } from './load.js';
import { pageHead } from './page-head.js';
import { addressOf, link, setQuery } from './router.js';
import { segments } from './segments.js';
import { isOrganisation } from './session.js';
import { table } from './table.js';
import { byKey, outcomesIn, refusedIn, slotsOf, sum, usageByHour, usageByKey } from './usage-data.js';
import { count, outcomeLabel, time } from './words.js';

const RANGES = {
    '24h': { label: '24 hours', hours: 24, step: 'hour' },
    '7d': { label: '7 days', hours: 7 * 24, step: 'hour' },
    '30d': { label: '30 days', hours: 30 * 24, step: 'day' },
};

export const usagePage = {
    title: 'Usage',
    needs: 'project',
    draw(context) {
        const asked = context.query.get('range');
        let range = asked in RANGES ? asked : '24h';
        const place = h('div');
        let names;
        const read = () =>
            fill(
                place,
                'usage',
                async () => {
                    const wanted = RANGES[range];
                    names ??= keysOf(context.api);
                    names.catch(() => (names = undefined));
                    const [usage, hours, keys] = await Promise.all([
                        usageByKey(context.api, wanted.hours),
                        usageByHour(context.api, wanted.hours),
                        names,
                    ]);
                    return { usage, hours, keys, wanted };
                },
                (loaded) => drawn(context, loaded),
            );
        const choice = segments({
            label: 'Range',
            name: 'range',
            value: range,
            options: Object.entries(RANGES).map(([id, { label }]) => [id, label]),
            onchange: (id) => {
                range = id;
                setQuery({ range: id === '24h' ? null : id });
                read();
            },
        });
        read();
        return [
            pageHead('Usage', 'Requests to this project’s MCP servers, by the hour. Only counts are kept, never a request.', [
                choice,
            ]),
            place,
        ];
    },
};

function keysOf(api) {
    return allPages((cursor) => api.project(withQuery('/api_keys', { status: 'all', limit: 100, cursor })));
}

function drawn(context, { usage, hours, keys, wanted }) {
    if (usage.requests === 0) {
        return h(
            'section',
            { class: 'card' },
            empty({
                picture: 'usage',
                title: `No requests in the last ${wanted.label}`,
                text: 'Once a client calls one of the project’s MCP servers, its requests are counted here within seconds.',
                action: link(
                    addressOf('keys', isOrganisation() ? context.project.id : null),
                    'Go to the API keys to connect a client',
                    { class: 'button' },
                ),
            }),
        );
    }
    return [tiles(usage), chartCard(hours, wanted), keyCard(usage, keys)];
}

function tiles({ requests, rows }) {
    const refused = sum(refusedIn(rows));
    const withKey = rows.filter((row) => row.key_id).reduce((total, row) => total + row.requests, 0);
    const share = (part) => `${Math.round((part / requests) * 1000) / 10} %`;
    const tile = (label, value, under = '') => h('div', {}, h('dt', {}, label, under && ` · ${under}`), h('dd', {}, value));
    return h(
        'dl',
        { class: 'tiles' },
        tile('Requests', count(requests)),
        tile('Allowed', count(requests - refused), share(requests - refused)),
        tile('Refused', count(refused), share(refused)),
        tile('With a key of the project', count(withKey), share(withKey)),
    );
}

function chartCard({ rows }, wanted) {
    const series = outcomesIn(rows).map((outcome) => ({ name: outcome, label: outcomeLabel(outcome) }));
    const place = h('div');
    const draw = (step) =>
        put(
            place,
            barChart({
                label: `Requests of the last ${wanted.label} by ${step} and outcome. The table below has the same numbers.`,
                caption: `Requests by ${step} and outcome`,
                series,
                slots: slotsOf(rows, wanted.hours, step),
            }),
        );
    const steps =
        wanted.hours > 24 &&
        segments({
            label: 'Steps',
            name: 'step',
            value: wanted.step,
            options: [
                ['hour', 'By hour'],
                ['day', 'By day'],
            ],
            onchange: draw,
        });
    draw(wanted.step);
    return h(
        'section',
        { class: 'card', 'aria-labelledby': 'over-time' },
        h('div', { class: 'card-head' }, h('h2', { id: 'over-time' }, 'Over time'), steps),
        h('div', { class: 'card-body' }, place),
    );
}

function keyCard({ rows }, keys) {
    const known = new Map(keys.map((key) => [key.id, key]));
    const view = table({
        caption: 'Requests by key',
        id: 'usage-by-key',
        columns: [
            { label: 'Key', head: true, cell: ({ id }) => keyCell(id, known.get(id)) },
            { label: 'Requests', class: 'right', cell: ({ total }) => count(total) },
            { label: 'Allowed', class: 'right', cell: ({ allowed }) => number(allowed) },
            { label: 'No key required', class: 'right', cell: ({ open }) => number(open) },
            { label: 'Refused', class: 'right', cell: ({ refused }) => number(sum(refused)) },
            {
                label: 'Why refused',
                cell: ({ refused }) =>
                    Object.entries(refused).map(([outcome, requests]) =>
                        h('span', { class: 'under' }, `${outcomeLabel(outcome).replace('Refused: ', '')} ${count(requests)}`),
                    ),
            },
            { label: 'Last request', cell: ({ last }) => time(last, 'ago') },
        ],
    });
    view.show(byKey(rows));
    return h(
        'section',
        { class: 'card', 'aria-labelledby': 'by-key' },
        h('div', { class: 'card-head' }, h('h2', { id: 'by-key' }, 'By key')),
        view.element,
    );
}

function number(value) {
    return value > 0 ? count(value) : h('span', { class: 'faded' }, '0');
}

function keyCell(id, key) {
    if (!id) return ['No key of the project', h('span', { class: 'under' }, 'Without a key, or with one that is not known here')];
    if (!key) return h('code', {}, id);
    return [
        key.name,
        h(
            'span',
            { class: 'under' },
            h('code', { class: 'nowrap' }, key.masked_key),
            key.status === 'live' ? '' : ` · ${key.status}`,
        ),
    ];
}
