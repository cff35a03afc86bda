// Beside the switch that locks a project: what locking would have refused, or refuses, and how many gateways have it in force.

import { barChart } from './chart.js';
import { h, put } from './dom.js';
import { showFailure } from './failure.js';
import { inForceLine } from './in-force.js';
import { reasonList, refusedKeys } from './reasons.js';
import { lastHours } from './hours.js';
import { addressOf, link } from './router.js';
import { isOrganisation } from './session.js';
import { refusedIn, sum, usageByKey } from './usage-data.js';
import { count, plural } from './words.js';

/** The panel. `refresh` reads it anew and follows a change until it is in force everywhere. */
export function enforcementPanel({ api, project, signal, settings }) {
    const view = h('div', { class: 'stack' }, h('p', { class: 'quiet' }, 'Looking at the requests of the last 24 hours…'));
    const line = inForceLine();
    let following = new AbortController();

    async function refresh(revision = settings.revision) {
        following.abort();
        following = new AbortController();
        try {
            const { body } = await api.project('/mcp_enforcement');
            put(view, body.preview ? preview(body.preview) : refusals(await usageByKey(api, 24), project));
            line.follow(body.in_force, {
                revision,
                signal: AbortSignal.any([signal, following.signal]),
                ask: async () => (await api.project('/mcp_enforcement')).body.in_force,
            });
        } catch (failure) {
            showFailure(view, failure, {
                title: 'Could not look at the requests of the last 24 hours',
                retry: () => refresh(revision),
            });
        }
    }

    refresh();
    return { element: h('div', { class: 'more', id: 'enforcement' }, view, line.element), refresh };
}

function preview(told) {
    const series = [
        { name: 'would_pass', label: 'Would pass' },
        { name: 'would_be_refused', label: 'Would be refused' },
    ];
    const byHour = new Map(told.hours.map((hour) => [Date.parse(hour.hour), hour]));
    const slots = lastHours(24).map((start) => {
        const { requests = 0, would_be_refused: refused = 0 } = byHour.get(start) ?? {};
        return { start, hours: 1, values: { would_pass: requests - refused, would_be_refused: refused } };
    });
    return [
        h('p', { class: 'sentence', id: 'preview-summary' }, told.summary),
        told.requests === 0 &&
            h(
                'p',
                { class: 'quiet' },
                'Nothing called this project’s MCP servers, so it is not known who would be refused. Come back once there is traffic.',
            ),
        told.requests > 0 &&
            barChart({
                label: 'Requests of the last 24 hours, by hour',
                series,
                slots,
                height: 132,
                caption: 'Requests by hour, and how many of them would have been refused',
            }),
        told.would_be_refused > 0 &&
            h(
                'details',
                { class: 'numbers' },
                h('summary', {}, 'Who they are and what to tell them'),
                reasonList(told.by_reason),
                refusedKeys(told.refused_keys),
            ),
    ];
}

function refusals(usage, project) {
    const refused = refusedIn(usage.rows);
    const total = sum(refused);
    const details = link(addressOf('usage', isOrganisation() ? project.id : null), 'See usage');
    const sentence =
        total > 0
            ? `A key is required. ${count(total)} of ${plural(usage.requests, 'request')} in the last 24 h ${total === 1 ? 'was' : 'were'} refused.`
            : `A key is required. None of ${plural(usage.requests, 'request')} in the last 24 h was refused.`;
    return [
        h(
            'p',
            { class: 'sentence', id: 'refusal-summary' },
            usage.requests === 0 ? 'A key is required. There were no requests in the last 24 h.' : sentence,
        ),
        h('p', {}, details),
    ];
}
