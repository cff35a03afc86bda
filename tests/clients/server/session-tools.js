// Tools that hold something between two requests of one session. Each waits for a condition that only comes true when
// what it sent has reached the client, so a proxy that holds anything back makes it fail, however slow the machine is.

import { says } from './content.js';

/** How long a condition may take on a busy machine. It only ever passes when something is broken. */
const PATIENCE_MS = 20_000;

/** What the client has acknowledged, and whom it keeps waiting. */
export class Acknowledgements {
    #seen = 0;
    #waiting = [];

    seen(step) {
        this.#seen = Math.max(this.#seen, step);
        this.#waiting = this.#waiting.filter(({ until, resolve }) => until > this.#seen || resolve());
    }

    until(step) {
        if (step <= this.#seen) return Promise.resolve();
        return new Promise((resolve, reject) => {
            const late = () => reject(new Error(`step ${step} was not acknowledged: something holds progress back`));
            const timer = setTimeout(late, PATIENCE_MS);
            this.#waiting.push({ until: step, resolve: () => (clearTimeout(timer), resolve()) });
        });
    }
}

/** Waits until `holds`, and says `what` did not come true otherwise. */
export async function eventually(what, holds) {
    const deadline = Date.now() + PATIENCE_MS;
    while (!holds()) {
        if (Date.now() > deadline) throw new Error(`${what}: did not come true`);
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
}

export const sessionTools = {
    count_together: {
        description: 'Counts, and goes on only when the client has acknowledged each number by calling `seen`',
        inputSchema: { type: 'object', properties: { to: { type: 'integer' } }, required: ['to'] },
        async call({ to }, io) {
            for (let step = 1; step <= to; step += 1) {
                await io.progress(step, to);
                await io.session.acknowledgements.until(step);
            }
            return says(`counted to ${to}`);
        }
    },
    seen: {
        description: 'Acknowledges a number of `count_together`',
        inputSchema: { type: 'object', properties: { step: { type: 'integer' } }, required: ['step'] },
        call({ step }, io) {
            io.session.acknowledgements.seen(step);
            return says(`${step} is seen`);
        }
    },
    announce: {
        description: 'Sends notifications/tools/list_changed outside of any request, once somebody listens',
        async call(_, io) {
            await eventually('a stream for notifications is open', io.session.listens);
            await io.session.announce();
            return says('announced');
        }
    },
    break_off: {
        description: 'Ends the stream of its own answer, and answers once the client has come back for the rest',
        async call(_, io) {
            const comebacks = io.session.comebacks();
            await io.progress(1, 1);
            io.closeStream();
            await eventually('the client resumes', () => io.session.comebacks() > comebacks);
            return says('resumed');
        }
    },
    test_reconnection: {
        description: 'Ends the stream of its own answer, and answers later',
        async call(_, io) {
            await new Promise((resolve) => setTimeout(resolve, 50));
            io.closeStream();
            await new Promise((resolve) => setTimeout(resolve, 100));
            return says('Reconnected.');
        }
    }
};
