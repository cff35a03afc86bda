// The questions before a project is locked or unlocked: who would be refused, and what opens up.

import { withQuery } from './api.js';
import { confirm } from './dialog.js';
import { h, put } from './dom.js';
import { showFailure } from './failure.js';
import { loading } from './load.js';
import { reasonList, refusedKeys } from './reasons.js';
import { refusedIn, sum, usageByKey } from './usage-data.js';
import { count, plural } from './words.js';

/** Asks before a key is required. `lock` does it. */
export function askToLock({ api }, lock) {
    const place = h('div', { class: 'stack', id: 'lock-consequences', 'aria-live': 'polite' }, loading('who would be refused'));
    const dialog = confirm({
        title: 'Require an API key for MCP?',
        body: [
            h(
                'p',
                {},
                'Every request to this project’s MCP servers must then carry a live API key of this project in the header ',
                h('code', { class: 'chip nowrap' }, 'x-api-key'),
                '. All others get ',
                h('span', { class: 'strong' }, '401 Unauthorized'),
                ', within about a second.',
            ),
            place,
        ],
        label: 'Require API key',
        act: lock,
    });
    // What it does is told before it can be done; where that cannot be found out, the failure is.
    dialog.holdBack(true);
    tell(place, async () => {
        const [enforcement, keys] = await Promise.all([
            api.project('/mcp_enforcement'),
            api.project(withQuery('/api_keys', { status: 'live', limit: 1 })),
        ]);
        return [keys.body.items.length === 0 && noKey(), consequences(enforcement.body.preview)];
    }).finally(() => dialog.holdBack(false));
}

/** Asks before a key is required no more. `unlock` does it. */
export function askToUnlock({ api }, unlock) {
    const place = h('div', { class: 'stack', id: 'unlock-consequences', 'aria-live': 'polite' }, loading('what was refused'));
    confirm({
        title: 'Stop requiring an API key for MCP?',
        body: [
            h(
                'p',
                {},
                'Anybody who knows the URL of one of this project’s MCP servers can then call it, without any key. What comes without a key cannot be put down to anybody in the usage.',
            ),
            place,
        ],
        label: 'Stop requiring a key',
        danger: true,
        act: unlock,
    });
    tell(place, async () => opened(await usageByKey(api, 24)));
}

async function tell(place, load) {
    try {
        put(place, await load());
    } catch (failure) {
        showFailure(place, failure, { title: 'It is not known who would be affected', retry: () => tell(place, load) });
    }
}

function noKey() {
    return h(
        'div',
        { class: 'notice bad' },
        h('p', { class: 'title' }, 'This project has no live key'),
        h('p', {}, 'Until one is created, every request will be refused.'),
    );
}

function consequences(preview) {
    if (!preview) return h('p', {}, 'A key is required already.');
    const unchecked =
        preview.not_checked > 0 &&
        h(
            'p',
            { class: 'small quiet' },
            `${plural(preview.not_checked, 'request')} of them carried a key that was not looked up; they may be refused or not.`,
        );
    if (preview.requests === 0)
        return h(
            'div',
            { class: 'notice' },
            h('p', {}, 'There were no requests in the last 24 hours, so it is not known who would be refused.'),
        );
    if (preview.would_be_refused === 0 && preview.not_checked > 0) {
        return h(
            'div',
            { class: 'notice warn' },
            h('p', { class: 'title' }, 'It is not known who would be refused'),
            h(
                'p',
                {},
                `Of ${plural(preview.requests, 'request')} in the last 24 hours ${count(preview.not_checked)} carried a key that was not looked up; they may be refused or not.`,
            ),
        );
    }
    if (preview.would_be_refused === 0) {
        return h(
            'div',
            { class: 'notice good' },
            h(
                'p',
                {},
                `In the last 24 hours nobody would have been refused: ${plural(preview.requests, 'request')} carried a good key.`,
            ),
        );
    }
    return [
        h(
            'div',
            { class: 'notice warn' },
            h(
                'p',
                { class: 'title' },
                `${count(preview.would_be_refused)} of ${plural(preview.requests, 'request')} in the last 24 hours would have been refused`,
            ),
        ),
        h('div', {}, h('h3', { class: 'unseen' }, 'Who, and what to tell them'), reasonList(preview.by_reason)),
        refusedKeys(preview.refused_keys),
        unchecked,
    ];
}

function opened(usage) {
    const refused = refusedIn(usage.rows);
    const total = sum(refused);
    if (total === 0) return h('div', { class: 'notice' }, h('p', {}, 'Nothing was refused in the last 24 hours.'));
    return [
        h(
            'div',
            { class: 'notice warn' },
            h(
                'p',
                { class: 'title' },
                `${plural(total, 'request')} of the last 24 hours ${total === 1 ? 'was' : 'were'} refused, and would then go through`,
            ),
        ),
        reasonList(refused, { remedies: false }),
    ];
}
