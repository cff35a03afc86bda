// Who was or would be refused: how many requests, what they sent, and what to tell their senders.

import { h } from './dom.js';
import { count, OUTCOMES, outcomeLabel } from './words.js';

/** `byReason` counts requests by outcome. The most frequent comes first. */
export function reasonList(byReason, { remedies = true } = {}) {
    const reasons = Object.entries(byReason).sort(([, a], [, b]) => b - a);
    return h(
        'ul',
        { class: 'reasons' },
        reasons.map(([outcome, requests]) =>
            h(
                'li',
                { 'data-reason': outcome },
                h('span', { class: 'count' }, count(requests)),
                h('span', {}, OUTCOMES[outcome]?.who ?? outcomeLabel(outcome)),
                remedies && OUTCOMES[outcome]?.remedy && h('span', { class: 'remedy' }, OUTCOMES[outcome].remedy),
            ),
        ),
    );
}

/** The project's own keys among those that would have been refused, by name. */
export function refusedKeys(keys) {
    if (keys.length === 0) return null;
    return h(
        'div',
        {},
        h('p', { class: 'small' }, 'Keys of this project among them:'),
        h(
            'ul',
            { class: 'reasons' },
            keys.map(({ name, reason, requests }) =>
                h(
                    'li',
                    {},
                    h('span', { class: 'count' }, count(requests)),
                    h('span', {}, h('bdi', { class: 'strong' }, name), `: ${outcomeLabel(reason).replace('Refused: ', '')}`),
                ),
            ),
        ),
    );
}
