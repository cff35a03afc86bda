// Counts of requests, as the API tells them, put together for charts and tables.

import { withQuery } from './api.js';
import { HOUR_MS, hoursAgo, lastHours, midnight } from './hours.js';
import { OUTCOMES } from './words.js';

/** The order in which outcomes are stacked and listed: what went through first. */
const ORDER = Object.keys(OUTCOMES);

const isRefusal = (outcome) => outcome.startsWith('denied_');

/** The counts of the last so many hours by key, hours summed up. */
export async function usageByKey(api, hours) {
    return (await api.project(withQuery('/usage', { from: hoursAgo(hours) }))).body;
}

/** The counts of the last so many hours, each hour apart, keys together. */
export async function usageByHour(api, hours) {
    return (await api.project(withQuery('/usage', { from: hoursAgo(hours), by: 'hour', keys: 'together' }))).body;
}

/** Refused requests by reason. */
export function refusedIn(rows) {
    const refused = {};
    for (const row of rows) {
        if (isRefusal(row.outcome)) refused[row.outcome] = (refused[row.outcome] ?? 0) + row.requests;
    }
    return refused;
}

/** The outcomes that occur, in their order; one that this page does not know comes last. */
export function outcomesIn(rows) {
    const found = new Set(rows.map((row) => row.outcome));
    const place = (outcome) => (ORDER.indexOf(outcome) + ORDER.length + 1) % (ORDER.length + 1);
    return [...found].sort((a, b) => place(a) - place(b));
}

/** The rows as slots of a chart: one for each of the last so many hours, or for each day that they touch. */
export function slotsOf(rows, hours, step) {
    const slots = new Map();
    for (const start of lastHours(hours)) {
        const begin = step === 'day' ? midnight(start) : start;
        const slot = slots.get(begin) ?? { start: begin, hours: 0, values: {} };
        slot.hours += 1;
        slots.set(begin, slot);
    }
    for (const row of rows) {
        const hour = Math.floor(Date.parse(row.hour) / HOUR_MS) * HOUR_MS;
        const slot = slots.get(step === 'day' ? midnight(hour) : hour);
        if (slot) slot.values[row.outcome] = (slot.values[row.outcome] ?? 0) + row.requests;
    }
    return [...slots.values()];
}

/** The rows by key: how many were allowed, needed no key or were refused, and when the last one was. Busiest first. */
export function byKey(rows) {
    const keys = new Map();
    for (const row of rows) {
        const key = keys.get(row.key_id) ?? { id: row.key_id, total: 0, allowed: 0, open: 0, refused: {}, last: '' };
        key.total += row.requests;
        if (isRefusal(row.outcome)) key.refused[row.outcome] = (key.refused[row.outcome] ?? 0) + row.requests;
        else if (row.outcome === 'allowed') key.allowed += row.requests;
        else key.open += row.requests;
        if (row.last_at > key.last) key.last = row.last_at;
        keys.set(row.key_id, key);
    }
    return [...keys.values()].sort((a, b) => b.total - a.total);
}

/** The sum of a count by reason. */
export const sum = (counts) => Object.values(counts).reduce((total, one) => total + one, 0);
