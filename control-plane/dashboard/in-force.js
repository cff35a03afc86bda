// How many gateways have the latest change in force. Asks again until all have.

import { h, put } from './dom.js';
import { plural, time } from './words.js';

/** How often to ask while a change is on its way: at first, and after a minute. In milliseconds. */
const SOON_MS = 1000;
const LATER_MS = 5000;
const MINUTE_MS = 60_000;

/** The line. `follow` shows what is known and asks on until the change of that revision is in force everywhere. */
export function inForceLine() {
    const dot = h('span', { class: 'dot', 'aria-hidden': 'true' });
    const text = h('span');
    const element = h('p', { class: 'in-force', id: 'in-force', role: 'status' }, dot, text);
    let shown = '';

    function show(state, revision) {
        const said = JSON.stringify([state, revision]);
        if (said === shown) return;
        shown = said;
        const done = isDone(state, revision);
        dot.className = `dot ${done ? 'good' : 'warn pulsing'}`;
        element.dataset.state = done ? 'in-force' : 'waiting';
        put(text, words(state, revision));
    }

    async function follow(state, { revision, signal, ask }) {
        show(state, revision);
        const began = Date.now();
        while (!isDone(state, revision) && !signal.aborted && !isAlone(state, began)) {
            await pause(Date.now() - began < MINUTE_MS ? SOON_MS : LATER_MS);
            // A line that was drawn anew elsewhere has one that asks in its stead.
            if (!element.isConnected) return;
            if (document.hidden || signal.aborted) continue;
            try {
                state = await ask();
            } catch (failure) {
                if (failure.name === 'AbortError' || failure.signedOut) return;
                // It may work the next time; what is shown is still what was known last.
                continue;
            }
            if (!signal.aborted) show(state, revision);
        }
    }

    return { element, follow };
}

/** An answer from before the change says nothing about it. */
function isCurrent(state, revision) {
    return state.revision === null || state.revision >= revision;
}

/** Without any gateway for a minute nothing is on its way. */
function isAlone(state, began) {
    return state.envoys === 0 && Date.now() - began > MINUTE_MS;
}

function isDone(state, revision) {
    return isCurrent(state, revision) && state.envoys > 0 && state.envoys_in_force === state.envoys;
}

function words(state, revision) {
    if (state.envoys === 0)
        return 'No gateway has reported within the last 90 seconds, so it is not known where this is in force.';
    const there = isCurrent(state, revision) ? state.envoys_in_force : 0;
    const all = there === state.envoys;
    return [
        `Latest change: in force on ${there} of ${plural(state.envoys, 'gateway')}`,
        all && state.since ? [' since ', time(state.since, 'clock')] : '',
        all ? '.' : '…',
    ];
}

function pause(milliseconds) {
    return new Promise((resolve) => {
        setTimeout(resolve, milliseconds);
    });
}
